"""Where the class table invites a lie, and that the list of such pairs only gets shorter."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.economy.classes import ClassPrices, ClassRow, Pool, ProcessorKind, read_classes
from keeper.pow.classes import LEAST, Capability, Pair, ThroughputError, pairs, read_capabilities, truthful
from keeper.resources import CLASS_TABLE

COMMITTED = Path(__file__).parents[2] / "reference/class_pairs.csv"
MONOTONE = CLASS_TABLE.parent / "monotone.json"
MOST_PAIRS = 141
"""As published. Whoever makes it more has to say here that more lies pay."""


def row(name: str, multiplier: int, pool: Pool = Pool.COMMUNITY) -> ClassRow:
    return ClassRow(ord(name), name, multiplier, pool, ProcessorKind.GPU, ClassPrices(), name)


def test_the_list_of_pairs_only_shrinks():
    with COMMITTED.open() as file:
        committed = [(each["card"], each["passes_for"]) for each in csv.DictReader(file)]
    found = [(each.card, each.passes_for) for each in pairs(read_classes(), read_capabilities())]
    assert set(found) - set(committed) == set(), "a class pays more than one that is harder to pass for"
    assert set(committed) - set(found) == set(), "cured: take them from the list"
    assert len(committed) <= MOST_PAIRS


def test_the_pairs_that_the_specification_names():
    found = {(each.card, each.passes_for): each for each in pairs(read_classes(), read_capabilities())}
    assert found["RTX 4090", "RTX 4080"] == Pair("RTX 4090", "RTX 4080", 125, 275, by_pool=False)
    assert found["L4", "RTX 4060"] == Pair("L4", "RTX 4060", 25, 100, by_pool=False)
    assert found["RTX 6000 Ada", "RTX 4090"].by_pool
    assert ("RTX 4080", "RTX 4090") not in found, "slower"
    assert ("RTX 3080", "RTX 3060 Ti") not in found, "pays less"
    assert ("RTX 4080", "RTX 3090 Ti") not in found, "faster, with less memory"


def test_every_rewarded_class_but_the_cpu_has_a_throughput():
    names = {each.name for each in read_classes() if each.multiplier and each.kind != ProcessorKind.CPU}
    assert set(read_capabilities()) == names


def test_nobody_gains_by_standing_for_a_cpu():
    assert not [each for each in pairs(read_classes(), read_capabilities()) if each.passes_for == "CPU"]


def test_the_recommended_table_has_no_such_pair():
    """It is io.net's but for multipliers and pools, which follow from the rule."""
    published, other = read_classes(), read_classes(MONOTONE)
    better = truthful(published, read_capabilities())
    expected = []
    for each in published:
        multiplier, pool = better[each.name]
        expected.append(replace(each, multiplier=multiplier, pool=pool))
    assert other == expected
    assert pairs(other, read_capabilities()) == []
    changed = [after for before, after in zip(published, other, strict=True) if before != after]
    assert len(changed) == 20
    assert all(after.multiplier >= before.multiplier for before, after in zip(published, other, strict=True))


CARDS = st.lists(
    st.tuples(
        st.integers(0, 5), st.sampled_from(Pool), st.builds(Capability, st.integers(0, 4), st.integers(0, 4))
    ),
    max_size=7,
)


@given(CARDS)
def test_a_truthful_table_has_no_pairs_and_lowers_nobody(cards):
    names = "abcdefg"[: len(cards)]
    rows = [row(name, multiplier, pool) for name, (multiplier, pool, _) in zip(names, cards, strict=True)]
    can = {name: each for name, (_, _, each) in zip(names, cards, strict=True)}
    better = truthful(rows, can)
    after = [replace(each, multiplier=better[each.name][0], pool=better[each.name][1]) for each in rows]
    assert pairs(after, can) == []
    assert all(new.multiplier >= old.multiplier for old, new in zip(rows, after, strict=True))
    best = {each.card: 0 for each in pairs(rows, can)}
    for each in pairs(rows, can):
        best[each.card] = max(best[each.card], each.multiplier, each.other)
    for each in rows:
        assert better[each.name][0] == best.get(each.name, each.multiplier), "what its best lie paid"


def test_what_passes_for_what():
    card = Capability(100, 16)
    assert card.covers(card) and card.covers(Capability(100, 0)) and card.covers(LEAST)
    assert not card.covers(Capability(101, 16)) and not card.covers(Capability(100, 17))


def test_classes_that_earn_nothing_are_left_out():
    can = {"a": Capability(2, 2), "b": Capability(1, 1)}
    assert pairs([row("a", 0), row("b", 5)], can) == []
    assert pairs([row("a", 1), row("b", 5)], can) == [Pair("a", "b", 1, 5, by_pool=False)]
    assert truthful([row("a", 0), row("b", 5)], can)["a"] == (0, Pool.COMMUNITY)


HEADER = "class,row,unit,tops,mib,gbps,source\n"


@pytest.mark.parametrize(
    "text", ["class\nx\n", HEADER + "x,L,int9,1,1,1,y\n", HEADER + "x,L,int8,fast,1,1,y\n"]
)
def test_a_table_that_is_none(tmp_path, text):
    path = tmp_path / "throughput.csv"
    path.write_text(text)
    with pytest.raises(ThroughputError, match="no table of throughputs"):
        read_capabilities(path)
    with pytest.raises(ThroughputError, match="nowhere"):
        read_capabilities(tmp_path / "nowhere")
