"""``/audit``: what to check the network by."""

from __future__ import annotations

from fastapi import APIRouter

from keeper.api.paging import Page
from keeper.api.queries import audit as queries
from keeper.api.queries import blocks
from keeper.api.routes import audit as api
from keeper.web.visits import Visiting

router = APIRouter()


@router.get("/audit")
async def audit(visit: Visiting) -> str:
    """Programs, comparisons, operators, changes; and the newest hour, to compute again."""
    newest = await blocks.final(visit.on, Page(limit=1))
    return visit.page(
        "audit.html",
        audit=(await api.audit(visit.asked, visit.on)).data,
        changes=await queries.changes(visit.on),
        hour=newest[0]["hour"] if newest else None,
    )
