"""The supply chart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from keeper.demo.network import Month
from keeper.economy.calendar import MONTHS, month_name
from keeper.economy.supply import MAX_SUPPLY, MILLION

LAYERS = (
    ("circulating", "Circulating", "#2f6f8f"),
    ("seasons", "In airdrop seasons, not claimed yet", "#8a6fb0"),
    ("rewards", "Emitted for suppliers; devices work for two days only here", "#4fa36c"),
    ("locked", "Locked: vesting", "#c9ced6"),
)


def supply(months: Sequence[Month], path: Path) -> None:
    """Draw where all IO is at the end of each month, in millions, as a PNG."""
    positions = range(1, len(months) + 1)
    layers = [[getattr(month.supply, name) / MILLION for month in months] for name, _, _ in LAYERS]
    figure = Figure(figsize=(10, 5.6), dpi=120)
    axes = figure.subplots()
    axes.stackplot(
        positions, layers, labels=[label for _, label, _ in LAYERS], colors=[color for *_, color in LAYERS]
    )
    axes.axhline(MAX_SUPPLY / MILLION, color="#b03a3a", linewidth=1, linestyle="--")
    axes.annotate(
        f"never more than {MAX_SUPPLY // MILLION} million",
        (len(months), MAX_SUPPLY / MILLION),
        xytext=(0, 4),
        textcoords="offset points",
        ha="right",
        color="#b03a3a",
        fontsize=9,
    )
    ticks = range(1, len(months) + 1, 2 * MONTHS)
    axes.set_xticks(ticks, [month_name(months[tick - 1].number) for tick in ticks], rotation=30)
    axes.set_xlim(1, len(months))
    axes.set_ylim(0, MAX_SUPPLY / MILLION * 1.06)
    axes.set_ylabel("million IO")
    axes.set_title("IO supply over the 20 years of emission", loc="left", fontweight="bold")
    axes.spines[["top", "right"]].set_visible(False)
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], labels[::-1], loc="lower right", frameon=True, fontsize=9)
    figure.tight_layout()
    figure.savefig(path)
