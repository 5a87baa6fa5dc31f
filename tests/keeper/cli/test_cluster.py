"""``ionet cluster`` against an operator's board over a socket and a chain in a file."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from keeper.compute.bodies import Beat, Serving
from keeper.compute.members import members
from tests.keeper.api.serving import serving
from tests.keeper.jobs.test_faults import Court, silent_after
from tests.keeper.operator.test_board import Place, joined, place
from tests.programs.world import key


class Served:
    """A place with one operator, on a loop of its own: the command line has another."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._stop = folder, asyncio.Event()
        self._ready = threading.Event()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=lambda: self.loop.run_until_complete(self._serve()))
        self.here: Place

    def __enter__(self) -> Served:
        self.thread.start()
        assert self._ready.wait(60)
        return self

    def __exit__(self, *error: object) -> None:
        self.loop.call_soon_threadsafe(self._stop.set)
        self.thread.join()
        self.loop.close()

    async def _serve(self) -> None:
        async with place(self._folder) as self.here:
            self._ready.set()
            await self._stop.wait()

    def say_all(self) -> None:
        """Both devices join, and beat."""
        here = self.here
        leases = [here.world.lease(here.order, name) for name in ("one", "two")]
        found = members(here.order, leases, here.world.chain.now())

        async def say() -> None:
            boards = here.clients()
            for name, lease in zip(("one", "two"), leases, strict=True):
                await boards.say(here.order.address, 0, here.key_of(name), key(name))
                await boards.say(here.order.address, found.epoch, joined(), key(name))

                def beat(operator, nonce, lease=lease) -> Beat:
                    return Beat(operator, nonce, Serving.ACTIVE, bytes(28), lease.number, 1, 2, 3, 4, 5)

                assert await boards.beat(here.order.address, found.epoch, key(name), beat) == 1
            await boards.close()

        asyncio.run_coroutine_threadsafe(say(), self.loop).result(30)


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    with Served(tmp_path) as found:
        monkeypatch.setenv("IONET_OPERATORS", json.dumps([*found.here.urls, "http://127.0.0.1:1"]))
        found.here.world.chain.save(tmp_path / "network.chain")
        yield found


def test_what_becomes_of_a_cluster(ionet, served: Served) -> None:
    order = str(served.here.order.address)
    chain = ("--chain", "network.chain")
    code, out, _ = ionet("cluster", "status", order, *chain)
    assert code == 0 and "forming" in out and "0 of 2 nodes are alive" in out
    assert out.count("starting") == 2 and "away: http://127.0.0.1:1" in out
    served.say_all()
    code, out, _ = ionet("cluster", "wait", order, *chain, "--json")
    found = json.loads(out)
    assert code == 0 and found["state"] == "ready" and found["why"] == ""
    assert [each["phase"] for each in found["nodes"]] == ["alive"] * 2
    assert [each["cpus"] for each in found["nodes"]] == [4, 4]
    assert list(found["boards_away"]) == ["http://127.0.0.1:1"]
    now = served.here.world.chain.now()
    assert all(now - 1 <= each["heard"] <= now + 1 for each in found["nodes"])
    code, out, _ = ionet("cluster", "status", order, *chain)
    assert code == 0 and ": ready" in out and out.count("alive") == 2


def test_a_cluster_that_is_not_ready_in_time_is_said(ionet, served: Served) -> None:
    order = str(served.here.order.address)
    code, _, err = ionet("cluster", "wait", order, "--chain", "network.chain", "--seconds", "1")
    assert code == 1 and "isn't ready after 1 seconds; forming: 0 of 2 nodes are alive" in err


def test_without_operators_the_chain_alone_tells(ionet, served: Served, monkeypatch) -> None:
    monkeypatch.delenv("IONET_OPERATORS")
    code, out, _ = ionet("cluster", "status", str(served.here.order.address), "--chain", "network.chain")
    assert code == 0 and "IONET_OPERATORS names no operator" in out and out.count("starting") == 2


def test_a_verdict_is_repeated_from_files_and_from_what_operators_serve(
    ionet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def judged() -> Path:
        async with place(tmp_path, 3) as here:
            court = Court(here)
            await silent_after(court, 1)
            await court.vote(0)
            here.world.chain.save(tmp_path / "network.chain")
            (found,) = (here.folder / "rewards-0/faults").iterdir()
            return found

    with capture_logs():  # Standard output is the command's alone.
        folder = asyncio.run(judged())
    code, out, _ = ionet("cluster", "verdict", str(folder), "--chain", "network.chain", "--json")
    found = json.loads(out)
    assert code == 0 and (found["evidence"], found["good_hours"]) == (folder.name, 1)
    assert found["reason"] == "silent" and found["at"] % 60 == 0
    code, out, _ = ionet("cluster", "verdict", str(folder), "--chain", "network.chain")
    assert code == 0 and "1 whole hours from" in out and found["device"] in out
    with serving(folder.parents[1]) as url:
        monkeypatch.setenv("IONET_PEERS", json.dumps(["http://127.0.0.1:1", url]))
        for evidence in (folder.name, f"{url}/rewards/faults/{folder.name}"):
            code, out, _ = ionet("cluster", "verdict", evidence, "--chain", "network.chain", "--json")
            assert code == 0 and json.loads(out) == found
        code, _, err = ionet("cluster", "verdict", "0" * 64, "--chain", "network.chain")
        assert code == 1 and "127.0.0.1:1" in err and "status 404" in err
    for path in folder.glob("*.observation"):
        path.write_bytes(path.read_bytes()[::-1])
    code, _, err = ionet("cluster", "verdict", str(folder), "--chain", "network.chain")
    assert code == 1 and "0 of its 3 observations count" in err
