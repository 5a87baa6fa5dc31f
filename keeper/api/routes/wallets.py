"""``/wallets``: what a wallet has in the protocol, and what it can claim."""

from __future__ import annotations

from pathlib import Path as Folder
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import Field
from solders.pubkey import Pubkey
from sqlalchemy.ext.asyncio import AsyncConnection

from keeper.api.answers import Answer, Asked, On, Reading
from keeper.api.fields import Address, Amount, Form
from keeper.api.paging import Hour
from keeper.api.problems import NOT_FOUND
from keeper.api.proofs import proof_of
from keeper.api.queries import wallets as queries
from keeper.api.queries.blocks import final_of
from keeper.api.queries.network import config as config_of
from keeper.clients import staking
from keeper.economy.calendar import HOUR
from keeper.rewards.earnings import indexed_claimable
from keeper.rewards.publication import NothingEarned, PublicationError
from keeper.wallet import claims

router = APIRouter(tags=["wallets"])


def address_of(address: str) -> Pubkey:
    """An address that was asked for; raises HTTPException where it is none."""
    try:
        return Pubkey.from_string(address)
    except ValueError:
        raise HTTPException(400, "address is none: one has 32 bytes in base58") from None


Wallet = Annotated[Pubkey, Depends(address_of)]


class Claims(Form):
    """What a claim of a wallet's rewards pays by all limits, IO base units."""

    by_anybody: Amount = Field(description="now, if the wallet doesn't sign")
    by_wallet: Amount = Field(description="now, if it does: half of an hour's limit is for its small claims")
    hour_limit: Amount = Field(description="of all claims in an hour of the clock")
    hour_left: Amount = Field(description="of it in this hour, the half for small claims not counted")
    held_by_share: Amount = Field(description="not paid before more hours are final: over the wallet's share")
    next_from: int | None = Field(description="when the next part is paid, unix seconds; null if none waits")


class Holdings(Form):
    """What a wallet has in the protocol, IO base units; a wallet that has nothing there is all zeros."""

    address: Address
    devices: int = Field(description="registered by it")
    staked: Amount = Field(description="its own, on them")
    cooling: Amount = Field(description="unstaked, and not to be withdrawn yet or not withdrawn")
    co_stakes: int = Field(description="on others' devices")
    co_staked: Amount
    co_stakes_leaving: int
    co_leaving: Amount
    orders: int = Field(description="of its own that aren't closed")
    claimed: Amount = Field(description="of its rewards, ever")
    earned: Amount | None = Field(description="ever, up to `earned_hour`; null before its files are in")
    earned_hour: int | None = Field(description="the newest final hour whose files are in")
    due: Amount | None = Field(description="earned - claimed")
    claims: Claims | None = Field(description="what of it is paid when; null where nothing is known or due")


class Proof(Form):
    """A wallet's leaf in an hour's tree, and the way to the root."""

    hour: int
    wallet: str
    lifetime: Amount = Field(description="all that it ever earned, IO base units")
    root: str = Field(description="hex; the same is on chain")
    proof: list[str] = Field(description="hashes from the leaf upwards, hex")


@router.get("/wallets/{address}")
async def wallet(asked: Asked, on: On, request: Request, address: Wallet) -> Answer[Holdings]:
    """What a wallet has staked, ordered, earned and claimed."""
    found = await queries.holdings(on, str(address))
    hour, folder = await queries.newest_hour(on), request.app.state.rewards
    earned = None
    if hour is not None and folder is not None:
        earned = await _earned(folder, hour, address)
    return asked.one(
        Holdings(
            address=address,
            earned=earned,
            earned_hour=None if earned is None else hour,
            due=None if earned is None else earned - found["claimed"],
            claims=None
            if hour is None or earned is None
            else await _claims(asked, on, address, hour, earned),
            **found,
        )
    )


@router.get("/blocks/{hour}/proof/{address}", responses=NOT_FOUND)
async def proof(asked: Asked, request: Request, hour: Hour, address: Wallet) -> Answer[Proof]:
    """What a wallet can claim with by an hour's root."""
    folder: Folder | None = request.app.state.rewards
    if folder is None:
        raise HTTPException(404, "no files of hours are served here")
    try:
        found = await proof_of(folder, hour, address)
    except NothingEarned as error:
        raise HTTPException(404, str(error)) from error
    return asked.one(Proof.model_validate(found.json()))


async def _claims(
    asked: Reading, on: AsyncConnection, owner: Pubkey, hour: int, earned: int
) -> Claims | None:
    """What the program pays of what a wallet has earned by a final hour; None where there is nothing."""
    fields = await asked.index.account(on, "staking", "Wallet", staking.wallet_address(owner))
    block = await final_of(on, asked.index, hour)
    if fields is None or block is None:
        return None
    held, now = staking.wallet_of(fields), asked.state.time
    config = staking.config_of(await config_of(on, asked.index, "staking"))
    allowed = max(0, claims.allowed(config, held, block["total"], earned))
    if earned <= held.claimed:
        return None
    alone, signed = (config.payable(held, allowed, now, signed=each) for each in (False, True))
    return Claims(
        by_anybody=alone,
        by_wallet=signed,
        hour_limit=config.params.claim_limit,
        hour_left=config.claim_left(now),
        held_by_share=earned - held.claimed - allowed,
        next_from=(now // HOUR + 1) * HOUR if signed < allowed else None,
    )


async def _earned(folder: Folder, hour: int, address: Pubkey) -> int | None:
    """What a wallet ever earned by an hour's files; None when these can't be read."""
    try:
        return (await run_in_threadpool(indexed_claimable, folder, hour, address)).lifetime
    except NothingEarned:
        return 0
    except PublicationError:
        return None
