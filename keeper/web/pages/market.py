"""``/market/{class}``: a class' price as it went, and what its devices ask for."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from keeper.api.paging import Page
from keeper.api.routes import market as api
from keeper.clients import staking
from keeper.economy.calendar import HOUR
from keeper.economy.money import DECIMALS
from keeper.economy.orders import Currency
from keeper.web.figures import Axis, Series, lines
from keeper.web.pages.network import class_list
from keeper.web.visits import Visiting

router = APIRouter()
UNIT = {each: 10 ** DECIMALS[each] for each in Currency}
SHOWN = 200
TICKS = 4


@router.get("/market/{number}")
async def market(visit: Visiting, number: api.ClassNumber, where: Annotated[api.Where, Query()]) -> str:
    """A class in the market; devices of one country, if one is asked for."""
    steps: Any = await api.history(visit.asked, visit.on, number, Page(limit=SHOWN))
    asks: dict[str, Any] = {}
    for currency in Currency:
        asking = api.Depths.model_validate(
            {"currency": currency.name.lower(), "limit": SHOWN, "country": where.country}
        )
        found: Any = await api.depth(visit.asked, visit.on, number, asking)
        asks[currency.name] = list(_cumulated(found.data))
    quoted = next(each for each in (await api.market(visit.asked, visit.on, where)).data if each.id == number)
    of_class = next(each for each in await class_list(visit) if each.id == number)
    return visit.page(
        "class.html",
        address=staking.class_address(number),
        asking=where,
        quoted=quoted,
        of_class=of_class,
        steps=steps.data,
        asks=asks,
        figure=_prices(steps.data, quoted.quotes["IO"], visit.now),
        depths={name: _depth(rows, UNIT[Currency[name]]) for name, rows in asks.items()},
    )


def _cumulated(rows: list[api.Depth]) -> Any:
    """Each ask with how many processors cost at most that."""
    below = 0
    for row in rows:
        below += row.processors
        yield row, below


def _prices(steps: list[api.Price], quotes: list[api.Step], now: int) -> object:
    """What a processor cost in IO, by hours before now; nothing where there was no step.

    Each step names the price that holds until it is made; what holds after the newest is quoted.
    """
    if not steps:
        return ""
    rows = sorted(steps, key=lambda each: each.holds_from)
    begins = [min(rows[0].at, rows[0].holds_from), *(each.holds_from for each in rows)]
    after = next(each.amount for each in reversed(quotes) if each.holds_from <= max(now, begins[-1]))
    prices = [*(each.price_io for each in rows), after]
    ends = max(now, begins[-1] + HOUR)
    unit = UNIT[Currency.IO]
    points = [((at - now) / HOUR, price / unit) for at, price in zip(begins, prices, strict=True)]
    points.append(((ends - now) / HOUR, after / unit))
    first, last = points[0][0], points[-1][0]
    places = [first + (last - first) * n / TICKS for n in range(TICKS + 1)]
    axis = Axis([(place, f"{place:.1f} h") for place in places], first, last)
    return lines("IO for a processor and hour", [Series("IO", points, steps=True)], axis)


def _depth(rows: list[tuple[api.Depth, int]], unit: int) -> object:
    """Processors that cost at most so much, by the price."""
    if not rows:
        return ""
    points: list[tuple[float, float]] = [(rows[0][0].ask / unit, 0.0)]
    for row, below in rows:
        points += [(row.ask / unit, points[-1][1]), (row.ask / unit, float(below))]
    low, high = points[0][0], points[-1][0]
    if low == high:
        # One price: the step stands in the middle.
        low, high = low * 0.5, high * 1.5
        points.append((high, points[-1][1]))
    places = [low + (high - low) * n / TICKS for n in range(TICKS + 1)]
    axis = Axis([(place, f"{place:.4g}") for place in places], low, high)
    return lines("processors that are asked at most so much for", [Series("processors", points)], axis)
