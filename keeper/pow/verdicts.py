"""What became of each device in a wave: a function of the files that count, in whatever order they come.

With f files, a device's time is the lower median of theirs, ``sorted(ms)[(f - 1) // 2]``, where a file
without the device has :data:`ABSENT`. So (f - 1) // 2 lying operators, 2 of 5 or 1 of 3, can't make a late
device timely, and f // 2 can't make a timely one late. One more file that has a device in time never makes it
late, one that has it late never makes it timely. Roots in conflict stay so, and an opening that comes later
never takes a pass away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keeper.pow.codes import Code
from keeper.pow.files import KEY, Rows, placed, whole_key

TASK = np.dtype(
    [
        ("device", KEY),
        ("worker", KEY),
        ("profile", "<u2"),
        ("procs", "u1"),
        ("kind", "u1"),
        ("deadline", "<u4"),
        ("longest", "<u4"),
        ("opened", "u1"),
    ]
)
"""What a device of the hour has to do in a wave, and how fast; the chain and the profiles say it.

``worker`` is its worker's key, ``kind`` its :class:`~keeper.pow.clock.WaveKind`, ``deadline`` and
``longest`` are milliseconds, the latter more than the former where it was hired, ``opened`` says whether it
was drawn."""

VERDICT = np.dtype(
    [
        ("device", KEY),
        ("wave", "<u8"),
        ("kind", "u1"),
        ("code", "u1"),
        ("ms", "<u8"),
        ("root", KEY),
        ("opened", "u1"),
    ]
)
"""A row of ``verdicts.csv``: the wave's slot, the :class:`~keeper.pow.codes.Code`, the time that counts.

``root`` is what the device committed to, zero where no file has it, it has two, or the wave is void;
``opened`` says whether it was drawn."""

WORK = "profile", "procs", "kind"
"""What a commit has to repeat of its device's task."""
ABSENT = 1 << 32
"""The time of a device that isn't there: later than any."""


def wave_verdicts(
    slot: int,
    tasks: Rows,
    files: Sequence[Rows],
    openings: Mapping[tuple[bytes, bytes], Code],
    threshold: int,
) -> Rows:
    """The verdicts of the wave at ``slot``, of :data:`VERDICT`, in the order of ``tasks``.

    ``tasks`` are of :data:`TASK`, sorted by device; ``files`` are the WAVE files that count, ``openings`` the
    best code of each device's root (:func:`best`), where any opening is held. With fewer files than
    ``threshold`` the wave is void. A commit to anything but the device's task is none, but a root all the
    same: two roots are signed by nobody who is honest.
    """
    out = np.zeros(len(tasks), VERDICT)
    for name in ("device", "kind", "opened"):
        out[name] = tasks[name]
    out["wave"], out["ms"] = slot, ABSENT
    if len(files) < max(threshold, 1):
        return out
    times, roots, conflicts = _merge(tasks, files)
    times.partition(middle := (len(files) - 1) // 2, axis=0)
    ms = out["ms"] = times[middle]
    out["root"] = np.where(conflicts, b"", roots)
    in_time = ms <= tasks["longest"]
    out["code"] = np.select(
        [conflicts, ms >= ABSENT, ~in_time, ms > tasks["deadline"]],
        [Code.COMMIT_CONFLICT, Code.NO_COMMIT, Code.LATE, Code.PASS_SLOW],
        np.where(tasks["opened"], Code.PASS, Code.PASS_UNOPENED),
    )
    for at in np.flatnonzero(in_time & ~conflicts & (tasks["opened"] != 0)):
        code = openings.get((whole_key(out["device"][at]), whole_key(out["root"][at])), Code.NO_OPENING)
        if code is not Code.PASS:
            out["code"][at] = code
    return out


def best(codes: Iterable[Code]) -> Code:
    """What the openings of one root come to, each by itself: one that is right is enough.

    Of wrong ones, the one that says most: WORK_WRONG is about what the device itself committed to, and
    excludes a right one; the others anybody can make up.
    """
    found = set(codes)
    return Code.PASS if Code.PASS in found else max(found, default=Code.NO_OPENING)


def _merge(tasks: Rows, files: Sequence[Rows]) -> tuple[NDArray[np.int64], NDArray[Any], NDArray[np.bool_]]:
    """Times int64[files, devices], the roots, and where there are several."""
    times = np.full((len(files), len(tasks)), ABSENT, np.int64)
    roots, has = np.zeros(len(tasks), KEY), np.zeros(len(tasks), bool)
    conflicts = np.zeros(len(tasks), bool)
    for mine, file in zip(times, files, strict=True):
        at, rows = placed(tasks["device"], file)
        # A device with two rows in a file is in conflict, whichever of them comes to be its root.
        fresh = ~has[at]
        roots[at[fresh]], has[at] = rows["root"][fresh], True
        conflicts[at[roots[at] != rows["root"]]] = True
        asked = np.logical_and.reduce([tasks[name][at] == rows[name] for name in WORK])
        np.minimum.at(mine, at[asked], rows["ms"][asked])
    return times, roots, conflicts
