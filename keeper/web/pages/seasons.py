"""``/seasons/{season}``: an airdrop season: who may claim of it until when, and what was claimed."""

from __future__ import annotations

from pathlib import Path as Folder
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict

from keeper.api.fields import AskedAddress
from keeper.api.routes import seasons as api
from keeper.api.routes.wallets import address_of
from keeper.economy.seasons import POOLS
from keeper.rewards.seasons import is_published
from keeper.web.visits import Visit, Visiting

router = APIRouter()
NOT_FOUND = 404


class Asking(BaseModel):
    """Whose part of it."""

    model_config = ConfigDict(extra="forbid")

    wallet: AskedAddress | None = None


@router.get("/seasons/{season}")
async def season(visit: Visiting, season: api.Number, asking: Annotated[Asking, Query()]) -> str:
    """One season, and what a wallet gets in it."""
    found: Any = (await api.season(visit.asked, visit.on, season)).data  # type: ignore[attr-defined]
    folder: Folder | None = visit.request.app.state.rewards
    stated = season, bytes(found.data_hash), bytes(found.root)
    published = folder is not None and await run_in_threadpool(is_published, folder, *stated)
    return visit.page(
        "season.html",
        season=found,
        pools=list(zip(POOLS, found.pools, strict=True)),
        published=published,
        wallet=asking.wallet,
        share=await _share(visit, season, asking.wallet) if published and asking.wallet else None,
    )


async def _share(visit: Visit, season: int, wallet: str) -> api.SeasonProof | None:
    """What a wallet gets; None for nothing."""
    try:
        return (await api.proof(visit.asked, visit.on, visit.request, season, address_of(wallet))).data
    except HTTPException as error:
        if error.status_code == NOT_FOUND:
            return None
        raise
