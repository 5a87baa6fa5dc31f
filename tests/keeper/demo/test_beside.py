"""What the demo does in another process: its order, what goes wrong there, and its end."""

from __future__ import annotations

import os
import signal
from multiprocessing import active_children

import pytest

from keeper.demo.beside import beside
from keeper.demo.checks import Checks, DemoFailed


async def test_what_comes_of_it_is_taken_at_the_end_in_the_order_of_starts() -> None:
    found = list[object]()
    with beside() as other:
        other.start(os.getpid, then=found.append)
        for number in range(3):
            other.start(divmod, 7, number + 1, then=found.append)
        assert found == []
        await other.finish()
        # Once.
        await other.finish()
    process, *results = found
    assert process != os.getpid()
    assert results == [(7, 0), (3, 1), (2, 1)]
    assert not active_children()


async def test_the_first_thing_that_is_wrong_there_ends_the_demo() -> None:
    found = list[object]()
    with beside() as other:
        other.start(divmod, 7, 2, then=found.append)
        other.start(Checks().equal, "a figure", 1, 2, then=found.append)
        other.start(divmod, 7, 0, then=found.append)
        with pytest.raises(DemoFailed, match=r"^a figure: on chain 1, expected 2$"):
            await other.finish()
    assert found == [(3, 1)]


async def test_a_process_that_is_killed_ends_the_demo_with_a_word() -> None:
    with beside() as other:
        other.start(signal.raise_signal, signal.SIGKILL, then=print)
        with pytest.raises(DemoFailed, match="was ended from outside: run it again"):
            await other.finish()


def test_nothing_that_is_left_is_begun_after_a_failure() -> None:
    with pytest.raises(ZeroDivisionError), beside() as other:
        waiting = [other.pool.submit(os.getpid) for _ in range(1_000)]
        raise ZeroDivisionError
    assert any(each.cancelled() for each in waiting)
