"""``/orders``, ``/leases``: what was rented, second by second."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from keeper.api.queries import activity
from keeper.api.routes import activity as api_activity
from keeper.api.routes import orders as api
from keeper.indexer import lookup
from keeper.web.pages.network import class_names
from keeper.web.visits import Visiting

router = APIRouter()
SHOWN = 100
"""Events on an order's page; the rest is in its history."""


@router.get("/orders")
async def orders(visit: Visiting, asking: Annotated[api.Orders, Query()]) -> object:
    """Orders by what one looks for."""
    found: Any = await api.orders(visit.asked, visit.on, asking)
    return visit.listed("orders.html", found, asking, class_names=await class_names(visit))


@router.get("/orders/{address}")
async def order(visit: Visiting, address: Annotated[str, Path(max_length=44)]) -> str:
    """One order, with its leases and what became of its money."""
    found: Any = (await api.order(visit.asked, visit.on, address)).data  # type: ignore[attr-defined]
    receipt = (await lookup.receipts(visit.on, address))[0]
    asking = api_activity.Asking(address=address, limit=SHOWN)
    happened = await activity.around(visit.on, address, asking, [], [])
    return visit.page(
        "order.html",
        order=found,
        leases=[api.Lease(**row) for row in receipt.leases],
        classes=await class_names(visit),
        events=happened[:SHOWN],
    )


@router.get("/leases/{address}")
async def lease(visit: Visiting, address: Annotated[str, Path(max_length=44)]) -> str:
    """One lease of a device."""
    found: Any = (await api.lease(visit.asked, visit.on, address)).data  # type: ignore[attr-defined]
    paid_for: Any = (await api.order(visit.asked, visit.on, found.order)).data  # type: ignore[attr-defined]
    asking = api_activity.Asking(address=address, limit=SHOWN)
    happened = await activity.around(visit.on, address, asking, [], [])
    return visit.page("lease.html", lease=found, order=paid_for, events=happened[:SHOWN])
