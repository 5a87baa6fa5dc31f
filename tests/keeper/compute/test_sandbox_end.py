# ruff: noqa: ASYNC240 - files of a folder of memory's speed
"""A sandbox that is frozen, and what is left of it at its end: no process, no file, whoever was killed."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sys
from pathlib import Path

import pytest

from keeper.compute.namespace import Namespaces, RootRefused
from keeper.compute.sandbox import Sandbox, clear
from tests.keeper.compute.sandboxing import (
    PYTHON,
    USER,
    alive,
    folder,
    job,
    sandbox,
)

pytestmark = pytest.mark.usefixtures("possible")

COUNTS = """if 1:
    import os, sys, signal
    for _ in range(3):
        if os.fork() == 0:
            os.setsid()
            break
    # Who is stopped can't be woken by the others: all stop at once.
    n = 0
    while True:
        n += 1
        open(f"/data/{os.getpid()}", "w").write(str(n))
        try: os.kill(-1, signal.SIGCONT)
        except OSError: pass
"""


def states(marker: str) -> set[str]:
    found = set()
    for each in alive(marker):
        if "/bwrap" in str(Path(f"/proc/{each}/exe").readlink()):  # Its command line has the renter's, too.
            continue
        line = Path(f"/proc/{each}/stat").read_text()
        found.add(line.rsplit(")", 1)[1].split()[0])
    return found


async def test_a_frozen_sandbox_does_nothing_until_it_thaws() -> None:
    marker = secrets.token_hex(16)
    async with sandbox() as (made, _):
        await made.run(job(COUNTS, marker))
        data = made.folder / "data"
        while len([each for each in data.iterdir()]) < 4:
            await asyncio.sleep(0.01)
        for _ in range(20):
            await made.freeze()
            assert states(marker) == {"T"}
            before = {each.name: each.read_text() for each in data.iterdir()}
            await made.thaw()
            while {each.name: each.read_text() for each in data.iterdir()} == before:
                await asyncio.sleep(0.01)
    assert alive(marker) == []


@pytest.mark.parametrize("number", ["SIGSTOP", "SIGKILL"])
async def test_whoever_signals_all_it_can_does_not_keep_a_sandbox_from_freezing(number: str) -> None:
    code = f"""if 1:
    import os, signal
    open("/data/up-1", "w").close()
    while True:
        try: os.kill(-1, signal.{number})
        except OSError: pass
"""
    marker = secrets.token_hex(16)
    async with sandbox() as (made, _):
        await made.run(job(code, marker))
        await up(made, 1)
        for _ in range(10):
            await made.freeze()
            assert states(marker) == {"T"}
            await made.thaw()


STAYS = """if 1:
    import os, signal, sys
    for each in range(1, 65):
        try: signal.signal(each, signal.SIG_IGN)
        except OSError: pass
        except ValueError: pass
    for _ in range(4):
        if os.fork() == 0:
            os.setsid()
            if os.fork(): os._exit(0)
            break
    open(f"/data/up-{os.getpid()}", "w").close()
    while True: signal.pause()
"""


async def up(made: Sandbox, count: int = 5) -> None:
    while len(list((made.folder / "data").glob("up-*"))) < count:
        await asyncio.sleep(0.01)


async def test_nothing_survives_the_end() -> None:
    marker = secrets.token_hex(16)
    async with sandbox() as (made, _):
        await made.run(job(STAYS, marker))
        await up(made)
        assert len(alive(marker)) >= 5
    assert alive(marker) == []


def is_unshare(number: int) -> bool:
    return Path(f"/proc/{number}/comm").read_text() == "unshare\n"


@pytest.mark.parametrize("killed", ["unshare", "python3", "wireguard-go", "bwrap"])
async def test_nothing_survives_the_death_of_any_process(killed: str) -> None:
    marker = secrets.token_hex(16)
    async with sandbox() as (made, _):
        await made.run(job(STAYS, marker))
        await up(made)
        first = made.spaces.processes()
        for each in first:
            if Path(f"/proc/{each}/comm").read_text().strip() == killed:
                os.kill(each, signal.SIGKILL)
                break
        else:
            pytest.fail(f"no {killed} among {first}")
        await made.spaces.over
        while alive(marker):
            await asyncio.sleep(0.01)


AGENT = """if 1:
    import asyncio, sys
    from tests.keeper.compute.sandboxing import sandbox, job
    from tests.keeper.compute.test_sandbox_end import STAYS, up
    async def main():
        async with sandbox() as (made, _):
            await made.run(job(STAYS, sys.argv[1].upper()))
            await up(made)
            print(made.folder.parent, flush=True)
            await asyncio.sleep(600)
    asyncio.run(main())
"""


async def test_nothing_survives_the_agents_death() -> None:
    marker = secrets.token_hex(16)
    agent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", AGENT, marker, stdout=asyncio.subprocess.PIPE
    )
    assert agent.stdout is not None
    left = Path((await agent.stdout.readline()).decode().strip())
    assert len(alive(marker.upper())) >= 5
    agent.kill()
    await agent.wait()
    while alive(marker.upper()):
        await asyncio.sleep(0.01)
    assert (left / "lease").exists()  # Its next start finds that, and
    clear(left)
    assert not left.exists()


# -- what is left on the disk -----------------------------------------------------------------------------


async def test_files_go_whatever_was_made_of_them() -> None:
    code = """if 1:
        import os, sys
        os.symlink(sys.argv[1], "/data/link")
        os.mkdir("/data/locked"); open("/data/locked/x", "w").close(); os.chmod("/data/locked", 0)
        for n in range(3000):
            os.mkdir("d" * 20); os.chdir("d" * 20)
        open("x", "w").close()
        open("/data/up-1", "w").close()
        import signal; signal.pause()"""
    with folder() as outside:
        kept = outside.parent / "kept"
        kept.write_text("the supplier's own")
        kept.chmod(0o400)
        if USER:
            os.chown(kept, USER, USER)
        async with sandbox() as (made, _):
            await made.run(job(code, str(kept)))
            await up(made, 1)
        assert (kept.read_text(), kept.stat().st_mode & 0o777) == ("the supplier's own", 0o400)


async def test_a_root_agent_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(RootRefused, match="a user of its own"):
        await Namespaces.open()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small disk, which takes root")
@pytest.mark.parametrize("hides", [False, True], ids=["named", "deleted and open"])
async def test_a_disk_is_never_filled(hides: bool) -> None:
    """Also not by files that have no name any more, which du doesn't count."""
    code = """if 1:
        import os, sys
        kept = []
        for n in range(40):
            f = open(f"/data/{n}", "wb", buffering=0)
            kept.append(f)
            if sys.argv[1] == "True": os.unlink(f"/data/{n}")
            try: f.write(b"x" * (1 << 20))
            except OSError: break
        while True: pass"""
    with folder() as place:
        data = place / "data"
        data.mkdir(parents=True)
        mount = await asyncio.create_subprocess_exec("mount", "-t", "tmpfs", "-o", "size=30m", "none", data)
        assert await mount.wait() == 0
        made = Sandbox(await Namespaces.open(user=USER, python=PYTHON), place, USER)
        try:
            await made.run(job(code, str(hides)))
            over = await made.spaces.over
            assert over == "the device's disk is nearly full", made.spaces.tail
        finally:
            await made.spaces.end()
            unmount = await asyncio.create_subprocess_exec("umount", data)
            assert await unmount.wait() == 0
