"""A probe in a real sandbox: it runs where the renter's code does, which can't see, stop or starve it."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from keeper.compute import namespace
from keeper.compute import sandbox as boxes
from keeper.compute.namespace import SandboxFailed
from keeper.compute.sandbox import Sandbox
from keeper.operator.clusters.probing import expected
from tests.keeper.compute.sandboxing import PYTHON, job, sandbox

pytestmark = pytest.mark.usefixtures("possible")

WAITS = "open('/data/begun', 'w'); import signal; signal.pause()"
STARVES = """
import os, signal
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for folder in ("/tmp", "/dev/shm"):
    with open(f"{folder}/full", "wb", 0) as file:
        try:
            while file.write(bytes(1 << 20)): pass
        except OSError: pass
try:
    while True:
        if not os.fork():
            while True: pass
except OSError: pass
open("/data/begun", "w")
while True: pass
"""
KILLS = """
import os, signal
open("/data/begun", "w")
seen = set()
while True:
    for each in filter(str.isdigit, os.listdir("/proc")):
        if int(each) not in (1, os.getpid()):
            try:
                line = open(f"/proc/{each}/cmdline").read()
            except OSError: continue
            if "python3" in line and each not in seen:
                seen.add(each)
                open("/data/seen", "a").write(line)
                os.kill(int(each), signal.SIGKILL)
"""
LOOKS = """
import ctypes, os
have = (ctypes.c_uint32 * 6)()
ctypes.CDLL(None).capget(bytes.fromhex("2205082000000000"), have)
given = sorted({*os.environ} - {"LC_CTYPE"})
print(os.getuid(), os.listdir("/data"), os.path.exists("/root"), any(have), given, flush=True)
"""


@pytest.fixture
async def made() -> AsyncIterator[Sandbox]:
    async with sandbox() as (found, _):
        yield found


async def begun(made: Sandbox, code: str) -> None:
    await made.run(job(code))
    async with asyncio.timeout(60):
        while not (made.folder / "data" / "begun").exists():
            await asyncio.sleep(0.02)


async def answered(made: Sandbox) -> bool:
    seed = secrets.token_bytes(32)
    return await made.probe(Path(PYTHON), seed) == expected(seed)


async def test_it_is_answered_before_and_while_something_runs(made: Sandbox) -> None:
    assert await answered(made)
    await begun(made, WAITS)
    for _ in range(3):
        assert await answered(made)


async def test_it_is_inside_and_has_no_privilege(made: Sandbox, tmp_path: Path) -> None:
    await begun(made, WAITS)
    file = tmp_path / "looks.py"
    file.write_text(LOOKS)
    read, write = os.pipe()
    with file.open("rb") as program:
        await made.spaces.ask("probe", [program.fileno(), write], command=[PYTHON, "-I", "-S", "-"])
    os.close(write)
    with os.fdopen(read) as said:
        line = await asyncio.to_thread(said.readline)
    assert line == "1000 ['begun'] False False []\n"


@pytest.mark.parametrize("code", [STARVES, KILLS], ids=["takes all there is", "kills what it sees"])
async def test_a_renter_does_not_keep_it_from_being_answered(code: str, made: Sandbox) -> None:
    await begun(made, code)
    assert all([await answered(made) for _ in range(3)])
    assert not (made.folder / "data" / "seen").exists(), "it isn't among the processes that a renter sees"


async def test_it_stands_still_for_no_wave_and_is_no_renter_s_memory(made: Sandbox) -> None:
    await begun(made, WAITS)
    await made.freeze()
    assert await answered(made)
    await made.thaw()
    assert not made.spaces.over.done()


async def test_what_has_ended_or_is_stuck_answers_nothing(made: Sandbox, monkeypatch) -> None:
    await begun(made, WAITS)
    first = made.spaces.processes()[1]
    monkeypatch.setattr(namespace, "ANSWER_SECONDS", 0.2)
    os.kill(first, signal.SIGSTOP)
    with pytest.raises(SandboxFailed, match="doesn't answer"):
        await answered(made)
    os.kill(first, signal.SIGCONT)
    monkeypatch.setattr(namespace, "ANSWER_SECONDS", 30.0)
    assert await answered(made), "an answer that nobody waits for any more is dropped"
    os.kill(first, signal.SIGKILL)
    await made.spaces.over
    with pytest.raises(SandboxFailed, match="has ended"):
        await answered(made)


async def test_a_machine_that_has_no_python_any_more_or_hangs_gives_no_answer(
    made: Sandbox, monkeypatch, tmp_path: Path
) -> None:
    await begun(made, WAITS)
    with pytest.raises(SandboxFailed, match="no answer"):
        await made.probe(Path("/nowhere/python"), bytes(32))
    hangs = tmp_path / "hangs.py"
    hangs.write_text("import signal; signal.pause()")
    with monkeypatch.context() as patch:
        patch.setattr(boxes, "PROBE", hangs)
        patch.setattr(boxes, "PROBE_SECONDS", 0.2)
        with pytest.raises(SandboxFailed, match="no answer"):
            await answered(made)
    assert await answered(made), "the one that hung was ended"
