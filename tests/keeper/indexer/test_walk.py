"""Walking down a list: where it ends, and what is not believed."""

from __future__ import annotations

import asyncio
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.pubkey import Pubkey
from solders.signature import Signature

from keeper.chain import Commitment, Listed
from keeper.indexer.walk import Bottom, ListCutShort, walk

PROGRAM = Pubkey(b"\x01" * 32)


def listed(number: int, slot: int | None = None) -> Listed:
    return Listed(Signature(bytes([number]) * 64), number if slot is None else slot, False, 0)


class Lists:
    """A chain that lists; each entry of ``pages`` replaces an answer, until there are none."""

    def __init__(
        self, rows: list[Listed], *, page: int = 3, answers: list[list[Listed]] | None = None
    ) -> None:
        self.rows, self.page, self.answers = rows, page, answers or []
        self.asked = 0

    async def signatures(self, address, commitment, *, before=None, until=None, min_slot=0, limit=1_000):
        self.asked += 1
        if self.answers:
            return self.answers.pop(0)
        names = [each.signature for each in self.rows]
        start = names.index(before) + 1 if before in names else 0
        end = names.index(until) if until in names else len(names)
        return self.rows[start : min(end, start + self.page)]


ROWS = [listed(number) for number in range(20, 0, -1)]


async def walked(
    chain: Lists, anchor: int | None = None, floor: int | None = None, before: int | None = None
):
    name = {each.slot: each.signature for each in ROWS}
    bottom = Bottom(name.get(anchor), name.get(floor))
    found: list[Listed] = []
    ended = False
    pages = walk(chain, PROGRAM, Commitment.FINALIZED, bottom, before=name.get(before), min_slot=0)
    async for page, last in pages:
        found += page
        assert not ended
        ended = last
    assert ended
    return found


async def test_down_to_the_anchor():
    found = await walked(Lists(ROWS), anchor=5, floor=4)
    assert {each.slot for each in found} == set(range(5, 21))


async def test_from_where_it_was_interrupted():
    found = await walked(Lists(ROWS), anchor=5, floor=4, before=12)
    assert {each.slot for each in found} == set(range(5, 12))


async def test_an_anchor_that_is_the_newest():
    chain = Lists(ROWS)
    assert [each.slot for each in await walked(chain, anchor=20, floor=19)] == [20]
    assert chain.asked == 1


async def test_to_the_beginning_by_three_equal_answers():
    chain = Lists(ROWS, page=30)
    assert await walked(chain) == ROWS
    assert chain.asked == 1 + 4, "one more for the oldest slot, which a page alone can't be trusted with"


async def test_nothing_at_all():
    chain = Lists([])
    assert await walked(chain) == []
    assert chain.asked == 3


@pytest.mark.parametrize("empty", [1, 2])
async def test_an_empty_page_is_no_beginning(empty: int):
    chain = Lists(ROWS, page=30, answers=[[]] * empty)
    assert await walked(chain) == ROWS
    chain = Lists(ROWS, answers=[ROWS[:3], *[[]] * empty])
    assert {each.slot for each in await walked(chain)} == set(range(1, 21))


@pytest.mark.parametrize("answers", [[[]], [ROWS[:3], []], [ROWS[:3], ROWS[2:3], []]])
async def test_a_list_that_ends_above_the_anchor(answers):
    with pytest.raises(ListCutShort, match="ends above"):
        await walked(Lists(ROWS, answers=answers), anchor=5, floor=4)


async def test_short_pages_and_repeated_rows():
    short = [ROWS[:1], ROWS[1:2], [ROWS[2], ROWS[2], ROWS[3]], [ROWS[3]]]
    found = await walked(Lists(ROWS, answers=short), anchor=5, floor=4)
    assert {each.slot for each in found} == set(range(5, 21))


async def test_a_page_in_any_order():
    shuffled = [[ROWS[2], ROWS[0], ROWS[1]], [ROWS[3], ROWS[2], ROWS[4]]]
    found = await walked(Lists(ROWS, answers=shuffled), anchor=5, floor=4)
    assert {each.slot for each in found} == set(range(5, 21))


class Shuffled(Lists):
    """The same in any order inside a page."""

    def __init__(self, rows: list[Listed], *, page: int, random: Random) -> None:
        super().__init__(rows, page=page)
        self.random = random

    async def signatures(self, *arguments, **options):
        page = await super().signatures(*arguments, **options)
        return self.random.sample(page, len(page))


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 5), min_size=2, max_size=12), st.integers(1, 7), st.randoms(use_true_random=False)
)
def test_shuffled_pages_whose_slots_go_over_their_edges(sizes: list[int], page: int, random: Random):
    """Slots of several transactions, pages of any size: all above the anchor's slot are met."""
    slots = [slot for slot, size in enumerate(sizes, start=1) for _ in range(size)]
    rows = [listed(number, slot) for number, slot in enumerate(slots)][::-1]
    anchor = random.choice(rows)
    older = [each for each in rows if each.slot < anchor.slot]
    bottom = Bottom(anchor.signature, older[0].signature if older else None)

    async def walked_down() -> tuple[list[int], set[Listed]]:
        chain = Shuffled(rows, page=page, random=random)
        pages = walk(chain, PROGRAM, Commitment.FINALIZED, bottom, min_slot=0)
        found = [each async for page, _ in pages for each in page]
        return [each.slot for each in found], set(found)

    order, found = asyncio.run(walked_down())
    above = {each for each in rows if each.slot > anchor.slot}
    assert above | {anchor} <= found
    assert found <= {each for each in rows if each.slot >= anchor.slot}
    assert sorted(set(order), reverse=True) == list(dict.fromkeys(order)), "in falling order of slots"


async def test_a_slot_on_the_edge_of_a_page():
    """The rest of the slot is on the next page, wherever the node puts it."""
    slot = [listed(number, 50) for number in (33, 32, 31, 30)]
    rows = [listed(40, 60), listed(41, 55), *slot, *ROWS]
    found = await walked(Lists(rows, page=4), anchor=20, floor=19)
    assert {each.signature for each in rows[:7]} == {each.signature for each in found}


async def test_a_slot_larger_than_a_page():
    slot = [listed(number, 50) for number in range(40, 29, -1)]
    rows = [listed(60), *slot, *ROWS]
    found = await walked(Lists(rows, page=3), anchor=20, floor=19)
    assert {each.signature for each in rows[:13]} == {each.signature for each in found}


async def test_a_floor_that_the_node_has_forgotten():
    found = await walked(Lists(ROWS[:-4]), anchor=5, floor=4)
    assert {5, 20} <= {each.slot for each in found}
