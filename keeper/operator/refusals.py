"""Why the service takes something not: stable codes, each with its HTTP status."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, NamedTuple

from keeper.compute.refusals import Why as Unsaid


class Why(StrEnum):
    """What is wrong; workers decide by it what to do."""

    UNKNOWN_DEVICE = "unknown_device"
    NOT_STAKED = "not_staked"
    UNKNOWN_WAVE = "unknown_wave"
    WRONG_WORK = "wrong_work"
    BAD_SIGNATURE = "bad_signature"
    TOO_EARLY = "too_early"
    TOO_LATE = "too_late"
    WRONG_LENGTH = "wrong_length"
    NOT_DRAWN = "not_drawn"
    NOT_COMMITTED = "not_committed"
    WRONG_OPENING = "wrong_opening"
    CONFLICT = "conflict"
    ALREADY_MEASURED = "already_measured"
    NOT_FOUND = "not_found"
    WRONG_METHOD = "wrong_method"
    TOO_SLOW = "too_slow"
    TOO_MANY = "too_many"
    BUSY = "busy"


STATUS = {
    Why.UNKNOWN_DEVICE: 404,
    Why.NOT_STAKED: 403,
    Why.UNKNOWN_WAVE: 404,
    Why.WRONG_WORK: 422,
    Why.BAD_SIGNATURE: 401,
    Why.TOO_EARLY: 425,
    Why.TOO_LATE: 410,
    Why.WRONG_LENGTH: 400,
    Why.NOT_DRAWN: 403,
    Why.NOT_COMMITTED: 404,
    Why.WRONG_OPENING: 422,
    Why.CONFLICT: 409,
    Why.ALREADY_MEASURED: 409,
    Why.NOT_FOUND: 404,
    Why.WRONG_METHOD: 405,
    Why.TOO_SLOW: 408,
    Why.TOO_MANY: 429,
    Why.BUSY: 503,
}
UNSAID = {
    Unsaid.MALFORMED: 400,
    Unsaid.TOO_LONG: 413,
    Unsaid.WRONG_NETWORK: 422,
    Unsaid.WRONG_ORDER: 404,
    Unsaid.BAD_SIGNATURE: 401,
    Unsaid.WRONG_CLOCK: 425,
    Unsaid.NOT_A_PARTY: 403,
    Unsaid.OLD_SEQ: 409,
    Unsaid.EQUIVOCATION: 409,
    Unsaid.WRONG_NONCE: 409,
    Unsaid.KEY_TAKEN: 409,
    Unsaid.TOO_MANY: 429,
    Unsaid.NOT_SEALED_FOR_US: 422,
}
"""The same of clusters' messages."""


class Refusal(NamedTuple):
    """A code, one sentence that says what to do, and in how many seconds to come again (0: don't)."""

    why: Why | Unsaid
    detail: str
    retry_after: int = 0

    @property
    def status(self) -> int:
        """The HTTP status."""
        return UNSAID[self.why] if isinstance(self.why, Unsaid) else STATUS[self.why]


def told(refusals: Iterable[Refusal | None]) -> list[dict[str, Any] | None]:
    """What is said of messages that came together, in their order; null of one that was taken."""
    return [
        None if each is None else {"code": each.why, "detail": each.detail, "retry_after": each.retry_after}
        for each in refusals
    ]
