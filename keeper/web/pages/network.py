"""``/``, ``/supply``, ``/market``, ``/how``: the network as a whole."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from keeper.api.queries import counts
from keeper.api.routes import blocks, buyback, classes
from keeper.api.routes import market as api_market
from keeper.api.routes import network as api
from keeper.api.routes import seasons as api_seasons
from keeper.economy import emission
from keeper.economy.calendar import HOUR, month_of
from keeper.economy.money import DECIMALS
from keeper.economy.orders import Currency
from keeper.economy.supply import EMISSION_TOTAL
from keeper.web.figures import Axis, Series, areas, bars
from keeper.web.how import SOURCES
from keeper.web.visits import Visit, Visiting

router = APIRouter()
SHOWN_HOURS = 24
NAMED = 4
"""Every so many bars have a name."""
MONTHS_A_YEAR = 12
STATES = ("ready", "leased", "short", "terminated")
IO = 10 ** DECIMALS[Currency.IO]


@router.get("/")
async def home(visit: Visiting) -> str:
    """The network at a glance."""
    network = (await api.network(visit.asked, visit.on)).data
    final: Any = await blocks.blocks(visit.asked, visit.on, blocks.Hours(limit=SHOWN_HOURS))
    hours = sorted((each for each in final.data if each.paid is not None), key=lambda each: each.hour)
    of_class = await class_names(visit)
    found = await counts.devices(visit.on)
    rows = [
        (number, name, [found.get((number, state), 0) for state in STATES])
        for number, name in of_class.items()
        if any(found.get((number, state)) for state in STATES)
    ]
    return visit.page(
        "network.html",
        network=network,
        clock=_clock(network),
        total=EMISSION_TOTAL,
        hours=hours,
        is_final=bool(final.data),
        figure=_bars(hours),
        states=STATES,
        classes=rows,
        sums=[sum(row[2][place] for row in rows) for place in range(len(STATES))],
        orders=await counts.orders(visit.on),
        leases=await counts.leases(visit.on),
        buyback=(await buyback.state(visit.asked, visit.on)).data,
    )


@router.get("/supply")
async def supply(visit: Visiting, asking: Annotated[api.Steps, Query()]) -> str:
    """Where all IO is, how that went, and what is still to come."""
    network = (await api.network(visit.asked, visit.on)).data
    months = (await api.months(visit.asked, visit.on)).data
    points = [(0.0, 0.0)] + [(number + 1.0, each.cumulative / IO / 1e6) for number, each in enumerate(months)]
    genesis = [(place, network.supply.genesis / IO / 1e6) for place, _ in points]
    ticks = [(place, months[place].month[:4]) for place in range(0, len(months), 4 * MONTHS_A_YEAR)]
    figure = areas(
        "Most IO that there can be by the formula, in millions",
        [Series("minted at launch", genesis), Series("emitted", points)],
        Axis(ticks, 0, len(months)),
    )
    years = [
        (each[-1].month, sum(month.amount for month in each), each[-1].cumulative)
        for each in (months[at : at + MONTHS_A_YEAR] for at in range(0, len(months), MONTHS_A_YEAR))
    ]
    allocations: Any = await api.vesting(visit.asked, visit.on)
    seasons: Any = await api_seasons.seasons(visit.asked, visit.on)
    return visit.page(
        "supply.html",
        network=network,
        years=years,
        figure=figure,
        asking=asking,
        went=(await api.supply_history(visit.asked, visit.on, asking)).data,
        allocations=allocations.data,
        seasons=seasons.data,
    )


@router.get("/market")
async def market(visit: Visiting, asking: Annotated[api_market.Where, Query()]) -> str:
    """What a processor of each class costs; devices of one country, if one is asked for."""
    found, all_classes = await counts.devices(visit.on, asking.country), await class_list(visit)
    listed = {each.id: {state: found.get((each.id, state), 0) for state in STATES} for each in all_classes}
    quoted = (await api_market.market(visit.asked, visit.on, asking)).data
    with_devices = [each for each in all_classes if any(listed[each.id].values())]
    without = [each for each in all_classes if not any(listed[each.id].values())]
    return visit.page(
        "market.html",
        asking=asking,
        parts=(with_devices, without),
        counts=listed,
        utilisation={each.id: each.utilisation_bps for each in quoted},
    )


@router.get("/how")
async def how(visit: Visiting) -> str:
    """Where figures come from."""
    return visit.page("how.html", all_sources=SOURCES)


async def class_list(visit: Visit) -> list[Any]:
    """All classes, as the API has them."""
    found: Any = await classes.classes(visit.asked, visit.on)
    return list(found.data)


async def class_names(visit: Visit) -> dict[int, str]:
    """All classes' names by their numbers, in the order of these."""
    return {each.id: each.name for each in await class_list(visit)}


def _clock(network: Any) -> dict[str, int] | None:
    """The hour that is emitted next, how much, and when it can be; None before launch and after the last."""
    if network.emission_start is None:
        return None
    month, hour = month_of(network.emission_start), network.emitted_hours
    if hour >= emission.total_hours(month):
        return None
    ends = network.emission_start + (hour + 1) * HOUR
    return {"hour": hour, "amount": emission.block(month, hour), "ends": ends}


def _bars(hours: list[Any]) -> object:
    if not hours:
        return ""
    names = [str(each.hour) if place % NAMED == 0 else "" for place, each in enumerate(hours)]
    paid = [each.paid / IO for each in hours]
    return bars(f"IO paid for each of the last {len(hours)} hours", names, [("paid", paid)])
