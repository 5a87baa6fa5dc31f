"""``/blocks``: hours, who attested them, what each device got."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, HTTPException, Query

from keeper.api.paging import Hour, Page
from keeper.api.queries import blocks as queries
from keeper.api.queries import network
from keeper.api.routes import blocks as api
from keeper.clients import tokenomics
from keeper.web.visits import Visit, Visiting

router = APIRouter()
STATES = ("open", "agreed", "final")
REASONS = get_args(api.ReasonName)


class Hours(api.Hours):
    """Which hours: those that wait, too."""

    state: Literal["open", "agreed", "final"] | None = None

    def has(self, hour: int) -> bool:
        """Whether an hour is between those that were asked for."""
        return (self.from_ is None or self.from_ <= hour) and (self.to is None or hour <= self.to)


@router.get("/blocks")
async def blocks(visit: Visiting, page: Annotated[Hours, Query()]) -> object:
    """Hours that wait, and those that are final."""
    found: Any = await api.blocks(visit.asked, visit.on, page)
    if page.format == "csv":
        return found
    waiting: Any = await api.open_blocks(visit.asked, visit.on)
    tokens = tokenomics.config_of(await network.config(visit.on, visit.index, "tokenomics"))
    listed = page.state in (None, "final")
    return visit.page(
        "blocks.html",
        rows=found.data if listed else [],
        waiting=[
            each for each in waiting.data if page.state in (None, each.state) and page.has(int(each.hour))
        ],
        further=visit.further(found.next) if listed else None,
        csv=visit.csv_without("state"),
        asking=page,
        state_options=[(each, each) for each in STATES],
        is_asked=(page.state, page.from_, page.to) != (None, None, None),
        emission_start=network.emission_start(tokens),
    )


@router.get("/blocks/{hour}")
async def block(visit: Visiting, hour: Hour, page: Annotated[api.HourDevices, Query()]) -> object:
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
        asking=page,
        status_options=[(each, each) for each in ("succeeded", "failed", "missed")],
        reason_options=[(each, each.replace("_", " ")) for each in REASONS],
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
