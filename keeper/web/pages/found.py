"""``/search``: to the page of an address, a signature or an hour."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, Field
from solders.pubkey import Pubkey

from keeper.api.paging import MAX_CURSOR
from keeper.api.queries import views
from keeper.web.visits import Visiting

router = APIRouter()
SIGNATURE = re.compile(r"[1-9A-HJ-NP-Za-km-z]{64,88}")
MAX_HOUR_DIGITS = 9
KINDS = (
    ("devices", views.DEVICES, ("address", "worker")),
    ("orders", views.ORDERS, ("address",)),
    ("leases", views.LEASES, ("address",)),
)
"""Pages by what has an address, the first first."""


class Searching(BaseModel):
    """What somebody looks for."""

    model_config = ConfigDict(extra="forbid")

    q: str = Field(default="", max_length=MAX_CURSOR)


@router.get("/search")
async def search(visit: Visiting, asking: Annotated[Searching, Query()]) -> RedirectResponse:
    """Where it is. Raises HTTPException for what isn't in the index."""
    looked = asking.q.strip()
    if looked.isascii() and looked.isdigit() and len(looked) <= MAX_HOUR_DIGITS:
        return RedirectResponse(f"/blocks/{int(looked)}", 303)
    if SIGNATURE.fullmatch(looked):
        return RedirectResponse(f"/tx/{looked}", 303)
    try:
        address = str(Pubkey.from_string(looked))
    except ValueError:
        raise HTTPException(
            404, "this is no address, no transaction's signature and no hour's number: look for one of them"
        ) from None
    for path, view, names in KINDS:
        if await views.last_of(visit.on, view, dict.fromkeys(names, address)):
            return RedirectResponse(f"/{path}/{address}", 303)
    return RedirectResponse(f"/wallets/{address}", 303)
