# ruff: noqa: ASYNC240 - files of a folder of memory's speed
"""A renter's code in a real sandbox, and all that it tries: a row for each attack, and what comes of it."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from keeper.compute.namespace import TAIL, SandboxFailed
from keeper.compute.sandbox import Sandbox
from tests.keeper.compute import attacks
from tests.keeper.compute.sandboxing import (
    ADDRESS,
    LIMITS,
    PYTHON,
    USER,
    alive,
    folder,
    job,
    sandbox,
)

pytestmark = pytest.mark.usefixtures("possible")

FOUND = {
    # files
    "read_the_agents_key": "ENOENT",
    "read_the_agents_key_by_proc": "ENOENT",
    "read_the_machines_passwords": "ENOENT",
    "see_root_folder": sorted(
        [
            "data",
            "dev",
            "etc",
            "proc",
            "tmp",
            "usr",
            *(n for n in ("bin", "lib", "lib64", "sbin") if Path("/", n).exists()),
        ]
    ),
    "see_etc": ["group", "hosts", "ld.so.cache", "nsswitch.conf", "passwd"],
    "see_local_programs": [],
    "see_devices": sorted(
        [
            "core",
            "fd",
            "full",
            "null",
            "ptmx",
            "pts",
            "random",
            "shm",
            "stderr",
            "stdin",
            "stdout",
            "tty",
            "urandom",
            "zero",
        ]
    ),
    "write_programs": "EROFS",
    "write_etc": "EROFS",
    "write_root": "EROFS",
    "write_devices": "EROFS",
    "write_local": "EROFS",
    "make_a_disk_device": "EPERM",
    "link_a_program": "EXDEV",
    "fill_tmp": "ENOSPC below 16 MiB",
    "fill_shared_memory": "ENOSPC below 8 MiB",
    "make_too_large_a_file": "EFBIG",
    # processes and the machine
    "see_processes": ["bwrap", "python3"],
    "see_open_files": ["/dev/null", "pipe"],
    "see_environment": ["HOME", "LANG", "PATH", "PWD", "RENTED"],
    "see_sys": "ENOENT",
    "kernel_addresses": [""],
    "read_memory_of_the_machine": "shut",
    "set_the_crash_program": "EROFS",
    "be_spared_when_memory_runs_out": "EROFS",
    "press_sysrq": "shut",
    "have_cores_dumped": "not allowed to raise maximum limit",
    "see_limits_of_cores": [1, 1],
    "more_processes": "not allowed to raise maximum limit",
    "see_privileges": ["0000000000000000"] * 4 + ["1", "2"],
    "become_root_by_a_program": "refused",
    "new_user_namespace_by_a_program": "refused",
    "new_namespace_by_clone": "ENOSYS",
    # terminals
    "type_into_a_terminal": "EPERM",
    "type_with_high_bits": "EPERM",
    "paste_into_a_terminal": "EPERM",
    "open_the_agents_terminal": "ENXIO",
    # networks
    "see_interfaces": ["lo", "wg0"],
    "reach_the_machines_loopback": "ECONNREFUSED",
    "reach_the_machines_loopback_by_ipv6": "ECONNREFUSED",
    "reach_the_machines_abstract_socket": "ECONNREFUSED",
    "reach_the_lan": "ENETUNREACH",
    "reach_the_internet": "ENETUNREACH",
    "reach_the_internet_by_ipv6": "ENETUNREACH",
    "reach_a_clouds_credentials": "ENETUNREACH",
    "send_a_datagram_out": "ENETUNREACH",
    "ask_for_a_name": "no name",
    "reach_another_cluster": "ECONNREFUSED",
    "change_the_interface": "refused",
    "read_wireguards_key": "refused",
    "take_wireguards_port": "EADDRINUSE",
    **dict.fromkeys(
        [
            "packets",
            "raw_packets",
            "netfilter",
            "generic_netlink",
            "the_hypervisor",
            "the_kernels_ciphers",
            "sctp",
            "bluetooth",
        ],
        "ENOSYS",
    ),
}
MISSING = [
    "setns",
    "unshare",
    "mount",
    "umount2",
    "pivot_root",
    "chroot",
    "open_tree",
    "fsopen",
    "fsmount",
    "move_mount",
    "mount_setattr",
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "pidfd_getfd",
    "kcmp",
    "keyctl",
    "add_key",
    "request_key",
    "bpf",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "userfaultfd",
    "perf_event_open",
    "name_to_handle_at",
    "open_by_handle_at",
    "init_module",
    "finit_module",
    "delete_module",
    "kexec_load",
    "reboot",
    "swapon",
    "swapoff",
    "syslog",
    "personality",
    "quotactl",
    "acct",
    "fanotify_init",
    "memfd_secret",
    "memfd_create",
    "shmget",
    "clone3",
    "io_setup",
    "settimeofday",
    "clock_settime",
    "adjtimex",
    "sethostname",
    "setuid",
    "seccomp",
    "move_pages",
    "migrate_pages",
    "vhangup",
    "lookup_dcookie",
]
"""System calls that aren't there."""


def number(name: str) -> int:
    import pyseccomp  # noqa: PLC0415 - raises where there is no libseccomp

    return pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name)


async def file(path: Path, made: Sandbox) -> str:
    """What the sandbox's code has written; raises once it has ended without."""
    while not path.exists():
        if made.spaces.over.done():
            raise AssertionError(f"{made.spaces.over.result()}: {made.spaces.tail}")
        await asyncio.sleep(0.01)
    return path.read_text()


async def attacked() -> dict[str, object]:
    with folder() as secret, socket.socket() as loop, socket.socket(socket.AF_INET6) as loop6:
        key = secret.parent / "worker.json"  # Its owner is the user that the sandbox is of.
        key.write_text("the agent's key")
        key.chmod(0o600)
        if USER:
            os.chown(key, USER, USER)
        loop.bind(("127.0.0.1", 0))
        loop6.bind(("::1", 0))
        abstract = socket.socket(socket.AF_UNIX)
        abstract.bind("\0ionet-" + secrets.token_hex(8))
        for each in (loop, loop6, abstract):
            each.listen()
        listens = (
            "import socket, sys; s = socket.socket(); s.bind(('0.0.0.0', 0)); s.listen();"
            "open('/data/port.part', 'w').write(str(s.getsockname()[1]));"
            "import os; os.rename('/data/port.part', '/data/port');"
            "[s.accept() for _ in iter(int, 1)]"
        )
        async with sandbox() as (other, _), sandbox() as (made, _):
            await other.run(job(listens))
            targets = {
                "key": str(key),
                "port": loop.getsockname()[1],
                "port6": loop6.getsockname()[1],
                "abstract": abstract.getsockname()[1:].decode(),
                "address": str(ADDRESS),
                "other_port": int(await file(other.folder / "data/port", other)),
                "clone": number("clone"),
                "ioctl": number("ioctl"),
                "calls": {name: number(name) for name in MISSING},
            }
            data = made.folder / "data"
            data.mkdir(parents=True)
            (data / "targets.json").write_text(json.dumps(targets))
            shutil.copy(attacks.__file__, data / "attacks.py")
            (data / "attacks.py").chmod(0o644)
            await made.run(replace(job(""), command=[PYTHON, "-I", "-S", "/data/attacks.py"]))
            found = json.loads(await file(data / "found.json", made))
        abstract.close()
        return found


@pytest.fixture(scope="module")
def outcomes(possible: None) -> dict[str, object]:
    return asyncio.run(attacked())


@pytest.mark.parametrize("name", FOUND)
def test_an_attack(name: str, outcomes: dict[str, object]) -> None:
    assert outcomes[name] == FOUND[name]


@pytest.mark.parametrize("name", MISSING)
def test_a_system_call_that_is_not_there(name: str, outcomes: dict[str, object]) -> None:
    assert outcomes[name] == "ENOSYS"


def test_no_attack_is_left_out(outcomes: dict[str, object]) -> None:
    assert set(outcomes) == {
        *FOUND,
        *MISSING,
        "see_files_of_the_first_process",
        "see_the_first_process_environment",
    }


def test_what_the_first_process_inside_has(outcomes: dict[str, object]) -> None:
    """It is bubblewrap's, and has nothing of the agent's: no file but those that the renter's code has."""
    assert set(outcomes["see_files_of_the_first_process"]) <= {"/dev/null", "pipe", "anon_inode"}
    assert outcomes["see_the_first_process_environment"] == ""


# -- limits -------------------------------------------------------------------------------------------


async def test_a_fork_bomb_ends_at_its_limit() -> None:
    code = """if 1:
        import os, errno
        n = 0
        try:
            while True:
                if os.fork() == 0:
                    import signal; signal.pause()
                n += 1
        except OSError as error:
            open("/data/part", "w").write(f"{n} {errno.errorcode[error.errno]}")
            os.rename("/data/part", "/data/found")
        import signal; signal.pause()"""
    async with sandbox() as (made, _):
        await made.run(job(code))
        count, reason = (await file(made.folder / "data/found", made)).split()
        assert reason == "EAGAIN"
        # WireGuard's threads and ours are in the same count.
        assert LIMITS.processes - 40 < int(count) < LIMITS.processes


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (
            "import mmap\nm = mmap.mmap(-1, 1 << 30)\nfor n in range(400): m.write(b'x' * (1 << 20))\n"
            "while True: pass",
            "of memory, more than its 268435456",
        ),
        ("x = []\nwhile True: x.append(bytearray(b'x' * (1 << 20)))", "of memory, more than its 268435456"),
        pytest.param(
            "import ctypes, threading\ndef take():\n    x = []\n"
            "    while True: x.append(bytearray(b'x' * (1 << 20)))\n"
            "threading.Thread(target=take).start()\nctypes.CDLL(None).pthread_exit(None)",
            "of memory, more than its 268435456",
            id="by a thread, the first one being over",
        ),
        (
            "for n in range(99): open(f'/data/{n}', 'wb').write(b'x' * (1 << 20))\nwhile True: pass",
            "/data has",
        ),
        ("import sys; sys.exit(7)", "its command ended with 7"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "its command ended with 139"),
    ],
)
async def test_what_ends_a_sandbox(code: str, reason: str) -> None:
    marker = secrets.token_hex(16)
    async with sandbox() as (made, _):
        await made.run(job(code, marker))
        assert reason in await made.spaces.over
        with pytest.raises(SandboxFailed, match="has ended"):
            await made.freeze()
    assert alive(marker) == []


async def test_what_a_renter_prints_is_text_alone() -> None:
    async with sandbox() as (made, _):
        await made.run(job(r"print('a\x1b]52;c;eA==\x07b\rc\u202ed'); raise SystemExit(3)"))
        await made.spaces.over
        while not made.spaces.tail.endswith("d"):
            await asyncio.sleep(0.01)
        assert made.spaces.tail.endswith("\na?]52;c;eA==?b?c?d")


async def test_a_renter_who_prints_fills_no_disk() -> None:
    code = "for _ in range(100): print('x' * 65_536)\nopen('/data/done', 'w').close()\nwhile True: pass"
    async with sandbox() as (made, _):
        await made.run(job(code))
        await file(made.folder / "data/done", made)
        assert len(made.spaces.tail) <= TAIL
