"""``/seasons``: airdrops, what they pay and what was claimed."""

from __future__ import annotations

from pathlib import Path as Folder
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncConnection

from keeper.api.answers import Answer, Asked, On, Reading, list_of, one_of
from keeper.api.fields import Address, Amount, Form, account_model, shown
from keeper.api.problems import NOT_FOUND
from keeper.api.routes.wallets import Wallet
from keeper.chain.program import Fields
from keeper.clients import tokenomics
from keeper.clients.tokenomics import SeasonStatus
from keeper.rewards import seasons as published
from keeper.rewards.wallet_index import NoIndex, hashes_of

router = APIRouter(tags=["seasons"])


class _SeasonMore(Form):
    """An airdrop season; amounts in IO base units."""

    address: Address
    state: str = Field(description="waits, open, ended, cancelled or closed")


Season = account_model(tokenomics.PROGRAM, "Season", _SeasonMore)
Number = Annotated[int, Path(ge=0, lt=2**32)]


class SeasonProof(Form):
    """A wallet's leaf in a season's tree, and the way to the root."""

    season: int
    wallet: str
    index: int = Field(description="the leaf's place")
    amount: Amount = Field(description="what it gets in all pools, IO base units")
    root: str = Field(description="hex; the same is on chain")
    proof: list[str] = Field(description="hashes from the leaf upwards, hex")
    claimed: bool | None = Field(
        description="whether it was paid; null where the chain keeps no record of it"
    )


@router.get("/seasons", response_model=list_of(Season))
async def seasons(asked: Asked, on: On) -> object:
    """All seasons, the newest first."""
    found = (await asked.index.accounts(on, "tokenomics", "Season")).values()
    newest = sorted(found, key=lambda each: each["season"], reverse=True)
    return asked.one([_shown(each, asked.state.time) for each in newest])


@router.get("/seasons/{season}", response_model=one_of(Season), responses=NOT_FOUND)
async def season(asked: Asked, on: On, season: Number) -> object:
    """One season."""
    return asked.one(_shown(await _found(asked, on, season), asked.state.time))


@router.get("/seasons/{season}/proof/{address}", responses=NOT_FOUND)
async def proof(
    asked: Asked, on: On, request: Request, season: Number, address: Wallet
) -> Answer[SeasonProof]:
    """What a wallet gets in a season, and can claim with, by the season's root."""
    folder: Folder | None = request.app.state.rewards
    fields = await _found(asked, on, season)
    missing = HTTPException(404, f"the points of season {season} aren't published here")
    if folder is None:
        raise missing
    stated = bytes(fields["data_hash"]), bytes(fields["root"])
    try:
        # In a thread, as pages of a large index may have to come from the disk.
        share = await run_in_threadpool(published.share_of, folder, season, *stated, address)
    except (NoIndex, OSError) as error:
        raise missing from error
    if share is None:
        raise HTTPException(404, f"{address} gets nothing in season {season}")
    return asked.one(
        SeasonProof(
            season=season,
            wallet=str(address),
            index=share.claim.index,
            amount=share.claim.amount,
            root=stated[1].hex(),
            proof=hashes_of(share.proof),
            claimed=await _is_claimed(asked, on, fields, share.claim.index),
        )
    )


async def _found(asked: Reading, on: AsyncConnection, season: int) -> Fields:
    """A season's account; raises HTTPException where there is none."""
    found = await asked.index.account(on, "tokenomics", "Season", tokenomics.season_address(season))
    if found is None:
        raise HTTPException(404, f"there is no season {season}")
    return found


async def _is_claimed(asked: Reading, on: AsyncConnection, fields: Fields, index: int) -> bool | None:
    """Whether a leaf was paid; None when its page was closed, as it is after the season."""
    number = index // tokenomics.PAGE_CLAIMS
    page = await asked.index.account(
        on, "tokenomics", "ClaimPage", tokenomics.claim_page_address(fields["season"], number)
    )
    if page is None:
        # Nobody has claimed on a page that nobody has opened yet; none is closed while claims are open.
        return False if _state(fields, asked.state.time) in {"waits", "open"} else None
    return tokenomics.is_marked(page["bits"], index)


def _shown(fields: Fields, now: int) -> _SeasonMore:
    return Season(
        address=tokenomics.season_address(fields["season"]), state=_state(fields, now), **shown(fields)
    )


def _state(fields: Fields, now: int) -> str:
    """Where a season stands at ``now``."""
    if fields["status"] != SeasonStatus.OPEN:
        return SeasonStatus(fields["status"]).name.lower()
    if now < fields["claim_start"]:
        return "waits"
    return "open" if now < fields["claim_end"] else "ended"
