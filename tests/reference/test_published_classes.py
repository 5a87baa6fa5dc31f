"""The table of device classes is what the network published in June 2025, all of it, and one row for CPUs."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from math import ceil

from keeper.economy.classes import ClassPrices, ClassRow, Pool, ProcessorKind, read_classes
from keeper.economy.staking import minimum
from keeper.economy.supply import IO

ENTERPRISE = """
B200 30, H200 12, H100 80GB HBM3 10, H100 PCIe 10, H100 80G PCIe 10, A100 80GB PCIe 5, A100-SXM4-80GB 5,
L40S 3, A100-PCIE-40GB 2, RTX 4090 1.25, RTX 4090 D 1.25
"""
COMMUNITY = """
M3 1, M4 1, M3 Pro 1.25, M4 Pro 1.25, M3 Max 1.5, M4 Max 1.5,
RTX 3060 0.75, RTX 3060 Ti 0.75, RTX 3070 1, RTX 3070 Ti 1, RTX 3080 1.5, RTX 3080 Ti 1.75, RTX 3090 1.75,
RTX 3090 Ti 2, RTX 4060 1, RTX 4060 Ti 1, RTX 4070 1.5, RTX 4070 Ti 2.5, RTX 4080 2.75,
L4 0.25, RTX 4000 0.75, RTX 4000 SFF Ada 1, RTX 5000 1.5, RTX 5000 Ada 3, RTX 6000 Ada 4.5, RTX A4000 1.5,
RTX A5000 1.5, RTX A6000 2, T4 0.5, V100 PCIe 16GB 0.75, V100 SXM2 16GB 0.75, V100 PCIe 32GB 0.75,
V100 SXM2 32GB 0.75, V100S 0.75
"""
DROPPED = """
M2 Pro 0, M2 Max 0, M2 Ultra 0, A10 0, A10G 0, A16 0, A40 0, GTX 1080 Ti 0, RTX 2080 Ti 0, RTX 3050 0,
RTX 3050 Ti 0
"""
"""Names with their multipliers, as published."""
OURS = [("CPU", 0.05)]
"""The network published no multiplier for CPUs."""
PRICES = {
    **{"M4": "0.10", "M4 Pro": "0.13", "M4 Max": "0.15"},
    **{"A100 80GB PCIe": "1.50", "A100-SXM4-80GB": "1.50", "RTX 4090": "0.37", "RTX 3080": "0.20"},
}
"""USD for a processor and hour, as published: Apple's chips by the network, the others by somebody else."""
IO_FOR_A_USDC = Fraction(12_000_000, 8_000_000 // 2)
"""12 million IO, which half of 8 million USD is expected to buy back at least."""


def published(text: str) -> list[tuple[str, float]]:
    """The rows of a list, in its order."""
    parts = (row.strip().rpartition(" ") for row in text.replace("\n", " ").split(","))
    return [(name, float(multiplier)) for name, _, multiplier in parts]


def test_all_rows_with_their_multipliers_and_pools() -> None:
    rows = read_classes()
    found = {
        pool: [(row.name, row.multiplier / 100) for row in rows if row.pool == pool and row.multiplier]
        for pool in Pool
    }
    assert found == {Pool.ENTERPRISE: published(ENTERPRISE), Pool.COMMUNITY: [*published(COMMUNITY), *OURS]}
    assert [(row.name, 0) for row in rows if not row.multiplier] == published(DROPPED)
    assert len({row.id for row in rows}) == len(rows) == 57


def test_minimum_stakes_by_the_table() -> None:
    """The network's own examples, 8 x H100 and 4 cards at a quarter; Apple's chips by the new multipliers."""
    rows = {row.name: row.multiplier for row in read_classes()}
    assert minimum(rows["H100 PCIe"], 8) == 16_000 * IO
    assert minimum(rows["L4"], 4) == 800 * IO
    assert [minimum(rows[chip], 1) // IO for chip in ("M4", "M4 Pro", "M4 Max")] == [200, 250, 300]


def by_hand(rows: dict[str, ClassRow], row: ClassRow) -> int:
    """A class's base price in USDC."""
    like = rows[row.priced_like]
    if row.multiplier == 0 or row.kind == ProcessorKind.CPU:
        return like.prices.price_usdc
    return ceil(Fraction(PRICES[like.name]) * 10**6 * row.multiplier / like.multiplier)


def distance(one: ClassRow, other: ClassRow) -> Fraction:
    """How far two multipliers are apart, by their ratio."""
    return max(Fraction(one.multiplier, other.multiplier), Fraction(other.multiplier, one.multiplier))


def test_every_class_has_prices_that_follow_from_the_published_ones() -> None:
    rows = {row.name: row for row in read_classes()}
    for row in rows.values():
        usdc = by_hand(rows, row)
        io = usdc * 100 * IO_FOR_A_USDC
        assert io == int(io)
        wanted = [(each, ceil(Fraction(each) / 10), each * 10) for each in (int(io), usdc)]
        assert row.prices == ClassPrices(*wanted[0], *wanted[1])
        assert row.prices.price_io > 0
    assert {name for name, row in rows.items() if row.priced_like == name} == PRICES.keys()


def test_each_class_is_priced_like_the_nearest_of_its_kind() -> None:
    rows = {row.name: row for row in read_classes()}
    for row in rows.values():
        like = rows[row.priced_like]
        if row.kind == ProcessorKind.CPU:
            its_pool = [each for each in rows.values() if each.pool == row.pool and each.name in PRICES]
            assert like == min(its_pool, key=lambda each: each.prices.price_usdc)
            continue
        assert (like.pool, like.kind) == (row.pool, row.kind)
        its = [each for each in rows.values() if (each.pool, each.kind) == (row.pool, row.kind)]
        if row.multiplier:
            published = [each for each in its if each.name in PRICES]
            assert distance(row, like) == min(distance(row, each) for each in published)
        else:
            rewarded = [each for each in its if each.multiplier]
            assert like.prices.price_usdc == min(each.prices.price_usdc for each in rewarded)


def test_a_class_that_earns_more_is_not_cheaper() -> None:
    """Within a pool and a kind; prices that were published for another one are not compared."""
    groups = defaultdict(list)
    for row in read_classes():
        if row.multiplier:
            groups[row.pool, row.kind].append((row.multiplier, row.prices))
    for its in groups.values():
        for currency in ("io", "usdc"):
            prices = sorted((multiplier, getattr(each, f"price_{currency}")) for multiplier, each in its)
            assert [price for _, price in prices] == sorted(price for _, price in prices)
    assert len(groups) == 4


def test_a_cpu_earns_a_fifth_of_the_least_that_a_card_does() -> None:
    """So no card stands for one; stakes are the same 200 IO."""
    rows = read_classes()
    (cpu,) = (row for row in rows if row.kind == ProcessorKind.CPU)
    assert 5 * cpu.multiplier == min(row.multiplier for row in rows if row.multiplier and row != cpu)
    assert (cpu.id, cpu.pool, minimum(cpu.multiplier, 1)) == (57, Pool.COMMUNITY, 200 * IO)
