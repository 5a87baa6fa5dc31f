"""The examples in docs/market.md: every figure of their tables, from the rules."""

from __future__ import annotations

from pathlib import Path

from keeper.clients.orders import Params
from keeper.economy.calendar import DAY
from keeper.economy.classes import next_price
from keeper.economy.money import show
from keeper.economy.orders import Currency, Urgency
from keeper.economy.supply import IO
from keeper.market.price import SAMPLES, Sample, hour_step, total, utilisation
from keeper.market.reputation import LeaseEnd, reputation

DOCUMENT = Path(__file__).parents[3] / "docs/market.md"


def table(name: str) -> list[str]:
    """The rows of a table, without its head."""
    part = DOCUMENT.read_text().partition(f"<!-- {name}: begin -->")[2].partition(f"<!-- {name}: end -->")[0]
    return [line for line in part.splitlines() if line.startswith("|")][2:]


def row(*cells: object) -> str:
    return "| " + " | ".join(f"{each:,}" if isinstance(each, int) else str(each) for each in cells) + " |"


def test_the_step_of_a_class():
    columns = []
    for idle, price, currency in (((21, 56), 2 * IO, Currency.IO), ((5, 0), 800_000, Currency.USDC)):
        small, large = (39, idle[0]), (8, idle[1])
        each = Sample((39, *[0] * 6, 8), (idle[0], *[0] * 6, idle[1]), 0, 39 + 8 + 21 + 56)
        hour = total([each] * SAMPLES)
        hired, free = sum(hour.hired), sum(hour.idle)
        apart = [10_000 * h // (h + i) for h, i in (small, large)]
        after = next_price(price, hour_step(hour), 1, 10**15)
        columns.append(
            (
                "39 + 8",
                f"{idle[0]} + {idle[1]}",
                f"{hired}, {free}",
                10_000 * hired // (hired + free),
                f"{apart[0]:,}, {apart[1]:,}",
                utilisation(hour),
                hour_step(hour),
                show(price, currency),
                show(after, currency),
            )
        )
    names = [line.split(" | ")[0].removeprefix("| ") for line in table("prices")]
    assert table("prices") == [row(*cells) for cells in zip(names, *columns, strict=True)]
    plain = total([Sample((47, *[0] * 7), (77, *[0] * 7), 0, 124)] * SAMPLES)
    assert hour_step(plain) == -573, "as the text says of counts that aren't looked at apart"


def test_what_a_reputation_costs_that_is_bought():
    """A device hires itself for a day at a time, and pays both sides' fees on the price."""
    params, rows = Params(), []
    for days in (0, 1, 5, 10, 30, 90):
        ends = [LeaseEnd(day * DAY, DAY, 24 * 50_000, 50, 10_000_000) for day in range(1, days + 1)]
        found, new = reputation(ends, days * DAY), reputation([], 0)
        bps = [params.supplier_fee_bps + params.renter_bps(each, Urgency.ORDINARY) for each in Currency]
        fees = ", ".join(f"{days * 24 * each / 10_000:.1f}" for each in bps)
        waits = f"{100 * new.weight / found.weight:.1f} %"
        name = f"{days} day{'s' * (days != 1)}"
        rows.append(row(name, fees, found.good, found.bound, found.weight, waits))
    assert table("bought") == rows


def test_the_weight_of_a_device():
    def ended(day: int, days: int, *, failed: bool) -> LeaseEnd:
        return LeaseEnd(day * DAY, days * DAY, days * 24 * 50_000, 50, 10_000_000, failed=failed)

    served, broken_off = ended(30, 30, failed=False), ended(35, 5, failed=True)
    found = [
        reputation(ends, day * DAY)
        for ends, day in (
            ([], 0),
            ([served], 30),
            ([served, broken_off], 35),
            ([served, broken_off], 65),
            ([served, broken_off], 155),
        )
    ]
    names = [line.split(" | ")[0].removeprefix("| ") for line in table("reputation")]
    assert table("reputation") == [
        row(name, each.good, each.bad, each.bound, each.weight)
        for name, each in zip(names, found, strict=True)
    ]
