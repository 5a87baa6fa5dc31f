"""Answers in time's order: an older one is asked for again, and no node can stop that for long."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

import pytest

from keeper.chain import ChainUnreachable, newest
from keeper.chain.newest import Newest


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newest, "ASK_AGAIN_SECONDS", 0)


def telling(slots: Iterable[int]) -> Callable[[], Awaitable[tuple[int, int]]]:
    """Answers from these slots, one after the other: each is the slot itself."""
    left = iter(slots)

    async def ask() -> tuple[int, int]:
        slot = next(left)
        return slot, slot

    return ask


async def test_an_older_answer_is_asked_for_again() -> None:
    found = Newest()
    ask = telling([10, 9, 3, 10, 12, 11, 12])
    assert [await found.of(ask) for _ in range(4)] == [10, 10, 12, 12]


async def test_what_was_seen_elsewhere_counts() -> None:
    found = Newest()
    found.seen(20)
    found.seen(5)
    assert await found.of(telling([19, 21])) == 21
    assert found.slot == 21


async def test_an_answer_is_compared_with_what_was_known_when_it_was_asked_for() -> None:
    """Two questions at a time: the later answer to come may be the older one, and is good."""
    found = Newest()

    async def overtaken() -> tuple[int, str]:
        assert await found.of(telling([11])) == 11
        return 10, "asked for first"

    assert await found.of(overtaken) == "asked for first"
    assert found.slot == 11


async def test_a_slot_that_never_comes_fails_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node of another chain answered: what all others say afterwards is believed again."""
    monkeypatch.setattr(newest, "CATCH_UP_SECONDS", 0)
    found = Newest()
    assert await found.of(telling([10**12])) == 10**12
    with pytest.raises(ChainUnreachable, match="at slot 10, after 1000000000000 was seen"):
        await found.of(telling([10]))
    assert [await found.of(telling([slot])) for slot in (10, 11)] == [10, 11]
