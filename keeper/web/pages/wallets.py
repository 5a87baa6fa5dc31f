"""``/wallets``, ``/history``: everything of an address."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query

from keeper.api.paging import encode
from keeper.api.queries import activity
from keeper.api.routes import activity as api_activity
from keeper.api.routes import devices, orders
from keeper.api.routes import wallets as api
from keeper.clients.programs import PROGRAMS
from keeper.web.visits import Visiting

router = APIRouter()
SHOWN = 20
"""Rows of each list on a wallet's page."""


@router.get("/wallets/{address}")
async def wallet(visit: Visiting, address: api.Wallet) -> str:
    """What a wallet has in the protocol, and what happened around it."""
    found = (await api.wallet(visit.asked, visit.on, visit.request, address)).data
    text = str(address)
    lists: dict[str, Any] = {}
    for name in ("supplier", "payout", "co_staker"):
        asking = devices.Asking.model_validate({name: text, "limit": SHOWN})
        lists[name] = await devices.devices(visit.asked, visit.on, asking)
    ordered: Any = await orders.orders(visit.asked, visit.on, orders.Orders(renter=text, limit=SHOWN))
    happened = await activity.around(visit.on, text, api_activity.Asking(address=text, limit=SHOWN), [], [])
    return visit.page(
        "wallet.html",
        wallet=found,
        lists=lists,
        orders=ordered,
        events=happened[:SHOWN],
    )


@router.get("/history")
async def history(visit: Visiting, asking: Annotated[api_activity.Asking, Query()]) -> object:
    """Everything that happened, newest first: around an address if one is named."""
    if not asking.newest_first:
        raise HTTPException(400, "order is 'asc': what happened is listed newest first alone")
    if asking.format == "csv":
        return await api_activity.around(visit.asked, visit.on, asking)
    found = await activity.around(visit.on, asking.address, asking, asking.program, asking.event, asking.span)
    events = found[: asking.limit]
    next_ = encode(events[-1].cursor) if len(found) > asking.limit else None
    return visit.page(
        "history.html",
        asking=asking,
        programs=[(each, each) for each in PROGRAMS],
        kinds=[(each, each) for each in api_activity.EVENTS],
        events=events,
        further=visit.further(next_),
        csv=visit.csv.replace("/history", "/transactions"),
    )


@router.get("/tx/{signature}")
async def transaction(visit: Visiting, signature: Annotated[str, Path(max_length=88)]) -> str:
    """A transaction in words."""
    found = await activity.transaction(visit.on, signature)
    if found is None:
        raise HTTPException(
            404, "no final transaction of these programs has this signature: look on the chain"
        )
    row, events = found
    return visit.page("tx.html", tx=row, pairs=[(each, api_activity.shown(each)) for each in events])
