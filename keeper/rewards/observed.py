"""What was seen of every device in an hour: verdicts, answers to pings, and the table of the hour before.

A pure function, as the rule is. The table that it makes has the columns of ``OBSERVATION``, from which the
hour's rewards follow, and what the next hour has to know. So whoever has an hour's files and the table of
the hour before computes the hour's table again. Longer memories (a failure, a run of hours online, a measured
tier) are in the table: else an auditor needed the files of as many earlier hours as the longest of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from keeper.economy.calendar import DAY, HOUR
from keeper.pow.clock import RESIDENCY_ONE_IN
from keeper.pow.codes import HARD, SOFT, Code
from keeper.rewards.rows import OBSERVATION, RowsError, Work
from keeper.tables import KEY, Rows

WHOLE_ALPHA = 1 << 16
"""The share of openings that are drawn, when all are."""
HARD_OPENINGS = 4
"""A hard code holds until so many openings of its kind would have been drawn of a device: a cheat loses more
by it than it gained before one was drawn."""
MAX_CARRIED = 3
"""So many hours running without a wave may repeat the last hour's work."""
WINDOW_HOURS = DAY // HOUR

VERDICT = np.dtype([("device", KEY), ("residency", "u1"), ("code", "u1"), ("shown", "u1")])
"""A device's verdict in a wave: whether its memory was tested, its :class:`~keeper.pow.codes.Code`, and of
how many processors its time tells, 0 for all."""

MEASURED = np.dtype([("device", KEY), ("tier", "u1")])
"""A device whose connection was measured in the hour, and the tier that it has."""

OBSERVED_TABLE = np.dtype(
    [
        *((name, OBSERVATION[name]) for name in OBSERVATION.names or ()),
        ("failed_until", "<u8"),
        ("soft_at", "<u8"),
        ("soft_before", "<u8"),
        ("vram_hours", "<u4"),
        ("carried", "u1"),
        ("unshown", "u1"),
    ]
)
"""An observation, and what the next hour's follows from: until when a hard code holds, the times of the last
two soft ones in 24 hours (unix seconds, 0 for none), a bit for each of the last 24 hours in which the memory
test failed (the lowest is this hour's), how many hours running ``work`` was repeated, and whether the device
has yet to show a product: since it is there, or since its last hard code. By rules before 5 nobody has to."""


@dataclass(frozen=True, slots=True)
class WaveSeen:
    """A wave at ``time`` (of its block, unix seconds) and its ``VERDICT`` rows, in any order.

    Rows of ``VOID`` say nothing; a wave with no other ones didn't take place. ``owing`` are devices (a
    column) that committed, count as late or silent, were drawn, and opened nothing that was right.
    """

    time: int
    verdicts: Rows
    owing: NDArray[np.bytes_] = field(default_factory=lambda: np.zeros(0, KEY))


@dataclass(frozen=True, slots=True)
class HourSeen:
    """All that an hour's table follows from, but for the table of the hour before.

    ``devices`` are those that exist at the hour's end, ``counted`` those that waves and pings count for
    (columns of raw addresses, sorted). ``alpha`` is the share of openings that were drawn, in 65,536ths, and
    ``tested`` that of memory tests, None by rule 3, where their failures hold as long as a product's. Each
    of ``answers`` is an included operator's array of truth values, if it listened, a row for each of the
    hour's pings and a column for each of ``counted``; fewer than ``threshold`` of them decide nothing.
    ``measured`` are ``MEASURED`` rows. ``shown_first`` says whether nobody is paid before a product of it was
    opened, as from rule 5 on.
    """

    start: int
    alpha: int
    tested: int | None
    devices: NDArray[np.bytes_]
    counted: NDArray[np.bytes_]
    waves: Sequence[WaveSeen]
    answers: Sequence[NDArray[np.bool_]]
    threshold: int
    measured: Rows
    shown_first: bool = False


def observe(hour: HourSeen, before: Rows) -> Rows:
    """The hour's ``OBSERVED_TABLE``, sorted by device; ``before`` is that of the hour before.

    Raises RowsError for what no hour can be: an unknown code, a wave of another hour, a device twice.
    """
    _check(hour, before)
    table = np.zeros(len(hour.devices), OBSERVED_TABLE)
    last = np.zeros(len(hour.devices), OBSERVED_TABLE)
    last["unshown"] = hour.shown_first
    at, rows = _places(hour.devices, before["device"])
    last[at] = before[rows]
    table["device"] = hour.devices
    _work(hour, table, last)
    _online(hour, table, last)
    table["measured_tier"] = last["measured_tier"]
    at, rows = _places(hour.devices, hour.measured["device"])
    table["measured_tier"][at] = hour.measured["tier"][rows]
    return table


def observations(table: Rows) -> Rows:
    """The ``OBSERVATION`` rows of an ``OBSERVED_TABLE``."""
    found = np.zeros(len(table), OBSERVATION)
    for name in OBSERVATION.names or ():
        found[name] = table[name]
    return found


def failed_hours(alpha: int, one_in: int = 1) -> int:
    """For how many hours after its own a hard code holds: ``ceil(4 / share)``, the share in 65,536ths.

    ``one_in`` so many hours has a wave of the kind. With q the probability that an opening is drawn in an
    hour, who always cheats has 1 / q - 1 hours of pay, then the hour itself and 4 / q without: (1 - q) / 5 of
    it all. One wave in six tests memory: with all of them opened q = 1 / 6, and it is 24 hours, 96 with a
    quarter.
    """
    return -(-HARD_OPENINGS * one_in * WHOLE_ALPHA // alpha)


# -- work --------------------------------------------------------------------------------------


def _work(hour: HourSeen, table: Rows, last: Rows) -> None:
    """Fill in ``work`` and the columns of failures."""
    since = np.uint64(hour.start + HOUR - DAY)
    soft, slow, passed = (np.zeros(len(table), bool) for _ in range(3))
    until = np.zeros(len(table), "<u8")
    holds = failed_hours(hour.alpha)
    holds_tested = holds if hour.tested is None else failed_hours(hour.tested, RESIDENCY_ONE_IN)
    for name in ("soft_at", "soft_before", "vram_failed_at"):
        table[name] = np.where(last[name] >= since, last[name], 0)
    table["vram_hours"] = (last["vram_hours"] << np.uint32(1)) & np.uint32((1 << WINDOW_HOURS) - 1)
    unshown = last["unshown"] != 0
    took_place = False
    for wave in sorted(hour.waves, key=lambda each: each.time):
        verdicts = wave.verdicts[wave.verdicts["code"] != Code.VOID]
        took_place |= len(verdicts) > 0
        at, rows = _places(hour.devices, verdicts["device"])
        code, residency = verdicts["code"][rows], verdicts["residency"][rows] != 0
        is_hard, is_soft = np.isin(code, list(HARD)), np.isin(code, list(SOFT))
        is_slow = code == Code.PASS_SLOW
        hours = np.where(residency, holds_tested, holds).astype("<u8")
        held = np.uint64(hour.start) + (np.uint64(1) + hours) * np.uint64(HOUR)
        until[at] = np.maximum(until[at], np.where(is_hard, held, np.uint64(0)))
        # A memory test is no product: it tells nothing of what the waves between are about.
        unshown[at[(code == Code.PASS) & ~residency]] = False
        unshown[at[is_hard]] = True
        # Operators who withhold their files once a friend is drawn make its silence a lateness, no more.
        unshown[_places(hour.devices, wave.owing)[0]] = True
        _least_shown(table["processors_shown"], at, verdicts["shown"][rows])
        soft[at] |= is_soft
        slow[at] |= is_slow
        passed[at] |= ~is_hard & ~is_soft & ~is_slow
        late = at[is_soft]
        table["soft_before"][late] = table["soft_at"][late]
        table["soft_at"][late] = wave.time
        failed = at[residency & (is_hard | is_soft)]
        table["vram_hours"][failed] |= np.uint32(1)
        table["vram_failed_at"][failed] = wave.time
    table["vram_failures"] = sum(
        (table["vram_hours"] >> np.uint32(bit)) & np.uint32(1) for bit in range(WINDOW_HOURS)
    )
    table["unshown"] = unshown & hour.shown_first
    failed_until = np.maximum(until, last["failed_until"])
    table["failed_until"] = np.where(failed_until > np.uint64(hour.start + HOUR), failed_until, 0)
    if took_place:
        # A failure is excused for whoever passed before: who didn't isn't paid for one failure a day.
        excused = np.where(soft, last["work"], Work.MISSING)
        shown = np.where(slow, Work.SLOW, np.where(passed, Work.PASSED, excused))
        shown = np.where((shown == Work.PASSED) & (table["unshown"] != 0), Work.UNSHOWN, shown)
        table["work"] = np.where(table["soft_before"] > 0, Work.MISSING, shown)
        table["work"][failed_until > np.uint64(hour.start)] = Work.FAILED
    else:
        table["carried"] = np.minimum(last["carried"], MAX_CARRIED) + 1
        table["processors_shown"] = last["processors_shown"]
        table["work"] = np.where(table["carried"] <= MAX_CARRIED, last["work"], Work.MISSING)


def _least_shown(column: NDArray[np.uint8], at: NDArray[np.intp], shown: NDArray[np.uint8]) -> None:
    """Have the fewest processors of several waves that tell of some; 0 is of all."""
    tells = (shown > 0) & ((column[at] == 0) | (shown < column[at]))
    column[at[tells]] = shown[tells]


# -- pings -------------------------------------------------------------------------------------


def _online(hour: HourSeen, table: Rows, last: Rows) -> None:
    """Fill in ``online`` and ``up_since``: where the hours online in a row began, as it was at the start.

    An offline hour ends the run for the next one, so that a device which was up until then has failed in the
    hour, and isn't one that couldn't earn in it anyway.
    """
    at, rows = _places(hour.devices, hour.counted)
    pings = len(hour.answers[0]) if hour.answers else 0
    if pings and len(hour.answers) >= hour.threshold:
        said = sum(2 * each.sum(axis=0) > pings for each in hour.answers)
        # Of an even number half is enough, as for times: with one operator lost, two of five that lie would
        # have everybody offline.
        table["online"][at] = (2 * np.asarray(said) >= len(hour.answers))[rows]
    else:
        # No ping was drawn, or too few operators tell: nothing was seen, and nothing speaks against anybody.
        table["online"][at] = last["online"][at]
    began = np.where(table["online"] != 0, np.uint64(hour.start), np.uint64(0))
    table["up_since"] = np.where(last["online"] != 0, last["up_since"], began)


# -- rows --------------------------------------------------------------------------------------


def _places(
    devices: NDArray[np.bytes_], some: NDArray[np.bytes_]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where each of ``some`` is in ``devices``, and its own place, for those that are there."""
    at = np.searchsorted(devices, some)
    within = np.flatnonzero(at < len(devices))
    rows = within[devices[at[within]] == some[within]]
    return at[rows], rows


def _check(hour: HourSeen, before: Rows) -> None:
    """Raise RowsError for what no hour can be."""
    for share in (hour.alpha, WHOLE_ALPHA if hour.tested is None else hour.tested):
        if not 1 <= share <= WHOLE_ALPHA:
            raise RowsError(f"a share of {share} openings in {WHOLE_ALPHA}: must be 1 to all of them")
    for column in (hour.devices, hour.counted, before["device"]):
        if not (column[1:] > column[:-1]).all():
            raise RowsError("devices must be sorted by address, and none may be there twice")
    for wave in hour.waves:
        if not hour.start <= wave.time < hour.start + HOUR:
            raise RowsError(f"a wave at {wave.time} isn't of the hour from {hour.start}")
        if (wave.verdicts["code"] > max(Code)).any():
            raise RowsError(f"a verdict of code {wave.verdicts['code'].max()}, which there isn't")
        if len(np.unique(wave.verdicts["device"])) < len(wave.verdicts):
            raise RowsError(f"two verdicts on one device in the wave at {wave.time}")
    if len(np.unique(hour.measured["device"])) < len(hour.measured):
        raise RowsError("a device's connection was measured twice in one hour")
    shapes = {each.shape for each in hour.answers}
    if len(shapes) > 1 or any(shape[1:] != (len(hour.counted),) for shape in shapes):
        raise RowsError(f"answers to pings must be of the hour's pings and {len(hour.counted)} devices")
