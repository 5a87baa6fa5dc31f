"""``/seasons``: airdrops, what they pay and what was claimed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path
from pydantic import Field

from keeper.api.answers import Asked, On, list_of, one_of
from keeper.api.fields import Address, Form, account_model, shown
from keeper.api.problems import NOT_FOUND
from keeper.chain.program import Fields
from keeper.clients import tokenomics
from keeper.clients.tokenomics import SeasonStatus

router = APIRouter(tags=["seasons"])


class _SeasonMore(Form):
    """An airdrop season; amounts in IO base units."""

    address: Address
    state: str = Field(description="waits, open, ended, cancelled or closed")


Season = account_model(tokenomics.PROGRAM, "Season", _SeasonMore)


@router.get("/seasons", response_model=list_of(Season))
async def seasons(asked: Asked, on: On) -> object:
    """All seasons, the newest first."""
    found = (await asked.index.accounts(on, "tokenomics", "Season")).values()
    newest = sorted(found, key=lambda each: each["season"], reverse=True)
    return asked.one([_shown(each, asked.state.time) for each in newest])


@router.get("/seasons/{season}", response_model=one_of(Season), responses=NOT_FOUND)
async def season(asked: Asked, on: On, season: Annotated[int, Path(ge=0, lt=2**32)]) -> object:
    """One season."""
    address = tokenomics.season_address(season)
    found = await asked.index.account(on, "tokenomics", "Season", address)
    if found is None:
        raise HTTPException(404, f"there is no season {season}")
    return asked.one(_shown(found, asked.state.time))


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
