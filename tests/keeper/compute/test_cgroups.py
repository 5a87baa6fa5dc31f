"""Limits by the kernel, on files as it has them: the machines that tests run on hand no cgroup to anybody."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from keeper.compute.cgroups import KERNEL, Cgroup, delegated
from tests.keeper.compute.sandboxing import LIMITS, MIB

UNIT = "user.slice/ionet-worker.service"


def tree(root: Path, controllers: str = "cpu memory pids") -> Path:
    folder = root / UNIT
    folder.mkdir(parents=True)
    (folder / "cgroup.controllers").write_text(controllers)
    for name in ("cgroup.procs", "cgroup.subtree_control"):
        (folder / name).touch()
    (root / "self").write_text(f"1:name=systemd:/\n0::/{UNIT}\n")
    return folder


def test_a_unit_that_is_handed_to_its_user_is_found(tmp_path: Path) -> None:
    folder = tree(tmp_path)
    assert delegated(tmp_path, tmp_path / "self") == folder
    (folder / "agent").mkdir()
    (tmp_path / "self").write_text(f"0::/{UNIT}/agent\n")
    assert delegated(tmp_path, tmp_path / "self") == folder


@pytest.mark.parametrize(
    "spoil",
    [
        lambda folder: (folder / "cgroup.controllers").write_text("cpu"),
        lambda folder: (folder / "cgroup.subtree_control").unlink(),
        lambda folder: (folder.parents[1] / "self").write_text("4:memory:/\n0::/\n"),
        lambda folder: (folder.parents[1] / "self").write_text("4:memory:/\n"),
        lambda folder: (folder.parents[1] / "self").unlink(),
    ],
)
def test_elsewhere_there_is_none(spoil, tmp_path: Path) -> None:
    spoil(tree(tmp_path))
    assert delegated(tmp_path, tmp_path / "self") is None


def test_a_sandbox_has_its_memory_and_a_number_of_processes(tmp_path: Path) -> None:
    folder = tree(tmp_path)
    (folder / "lease-1").mkdir()  # A killed worker's.
    made = Cgroup.make(folder, LIMITS)
    made.take([7, 8])
    assert (folder / "agent" / "cgroup.procs").read_text() == str(os.getpid())
    assert (folder / "cgroup.subtree_control").read_text() == "+memory +pids +cpu"
    (group,) = folder.glob("lease-*")
    found = {each.name: each.read_text() for each in group.iterdir()}
    most = LIMITS.memory + LIMITS.shared + LIMITS.scratch + KERNEL
    assert (most, found["memory.max"]) == (536 * MIB, str(most))
    assert (found["pids.max"], found["memory.oom.group"], found["memory.swap.max"]) == ("240", "1", "0")
    assert found["cpu.weight"] == "20", "the worker's group has 100"
    assert found["cgroup.procs"] == "8", "one a write, as the kernel takes them"


def test_a_system_that_keeps_processors_for_itself_limits_the_rest(tmp_path: Path) -> None:
    folder = tree(tmp_path, "memory pids")
    Cgroup.make(folder, LIMITS)
    assert (folder / "cgroup.subtree_control").read_text() == "+memory +pids"
    (group,) = folder.glob("lease-*")
    assert (group / "memory.max").exists() and not (group / "cpu.weight").exists()
