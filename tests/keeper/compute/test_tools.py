"""What a machine lacks for sandboxes, each with what to do about it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from keeper.compute import tools
from tests.keeper.compute.sandboxing import USER, require


def test_a_machine_that_has_all() -> None:
    require()
    assert tools.lacking(USER) == []


def test_programs_are_named_with_their_packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tools, "PATH", str(tmp_path))
    found = [(each.what, each.do) for each in tools.lacking(1)]
    for tool, package in tools.PACKAGES.items():
        assert (f"{tool} isn't installed", f"apt-get install {package}") in found


def test_root_is_told_to_be_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    (found,) = tools.lacking()
    assert found.do == "run the worker as a user of its own"


def test_another_system_is_told_where_it_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    (found,) = tools.lacking(1)
    assert found.do == "on Windows run the worker in WSL2, on macOS in a Linux machine"


def test_a_kernel_that_keeps_namespaces_from_users_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    require()
    monkeypatch.setattr(tools, "SPACES", ("sh", "-c", "echo Operation not permitted >&2; exit 1"))
    sysctl = tmp_path / "restrict"
    monkeypatch.setattr(tools, "APPARMOR", sysctl)
    (found,) = tools.lacking(USER)
    assert found.what == "no namespaces for this user: Operation not permitted"
    assert found.do.startswith("sysctl -w kernel.unprivileged_userns_clone=1")
    sysctl.write_text("1\n")
    (found,) = tools.lacking(USER)
    assert found.do.startswith("AppArmor keeps them from users")


def test_a_device_for_networks_that_is_roots_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    require()
    if not tools._tried(USER, *tools.SPACES, "ip", "link", "add", "wg0", "type", "wireguard"):
        pytest.skip("the kernel has WireGuard, which needs no device")
    monkeypatch.setattr(tools, "TUN", tmp_path / "tun")
    (found,) = tools.lacking(USER)
    assert found.do == f"chmod 666 {tmp_path / 'tun'}, as it is on most machines"
