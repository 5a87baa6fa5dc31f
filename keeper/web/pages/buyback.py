"""``/buyback``, ``/auctions``: fees that become IO, and IO that is burned."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from keeper.api.paging import Page
from keeper.api.routes import buyback as api
from keeper.clients.buyback import auction_address
from keeper.economy.buyback import Path as PricePath
from keeper.economy.calendar import HOUR
from keeper.web.figures import Axis, Series, lines
from keeper.web.pages.network import IO
from keeper.web.visits import Visiting

router = APIRouter()
STEPS = 48
"""Points of an auction's falling price that are drawn."""
TICKS = 4


@router.get("/buyback")
async def buyback(visit: Visiting, page: Annotated[Page, Query()]) -> object:
    """What waits, what was burned, and all auctions."""
    found: Any = await api.auctions(visit.asked, visit.on, page)
    if page.format == "csv":
        return found
    return visit.page(
        "buyback.html",
        buyback=(await api.state(visit.asked, visit.on)).data,
        rows=found.data,
        further=visit.further(found.next),
        csv=visit.csv.replace("/buyback", "/auctions"),
        asking=page,
    )


@router.get("/auctions/{number}")
async def auction(visit: Visiting, number: Annotated[int, Path(ge=0, lt=2**32)]) -> str:
    """One auction, with its price over time."""
    found: Any = (await api.auction(visit.asked, visit.on, number)).data  # type: ignore[attr-defined]
    path = PricePath(found.lot, found.start_price, found.floor_price, found.started_at, found.ends_at)
    # Nothing can be bid at the end itself.
    length = found.ends_at - 1 - found.started_at
    places = [found.started_at + length * step // STEPS for step in range(STEPS + 1)]
    prices = [(place, path.price(place) or 0) for place in places]
    drawn = [Series("price", [((at - found.started_at) / HOUR, price / IO) for at, price in prices])]
    if found.state == "sold":
        drawn.append(
            Series("sold", [((found.closed_at - found.started_at) / HOUR, found.price / IO)], marks=True)
        )
    ticks = [(length / HOUR * n / TICKS, f"{length / HOUR * n / TICKS:.1f} h") for n in range(TICKS + 1)]
    figure = lines("IO per USDC, by hours since it began", drawn, Axis(ticks, 0, length / HOUR))
    return visit.page(
        "auction.html",
        auction=found,
        address=auction_address(number),
        figure=figure,
        prices=prices[:: STEPS // 8],
        legend=[each.name for each in drawn],
    )
