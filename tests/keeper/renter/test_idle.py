"""A cluster is idle once nothing has been seen to run for so long, without a gap."""

from __future__ import annotations

from keeper.renter.idle import Idleness
from keeper.renter.jobs import Job, State

OVER = [Job(status=State.SUCCEEDED, entrypoint="a"), Job(status=State.FAILED, entrypoint="b")]
BUSY = [*OVER, Job(status=State.PENDING, entrypoint="c")]


def test_only_what_is_seen_to_be_idle_counts() -> None:
    idle = Idleness(30)
    assert [idle.seen(OVER, now) for now in (0, 29, 30)] == [False, False, True]
    assert not idle.seen(BUSY, 31)
    assert [idle.seen([], now) for now in (40, 69, 70)] == [False, False, True]
    # A head that is away may have a job that goes on.
    assert not idle.seen(None, 80)
    assert [idle.seen([], now) for now in (81, 110, 111)] == [False, False, True]
