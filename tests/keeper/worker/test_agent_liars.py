"""An agent among operators of which some lie, are silent, or talk nonsense."""

from __future__ import annotations

import asyncio

import pytest
from starlette.responses import Response

from keeper.pow.codes import Code
from keeper.pow.messages import Receipt
from keeper.pow.seeds import wave_seed
from keeper.worker import sources
from keeper.worker.client import Item, News
from keeper.worker.sources import Source
from keeper.worker.state import State
from tests.keeper.worker.agents import (
    SEED,
    SLOT,
    newest,
    no_pauses,
    run_whole,
    until,
    verdict,
)
from tests.keeper.worker.conftest import WORKER, Bench
from tests.keeper.worker.operators import (
    GENESIS,
    PROGRAM,
    blockhash,
    device_of,
    opened,
    ping,
    problem,
    wave,
)

__all__ = ["no_pauses"]


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
