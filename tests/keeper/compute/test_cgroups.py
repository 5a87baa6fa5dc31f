"""Limits by the kernel, on files as it has them; test_kernel_limits.py has a kernel that holds them."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog import get_logger

from keeper.compute import runtime
from keeper.compute.cgroups import KERNEL, Cgroup, delegated
from keeper.compute.namespace import Namespaces, SandboxFailed
from keeper.compute.runtime import Runtime
from keeper.worker.serving.machine import Machine, Share
from tests.keeper.compute.sandboxing import LIMITS, MIB

UNIT = "user.slice/ionet-worker.service"


class NoSpaces(Namespaces):
    """Of which nothing runs."""

    def __init__(self) -> None:
        """Without a process."""


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
    (folder / "cgroup.procs").write_text("7\n")  # The sandbox's, which began before it has a group.
    made = Cgroup.make(folder, LIMITS)
    made.take([7, 8])
    assert (folder / "agent" / "cgroup.procs").read_text() == "7", "the last one, one a write"
    assert (folder / "cgroup.subtree_control").read_text() == "+memory +pids +cpu"
    (group,) = folder.glob("lease-*")
    found = {each.name: each.read_text() for each in group.iterdir()}
    most = LIMITS.memory + LIMITS.shared + LIMITS.scratch + KERNEL
    assert (most, found["memory.max"]) == (536 * MIB, str(most))
    assert (found["pids.max"], found["memory.oom.group"], found["memory.swap.max"]) == ("240", "1", "0")
    assert found["cpu.weight"] == "20", "the worker's group has 100"
    assert found["cgroup.procs"] == "8", "one a write, as the kernel takes them"
    assert Cgroup.make(folder, LIMITS) and len(list(folder.glob("lease-*"))) == 2, (
        "a process may have several"
    )


def test_a_system_that_keeps_processors_for_itself_limits_the_rest(tmp_path: Path) -> None:
    folder = tree(tmp_path, "memory pids")
    Cgroup.make(folder, LIMITS)
    assert (folder / "cgroup.subtree_control").read_text() == "+memory +pids"
    (group,) = folder.glob("lease-*")
    assert (group / "memory.max").exists() and not (group / "cpu.weight").exists()


async def test_without_one_no_lease_is_accepted_unless_the_supplier_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keeper.worker.serving.machine.lacking", lambda user: [])
    installed = Runtime(Path("/usr"), Path("/usr"))
    monkeypatch.setattr(runtime, "find", lambda place: installed)
    handed: Path | None = None
    monkeypatch.setattr("keeper.compute.cgroups.delegated", lambda: handed)

    def machine(unconfined: bool) -> Machine:
        return Machine(
            tmp_path, tmp_path, lambda: LIMITS, [], get_logger(), share=Share(unconfined=unconfined)
        )

    lacks = await machine(False).lacks()
    assert lacks is not None and lacks.code == "unfit"
    assert lacks.reason.startswith("LIMITS_MISSING: ") and "IONET_UNCONFINED=true" in lacks.reason
    assert await machine(True).lacks() is None
    handed = tree(tmp_path)
    assert await machine(False).lacks() is None


async def test_a_kernel_that_takes_no_limits_has_no_sandbox(tmp_path: Path, monkeypatch) -> None:
    folder = tree(tmp_path)
    (folder / "agent").write_text("in the way")
    monkeypatch.setattr("keeper.compute.cgroups.delegated", lambda: folder)

    def confine(unconfined: bool) -> None:
        made = Machine(
            tmp_path, tmp_path, lambda: LIMITS, [], get_logger(), share=Share(unconfined=unconfined)
        )
        made._confine(NoSpaces(), LIMITS)

    with pytest.raises(SandboxFailed, match=r"LIMITS_MISSING: .*File exists"):
        confine(False)
    confine(True)
