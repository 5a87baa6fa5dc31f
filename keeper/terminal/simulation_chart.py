"""The chart of a simulation; it needs the extra ``demo``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from keeper.market.simulation.findings import HOURS
from keeper.market.simulation.outcome import Outcome
from keeper.market.simulation.scenario import ONE, WORDS, Scenario

COLORS = {"honest": "#2f6f8f", "attacked": "#b03a3a"}


def draw(scenario: Scenario, played: Mapping[str, Outcome], path: Path) -> None:
    """The price and what is hired, hour by hour, as the SVG or PNG that ``path`` ends with.

    Raises OSError and ValueError, the latter for another ending. The same scenario gives the same bytes with
    the same matplotlib.
    """
    names = {"honest": "all ask their costs", "attacked": f"{scenario.share} %: {WORDS[scenario.attack]}"}
    with mpl.rc_context({"svg.hashsalt": "ionet", "svg.fonttype": "none"}):
        figure = Figure(figsize=(9, 5), dpi=100)
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
        for name, outcome in played.items():
            days = [hour / HOURS for hour in range(len(outcome.prices))]
            prices = [each / ONE for each in outcome.prices]
            above.plot(days, prices, color=COLORS[name], linewidth=1, label=names[name])
            below.plot(days, [each / 10 for each in outcome.used], color=COLORS[name], linewidth=1)
        for shock in scenario.shocks:
            if shock.day < scenario.days:
                for axes in (above, below):
                    axes.axvline(shock.day, color="#888888", linewidth=1, linestyle="--")
                text = f" demand {shock.demand} %" + (f", IO at 1/{shock.worth}" if shock.worth > 1 else "")
                above.annotate(text, (shock.day, 1), xycoords=("data", "axes fraction"), va="top", fontsize=8)
        above.set_ylabel("price of an hour")
        above.set_ylim(bottom=0)
        above.set_title(
            f"A class of {scenario.devices} devices, seed {scenario.seed}", loc="left", fontweight="bold"
        )
        above.legend(loc="lower right", frameon=False, fontsize=9)
        below.set_ylabel("% hired")
        below.set_ylim(0, 100)
        below.set_xlabel("day")
        for axes in (above, below):
            axes.spines[["top", "right"]].set_visible(False)
        below.set_xlim(0, scenario.days)
        figure.tight_layout()
        dated = {"Date": None} if path.suffix == ".svg" else {}
        figure.savefig(path, metadata=dated)
