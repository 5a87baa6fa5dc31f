"""What ``ionet market simulate`` shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rich.table import Table

from keeper.market.simulation.findings import Game, Period, filled, game, periods
from keeper.market.simulation.outcome import Outcome
from keeper.market.simulation.scenario import WORDS, Attack, Scenario
from keeper.terminal.tables import plain

ASSUMED = (
    "Costs and values are lognormal, leases are exponential, everybody accepts: docs/benchmarks.md, The "
    "network's price in a month. Figures are of this seed; another one says how much is chance."
)


def levels(scenario: Scenario, outcome: Outcome) -> Table:
    """A line for each time between shocks."""
    columns = (
        "days",
        "demand",
        "IO to one",
        "price",
        "hired",
        "hours to within a tenth",
        "sd (log)",
        "move an hour",
    )
    title = f"A class of {scenario.devices} devices, {filled(outcome):.1f} % of places filled"
    table = plain(title, *columns)
    for each in periods(scenario, outcome):
        shock = scenario.shock(each.day)
        table.add_row(
            f"{each.day} to {each.until}",
            f"{scenario.demand * shock.demand / 100:.0f} %",
            str(shock.worth),
            f"{each.price:.3f}",
            f"{each.used:.0f} %",
            "never" if each.hours_to is None else str(each.hours_to),
            f"{each.deviation:.2f}",
            f"{each.move:.1f} %",
        )
    return table


def attacked(scenario: Scenario, found: Game) -> Table:
    """What an attack comes to."""
    share = f"{scenario.own} of {scenario.devices} devices"
    table = plain(f"{share}: {WORDS[scenario.attack]}", "against the same people, all honest", "")
    rows = {
        "an attacker's device earns honestly": f"{found.honest:.1f}",
        "it gains by it": f"{found.gain:+.1f}",
        "its own orders' fees and pay, in that": f"{-found.spent:.1f}",
        "it serves others for longer by": f"{found.served:+.1f} %",
        "another device gains": f"{found.others:+.1f}",
        "renters' surplus": f"{found.surplus:+.1f} %",
        "places filled": f"{found.filled:+.1f} points",
        "the price is, times": f"{found.price:.2f}",
    }
    for row in rows.items():
        table.add_row(*row)
    return table


def kinds() -> str:
    """All attacks, for the help."""
    return "; ".join(f"{each.value}: {WORDS[each]}" for each in Attack if each is not Attack.NONE)


def row(scenario: Scenario, played: Mapping[str, Outcome]) -> dict[str, Any]:
    """The same for programs: amounts in millionths of the unit, parts as floats of percent.

    ``played`` has the outcome ``honest``, and with an attack ``attacked``.
    """
    told = asdict(scenario)
    told["rule"] = scenario.rule._asdict()
    found: dict[str, Any] = {"scenario": told}
    for name, outcome in played.items():
        found[name] = {
            "prices": outcome.prices,
            "used": outcome.used,
            "wanted": outcome.wanted,
            "filled": outcome.filled,
            "surplus": outcome.surplus,
            "profits": int(outcome.profits.sum()),
            "periods": [_period(each) for each in periods(scenario, outcome)],
        }
    if "attacked" in played:
        found["game"] = _rounded(asdict(game(scenario, played["honest"], played["attacked"])))
    return found


def _period(found: Period) -> dict[str, Any]:
    return _rounded(asdict(found))


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    """To what is the same on every machine."""
    return {name: round(value, 6) if isinstance(value, float) else value for name, value in values.items()}
