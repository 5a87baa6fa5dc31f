"""The reference model of what was seen in an hour: one device after the other, from its whole history.

Written from the specification of proof of work, apart from keeper.rewards: it keeps no table between hours,
but goes through all hours so far each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from tests.model.schedule import HOUR

MISSING, PASSED, FAILED, SLOW, UNSHOWN = range(5)
OPENED = 1
SOFT, HARD, LATER, VOID = {4, 5}, {6, 7, 8, 9, 10, 11}, 2, 0


@dataclass(frozen=True)
class Past:
    """What happened to one device in an hour.

    ``share`` of openings were drawn, and ``tested`` of those of memory tests, None where rule 3 holds.
    ``codes`` are (time, whether the memory was tested, code) of each wave with a verdict on it, in order of
    time, ``shown`` of how many processors each told, 0 for all; ``waves`` says whether any wave counted for
    anybody. ``answers`` are, for each included operator, which pings it heard the device answer; None if the
    device wasn't among those that count. ``tier`` is what was measured, if anything.
    """

    start: int
    share: Fraction
    tested: Fraction | None
    waves: bool
    codes: Sequence[tuple[int, bool, int]]
    shown: Sequence[int]
    answers: Sequence[Sequence[bool]] | None
    operators: int
    pings: int
    tier: int | None
    owing: Sequence[bool] = ()
    """Of each of ``codes``, whether the device committed, was drawn, and opened nothing that was right."""
    shown_first: bool = False
    """Whether nobody is paid before a product of the device was opened: rule 5."""


@dataclass(frozen=True)
class Seen:
    """The columns of an observation."""

    work: int
    online: bool
    up_since: int
    vram_failures: int
    vram_failed_at: int
    measured_tier: int
    processors_shown: int


def seen(history: Sequence[Past], threshold: int) -> Seen:
    """What was seen of a device in the last hour of its history, which has every hour since it is there."""
    return Seen(
        _works(history)[-1],
        _online(history, threshold)[-1],
        _up_since(history, threshold),
        *_memory(history),
        next((hour.tier for hour in reversed(history) if hour.tier is not None), 0),
        _shown(history),
    )


def _shown(history: Sequence[Past]) -> int:
    """The fewest of an hour with a wave, the last one's where there was none."""
    for hour in reversed(history):
        if hour.waves:
            return min((each for each in hour.shown if each), default=0)
    return 0


def _works(history: Sequence[Past]) -> list[int]:
    works: list[int] = []
    for number, hour in enumerate(history):
        last = works[-1] if works else MISSING
        running = 0
        while running <= number and not history[number - running].waves:
            running += 1
        codes = {code for _, _, code in hour.codes} - {VOID}
        day = [code for each in history[max(0, number - 23) : number + 1] for _, _, code in each.codes]
        if running:
            works.append(last if running <= 3 else MISSING)
        elif _is_failed(history[: number + 1]):
            works.append(FAILED)
        elif len([code for code in day if code in SOFT]) > 1:
            works.append(MISSING)
        elif LATER in codes:
            works.append(SLOW)
        elif codes - SOFT:
            works.append(PASSED if _has_shown(history[: number + 1]) else UNSHOWN)
        else:
            excused = last if codes else MISSING
            fails = excused == PASSED and not _has_shown(history[: number + 1])
            works.append(UNSHOWN if fails else excused)
    return works


def _has_shown(history: Sequence[Past]) -> bool:
    """Whether the last that decides of these hours is a product that was opened, and not a hard code."""
    if not history[-1].shown_first:
        return True
    deciding = [
        code == OPENED
        for hour in history
        for (_, memory, code), owes in zip(hour.codes, hour.owing, strict=True)
        if code in HARD or owes or (code == OPENED and not memory)
    ]
    return bool(deciding) and deciding[-1]


def _is_failed(history: Sequence[Past]) -> bool:
    """Whether a hard code holds in the last of these hours."""
    for ago, hour in enumerate(reversed(history)):
        for _, memory, code in hour.codes:
            drawn = hour.tested / 6 if memory and hour.tested is not None else hour.share
            if code in HARD and ago <= ceil(4 / drawn):
                return True
    return False


def _online(history: Sequence[Past], threshold: int) -> list[bool]:
    found: list[bool] = []
    for hour in history:
        if hour.answers is None:
            found.append(False)
        elif hour.pings == 0 or hour.operators < threshold:
            found.append(found[-1] if found else False)
        else:
            heard = [sum(answers) > hour.pings / 2 for answers in hour.answers]
            found.append(sum(heard) >= hour.operators / 2)
    return found


def _up_since(history: Sequence[Past], threshold: int) -> int:
    *before, now = _online(history, threshold)
    run = 0
    while run < len(before) and before[-1 - run]:
        run += 1
    if not run and not now:
        return 0
    return history[-1].start - run * HOUR


def _memory(history: Sequence[Past]) -> tuple[int, int]:
    times = [
        time
        for hour in history[-24:]
        for time, residency, code in hour.codes
        if residency and code in SOFT | HARD
    ]
    return len(times), max(times, default=0)
