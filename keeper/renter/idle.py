"""When a cluster has done nothing for so long that its renter wants it ended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from keeper.renter.jobs import Job


@dataclass(slots=True)
class Idleness:
    """How long nothing has run; times are of one monotonic clock, seconds."""

    limit: float
    _since: float | None = None

    def seen(self, jobs: Iterable[Job] | None, now: float) -> bool:
        """Take what runs, None where the head doesn't answer; whether it was idle for long enough.

        Only what is seen counts: while the head doesn't answer, a job may go on, so the time begins again.
        """
        if jobs is None or any(not each.status.is_over for each in jobs):
            self._since = None
            return False
        if self._since is None:
            self._since = now
        return now - self._since >= self.limit
