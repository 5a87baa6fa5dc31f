"""Figures of data sheets, which people typed in: each follows from its source's words, and no two contradict.

No card was measured; what is here finds a slip, not a data sheet that promises too much.
"""

from __future__ import annotations

import csv
import re
from itertools import pairwise

import pytest

from keeper.resources import THROUGHPUT_TABLE

with THROUGHPUT_TABLE.open(newline="") as file:
    ROWS = {row["class"]: row for row in csv.DictReader(file)}
TOPS = {name: float(row["tops"]) for name, row in ROWS.items()}
FAMILIES = [
    [
        "RTX 3060",
        "RTX 3060 Ti",
        "RTX 3070",
        "RTX 3070 Ti",
        "RTX 3080",
        "RTX 3080 Ti",
        "RTX 3090",
        "RTX 3090 Ti",
    ],
    ["RTX 4060", "RTX 4060 Ti", "RTX 4070", "RTX 4070 Ti", "RTX 4080", "RTX 4090 D", "RTX 4090"],
    ["RTX A4000", "RTX A5000", "RTX A6000"],
    ["RTX 4000 SFF Ada", "RTX 5000 Ada", "RTX 6000 Ada"],
    ["T4", "L4", "L40S", "H100 PCIe", "H200", "B200"],
    ["M3", "M4", "M3 Pro", "M4 Pro", "M3 Max", "M4 Max"],
]
"""From the slowest to the fastest, as their makers sell them."""
SAME = [
    ["A100 80GB PCIe", "A100-SXM4-80GB", "A100-PCIE-40GB"],
    ["H100 PCIe", "H100 80G PCIe"],
    ["H100 80GB HBM3", "H200"],
    ["V100 PCIe 16GB", "V100 PCIe 32GB"],
    ["V100 SXM2 16GB", "V100 SXM2 32GB"],
]
"""One chip, in several cards."""
FORMS = [
    (r"(?P<x>[\d.]+) PFLOPS FP8 with sparsity for (?P<n>\d+)", lambda x, n: 1000 * x / n / 2),
    (r"(?P<x>[\d.]+)(?: AI TOPS)? with sparsity", lambda x: x / 2),
    (r"(?P<x>[\d.]+) TFLOPS FP32 times (?P<n>\d+)", lambda x, n: x * n),
    (r"twice (?P<x>[\d.]+) TFLOPS", lambda x: 2 * x),
    (r"(?P<n>\d+) cores times (?P<m>\d+) operations at (?P<x>[\d.]+) GHz", lambda n, m, x: n * m * x / 1000),
]
"""What a source's words make a figure of."""


@pytest.mark.parametrize("name", ROWS)
def test_a_figure_follows_from_its_source(name: str) -> None:
    row = ROWS[name]
    assert row["source"]
    assert row["url"].startswith(
        ("https://www.nvidia.com/", "https://images.nvidia.com/", "https://www.apple.com/")
    )
    found = [(made, match) for form, made in FORMS if (match := re.search(form, row["source"]))]
    for made, match in found[:1]:
        numbers = {key: float(value) for key, value in match.groupdict().items()}
        assert made(**numbers) == pytest.approx(TOPS[name], rel=0.012)
    assert found or name in {"RTX 5000", "T4"} or name.startswith(("A100", "V100")), "it is the figure itself"


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family[0])
def test_a_dearer_card_is_faster(family: list[str]) -> None:
    tops = [TOPS[name] for name in family]
    assert all(4 * slow > fast > slow for slow, fast in pairwise(tops))


@pytest.mark.parametrize("cards", SAME, ids=lambda cards: cards[0])
def test_the_same_chip_is_as_fast(cards: list[str]) -> None:
    assert len({TOPS[name] for name in cards}) == 1


@pytest.mark.parametrize("name", ROWS)
def test_memory_and_bandwidth_are_a_cards(name: str) -> None:
    row = ROWS[name]
    if row["unit"] == "fp32":
        assert (row["mib"], row["gbps"]) == ("0", "0"), "Apple's memory is the system's, and isn't tested"
        return
    mib, gbps = int(row["mib"]), float(row["gbps"])
    if stated := re.search(r"(\d+)GB?\b", name):
        assert 0.98 <= mib / (1024 * int(stated[1])) <= 1.001
    assert 0.9 <= mib / 1024 / round(mib / 1024) <= 1.1
    # Operations for each byte that memory gives: 125 on a V100 of FP16, 850 on an L40S.
    assert 80 <= 1000 * TOPS[name] / gbps <= 950
