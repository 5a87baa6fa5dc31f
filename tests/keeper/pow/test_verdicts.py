"""Verdicts: against a model in plain Python, in any order, with liars among operators, as files come in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.pow.codes import HARD, PASSES, SOFT, Code
from keeper.pow.files import WAVE, Rows
from keeper.pow.verdicts import ABSENT, TASK, VERDICT, best, wave_verdicts

SLOT = 4_711
D, LONGEST = 11_900, 19_100


@dataclass(frozen=True)
class Task:
    device: bytes
    profile: int = 3
    procs: int = 1
    kind: int = 0
    deadline: int = D
    longest: int = D
    opened: bool = True


class Row(NamedTuple):
    device: bytes
    root: bytes
    ms: int
    profile: int = 3
    procs: int = 1
    kind: int = 0


Openings = Mapping[tuple[bytes, bytes], Code]


def model(
    tasks: Sequence[Task], files: Sequence[Sequence[Row]], openings: Openings, threshold: int
) -> list[tuple[Code, int, bytes]]:
    """Section 6 of the specification, a device at a time."""
    found = []
    for task in tasks:
        if len(files) < threshold:
            found.append((Code.VOID, 2**32, bytes(32)))
            continue
        roots = {row.root for file in files for row in file if row.device == task.device}
        times = []
        for file in files:
            mine = [
                row.ms
                for row in file
                if row.device == task.device
                and (row.profile, row.procs, row.kind) == (task.profile, task.procs, task.kind)
            ]
            times.append(min(mine, default=2**32))
        ms = sorted(times)[(len(files) - 1) // 2]
        root = next(iter(roots)) if len(roots) == 1 else bytes(32)
        if len(roots) > 1:
            code = Code.COMMIT_CONFLICT
        elif ms == 2**32:
            code = Code.NO_COMMIT
        elif ms > task.longest:
            code = Code.LATE
        elif task.opened and openings.get((task.device, root), Code.NO_OPENING) is not Code.PASS:
            code = openings.get((task.device, root), Code.NO_OPENING)
        elif ms > task.deadline:
            code = Code.PASS_SLOW
        else:
            code = Code.PASS if task.opened else Code.PASS_UNOPENED
        found.append((code, ms, root))
    return found


def task_rows(tasks: Sequence[Task]) -> Rows:
    found = [
        (each.device, b"", each.profile, each.procs, each.kind, each.deadline, each.longest, each.opened)
        for each in tasks
    ]
    return np.array(found, TASK)


def wave_file(rows: Sequence[Row]) -> Rows:
    found = [(each.device, each.root, each.ms, 0, each.profile, each.procs, each.kind, b"") for each in rows]
    return np.array(found, WAVE)


def verdicts(
    tasks: Sequence[Task],
    files: Sequence[Sequence[Row]],
    openings: Openings | None = None,
    threshold: int = 1,
) -> Rows:
    return wave_verdicts(SLOT, task_rows(tasks), list(map(wave_file, files)), openings or {}, threshold)


def codes(rows: Rows) -> list[Code]:
    return [Code(each) for each in rows["code"].tolist()]


DEVICES = sorted([b"\x01" + bytes(31), bytes(31) + b"\x01", b"\x07" * 32, b"\xff" * 31 + b"\0"])
"""Some end in zeros, which numpy's strings drop."""
OUTSIDER = b"\x06" * 32
ROOTS = [b"r" * 32, b"s" * 31 + b"\0"]
MS = st.sampled_from([0, D - 1, D, D + 1, LONGEST, LONGEST + 1, 2**32 - 1])
tasks_ = st.tuples(
    *(
        st.builds(
            Task,
            st.just(device),
            longest=st.sampled_from([D, LONGEST]),
            opened=st.booleans(),
            kind=st.integers(0, 1),
        )
        for device in DEVICES
    )
)
rows_ = st.builds(
    Row,
    st.sampled_from([*DEVICES, OUTSIDER]),
    st.sampled_from([ROOTS[0], ROOTS[0], ROOTS[0], ROOTS[1]]),
    MS,
    profile=st.sampled_from([3, 3, 3, 4]),
    procs=st.just(1),
    kind=st.integers(0, 1),
)
file_ = st.lists(rows_, max_size=8, unique_by=lambda row: (row.device, row.root))
files_ = st.lists(file_, max_size=6)
openings_ = st.dictionaries(
    st.tuples(st.sampled_from(DEVICES), st.sampled_from(ROOTS)),
    st.sampled_from([Code.PASS, Code.PASS, Code.WORK_WRONG, Code.OPEN_PATH, Code.OPEN_ROOT]),
)


@given(tasks_, files_, openings_, st.integers(1, 4), st.randoms())
def test_the_same_as_a_model_in_any_order(
    tasks: tuple[Task, ...], files: list[list[Row]], openings: Openings, threshold: int, random: Random
) -> None:
    found = verdicts(tasks, files, openings, threshold)
    expected = [
        (task.device.rstrip(b"\0"), SLOT, task.kind, code, ms, root.rstrip(b"\0"), task.opened)
        for task, (code, ms, root) in zip(tasks, model(tasks, files, openings, threshold), strict=True)
    ]
    assert found.dtype == VERDICT
    assert found.tolist() == expected
    shuffled = [random.sample(file, len(file)) for file in random.sample(files, len(files))]
    assert verdicts(tasks, shuffled, openings, threshold).tobytes() == found.tobytes()


def test_each_code() -> None:
    names = {
        "pass": (Task(b"a"), [D, D, D + 1], Code.PASS),
        "unopened": (Task(b"b", opened=False), [1, 2, 3], Code.PASS_UNOPENED),
        "slow": (Task(b"c", longest=LONGEST), [D, D + 1, LONGEST], Code.PASS_SLOW),
        "slow, not drawn": (Task(b"d", longest=LONGEST, opened=False), [LONGEST] * 3, Code.PASS_SLOW),
        "hired and fast": (Task(b"e", longest=LONGEST), [D, D, LONGEST], Code.PASS),
        "none": (Task(b"f"), [None, None, 1], Code.NO_COMMIT),
        "late": (Task(b"g"), [D, D + 1, D + 1], Code.LATE),
        "hired and late": (Task(b"h", longest=LONGEST), [1, LONGEST + 1, LONGEST + 1], Code.LATE),
        "missing in one": (Task(b"i"), [None, D, D], Code.PASS),
        "unopened though drawn": (Task(b"j"), [1, 1, 1], Code.NO_OPENING),
        "wrong": (Task(b"k", longest=LONGEST), [1, D + 1, D + 1], Code.WORK_WRONG),
    }
    tasks = [replace(task, device=task.device.ljust(32, b"\x01")) for task, _, _ in names.values()]
    files: list[list[Row]] = [[], [], []]
    for task, (_, times, _) in zip(tasks, names.values(), strict=True):
        for file, ms in zip(files, times, strict=True):
            if ms is not None:
                file.append(Row(task.device, b"r" * 32, ms))
    openings = {(each.device, b"r" * 32): Code.PASS for each in tasks if each.device[:1] != b"j"}
    openings[tasks[-1].device, b"r" * 32] = Code.WORK_WRONG
    found = dict(zip(names, codes(verdicts(tasks, files, openings, 3)), strict=True))
    assert found == {name: code for name, (_, _, code) in names.items()}


def test_two_roots_of_a_device() -> None:
    """In one file or in two, also where each is right, also for other work than the wave's."""
    device = DEVICES[2]
    one, other = Row(device, ROOTS[0], 1), Row(device, ROOTS[1], 1)
    openings = {(device, root): Code.PASS for root in ROOTS}
    for files in (
        [[one, other], []],
        [[one], [other]],
        [[one], [one], [one, other]],
        [[one], [other._replace(profile=9)]],
    ):
        (found,) = verdicts([Task(device)], files, openings)
        assert found["code"] == Code.COMMIT_CONFLICT
        assert found["root"] == b""


def test_a_commit_to_other_work_is_none() -> None:
    device = DEVICES[2]
    for other in ({"profile": 2}, {"procs": 8}, {"kind": 1}):
        (found,) = verdicts([Task(device)], [[Row(device, ROOTS[0], 1)._replace(**other)]] * 3)
        assert (found["code"], found["ms"]) == (Code.NO_COMMIT, ABSENT)


def test_a_wave_without_enough_files_is_void_for_all() -> None:
    files = [[Row(device, ROOTS[0], 1) for device in DEVICES]] * 2
    found = verdicts([Task(device) for device in DEVICES], files, {}, 3)
    assert codes(found) == [Code.VOID] * len(DEVICES)
    assert set(found["ms"].tolist()) == {ABSENT}
    assert codes(verdicts([Task(DEVICES[0])], [], {}, 0)) == [Code.VOID]
    assert len(verdicts([], files, {}, 1)) == 0


@pytest.mark.parametrize(("operators", "liars"), [(3, 1), (4, 1), (5, 2), (7, 3)])
@given(st.data())
def test_a_minority_of_liars_moves_nothing(operators: int, liars: int, data: st.DataObject) -> None:
    """They give any time or none, and can't sign another root; the network costs up to 400 ms."""
    tasks = [Task(device) for device in DEVICES]
    true = [data.draw(st.sampled_from([8_000, D - 400, D + 1, 30_000, ABSENT])) for _ in DEVICES]
    files: list[list[Row]] = []
    for operator in range(operators):
        times = [
            data.draw(st.one_of(MS, st.just(ABSENT)))
            if operator < liars
            else ms + data.draw(st.integers(0, 400))
            for ms in true
        ]
        timed = zip(DEVICES, times, strict=True)
        files.append([Row(device, ROOTS[0], ms) for device, ms in timed if ms < ABSENT])
    openings = {(device, ROOTS[0]): Code.PASS for device in DEVICES}
    for code, ms in zip(codes(verdicts(tasks, files, openings, operators)), true, strict=True):
        assert (code is Code.PASS) == (ms <= D)


@given(tasks_, files_, openings_, file_)
def test_one_more_file(
    tasks: tuple[Task, ...], files: list[list[Row]], openings: Openings, more: list[Row]
) -> None:
    """What it can change: a time towards its own, nothing into void, and no conflict away."""
    before, after = verdicts(tasks, files, openings), verdicts(tasks, [*files, more], openings)
    for task, old, new in zip(tasks, before, after, strict=True):
        was, now = Code(old["code"]), Code(new["code"])
        assert now is not Code.VOID
        if was is Code.COMMIT_CONFLICT:
            assert now is Code.COMMIT_CONFLICT
        if not files or Code.COMMIT_CONFLICT in (was, now):
            continue
        mine = [row for row in more if row.device == task.device]
        asked = [row.ms for row in mine if (row.profile, row.procs, row.kind) == (3, 1, task.kind)]
        for bound in (task.deadline, task.longest):
            if min(asked, default=ABSENT) <= bound:
                assert new["ms"] <= bound or old["ms"] > bound
            else:
                assert new["ms"] > bound or old["ms"] <= bound


@given(tasks_, files_, openings_, openings_)
def test_more_openings_take_no_pass_away(
    tasks: tuple[Task, ...], files: list[list[Row]], openings: dict[Any, Code], more: dict[Any, Code]
) -> None:
    """Nor do they change what became of a device that needed none, or its time."""
    union = {key: best(each[key] for each in (openings, more) if key in each) for key in {**openings, **more}}
    before, after = verdicts(tasks, files, openings), verdicts(tasks, files, union)
    assert before["ms"].tolist() == after["ms"].tolist()
    for was, now in zip(codes(before), codes(after), strict=True):
        if was in PASSES | SOFT | {Code.COMMIT_CONFLICT, Code.VOID}:
            assert now is was
        elif now not in PASSES:
            assert was <= now
            assert now in HARD


def test_the_best_of_a_roots_openings() -> None:
    wrong = [Code.OPEN_MALFORMED, Code.OPEN_PATH, Code.OPEN_ROOT, Code.WORK_WRONG]
    assert best([]) is Code.NO_OPENING
    assert best(wrong[:2]) is Code.OPEN_PATH
    assert best(wrong) is Code.WORK_WRONG
    assert best([*wrong, Code.PASS]) is Code.PASS
