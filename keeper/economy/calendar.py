"""Times as people read them, and UTC calendar months as integers: the number of months since January 1970."""

from __future__ import annotations

from datetime import MAXYEAR, UTC, datetime

from keeper.errors import UserError

HOUR = 3_600
DAY = 86_400
FIRST_YEAR = 1970
MONTHS = 12


class MonthError(UserError):
    """A text that is not a month or a day, or a month past the calendar's end."""


def month_number(year: int, month: int) -> int:
    """The number of a month, given as people write it (January is 1)."""
    return (year - FIRST_YEAR) * MONTHS + month - 1


def month_start(month: int) -> int:
    """Unix time at which a month starts; raises MonthError past the year 9999."""
    year, index = divmod(month, MONTHS)
    if FIRST_YEAR + year > MAXYEAR:
        raise MonthError(f"{month_name(month)} is past the calendar's end in {MAXYEAR}: use an earlier month")
    return int(datetime(FIRST_YEAR + year, index + 1, 1, tzinfo=UTC).timestamp())


def month_of(time: int) -> int:
    """The month that a unix time falls in."""
    at = datetime.fromtimestamp(time, UTC)
    return month_number(at.year, at.month)


def hours_in_month(month: int) -> int:
    """672, 696, 720 or 744."""
    return (month_start(month + 1) - month_start(month)) // HOUR


def month_name(month: int) -> str:
    """``2024-07`` for the month that emission began on the network this is modelled on."""
    year, index = divmod(month, MONTHS)
    return f"{FIRST_YEAR + year}-{index + 1:02}"


def parse_month(text: str) -> int:
    """The number of a month written as ``2024-07``; raises MonthError for anything else."""
    try:
        at = datetime.strptime(text, "%Y-%m")
    except ValueError as error:
        raise MonthError(f"{text!r} is not a month; write it like 2024-07") from error
    return month_number(at.year, at.month)


def moment(at: int) -> str:
    """A unix time as people read it."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"


def emission_hour(number: int, start: int) -> str:
    """An hour in words that say by which count: rewards count hours from the emission's beginning.

    ``start`` is when it begins, unix seconds.
    """
    return f"emission hour {number} ({datetime.fromtimestamp(start, UTC):%Y-%m-%d %H:%M} UTC)"


def unix_hour(number: int) -> str:
    """The same for the market, whose hours are unix time over 3,600."""
    try:
        return f"unix hour {number} ({datetime.fromtimestamp(number * HOUR, UTC):%Y-%m-%d %H:%M} UTC)"
    except (ValueError, OverflowError):  # past the calendar's end
        return f"unix hour {number}"


def duration(seconds: int) -> str:
    """Seconds as days, hours, minutes and seconds."""
    days, rest = divmod(seconds, DAY)
    clock = f"{rest // HOUR:02}:{rest % HOUR // 60:02}:{rest % 60:02}"
    if days and not rest:
        return f"{days} days" if days > 1 else "1 day"
    return f"{days} d {clock}" if days else clock


def day(text: str) -> int:
    """Unix time at which a UTC day starts, written as ``2027-01-31``; raises MonthError for anything else."""
    try:
        return int(datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).timestamp())
    except ValueError as error:
        raise MonthError(f"{text!r} is not a day; write it like 2027-01-31") from error
