"""``/wallets``: what a wallet has in the protocol, and what it can claim."""

from __future__ import annotations

from pathlib import Path as Folder
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import Field
from solders.pubkey import Pubkey

from keeper.api.answers import Answer, Asked, On
from keeper.api.fields import Address, Amount, Form
from keeper.api.paging import Hour
from keeper.api.problems import NOT_FOUND
from keeper.api.proofs import proof_of
from keeper.api.queries import wallets as queries
from keeper.rewards.earnings import indexed_claimable
from keeper.rewards.publication import NothingEarned, PublicationError

router = APIRouter(tags=["wallets"])


def address_of(address: str) -> Pubkey:
    """An address that was asked for; raises HTTPException where it is none."""
    try:
        return Pubkey.from_string(address)
    except ValueError:
        raise HTTPException(400, "address is none: one has 32 bytes in base58") from None


Wallet = Annotated[Pubkey, Depends(address_of)]


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


async def _earned(folder: Folder, hour: int, address: Pubkey) -> int | None:
    """What a wallet ever earned by an hour's files; None when these can't be read."""
    try:
        return (await run_in_threadpool(indexed_claimable, folder, hour, address)).lifetime
    except NothingEarned:
        return 0
    except PublicationError:
        return None
