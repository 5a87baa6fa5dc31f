"""``/search``: to the page of an address, a signature or an hour."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse

from keeper.api.routes.found import Searching, find
from keeper.web.visits import Visiting

router = APIRouter()


@router.get("/search")
async def search(visit: Visiting, asking: Annotated[Searching, Query()]) -> RedirectResponse:
    """Where it is. Raises HTTPException for what isn't in the index."""
    return RedirectResponse((await find(visit.on, asking.q.strip())).path, 303)
