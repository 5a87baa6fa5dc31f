"""``/blocks``: hours, who attested them, what each device got."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query

from keeper.api.paging import Hour, Page
from keeper.api.queries import blocks as queries
from keeper.api.routes import blocks as api
from keeper.web.visits import Visit, Visiting

router = APIRouter()


@router.get("/blocks")
async def blocks(visit: Visiting, page: Annotated[Page, Query()]) -> object:
    """Hours that wait, and those that are final."""
    found: Any = await api.blocks(visit.asked, visit.on, page)
    if page.format == "csv":
        return found
    waiting: Any = await api.open_blocks(visit.asked, visit.on)
    return visit.page(
        "blocks.html",
        rows=found.data,
        waiting=waiting.data,
        further=visit.further(found.next),
        csv=visit.csv,
        asking=page,
    )


@router.get("/blocks/{hour}")
async def block(visit: Visiting, hour: Hour, page: Annotated[Page, Query()]) -> object:
    """One hour, final or not."""
    said = (await api.attestations(visit.asked, visit.on, hour)).data
    row = await queries.final_of(visit.on, visit.index, hour)
    if row is None:
        return visit.page("block_open.html", block=await _waiting(visit, hour), attestations=said)
    devices: Any = None
    why = "No device was registered in this hour"
    try:
        devices = await api.devices(visit.asked, visit.on, hour, page)
    except HTTPException as error:
        # The hour is final: what lacks are its devices, and the page is of more than these.
        if page.format == "csv":
            raise
        why = error.detail
    if page.format == "csv":
        return devices
    reasons = (await api.reasons(visit.asked, visit.on, hour)).data if devices else []
    folder = visit.request.app.state.rewards
    return visit.page(
        "block.html",
        files=None if folder is None else await api.published(folder, hour),
        block=api.FinalBlock(**row),
        attestations=said,
        devices=devices.data if devices else [],
        why=why,
        reasons=reasons,
        further=visit.further(devices.next if devices else None),
        csv=visit.csv.replace(f"/blocks/{hour}", f"/blocks/{hour}/devices"),
    )


async def _waiting(visit: Visit, hour: int) -> Any:
    """An hour that operators attest now. Raises HTTPException for one that nobody spoke of."""
    found: Any = await api.open_blocks(visit.asked, visit.on)
    for each in found.data:
        if each.hour == hour:
            return each
    ends = [await queries.final(visit.on, Page(limit=1, order=order)) for order in ("asc", "desc")]
    if not all(ends):
        raise HTTPException(404, "no hour is final yet: the first is, once operators attested it")
    (first, *_), (last, *_) = ends
    raise HTTPException(
        404, f"hour {hour} isn't in the index: it has hours from {first['hour']} to {last['hour']}"
    )
