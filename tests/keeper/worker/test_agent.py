"""An agent among operators: a wave from block to opening, pings, liars, silence, restarts."""

from __future__ import annotations

import asyncio
import shlex
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from solders.keypair import Keypair
from starlette.responses import JSONResponse, Response

from keeper.pow.backend import BackendRefused, NumpyBackend
from keeper.pow.clock import WaveKind
from keeper.pow.codes import Code
from keeper.pow.messages import PONGS, Receipt
from keeper.pow.opening import claim
from keeper.pow.residency import plot_claim, verify_plots
from keeper.pow.seeds import epoch_seed, open_seed, wave_seed
from keeper.pow.verify import verify_batch
from keeper.settings.keys import CommandSigner
from keeper.worker import assemble, delivery, sources
from keeper.worker.agent import Agent
from keeper.worker.client import EpochAt, Item, News, OpenAt
from keeper.worker.sources import Source
from keeper.worker.state import BLOB_SECONDS, State
from keeper.worker.work import Device
from tests.keeper.worker.conftest import PROFILE, WORKER, Bench
from tests.keeper.worker.operators import (
    DAY,
    GENESIS,
    PROGRAM,
    Service,
    blockhash,
    device_of,
    opened,
    ping,
    problem,
    wave,
)

SLOT = 3_200
HASH = bytes(range(32))
SEED = wave_seed(GENESIS, PROGRAM, SLOT, blockhash(SLOT))


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    """Between tries there is none here; how long they are is no matter."""
    monkeypatch.setattr(delivery, "PAUSES", (0.01,))
    monkeypatch.setattr(delivery, "OPENING_PAUSE", 0.01)
    monkeypatch.setattr(sources, "SHORTEST_SECONDS", 0.01)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


def verdict(service: Service, at: OpenAt) -> Code:
    """What an operator finds out about the one opening that it was sent."""
    (opening,) = service.openings
    drawn = open_seed(opening.wave_seed, at.open_slot, at.open_blockhash)
    claimed = claim(drawn, PROFILE, opening.device, opening.root, 1, opening.blob)
    return verify_batch(opening.wave_seed, PROFILE, [claimed])[0]


def newest(agent: Agent):
    (kept,) = agent.store.newest(device_of(WORKER), 5)
    return kept


def is_receipted(agent: Agent) -> bool:
    found = agent.store.newest(device_of(WORKER), 1)
    return bool(found) and found[0].state is State.RECEIPTED


async def run_whole(agent: Agent, slot: int = SLOT) -> None:
    """A wave from its block to its end."""
    agent.hear(News(slot, (wave(slot),)))
    await until(lambda: agent.waves.doing.get(device_of(WORKER), "").startswith("waiting"))
    agent.hear(News(slot + 190, (opened(slot),)))
    await agent.settle()


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


async def test_a_minority_that_lies_makes_nobody_work(bench: Bench) -> None:
    """Two of five tell of a wave and a ping that aren't there, and of another block for the picks."""
    liars, honest = bench.services[:2], bench.services[2:]
    stop = asyncio.Event()
    async with bench.agent() as agent:
        running = asyncio.create_task(agent.run(stop))
        for service in liars:
            await service.tell(wave(SLOT, of="a lie"), ping(SLOT + 64), slot=10**9)
        for service in honest:
            await service.tell(wave(SLOT), slot=SLOT + 2)
        await until(lambda: all(each.commits for each in bench.services[2:]))
        for service in liars:
            await service.tell(opened(SLOT, of="a lie"), slot=10**9)
        for service in honest:
            await service.tell(opened(SLOT))
        await until(lambda: newest(agent).is_over)
        stop.set()
        await running
        assert newest(agent).state is State.OPENED
    assert all(verdict(each, opened(SLOT)) is Code.PASS for each in honest)
    assert not any(each.pongs for each in bench.services)
    # To the liars it is a wave that they haven't told of: they are asked again and again, and hold up nobody.
    assert not any(each.commits for each in liars)


async def test_a_minority_that_is_silent_or_talks_nonsense_holds_up_nobody(bench: Bench) -> None:
    silent, nonsense = bench.services[:2]
    for path in ("/pow/operator", "/pow/waves", "/pow/commit", "/pow/opening"):
        silent.misbehave[path] = [3_600.0]
        nonsense.misbehave[path] = [Response(b"\xff" * 200_000)]
    stop = asyncio.Event()
    async with bench.agent() as agent:
        running = asyncio.create_task(agent.run(stop))
        for service in bench.services[2:]:
            await service.tell(wave(SLOT))
        await until(lambda: all(each.commits for each in bench.services[2:]))
        await until(lambda: newest(agent).state is State.RECEIPTED)
        stop.set()
        await running
        assert len(agent.store.receipts(device_of(WORKER), SEED)) == 3


async def heard(source: Source, found: list[Item]) -> None:
    """Collect what a source tells."""
    while True:
        found += (await source.look()).items


async def test_an_operator_that_always_has_news_is_asked_no_more_often(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading them would take the processor from the wave."""
    monkeypatch.setattr(sources, "SHORTEST_SECONDS", 3_600.0)
    bench.services = bench.services[:3]
    chatty, *others = bench.services
    for number in range(100):
        await chatty.tell(ping(SLOT + 32 * number))
    found: list[Item] = []
    async with bench.agent() as agent:
        listening = asyncio.create_task(heard(agent.sources[0], found))
        await until(lambda: chatty.requests["/pow/waves"])
        for service in others:
            await service.tell(wave(SLOT))
        await until(lambda: found)
        await chatty.tell(ping(SLOT))
        await asyncio.sleep(0.05)
        listening.cancel()
    assert (found, chatty.requests["/pow/waves"]) == ([wave(SLOT)], 1)


async def test_half_of_the_operators_are_no_majority(bench: Bench) -> None:
    bench.services = bench.services[:4]
    found: list[Item] = []
    async with bench.agent() as agent:
        listening = asyncio.create_task(heard(agent.sources[0], found))
        for service in bench.services[:2]:
            await service.tell(wave(SLOT))
        # Whoever has told it is asked for more.
        await until(lambda: all(each.requests["/pow/waves"] > 1 for each in bench.services[:2]))
        assert found == []
        await bench.services[2].tell(wave(SLOT))
        await until(lambda: found)
        listening.cancel()
    assert found == [wave(SLOT)]


@pytest.mark.parametrize(
    "change", [{"genesis": bytes(32)}, {"program": WORKER.pubkey()}, {"key": "the same as another's"}]
)
async def test_an_operator_of_another_network_or_named_twice_is_not_counted(change, bench: Bench, logged):
    bench.services = bench.services[:3]
    odd, *others = bench.services
    for name, value in change.items():
        setattr(odd, name, others[0].key if name == "key" else value)
    found: list[Item] = []
    async with bench.agent() as agent:
        listening = asyncio.create_task(heard(agent.sources[0], found))
        await odd.tell(wave(SLOT))
        await others[0].tell(wave(SLOT))
        # The two count as one, which is asked for more.
        await until(lambda: sum(x.requests["/pow/waves"] for x in (odd, others[0])) > 1 and logged)
        assert found == []
        await others[1].tell(wave(SLOT))
        await until(lambda: found)
        listening.cancel()
    assert found == [wave(SLOT)]
    event = "worker.same_operator" if "key" in change else "worker.operator_failed"
    assert {each["event"] for each in logged if each["log_level"] == "warning"} == {event}


async def test_liars_who_say_that_they_are_others_silence_nobody(bench: Bench) -> None:
    """Two of five answer at once that they are two of the honest, who take longer."""
    liars, honest = bench.services[:2], bench.services[2:]
    for liar, victim in zip(liars, honest, strict=False):
        liar.key = victim.key
        victim.misbehave["/pow/operator"] = [0.2, None]
    found: list[Item] = []
    async with bench.agent() as agent:
        listening = asyncio.create_task(heard(agent.sources[0], found))
        for service in liars:
            await service.tell(wave(SLOT, of="a lie"), slot=10**9)
        await until(lambda: all(each.requests["/pow/waves"] > 1 for each in liars))
        for service in honest:
            await service.tell(wave(SLOT), slot=SLOT + 2)
        await until(lambda: found)
        listening.cancel()
        assert agent.sources[0]._reached() == SLOT + 3
    assert found == [wave(SLOT)]


async def test_receipts_that_are_not_right_are_not_kept(bench: Bench) -> None:
    """Another's, of another commit, with a bit changed, too short: asked again, and then it is right."""
    first, second = bench.services[:2]
    good = Receipt(first.key.pubkey(), bytes(32), 7).sign(first.key).encode()
    flipped = bytes([good[0] ^ 1]) + good[1:]
    late = good[:64] + bytes([good[64] ^ 1]) + good[65:]
    first.misbehave["/pow/commit"] = [*map(Response, (flipped, late, good[:-1], b"")), None]
    second.misbehave["/pow/commit"] = [Response(good), None]
    async with bench.agent() as agent:
        for service in bench.services:
            await service.tell(wave(SLOT + 640))
        await run_whole(agent, SLOT + 640)
        seed = wave_seed(GENESIS, PROGRAM, SLOT + 640, blockhash(SLOT + 640))
        receipts = agent.store.receipts(device_of(WORKER), seed)
    assert {each.operator for each in receipts} == {each.key.pubkey() for each in bench.services}
    assert [each.requests["/pow/commit"] for each in bench.services] == [5, 2, 1, 1, 1]


@pytest.mark.parametrize(
    ("code", "again"),
    [
        ("too_late", False),
        ("unknown_device", False),
        ("bad_signature", False),
        ("not_staked", False),
        ("wrong_work", False),
        ("unknown_wave", True),
        ("busy", True),
        ("too_many", True),
        ("something_new", False),
    ],
)
async def test_a_refusal_ends_the_tries_when_the_same_would_come_again(code, again, bench: Bench) -> None:
    bench.services = bench.services[:1]
    (service,) = bench.services
    service.misbehave["/pow/commit"] = [problem(429, code, {"retry-after": "0"}), None]
    await service.tell(wave(SLOT))
    async with bench.agent() as agent:
        await run_whole(agent)
        assert len(agent.store.receipts(device_of(WORKER), SEED)) == again
    assert service.requests["/pow/commit"] == 1 + again


async def test_openings_are_tried_twice_and_who_wants_none_is_asked_once(bench: Bench) -> None:
    down, flaky, unwilling, fine, _ = bench.services
    down.misbehave["/pow/opening"] = [Response(status_code=500)]
    flaky.misbehave["/pow/opening"] = [Response(status_code=500), None]
    unwilling.misbehave["/pow/opening"] = [problem(404, "not_drawn")]
    slow = problem(425, "too_early", {"retry-after": "1"})
    fine.misbehave["/pow/opening"] = [slow, slow, slow, None]
    for service in bench.services:
        await service.tell(wave(SLOT))
    async with bench.agent() as agent:
        await run_whole(agent)
        assert newest(agent).state is State.OPENED
        took = agent.store.takers(device_of(WORKER), SEED)
    assert took == {each.key.pubkey() for each in bench.services} - {down.key.pubkey()}
    assert [each.requests["/pow/opening"] for each in bench.services] == [2, 2, 1, 4, 1]
    assert verdict(fine, opened(SLOT)) is Code.PASS


async def test_a_node_that_lies_about_the_picks_fails_no_wave(bench: Bench) -> None:
    """It was heard first; most operators say that what follows from its block isn't the opening."""
    liar, *honest = bench.services
    for service in honest:
        service.misbehave["/pow/opening"] = [problem(422, "wrong_opening"), None]
    for service in bench.services:
        await service.tell(wave(SLOT))
    async with bench.agent() as agent:
        agent.hear(News(SLOT, (wave(SLOT),)))
        await until(lambda: agent.waves.doing.get(device_of(WORKER), "").startswith("waiting"))
        agent.hear(News(SLOT + 190, (opened(SLOT, of="a lie"),)))
        await until(lambda: all(each.requests["/pow/opening"] for each in bench.services))
        agent.hear(News(SLOT + 190, (opened(SLOT),)))
        await agent.settle()
        assert (newest(agent).state, newest(agent).ended) == (State.OPENED, "")
    assert [verdict(each, opened(SLOT)) for each in honest] == [Code.PASS] * 4
    # Who took anything was told once, and has the wrong one.
    assert liar.requests["/pow/opening"] == 1


@pytest.mark.parametrize("wrong", [2, 5])
async def test_liars_who_call_an_opening_wrong_change_nothing(wrong: int, bench: Bench) -> None:
    """All of them may be right: then another block is waited for, until it is too late for any."""

    def clock() -> float:
        return 1_000.0 if all(each.requests["/pow/opening"] for each in bench.services) else 0.0

    for service in bench.services[:wrong]:
        service.misbehave["/pow/opening"] = [problem(422, "wrong_opening")]
    for service in bench.services:
        await service.tell(wave(SLOT))
    async with bench.agent(clock=clock) as agent:
        await run_whole(agent)
        kept = newest(agent)
    assert kept.state is (State.OPENED if wrong == 2 else State.RECEIPTED)
    assert kept.ended == ("" if wrong == 2 else "no operator took the opening")
    assert [each.requests["/pow/opening"] for each in bench.services] == [1] * 5


async def test_two_hosts_with_one_key_are_told_of(bench: Bench, logged) -> None:
    bench.services = bench.services[:1]
    bench.services[0].misbehave["/pow/commit"] = [problem(409, "conflict")]
    await bench.services[0].tell(wave(SLOT))
    async with bench.agent() as agent:
        await run_whole(agent)
    assert "worker.conflict" in [each["event"] for each in logged if each["log_level"] == "error"]


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


async def test_a_residency_wave_is_made_over_the_days_plot(bench: Bench) -> None:
    day = 1_800_057_600
    at = wave(SLOT, WaveKind.RESIDENCY)
    for service in bench.services:
        await service.tell(at)
    async with bench.agent(clock=lambda: day + 3_600.0) as agent:
        agent.hear(News(10, (EpochAt(5, HASH, day),)))
        await agent.settle()
        agent.hear(News(SLOT, (at,)))
        await until(lambda: agent.waves.doing.get(device_of(WORKER), "").startswith("waiting"))
        agent.hear(News(SLOT + 190, (opened(SLOT),)))
        await agent.settle()
        assert newest(agent).state is State.OPENED
    (opening,) = bench.services[0].openings
    (commit,) = bench.services[0].commits
    assert commit.message.kind is WaveKind.RESIDENCY
    drawn = open_seed(SEED, SLOT + 150, blockhash(SLOT + 150))
    residency = PROFILE.residency
    claimed = plot_claim(drawn, residency, opening.device, opening.root, 1, opening.blob)
    assert verify_plots(SEED, epoch_seed(GENESIS, PROGRAM, 5, HASH), residency, [claimed]) == [Code.PASS]


async def test_a_clock_that_is_wrong_takes_no_other_days_plot(bench: Bench) -> None:
    """Passes over it would be wrong work, for which a device is slashed; the product is a soft failure."""
    at = wave(SLOT, WaveKind.RESIDENCY, time=DAY + 3_600)
    device, before = bench.device, DAY - 86_400
    for service in bench.services:
        await service.tell(at)
    async with bench.agent(clock=lambda: DAY - 3_600.0) as agent:
        agent.hear(News(10, (EpochAt(5, HASH, before),)))
        await agent.settle()
        assert agent.works.has_plot(device, before)
        agent.hear(News(SLOT, (at,)))
        await until(lambda: is_receipted(agent))
        for task in agent._tasks:
            task.cancel()
    assert {each.commits[0].message.kind for each in bench.services if each.commits} == {WaveKind.PRODUCT}


@pytest.mark.parametrize("filled", [True, False])
async def test_where_sources_differ_on_the_days_first_block_there_is_no_plot(
    filled: bool, bench: Bench, logged
) -> None:
    """A node that lies would have the device do wrong work, and be slashed for it."""
    at = wave(SLOT, WaveKind.RESIDENCY)
    for service in bench.services:
        await service.tell(at)
    async with bench.agent(clock=lambda: DAY + 3_600.0) as agent:
        agent.hear(News(10, (EpochAt(5, bytes(32), DAY),)))
        if filled:
            await agent.settle()
            assert agent.works.has_plot(bench.device, DAY)
        agent.hear(News(10, (EpochAt(5, HASH, DAY),)))
        agent.hear(News(10, (EpochAt(5, HASH, DAY), EpochAt(5, bytes(32), DAY))))
        await agent.settle()
        assert not agent.works.has_plot(bench.device, DAY)
        agent.hear(News(SLOT, (at,)))
        await until(lambda: is_receipted(agent))
        for task in agent._tasks:
            task.cancel()
    assert {each.commits[0].message.kind for each in bench.services if each.commits} == {WaveKind.PRODUCT}
    assert [each["event"] for each in logged].count("worker.epoch_differs") == 1


async def test_where_the_memory_test_isnt_measured_it_makes_the_product(bench: Bench, logged) -> None:
    """That is what is asked of it: passes over its plot would be no answer."""
    day = 1_800_057_600
    at = wave(SLOT, WaveKind.RESIDENCY)
    assert PROFILE.residency is not None
    profile = replace(PROFILE, residency=replace(PROFILE.residency, measured=False))
    device = Device(device_of(WORKER), profile, 1, WORKER)
    for service in bench.services:
        await service.tell(at)
    async with bench.agent(clock=lambda: day + 3_600.0, devices=[device]) as agent:
        agent.hear(News(10, (EpochAt(5, HASH, day),)))
        await agent.settle()
        assert not agent.works.has_plot(device, day)
        agent.hear(News(SLOT, (at,)))
        await until(lambda: is_receipted(agent))
        for task in agent._tasks:
            task.cancel()
    assert {each.commits[0].message.kind for each in bench.services if each.commits} == {WaveKind.PRODUCT}
    assert "worker.no_plot" not in {each["event"] for each in logged}


async def test_without_the_plot_it_makes_the_product(bench: Bench, logged) -> None:
    at = wave(SLOT, WaveKind.RESIDENCY)
    for service in bench.services:
        await service.tell(at)
    async with bench.agent() as agent:
        agent.hear(News(SLOT, (at,)))
        await until(lambda: agent.waves.doing.get(device_of(WORKER), "").startswith("waiting"))
        agent.hear(News(SLOT + 190, (opened(SLOT),)))
        await agent.settle()
    assert bench.services[0].commits[0].message.kind is WaveKind.PRODUCT
    assert verdict(bench.services[0], opened(SLOT)) is Code.PASS
    assert "worker.no_plot" in [each["event"] for each in logged]
