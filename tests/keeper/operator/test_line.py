"""Who is measured, when and by whom; what a measurement comes to in a device's score."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx2 as httpx
import numpy as np
import pytest
import structlog
from solders.keypair import Keypair
from structlog.testing import capture_logs

from keeper.clients import staking
from keeper.db import Database
from keeper.operator import transfer
from keeper.operator.hours import HourState
from keeper.operator.line import AT_ONCE, GAP, Line, Turn, transfers
from keeper.operator.operator import Operator
from keeper.operator.refusals import Refusal, Why
from keeper.operator.store import evidence_name, transfers_name
from keeper.operator.waves import Held, State
from keeper.pow import files
from keeper.pow.backend import NumpyBackend
from keeper.pow.connectivity import TIERS, Direction, Transfer, is_drawn
from keeper.pow.messages import TransferRequest
from keeper.rewards.held import HeldFiles
from keeper.rewards.history import History
from keeper.rewards.merge import merge
from keeper.rewards.observed import OBSERVED_TABLE, observations
from keeper.rewards.rows import field_rows
from keeper.rewards.rule import score
from keeper.rewards.work import chain_hour
from keeper.tables import keys
from keeper.worker import line as line_of_worker
from keeper.worker.agent import Agent
from keeper.worker.client import Operator as Client
from keeper.worker.client import WaveAt
from keeper.worker.line import Lines
from keeper.worker.sources import Operators
from keeper.worker.state import Store
from keeper.worker.work import Device as Working
from keeper.worker.work import Works
from tests.keeper.operator.network import ADDRESS, GENESIS, Device, Net
from tests.keeper.operator.serving import serving
from tests.keeper.operator.test_service import code
from tests.keeper.operator.test_waves import to_the_end
from tests.keeper.runtime.conftest import database
from tests.programs.world import HOUR, START, key

__all__ = ["database"]

SIZE = 1 << 20
"""Bytes of a transfer in tests."""


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A worker whose device the wave of hour 1 draws: waves don't hang on who is registered."""

    async def wave_of_hour_1() -> Held:
        net = Net(tmp_path_factory.mktemp("empty"), devices=())
        return await net.until_wave(await net.operator(0))

    wave = asyncio.run(wave_of_hour_1())
    names = (f"worker {number}" for number in range(10_000))
    return next(
        name for name in names if is_drawn(wave.wave.seed, staking.device_address(key(name).pubkey()))
    )


@pytest.fixture
def net(tmp_path: Path, drawn: str) -> Net:
    return Net(tmp_path, devices=(drawn, "worker a"))


async def until_drawn(net: Net, *operators: Operator) -> Held:
    """The hour's wave, from its block to when its picks are known."""
    wave = await net.until_wave(*operators)
    await net.go(75, *operators)
    assert wave.state is State.DRAWN
    return wave


def signature(
    operator: Operator, wave: Held, device: Device, direction: Direction, signer: Keypair | None = None
) -> str:
    request = TransferRequest(operator.desk.operator, wave.wave.seed, device.account, direction)
    return f"ionet {request.sign(signer or device.worker).signature}"


def ask(
    operator: Operator, wave: Held, device: Device, direction: Direction = Direction.DOWN, word: str = ""
) -> Why | None:
    word = word or signature(operator, wave, device, direction)
    found = operator.line.admit(wave.wave.slot, bytes(device.account), direction, word, ADDRESS)
    return None if isinstance(found, Turn) else found.why


# -- who may transfer when -----------------------------------------------------------------------


async def test_only_drawn_devices_once_an_hour_by_their_own_word(net: Net) -> None:
    first, second = await net.operator(0), await net.operator(1)
    device, other = net.devices
    wave = await net.until_wave(first, second)
    assert ask(first, wave, device) is Why.TOO_EARLY
    await net.go(75, first, second)
    assert ask(first, wave, device) is None
    assert ask(first, wave, other) is Why.NOT_DRAWN
    assert ask(first, wave, replace(device, account=key("nobody").pubkey())) is Why.UNKNOWN_DEVICE
    for bad in (
        signature(first, wave, device, Direction.DOWN, key("thief")),
        signature(first, wave, device, Direction.UP),
        signature(second, wave, device, Direction.DOWN),  # Said to another operator.
        signature(first, wave, device, Direction.DOWN).removeprefix("ionet "),
        "ionet 0",
        "ionet " + "1" * 89,
    ):
        assert ask(first, wave, device, word=bad) is Why.BAD_SIGNATURE
    slot = wave.wave.slot
    word = signature(first, wave, device, Direction.DOWN)
    refused = first.line.admit(slot + 1, bytes(device.account), Direction.DOWN, word, ADDRESS)
    assert not isinstance(refused, Turn)
    assert refused.why is Why.UNKNOWN_WAVE
    with first.line.running(Turn(wave, bytes(device.account), Direction.DOWN)):
        assert ask(first, wave, device) is Why.ALREADY_MEASURED
    first.line.keep(Turn(wave, bytes(device.account), Direction.DOWN), SIZE, 1.0)
    assert ask(first, wave, device) is Why.ALREADY_MEASURED
    assert ask(first, wave, device, Direction.UP) is None
    wave.wave = replace(wave.wave, spot=True)
    assert ask(first, wave, device, Direction.UP) is Why.UNKNOWN_WAVE


async def test_the_line_isnt_saturated_and_no_wave_is_disturbed(net: Net) -> None:
    operator = await net.operator(0)
    wave = await until_drawn(net, operator)
    device, now = net.devices[0], 0.0
    operator.line = line = Line(operator.desk, carries=1_000, size=SIZE, clock=lambda: now)
    turns = [Turn(wave, bytes([number]) * 32, Direction.UP) for number in range(AT_ONCE)]
    with ExitStack() as stack:
        stack.enter_context(line.running(turns[0]))
        assert ask(operator, wave, device) is Why.BUSY  # What the other takes isn't known yet.
        now = GAP
        assert ask(operator, wave, device) is None
        line.passed(500)
        assert ask(operator, wave, device) is None
        line.passed(1)
        assert ask(operator, wave, device) is Why.BUSY
        now = 2.0
        assert ask(operator, wave, device) is None
        for turn in turns[1:]:
            stack.enter_context(line.running(turn))
        now = 4.0
        assert ask(operator, wave, device) is Why.BUSY
    assert ask(operator, wave, device) is None
    wave.state, wave.seen = State.OPEN, 0.0
    other = Held(replace(wave.wave, seed=bytes(32), slot=1, spot=True), 0.0)
    wave.state = State.DRAWN
    operator.desk.intake.waves[bytes(32)] = other
    assert ask(operator, wave, device) is Why.BUSY
    other.state = State.SEALED
    assert ask(operator, wave, device) is None


async def test_after_the_hour_is_written_down_nobody_is_measured(net: Net) -> None:
    operator = await net.operator(0)
    wave = await until_drawn(net, operator)
    await to_the_end(net, operator)
    assert ask(operator, wave, net.devices[0]) is Why.TOO_LATE


# -- over sockets --------------------------------------------------------------------------------


async def test_a_device_is_measured_by_every_operator(net: Net) -> None:
    served = [await net.operator(number, transfer=SIZE) for number in range(3)]
    wave = await until_drawn(net, *served)
    device = net.devices[0]
    agents = [Working(each.account, net.profiles[0], 1, each.worker) for each in net.devices]
    async with AsyncExitStack() as stack:
        urls = [(await stack.enter_async_context(serving(each)))[0] for each in served]
        http = await stack.enter_async_context(httpx.AsyncClient())
        lines = Lines([Client(url, http) for url in urls], structlog.get_logger(), lambda: 0.0, SIZE, 0.0)
        at = WaveAt(wave.wave.slot, wave.wave.blockhash, wave.wave.kind, wave.wave.spot, wave.wave.time)
        for each in agents:
            await lines.measure(each, at, wave.wave.seed, 0.0)
            await lines.measure(each, at, wave.wave.seed, 0.0)  # Restarted: nothing is measured twice.
    for each in served:
        found = transfers(each.desk, 1)
        assert found.keys() == {device.account}
        measured = found[device.account]
        assert (measured.down, measured.up) == (SIZE, SIZE)
        assert 0 < measured.down_us < 10_000_000
        assert 0 < measured.up_us < 10_000_000
        assert each.desk.counts["transfer_down"] == each.desk.counts["transfer_up"] == 1
    await to_the_end(net, served[0])
    desk = served[0].desk
    data, evidence = (
        desk.store.read(1, transfers_name(desk.operator)),
        desk.store.read(1, evidence_name(desk.operator)),
    )
    assert data is not None
    assert evidence is not None
    assert files.Evidence.read(evidence).transfers == sha256(data).digest()
    assert files.Transfers.read(data).by_device() == transfers(desk, 1)
    assert files.Transfers.read(data).carries == 1_250_000_000


async def test_an_operator_that_is_gone_or_busy_keeps_nobody_else_from_measuring(
    net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gone one is let alone after some tries; the busy one is asked until it has time."""
    monkeypatch.setattr(line_of_worker, "PAUSE", 0.01)
    monkeypatch.setattr(line_of_worker, "LONGEST", 0.01)
    first, busy = [await net.operator(number, transfer=SIZE) for number in range(2)]
    wave = await until_drawn(net, first, busy)
    refused = Refusal(Why.BUSY, "Come again, in a quarter of an hour.", 900)
    admit, asked = busy.line.admit, []

    def slow(*request: Any) -> Turn | Refusal:
        asked.append(request)
        return refused if len(asked) < 5 else admit(*request)

    monkeypatch.setattr(busy.line, "admit", slow)
    device = Working(net.devices[0].account, net.profiles[0], 1, net.devices[0].worker)
    async with AsyncExitStack() as stack:
        urls = [(await stack.enter_async_context(serving(each)))[0] for each in (first, busy)]
        http = await stack.enter_async_context(httpx.AsyncClient())
        operators = [Client(url, http) for url in ("http://127.0.0.1:1", *urls)]
        lines = Lines(operators, structlog.get_logger(), lambda: 0.0, SIZE, 0.0)
        at = WaveAt(wave.wave.slot, wave.wave.blockhash, wave.wave.kind, wave.wave.spot, wave.wave.time)
        with capture_logs() as logs:
            await lines.measure(device, at, wave.wave.seed, 0.0)
    for each in (first, busy):
        assert transfers(each.desk, 1)[device.address].up == SIZE
    unmeasured = [each["url"] for each in logs if each["event"] == "worker.unmeasured"]
    assert unmeasured == ["http://127.0.0.1:1"] * 2
    (done,) = [each for each in logs if each["event"] == "worker.measured"]
    assert (done["transfers"], done["of"]) == (4, 6)


async def test_an_agent_transfers_when_its_device_is_drawn(net: Net, tmp_path: Path) -> None:
    operator = await net.operator(0, transfer=SIZE)
    await until_drawn(net, operator)
    async with AsyncExitStack() as stack:
        url, _ = await stack.enter_async_context(serving(operator))
        http = await stack.enter_async_context(httpx.AsyncClient())
        store = Store(tmp_path / "state")
        stack.callback(store.close)
        log, network = structlog.get_logger(), (bytes(GENESIS), staking.PROGRAM.address)
        devices = [Working(each.account, net.profiles[0], 1, each.worker) for each in net.devices]
        clients = [Client(url, http)]
        source = Operators(clients, network[0], bytes(network[1]), log)
        lines = Lines(clients, log, time.time, SIZE, 0.0)
        works = Works(NumpyBackend(), devices)
        agent = Agent(devices, clients, [source], works, store, network, log, lines=lines)
        stop = asyncio.Event()
        running = asyncio.create_task(agent.run(stop))
        await _until(lambda: len(operator.desk.book.transfers(1)) == 2)
        stop.set()
        await running
    assert transfers(operator.desk, 1).keys() == {net.devices[0].account}


@pytest.fixture
async def measuring(net: Net) -> AsyncIterator[tuple[Operator, Held, str, int]]:
    operator = await net.operator(0, transfer=8 * SIZE)
    wave = await until_drawn(net, operator)
    async with serving(operator) as (url, port):
        yield operator, wave, f"{url}/pow/transfer/{wave.wave.slot}/{net.devices[0].account}", port


async def test_whoever_cheats_with_the_time_has_the_longest(
    net: Net, measuring: tuple[Operator, Held, str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It hangs up after a moment, reads nothing, asks for the head alone, or sends less than it said."""
    operator, wave, url, port = measuring
    device = net.devices[0]
    words = {each: {"authorization": signature(operator, wave, device, each)} for each in Direction}
    async with httpx.AsyncClient() as http:
        assert code(await http.post(url, content=b"x", headers=words[Direction.UP])) is Why.WRONG_LENGTH
        assert (await http.head(url, headers=words[Direction.DOWN])).status_code == 405
    assert transfers(operator.desk, 1) == {}
    monkeypatch.setattr(transfer, "SECONDS", 0.3)
    monkeypatch.setattr(transfer, "END_SECONDS", 0.1)
    _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
    writer.write(_head("GET", url, words[Direction.DOWN]))
    await _until(lambda: bool(operator.desk.book.transfers(1)))
    writer.close()
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    words[Direction.UP]["content-length"] = str(8 * SIZE)
    writer.write(_head("POST", url, words[Direction.UP]) + bytes(SIZE))
    await writer.drain()
    writer.close()
    await _until(lambda: len(operator.desk.book.transfers(1)) == 2)
    found = transfers(operator.desk, 1)[device.account]
    assert found.down < 8 * SIZE
    assert found.up <= SIZE
    assert found.down_us == found.up_us == 10_000_000


def _head(method: str, url: str, headers: dict[str, str]) -> bytes:
    path = "/" + url.split("/", 3)[3]
    lines = [f"{method} {path} HTTP/1.1", "host: x", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


async def _until(condition: object) -> None:
    async with asyncio.timeout(30):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.01)


# -- what it comes to ----------------------------------------------------------------------------


def of_tier(tier: int) -> Transfer:
    down, up = TIERS[tier]
    return Transfer(down // 10, 100_000, up // 10, 100_000)


async def measured(
    net: Net, operators: Sequence[Operator], database: Database, before: int
) -> tuple[dict[str, int], dict[str, int]]:
    """The measured tiers and the scores of the hour's devices, by what all operators anchored."""
    start = START + HOUR
    net.world.chain.warp_to(start + HOUR + 600)
    history = History(net.world.chain, database)
    await history.prepare()
    assert await history.knows(start + HOUR + 300)
    hour = await history.hour(start)
    found = await chain_hour(net.world.chain, operators[0].desk.network, 1, hour)
    assert found is not None
    held = {
        digest: data for each in operators for digest, data in HeldFiles(each.desk.store.folder, 1).items()
    }
    last = np.zeros(len(net.devices), OBSERVED_TABLE)
    last["device"] = np.sort(keys([each.account for each in net.devices]))
    last["measured_tier"] = before
    observed = merge(found, net.profiles, held, last).observed
    rows = field_rows(hour.devices, observations(observed))
    scores = score(rows, np.full(len(rows), 100, np.uint64))
    names = {bytes(each.account): each.name for each in net.devices}
    name_of = [names[bytes(each).ljust(32, b"\0")] for each in observed["device"]]
    tiers = dict(zip(name_of, observed["measured_tier"].tolist(), strict=True))
    return tiers, dict(zip(name_of, scores.tolist(), strict=True))


@pytest.mark.parametrize(
    ("stated", "tier"),
    [
        # Three operators; what is missing is an operator with which nothing was transferred.
        ([2, 2, 2], 2),
        ([2, 4, 2], 2),
        ([2, 2, None], 2),
        ([4, 2, None], 2),
        ([None, None, None], 1),
        ([4, 4, 4], 4),
    ],
)
async def test_a_device_has_the_tier_that_it_carries(
    net: Net, database: Database, drawn: str, stated: list[int | None], tier: int
) -> None:
    """It says tier 4; one of three operators lies up or down, and move nothing."""
    operators = [await net.operator(number) for number in range(3)]
    wave = await until_drawn(net, *operators)
    for operator, said in zip(operators, stated, strict=True):
        if said is not None:
            was = of_tier(said)
            for direction, size in ((Direction.DOWN, was.down), (Direction.UP, was.up)):
                row = wave.wave.seed, 1, bytes(net.devices[0].account), direction, size, was.down_us
                operator.desk.book.put_transfer(*row)
    net.world.chain.warp_to(START + 2 * HOUR + 75)
    await net.go(100, *operators)
    assert {each.desk.book.hour(1)[0] for each in operators} == {HourState.POSTED}
    tiers, scores = await measured(net, operators, database, before=3)
    assert tiers == {drawn: tier, "worker a": 3}  # Who isn't drawn keeps its last.
    assert scores[drawn] == 50 * tier + 200 * 100
