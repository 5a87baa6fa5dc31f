"""Solana Actions: transactions that a wallet signs from a link, for claims, stakes and co-stakes.

By the specification of Solana Actions: ``/actions.json`` says which of a site's pages have one, ``GET``
describes an action, ``POST`` makes its transaction for an account. It is made from the index by the command
line's own plans, without a key and without a node: it has no signature and no blockhash, which the wallet
sets; the wallet tries it by a node of its own, and shows it.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field
from solders.hash import Hash
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from sqlalchemy.ext.asyncio import AsyncConnection

from keeper.api.answers import Now, On
from keeper.api.index import Index, State
from keeper.api.problems import ACTION_HEADERS, ACTIONS, KINDS, message, refused
from keeper.api.proofs import proof_of
from keeper.api.queries import views, wallets
from keeper.api.routes.wallets import address_of
from keeper.clients import staking
from keeper.economy.money import parse
from keeper.economy.orders import Currency
from keeper.economy.supply import io
from keeper.wallet import claims, stakes
from keeper.wallet.plan import Plan
from keeper.wallet.stakes import Staked

CAIP2_BYTES = 32
"""So much of a genesis hash names a network, by CAIP-2."""
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="512" height="512" viewBox="0 0 512 512">'
    '<rect width="512" height="512" fill="#14171c"/>'
    '<rect x="112" y="144" width="56" height="224" fill="#8ec1ff"/>'
    '<circle cx="316" cy="256" r="88" fill="none" stroke="#8ec1ff" stroke-width="56"/></svg>'
)


class _Told(APIRoute):
    """Refusals in the form that wallets show, of which a plan's own are 422; and the network's name."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        handle = super().get_route_handler()

        async def told(request: Request) -> Response:
            index: Index = request.app.state.index
            answer: Response
            try:
                answer = await handle(request)
            except KINDS as error:
                answer = refused(error, message, 422)
            try:
                network = f"solana:{(await index.genesis())[:CAIP2_BYTES]}"
            except KINDS as error:
                return refused(error, message)
            answer.headers.update(ACTION_HEADERS | {"x-blockchain-ids": network})
            return answer

        return told


router = APIRouter(route_class=_Told, include_in_schema=False)


class Asked(BaseModel):
    """Who signs."""

    account: str = Field(max_length=44)


def _described(
    request: Request, title: str, about: str, label: str, more: list[dict[str, Any]]
) -> JSONResponse:
    url: str = request.app.state.actions
    body = {
        "type": "action",
        "icon": f"{url}{ACTIONS}/icon.svg",
        "title": title,
        "description": about,
        "label": label,
        "links": {"actions": more},
    }
    return JSONResponse(body)


@router.get("/actions.json")
async def rules() -> JSONResponse:
    """Which of the site's pages have an action."""
    pairs = (
        ("/stake", f"{ACTIONS}/claim"),
        ("/devices/*", f"{ACTIONS}/costake/*"),
        (f"{ACTIONS}/**", f"{ACTIONS}/**"),
    )
    return JSONResponse({"rules": [{"pathPattern": page, "apiPath": action} for page, action in pairs]})


@router.get(f"{ACTIONS}/icon.svg")
async def icon() -> Response:
    """The picture that wallets show."""
    return Response(ICON, media_type="image/svg+xml")


@router.get(f"{ACTIONS}/claim")
async def describe_claim(request: Request) -> JSONResponse:
    """A claim of whoever signs."""
    about = "Pays your wallet what its devices and co-stakes have earned, as far as the limits allow."
    return _described(
        request,
        "Claim rewards",
        about,
        "Claim",
        [{"type": "transaction", "label": "Claim", "href": f"{ACTIONS}/claim"}],
    )


@router.post(f"{ACTIONS}/claim")
async def make_claim(request: Request, state: Now, on: On, asked: Asked) -> JSONResponse:
    """Its transaction."""
    index: Index = request.app.state.index
    owner, folder = address_of(asked.account), request.app.state.rewards
    hour = await wallets.newest_hour(on)
    if hour is None or folder is None:
        raise HTTPException(422, "No hour's files are in: there is nothing to claim by.")
    found = await proof_of(folder, hour, owner)
    fields = await index.account(on, "staking", "Wallet", staking.wallet_address(owner))
    block = await index.account(on, "staking", "Block", staking.block_address(hour))
    plan = claims.claim(
        await _config(index, on),
        None if fields is None else staking.wallet_of(fields),
        None if block is None else staking.block_of(block),
        found,
        owner,
        state.time,
    )
    return _transaction(plan, owner)


@router.get(f"{ACTIONS}/stake/{{device}}")
async def describe_stake(request: Request, state: Now, on: On, device: str) -> JSONResponse:
    """A supplier's stake on a device of its own."""
    at = await _staked(request, on, state, device)
    address = staking.device_address(at.device.worker)
    href = f"{ACTIONS}/stake/{address}"
    missing = max(0, at.minimum - at.counted)
    counts = f"Device {address} has {io(at.counted)} IO of the {io(at.minimum)} that it needs."
    about = f"{counts} Its supplier alone stakes on it."
    amount = {
        "name": "amount",
        "label": "IO to stake",
        "type": "text",
        "required": True,
        "pattern": r"^[0-9]+(\.[0-9]{1,8})?$",
    }
    actions: list[dict[str, Any]] = [
        {"type": "transaction", "label": "Stake", "href": f"{href}?amount={{amount}}", "parameters": [amount]}
    ]
    if missing:
        whole = io(missing).replace(",", "")
        actions.insert(
            0, {"type": "transaction", "label": f"Stake {io(missing)} IO", "href": f"{href}?amount={whole}"}
        )
    return _described(request, "Stake on your device", about, "Stake", actions)


@router.post(f"{ACTIONS}/stake/{{device}}")
async def make_stake(
    request: Request,
    state: Now,
    on: On,
    device: str,
    asked: Asked,
    amount: Annotated[str, Query(max_length=30, description="IO, such as 1250.5")],
) -> JSONResponse:
    """Its transaction."""
    owner = address_of(asked.account)
    at = await _staked(request, on, state, device)
    if at.device.supplier != owner:
        raise HTTPException(
            422, f"This device is supplied by {at.device.supplier}, who alone can stake on it."
        )
    return _transaction(stakes.add(at, parse(amount, Currency.IO)), owner)


@router.get(f"{ACTIONS}/costake/{{device}}")
async def describe_co_stake(request: Request, state: Now, on: On, device: str) -> JSONResponse:
    """A co-stake by a device's offer."""
    at = await _staked(request, on, state, device)
    address = staking.device_address(at.device.worker)
    if not at.device.offer:
        raise HTTPException(422, f"Device {address} looks for no co-staker now.")
    share = f"{at.device.offer_reward_bps / 100:g} %"
    label = f"Co-stake {io(at.device.offer)} IO for {share} of rewards"
    about = (
        f"On device {address}: you get {share} of what it earns, and nothing in hours in which it does no "
        f"work. A slash burns up to {at.config.params.max_slash_bps / 100:g} % of it. Who leaves waits, and "
        "then cools."
    )
    action = {"type": "transaction", "label": label, "href": f"{ACTIONS}/costake/{address}"}
    return _described(request, "Co-stake on a device", about, "Co-stake", [action])


@router.post(f"{ACTIONS}/costake/{{device}}")
async def make_co_stake(request: Request, state: Now, on: On, device: str, asked: Asked) -> JSONResponse:
    """Its transaction."""
    index: Index = request.app.state.index
    owner = address_of(asked.account)
    at = await _staked(request, on, state, device)
    fields = await index.account(on, "staking", "Wallet", staking.wallet_address(owner))
    plan = stakes.take(at, owner, None if fields is None else staking.wallet_of(fields))
    return _transaction(plan, owner)


@router.options("/actions.json")
@router.options(ACTIONS + "/{rest:path}")
async def may(rest: str = "") -> Response:
    """What a page of any origin may send."""
    return Response(status_code=204)


async def _staked(request: Request, on: AsyncConnection, state: State, device: str) -> Staked:
    """A device by its address or its worker's, as the index has it."""
    index: Index = request.app.state.index
    row = await views.last_of(on, views.DEVICES, {"address": device, "worker": device})
    fields = None if row is None else await index.account(on, "staking", "Device", row["address"])
    if fields is None:
        raise HTTPException(404, "No device has this address, nor such a worker.")
    found = staking.device_of(fields)
    of_class = await index.account(on, "staking", "Class", staking.class_address(found.device_class))
    if of_class is None:
        raise HTTPException(404, "The device's class isn't in the index.")
    return Staked(found, staking.class_of(of_class), await _config(index, on), state.time)


async def _config(index: Index, on: AsyncConnection) -> staking.Config:
    fields = await index.account(on, "staking", "Config", staking.CONFIG)
    if fields is None:
        raise HTTPException(422, "Staking isn't set up on this network.")
    return staking.config_of(fields)


def _transaction(plan: Plan, payer: Pubkey) -> JSONResponse:
    """A plan as a wallet takes it: without signatures, and with a blockhash that the wallet replaces."""
    message = MessageV0.try_compile(payer, list(plan.instructions), [], Hash.default())
    signatures = [Signature.default()] * message.header.num_required_signatures
    wire = bytes(VersionedTransaction.populate(message, signatures))
    said = "; ".join(
        f"{io(each.amount)} IO from {each.source.name} to {each.to.name}" for each in plan.movements
    )
    body = {"type": "transaction", "transaction": b64encode(wire).decode(), "message": f"{said}."}
    return JSONResponse(body)
