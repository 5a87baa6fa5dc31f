"""An agent among operators: a wave from block to opening, pings, refusals, restarts."""

from __future__ import annotations

import asyncio
import shlex
import sys
import time
from collections import Counter
from dataclasses import replace

import pytest
from solders.keypair import Keypair
from starlette.responses import JSONResponse, Response

from keeper.pow.backend import BackendRefused, NumpyBackend
from keeper.pow.codes import Code
from keeper.pow.messages import PONGS
from keeper.pow.seeds import wave_seed
from keeper.settings.keys import CommandSigner
from keeper.worker import assemble
from keeper.worker.client import News
from keeper.worker.state import BLOB_SECONDS, State
from keeper.worker.work import Device
from tests.keeper.worker.agents import (
    SEED,
    SLOT,
    is_receipted,
    newest,
    no_pauses,
    run_whole,
    until,
    verdict,
)
from tests.keeper.worker.conftest import PROFILE, WORKER, Bench
from tests.keeper.worker.operators import (
    GENESIS,
    PROGRAM,
    blockhash,
    device_of,
    opened,
    ping,
    wave,
)

__all__ = ["no_pauses"]


async def test_a_wave_from_its_block_to_its_opening(bench: Bench) -> None:
    stop = asyncio.Event()
    async with bench.agent() as agent:
        running = asyncio.create_task(agent.run(stop))
        for service in bench.services:
            await service.tell(wave(SLOT))
        await until(lambda: all(each.commits for each in bench.services))
        await until(lambda: newest(agent).state is State.RECEIPTED)
        for service in bench.services:
            await service.tell(opened(SLOT))
        await until(lambda: newest(agent).is_over)
        stop.set()
        await running
        kept = newest(agent)
        receipts = agent.store.receipts(device_of(WORKER), SEED)
    assert (kept.state, kept.ended, kept.seed) == (State.OPENED, "", SEED)
    assert {each.operator for each in receipts} == {each.key.pubkey() for each in bench.services}
    assert [each.ms for each in receipts] == [7_000] * 5
    for service in bench.services:
        assert verdict(service, opened(SLOT)) is Code.PASS
        (commit,) = service.commits
        assert commit.is_by(WORKER.pubkey())
        assert commit.message.root == service.openings[0].root


async def test_openings_of_days_ago_dont_stay_on_the_disk(bench: Bench) -> None:
    now = [0.0]
    for slot in (SLOT, SLOT + 640):
        for service in bench.services:
            await service.tell(wave(slot))
    async with bench.agent(clock=lambda: now[0]) as agent:
        await run_whole(agent)
        assert newest(agent).blob is not None
        now[0] = BLOB_SECONDS + 60.0
        await run_whole(agent, SLOT + 640)
        kept = agent.store.newest(device_of(WORKER), 5)
    assert [each.blob is None for each in kept] == [False, True]


async def test_a_ping_is_answered_to_all(bench: Bench) -> None:
    async with bench.agent() as agent:
        agent.hear(News(SLOT, (ping(SLOT),)))
        agent.hear(News(SLOT, (ping(SLOT),)))
        await agent.settle()
        assert agent.pongs == 1
    seed = wave_seed(GENESIS, PROGRAM, SLOT, blockhash(SLOT))
    for service in bench.services:
        assert [(each.seed, each.device) for each in service.pongs] == [(seed, device_of(WORKER))]


def several(bench: Bench, number: int) -> list[Device]:
    """So many devices that all operators know."""
    workers = [Keypair.from_seed(bytes([each]) * 32) for each in range(1, number + 1)]
    for service in bench.services:
        service.workers = {device_of(each): each.pubkey() for each in workers}
    return [Device(device_of(each), PROFILE, 1, each) for each in workers]


async def test_devices_of_a_process_answer_a_ping_together(bench: Bench) -> None:
    devices = several(bench, 2 * PONGS + 1)
    async with bench.agent(devices=devices) as agent:
        agent.hear(News(SLOT, (ping(SLOT),)))
        await agent.settle()
        assert agent.pongs == len(devices)
    for service in bench.services:
        assert {each.device for each in service.pongs} == {each.address for each in devices}
        assert (service.requests["/pow/pings"], service.requests["/pow/ping"]) == (2, 1)


async def test_what_is_refused_of_one_device_is_no_matter_of_the_others(bench: Bench, logged) -> None:
    devices = several(bench, 4)
    unknown, behind = ({"code": code, "retry_after": 0} for code in ("unknown_device", "unknown_wave"))
    _, lost, other, late, wrong = bench.services
    lost.misbehave["/pow/pings"] = [JSONResponse([unknown] * 4)]
    other.workers[devices[3].address] = WORKER.pubkey()
    # One device's answer comes too early there: it alone is sent again.
    late.misbehave["/pow/pings"] = [JSONResponse([behind, None, None, None])]
    wrong.misbehave["/pow/pings"] = [JSONResponse([None] * 3), Response("[1]"), Response("{"), None]
    async with bench.agent(devices=devices) as agent:
        agent.hear(News(SLOT, (ping(SLOT),)))
        await agent.settle()
    assert [len(each.pongs) for each in bench.services] == [4, 0, 3, 1, 4]
    assert [each.device for each in late.pongs] == [devices[0].address]
    pongs = {each["device"]: each["operators"] for each in logged if each["event"] == "worker.pong"}
    assert pongs == {str(each.address): 4 for each in devices} | {str(devices[3].address): 3}
    refused = Counter(each["device"] for each in logged if each["event"] == "worker.refused")
    assert refused == {str(each.address): 1 for each in devices} | {str(devices[3].address): 2}


async def test_a_signer_that_fails_keeps_no_other_device_from_answering(bench: Bench, logged) -> None:
    first, second = several(bench, 2)
    command = CommandSigner(shlex.join([sys.executable, "-c", "1"]), first.signer.pubkey(), 30)
    async with bench.agent(devices=[replace(first, signer=command), second]) as agent:
        agent.hear(News(SLOT, (ping(SLOT),)))
        await agent.settle()
        assert agent.pongs == 1
    assert [[each.device for each in x.pongs] for x in bench.services] == [[second.address]] * 5
    assert [each["event"] for each in logged].count("worker.signing_failed") == 1


async def test_what_is_too_old_is_neither_made_nor_answered(bench: Bench) -> None:
    async with bench.agent() as agent:
        agent.hear(News(SLOT + 51, (ping(SLOT),)))
        agent.hear(News(SLOT + 51, (wave(SLOT),)))
        await agent.settle()
        assert newest(agent).ended == "20 seconds after its block it was too late"
    assert not any(each.commits or each.pongs for each in bench.services)


async def test_a_wave_is_worked_for_once_whoever_tells_of_it_again(bench: Bench) -> None:
    for service in bench.services:
        await service.tell(wave(SLOT))
    async with bench.agent() as agent:
        await run_whole(agent)
        agent.hear(News(SLOT, (wave(SLOT),)))
        await agent.settle()
    async with bench.agent() as agent:
        agent.resume()
        agent.hear(News(SLOT, (wave(SLOT), opened(SLOT))))
        await agent.settle()
    assert [each.requests["/pow/commit"] for each in bench.services] == [1] * 5
    assert [each.requests["/pow/opening"] for each in bench.services] == [1] * 5


async def test_an_agent_that_comes_back_much_later_lets_the_wave_be(bench: Bench) -> None:
    for service in bench.services:
        await service.tell(wave(SLOT))
    stop = asyncio.Event()
    async with bench.agent() as agent:
        running = asyncio.create_task(agent.run(stop))
        await until(lambda: is_receipted(agent))
        stop.set()
        await running
    async with bench.agent(clock=lambda: time.time() + 301) as agent:
        agent.resume()
        await agent.settle()
        assert newest(agent).ended == "its picks came too late, or not at all"
    assert not any(each.openings for each in bench.services)


class Flipped(NumpyBackend):
    """One whose memory has a bit that is wrong."""

    def product(self, a, bt):
        right = super().product(a, bt)
        right[0, 0] ^= 1
        return right


def test_a_backend_that_errs_may_not_work(monkeypatch) -> None:
    monkeypatch.setattr(assemble, "NumpyBackend", Flipped)
    with pytest.raises(BackendRefused, match="isn't exact"):
        assemble.exact_backend(assemble.NUMPY)


async def test_wrong_work_is_not_shown(bench: Bench, logged) -> None:
    """A wave that isn't opened costs an hour; wrong work that is shown is evidence for a slash."""

    class Wrong(NumpyBackend):
        def product(self, a, bt):
            return super().product(a, bt) + 1

    for service in bench.services:
        await service.tell(wave(SLOT))
    async with bench.agent(Wrong()) as agent:
        await run_whole(agent)
        kept = newest(agent)
    assert kept.ended.startswith("a check of its own found the work wrong")
    assert not any(each.openings for each in bench.services)
    (told,) = [each for each in logged if each["event"] == "worker.opening_wrong"]
    assert (told["log_level"], told["code"]) == ("error", "WORK_WRONG")


async def test_another_root_after_a_restart_is_never_signed(bench: Bench, logged) -> None:
    """A bit flips between the commit and the opening: the root stays, and nothing wrong is shown."""
    for service in bench.services:
        await service.tell(wave(SLOT))
    stop = asyncio.Event()
    async with bench.agent() as agent:
        running = asyncio.create_task(agent.run(stop))
        await until(
            lambda: agent.store.newest(device_of(WORKER), 1) and newest(agent).state is State.RECEIPTED
        )
        stop.set()
        await running
    async with bench.agent(Flipped()) as agent:
        agent.resume()
        agent.hear(News(SLOT + 190, (opened(SLOT),)))
        await agent.settle()
        assert newest(agent).ended == "the work came out differently the second time"
    assert "worker.not_repeated" in [each["event"] for each in logged]
    assert {len({x.message.root for x in each.commits}) for each in bench.services} == {1}
    assert not any(each.openings for each in bench.services)


SIGNER = """
import base64, sys
from solders.keypair import Keypair
keypair = Keypair.from_seed(bytes.fromhex(sys.argv[1]))
message = base64.b64decode(sys.stdin.readline())
print(base64.b64encode(bytes(keypair.sign_message(message))).decode())
"""


@pytest.mark.parametrize("seed", [bytes(WORKER)[:32], bytes(32)])
async def test_a_signer_command_signs_or_nothing_is_sent(seed, bench: Bench, logged, tmp_path) -> None:
    (tmp_path / "signer.py").write_text(SIGNER)
    command = shlex.join([sys.executable, str(tmp_path / "signer.py"), seed.hex()])
    signer = CommandSigner(command, WORKER.pubkey(), 30)
    device = Device(device_of(WORKER), PROFILE, 1, signer)
    for service in bench.services:
        await service.tell(wave(SLOT))
    async with bench.agent(devices=[device]) as agent:
        agent.hear(News(SLOT, (wave(SLOT), ping(SLOT + 32))))
        if seed == bytes(32):
            await agent.settle()
            assert [each["event"] for each in logged].count("worker.signing_failed") == 2
            assert not any(each.commits or each.pongs for each in bench.services)
            # It is tried again with the same body after a restart.
            assert (newest(agent).state, newest(agent).signature) == (State.SIGNED, None)
            return
        await until(lambda: is_receipted(agent) and all(x.pongs for x in bench.services))
        for task in agent._tasks:
            task.cancel()
