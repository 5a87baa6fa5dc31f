"""``python -m scripts.pow_profiles`` writes migrations/pow/profiles.json from the table of throughputs.

Run it before a network starts, never for one that runs: its profiles are changed by new ids alone.
"""

from __future__ import annotations

import csv
import json
from fractions import Fraction
from typing import Any

from keeper.economy.classes import ProcessorKind, read_classes
from keeper.pow.classes import EFFICIENCY
from keeper.pow.product import BLOCK, SEGMENT
from keeper.pow.profiles import MAX_K, MAX_MS, RULES
from keeper.resources import POW_PROFILES, THROUGHPUT_TABLE

FIRST_ID = 16
"""Ids below are of profiles for tests, and for processors that no data sheet describes."""
PICKS, PLOT_PICKS = 24, 8
AIM_MS = 8000
"""A wave's product takes so long, within a twentieth."""
SIZES = {
    "XXL": (1 << 20, 1 << 16),
    "XL": (1 << 19, 1 << 16),
    "L": (1 << 19, 1 << 15),
    "M": (1 << 19, 1 << 15),
    "S": (1 << 18, 1 << 15),
    "A": (1 << 16, 1 << 14),
}
"""m and n of a row of profiles."""
DATA_CENTRE = ("B200", "H200", "H100", "A100", "L40S", "L4", "T4", "V100")
FILL_MANY, FILL = Fraction(92, 100), Fraction(88, 100)
"""How much of its memory a plot fills: of data-centre cards and of devices of many processors, of others."""
ROUNDS, PASSES = 1024, 128
BANDWIDTH = Fraction(85, 100)
"""What of a data sheet's memory bandwidth a long read reaches."""
TREE_MS = Fraction(12, 1 << 20)
"""Of a pass's tree, for a row."""
CPU_TOPS = Fraction(275, 1000)
"""What profile 7 asks of a CPU by choice: FP32 of about four cores with AVX2."""


def inner_and_time(m: int, n: int, rate: Fraction) -> tuple[int, int]:
    """K, a multiple of 1,024 up to 2^17, and T in ms, nearest to the aim; ``rate`` is operations a second."""
    steps = round(Fraction(AIM_MS, 1000) * rate / (2 * m * n * BLOCK))
    K = min(steps * BLOCK, MAX_K)
    return K, round(1000 * 2 * m * n * K / rate)


def residency(row: dict[str, str], rate: Fraction) -> dict[str, Any]:
    """A card's residency: as many passes, a power of two up to 128, as stay below the longest T."""
    memory = int(row["mib"]) << 20
    m = 1 << (19 if memory < 16 << 30 else 20)
    fill = FILL_MANY if row["class"].startswith(DATA_CENTRE) else FILL
    K, K_many = (BLOCK * int(each * memory / m / BLOCK) for each in (fill, FILL_MANY))
    read = m * K_many / (BANDWIDTH * Fraction(row["gbps"]) * 10**9)
    multiply = 2 * m * K_many * SEGMENT / rate
    pass_ms = 1000 * max(read, multiply) + TREE_MS * m
    passes = PASSES
    while passes * pass_ms > MAX_MS:
        passes //= 2
    return _residency(m, K, K_many, ROUNDS, passes, PLOT_PICKS, round(passes * pass_ms))


def profiles() -> list[dict[str, Any]]:
    """All profiles as the file has them."""
    classes = read_classes()
    numbers = {each.name: each.id for each in classes}
    found = _own([each.id for each in classes if each.kind == ProcessorKind.CPU and each.multiplier])
    with THROUGHPUT_TABLE.open() as file:
        for number, row in enumerate(csv.DictReader(file), FIRST_ID):
            rate = Fraction(row["tops"]) * 10**12 * Fraction(EFFICIENCY[row["unit"]], 100)
            m, n = SIZES[row["row"]]
            K, time = inner_and_time(m, n, rate)
            plot = residency(row, rate) if int(row["mib"]) else None
            found.append(_profile(number, m, n, K, PICKS, time, plot, False, [numbers[row["class"]]]))
    return found


def _own(cpus: list[int]) -> list[dict[str, Any]]:
    """Profiles whose times are chosen: for tests, for the demo, for CPUs."""
    small = _residency(256, BLOCK, BLOCK, 4, 2, 2, AIM_MS, True)
    plot = _residency(1 << 15, 2048, 2048, 16, 32, PLOT_PICKS, 4200, True)
    m, n, K = 1 << 14, 1 << 13, 1 << 13
    time = round(2 * m * n * K / (CPU_TOPS * 10**9))
    return [
        _profile(0, 64, 512, BLOCK, PICKS, AIM_MS, small, True, []),
        _profile(1, 1024, 1024, 2048, PICKS, AIM_MS, small, True, []),
        _profile(7, m, n, K, PICKS, time, plot, True, cpus),
    ]


def _profile(*values: Any) -> dict[str, Any]:
    names = ("id", "m", "n", "K", "q", "T_ms", "residency", "measured", "classes")
    return dict(zip(names, values, strict=True))


def _residency(*values: Any, measured: bool = False) -> dict[str, Any]:
    names = ("m", "K", "K_many", "rounds", "passes", "q", "T_ms", "measured")
    return dict(zip(names, values if len(values) == len(names) else (*values, measured), strict=True))


def text() -> str:
    """The file: a profile in a line."""
    rows = ",\n".join(f"    {json.dumps(each)}" for each in profiles())
    return f'{{\n  "rule": {max(RULES)},\n  "profiles": [\n{rows}\n  ]\n}}\n'


if __name__ == "__main__":
    POW_PROFILES.write_text(text())
