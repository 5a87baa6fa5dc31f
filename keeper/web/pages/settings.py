"""``/settings``: what a viewer chooses for their own browser, which keeps it and tells nobody."""

from __future__ import annotations

from fastapi import APIRouter

from keeper.web.visits import Visiting

router = APIRouter()


@router.get("/settings")
async def settings(visit: Visiting) -> str:
    """The node that is asked, the explorer that is led to, and light or dark."""
    return visit.page("settings.html")
