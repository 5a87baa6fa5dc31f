"""``/seasons/{season}``: an airdrop season: who may claim of it until when, and what was claimed."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path

from keeper.api.routes import seasons as api
from keeper.economy.seasons import POOLS
from keeper.web.visits import Visiting

router = APIRouter()


@router.get("/seasons/{season}")
async def season(visit: Visiting, season: Annotated[int, Path(ge=0, lt=2**32)]) -> str:
    """One season."""
    found: Any = (await api.season(visit.asked, visit.on, season)).data  # type: ignore[attr-defined]
    return visit.page("season.html", season=found, pools=list(zip(POOLS, found.pools, strict=True)))
