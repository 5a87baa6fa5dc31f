"""How the demo says things: hours and times in one way, reasons and verdicts in words."""

from __future__ import annotations

from datetime import UTC, datetime

from keeper.economy.calendar import HOUR, month_start
from keeper.economy.genesis import read_start_month
from keeper.pow.codes import Code
from keeper.rewards.rule import Reason
from keeper.web import figures

TICK_HOURS = 12

REASONS = {
    Reason.NOT_REWARDED: "its class earns nothing",
    Reason.TERMINATED: "its supplier has ended it",
    Reason.SLASH_PENDING: "operators have voted to burn some of its stake",
    Reason.INSUFFICIENT_STAKE: "less is staked on it than its class needs",
    Reason.UPTIME: "not up for more than five hours before",
    Reason.VRAM: "four times its memory didn't hold what it should",
    Reason.WORK_MISSING: "no proof of work came from it in the hour",
    Reason.WORK_FAILED: "a proof that was wrong or too late, or shortly before",
    Reason.OFFLINE: "it didn't answer pings",
    Reason.BARRED: "it left a renter alone a short time ago",
    Reason.WORK_SLOW: "in the time that only hired devices have",
    Reason.WORK_UNSHOWN: "none of its products was opened yet",
}
"""Why a device earns nothing in an hour."""
CODES = {
    Code.VOID: "the wave counts for nobody",
    Code.PASS: "right and in time",
    Code.PASS_SLOW: "late, as a hired device may be: earns nothing",
    Code.PASS_UNOPENED: "in time; not drawn to be opened and verified",
    Code.NO_COMMIT: "sent nothing",
    Code.LATE: "too late for its class",
    Code.NO_OPENING: "was drawn, and showed nothing",
    Code.OPEN_MALFORMED: "showed something that can't be read",
    Code.OPEN_PATH: "showed what it hadn't sent",
    Code.OPEN_ROOT: "showed what it hadn't sent",
    Code.WORK_WRONG: "showed what it had sent, and it is wrong",
    Code.COMMIT_CONFLICT: "sent two different results under one key",
}
"""What became of a device in a wave."""


def start() -> int:
    """When hour 0 begins, unix seconds: all hours of emission are numbered from there."""
    return month_start(read_start_month())


def time(at: int) -> str:
    """A time as tables have it, UTC."""
    return f"{datetime.fromtimestamp(at, UTC):%d %b %H:%M:%S}"


def date(at: int) -> str:
    """A day and an hour, UTC."""
    return f"{datetime.fromtimestamp(at, UTC):%d %b %H:%M}"


def begin_of(hour: int) -> str:
    """When an hour of emission begins, UTC."""
    return date(start() + hour * HOUR)


def hours_axis(hours: int) -> figures.Axis:
    """The first hours, a quarter of a day from tick to tick."""
    return figures.Axis([(hour, begin_of(hour)) for hour in range(0, hours + 1, TICK_HOURS)], 0, hours)
