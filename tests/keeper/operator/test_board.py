"""Clusters' board over real sockets: an order on an embedded chain, its renter, devices, and strangers."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx2 as httpx
import pytest
import structlog
from solders.hash import Hash
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.budgets import Rate
from keeper.chain import SigningFailed
from keeper.chain.http import http_client
from keeper.chain.services import OperatorError, Refused
from keeper.clients import orders
from keeper.clients.orders import Order
from keeper.compute import boards as boards_module
from keeper.compute import carrier, ways
from keeper.compute.boards import Boards, NobodyTookIt
from keeper.compute.bodies import Beat, Body, Complaint, Joined, Key, Kind, Serving, Wrong
from keeper.compute.carrier import Carrier
from keeper.compute.client import Board
from keeper.compute.members import RENTER
from keeper.compute.peers import Other
from keeper.compute.refusals import Why, WireError
from keeper.compute.relay import NO_LINK, bind
from keeper.compute.wire import Message, Network, Signed
from keeper.operator.clusters import office as module
from keeper.operator.clusters import relaying
from keeper.operator.clusters.office import Office
from keeper.operator.clusters.relaying import Relaying
from keeper.operator.limits import Limits
from keeper.operator.metrics import Metrics
from keeper.operator.operator import Operator
from tests.keeper.operator.network import GENESIS, Net
from tests.keeper.operator.serving import serving
from tests.programs.orders.world import OrdersWorld
from tests.programs.world import key

NETWORK = Network(bytes(GENESIS), orders.PROGRAM.address)
LOG = structlog.get_logger()
NODE = bytes(28)


@dataclass
class Place:
    """A chain with an order that two devices serve, and operators' boards over sockets."""

    world: OrdersWorld
    order: Order
    folder: Path
    ms: int
    urls: list[str] = field(default_factory=list)
    offices: list[Office] = field(default_factory=list)
    services: list[Operator] = field(default_factory=list)
    http: httpx.AsyncClient = field(default_factory=http_client)

    @property
    def renter(self) -> Keypair:
        return key("renter")

    def client(self, number: int = 0) -> Board:
        return Board(self.urls[number], NETWORK, self.http)

    def clients(self) -> Boards:
        return Boards([self.client(each) for each in range(len(self.urls))], NETWORK, LOG, unix_ms=self.time)

    def time(self) -> int:
        return self.ms

    def made(self, body: Body, by: Keypair, seq: int = 1, **changed: object) -> Signed:
        fields = {"epoch": 0, "seq": seq, "ms": self.ms, "body": body} | changed
        return Message(NETWORK, self.order.address, by.pubkey(), **fields).sign(by)  # type: ignore[arg-type]

    def key_of(self, name: str) -> Key:
        return Key(bytes(32), self.world.lease(self.order, name).number, bytes(32), (), 0)


def joined(cpus: int = 4) -> Joined:
    return Joined(NODE, cpus, 0, 1 << 30)


def office_folder(folder: Path, number: int) -> Path:
    at = folder / f"board-{number}"
    at.mkdir()
    return at


@asynccontextmanager
async def place(folder: Path, operators: int = 1, **limits: object) -> AsyncIterator[Place]:
    world = OrdersWorld.with_two_devices()
    order = world.order(key("renter"))
    for name in ("one", "two"):
        world.run(order, name)
    net = Net(folder, (), world)
    here = Place(world, world.read_order(key("renter"), 1), folder, world.chain.now() * 1_000)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(here.http.aclose)
        for number in range(operators):
            bounds = Limits(trusted=frozenset(), **limits)  # type: ignore[arg-type]
            service = await net.operator(number, limits=bounds)
            office = Office(
                world.chain,
                NETWORK,
                world.operators[number],
                office_folder(folder, number),
                LOG,
                Metrics(),
                unix_ms=here.time,
                monotonic=lambda: 0.0,
            )
            stack.callback(office.close)
            await office.refresh()
            url, _ = await stack.enter_async_context(serving(service, office))
            here.urls.append(url)
            here.offices.append(office)
            here.services.append(service)
        yield here


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[Place]:
    async with place(tmp_path) as here:
        yield here


@pytest.fixture
async def three(tmp_path: Path) -> AsyncIterator[Place]:
    async with place(tmp_path, 3) as here:
        yield here


def refused(why: Why):
    return pytest.raises(Refused, check=lambda error: error.code == why)


async def test_what_one_says_another_hears_while_it_waits(one: Place) -> None:
    board, order = one.client(), one.order.address
    assert (await board.identify()).operator == one.world.operators[0].pubkey()
    waits = asyncio.create_task(board.after(order, 0))
    while not one.offices[0].waiting:
        await asyncio.sleep(0)
    sent = one.made(one.key_of("one"), key("one"))
    assert (await board.post(sent)).number == 1
    ((number, heard),) = await waits
    assert (number, heard) == (1, sent)
    assert one.offices[0].waiting == 0
    assert await board.after(order, 1, waits=False) == []
    assert (await board.post(sent)).number == 1  # Its answer was lost.


async def test_strangers_and_what_makes_no_sense_are_refused_by_name(one: Place) -> None:
    board, order = one.client(), one.order.address
    with refused(Why.NOT_A_PARTY):
        await board.post(one.made(one.key_of("one"), key("stranger")))
    with refused(Why.BAD_SIGNATURE):
        await board.post(
            replace(one.made(joined(), key("one")), signature=one.made(joined(5), key("one")).signature)
        )
    with refused(Why.WRONG_CLOCK):
        await board.post(one.made(joined(), key("one"), ms=one.ms - 31_000))
    other = Message(NETWORK, key("nothing").pubkey(), key("one").pubkey(), 0, 1, one.ms, joined()).sign(
        key("one")
    )
    with refused(Why.WRONG_ORDER):
        await board.post(other)
    elsewhere = Network(bytes(32), NETWORK.program)
    with refused(Why.WRONG_NETWORK):
        by = key("one")
        await board.post(Message(elsewhere, order, by.pubkey(), 0, 1, one.ms, joined()).sign(by))
    with pytest.raises(OperatorError, match="board of another network"):
        await Board(one.urls[0], elsewhere, one.http).identify()
    for path, content, status in (
        ("/compute/messages", b"", 400),
        ("/compute/messages", bytes(4_097), 400),
        ("/compute/messages", bytes(400), 400),
        ("/compute/proofs", bytes(9_000), 400),
        ("/compute/proofs", bytes(500), 400),
        ("/compute/links", bytes(100), 400),
    ):
        answer = await one.http.post(one.urls[0] + path, content=content)
        assert (answer.status_code, set(answer.json())) == (status, {"code", "detail"}), path
    for path in ("x/messages", f"{order}/messages?after=x", f"{order}/beats?after=x", f"{order}/nonces/x"):
        assert (await one.http.get(f"{one.urls[0]}/compute/orders/{path}")).json()["code"] == "not_found"
    assert await board.after(order, 0, waits=False) == []


async def test_beats_go_on_from_what_was_asked_last(one: Place) -> None:
    boards, order, worker = one.clients(), one.order.address, key("one")
    number = one.world.lease(one.order, "one").number

    def beat(operator: Pubkey, nonce: bytes) -> Beat:
        return Beat(operator, nonce, Serving.ACTIVE, NODE, number, 1, 2, 3, 4, 5)

    for _ in range(2):
        assert await boards.beat(order, 0, worker, beat) == 1
    last = (await boards.beats(order))[one.world.operators[0].pubkey()]
    assert set(last) == {worker.pubkey()} and last[worker.pubkey()].message.ms == one.ms + 1
    with refused(Why.NOT_A_PARTY):
        await one.client().nonce(order, one.renter.pubkey())
    # What it was asked for is lost with its process: it asks again.
    again = one.clients()
    assert await again.beat(order, 0, worker, beat) == 0 and "old_seq" in again.away[one.urls[0]]
    one.ms += 30_000
    assert await again.beat(order, 0, worker, beat) == 1 and again.away == {}


async def test_two_things_under_one_number_are_shown_to_everybody(three: Place) -> None:
    first, second = three.made(joined(), key("one")), three.made(joined(99), key("one"))
    await three.client(0).post(first)
    await three.client(1).post(second)
    boards = three.clients()
    assert await boards.read(three.order.address) == [first]
    for number in range(3):
        (proof,) = await three.client(number).proofs(three.order.address)
        assert {proof.first, proof.second} == {first, second}


async def test_what_is_said_reaches_a_board_that_was_away(three: Place) -> None:
    boards, order = three.clients(), three.order.address
    tried, comes_back = asyncio.Event(), asyncio.Event()

    async def sleep(seconds: float) -> None:
        tried.set()
        await comes_back.wait()

    boards.sleep = sleep
    boards.boards[2].url, back = "http://127.0.0.1:1", boards.boards[2].url
    assert await boards.say(order, 0, joined(), key("one"), enough=2) == 2
    await tried.wait()
    assert set(boards.away) == {"http://127.0.0.1:1"}
    boards.boards[2].url = back
    three.ms += 60_000  # What was signed a minute ago is refused by now.
    comes_back.set()
    ((_, late),) = await three.client(2).after(order, 0)
    ((_, soon),) = await three.client(0).after(order, 0)
    assert (late.message.body, late.message.ms) == (
        joined(),
        three.ms,
    ) and soon.message.ms == three.ms - 60_000
    await boards.close()


async def test_a_message_that_every_board_refuses_is_told(three: Place) -> None:
    boards, order = three.clients(), three.order.address
    await boards.say(order, 0, three.key_of("one"), key("one"), enough=3)
    with pytest.raises(NobodyTookIt, match=r"no board takes this KEY: .*key_taken"):
        await boards.say(order, 0, replace(three.key_of("one"), public=bytes([1]) * 32), key("one"))
    await boards.close()


async def test_a_follower_hears_what_any_board_has_once(three: Place) -> None:
    boards, order = three.clients(), three.order.address
    sent = [three.made(joined(), key(name)) for name in ("one", "two")]
    for number in (0, 1):
        await three.client(number).post(sent[0])
    await three.client(2).post(sent[1])
    heard = []
    follower = boards.follow(order)
    async for each in follower:
        heard.append(each)
        if len(heard) == 2:
            break
    await follower.aclose()
    assert sorted(heard, key=str) == sorted(sent, key=str)


async def test_a_board_that_gives_what_nobody_signed_is_away_and_the_rest_is_heard(
    three: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, sent = three.order.address, three.made(joined(), key("one"))
    await three.client(1).post(sent)
    forged = replace(sent, signature=three.made(joined(7), key("one")).signature)
    bad = three.offices[0].board
    for rows, told in (
        ([(1, forged.encode())], "no message of the order"),
        ([(1, b"x")], "no message of the order"),
        ([(0, sent.encode())], "messages.0.number"),
        ([(5, sent.encode()), (5, sent.encode())], "message 5 comes after 5"),
    ):
        monkeypatch.setattr(bad, "after", lambda order, number, rows=rows: rows)
        boards = three.clients()
        assert await boards.read(order) == [sent]
        assert list(boards.away) == [three.urls[0]] and told in boards.away[three.urls[0]]


async def test_a_board_that_is_never_done_keeps_no_reader(
    three: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the same message under further numbers, or ever new ones of somebody who has no part."""
    order, sent = three.order.address, three.made(joined(), key("one"))
    await three.client(1).post(sent)
    monkeypatch.setattr(boards_module, "REMEMBERED", 20)
    for made in (lambda _: sent, lambda number: three.made(joined(), key("stranger"), seq=number)):

        def after(order: Pubkey, number: int, made=made) -> list[tuple[int, bytes]]:
            return [(each, made(each).encode()) for each in range(number + 1, number + 5)]

        monkeypatch.setattr(three.offices[0].board, "after", after)
        boards = three.clients()
        assert sent in await boards.read(order)
        assert "messages twice, or more than 20" in boards.away[three.urls[0]]


async def test_a_rogue_board_costs_a_follower_so_much_and_no_more(
    three: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gives a stranger's messages without end, then malformed ones, then a page that is too long."""
    order, sent = three.order.address, three.made(joined(), key("one"))
    await three.client(1).post(sent)
    monkeypatch.setattr(boards_module, "PACE", Rate(8, 1))
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await asyncio.sleep(0 if seconds < 30 else 3_600)

    def junk(order: Pubkey, number: int) -> list[tuple[int, bytes]]:
        return [
            (each, three.made(joined(), key("stranger"), seq=each).encode())
            for each in range(number + 1, number + 5)
        ]

    pages = {
        "more messages than are said": junk,
        "no message of the order": lambda order, number: [(number + 1, b"junk")],
        "at most 64": lambda order, number: [(number + each, b"") for each in range(1, 66)],
        "more than 262,144 bytes": lambda order, number: [(number + 1, bytes(1 << 18))],
    }
    for told, after in pages.items():
        monkeypatch.setattr(three.offices[0].board, "after", after)
        monkeypatch.setattr(three.offices[0].board, "newest", lambda order: 1 << 40)
        boards = Boards(three.clients().boards, NETWORK, LOG, unix_ms=three.time, sleep=sleep)
        follower = boards.follow(order, lambda message: message.sender != key("stranger").pubkey())
        assert await anext(follower) == sent
        while told not in boards.away.get(three.urls[0], ""):
            await asyncio.sleep(0.01)
        await follower.aclose()
    assert any(1 <= each <= 8 for each in waits)


async def test_links_are_for_members_alone(one: Place) -> None:
    class Links:
        port = 9

        def open(self, order: Pubkey, one: Pubkey, other: Pubkey) -> tuple[bytes, bytes]:
            return bytes(other)[:8], bytes(one)[:8]

        def keep_only(self, parties: object) -> None: ...

    order, board = one.order.address, one.client()
    asking = bind(NETWORK, order, NO_LINK, one.ms, key("one"))
    assert await board.links(asking) == (None, {})
    one.offices[0].links = Links()
    relay, links = await board.links(asking)
    assert relay == ("127.0.0.1", 9) and links == {
        each: bytes(each)[:8] for each in (one.renter.pubkey(), key("two").pubkey())
    }
    for by in ("stranger", "nobody"):
        with refused(Why.NOT_A_PARTY):
            await board.links(bind(NETWORK, order, NO_LINK, one.ms, key(by)))
    with refused(Why.WRONG_CLOCK):
        await board.links(bind(NETWORK, order, NO_LINK, one.ms - 30_001, key("one")))
    with refused(Why.BAD_SIGNATURE):
        await board.links(asking[:-1] + bytes([asking[-1] ^ 1]))
    with refused(Why.MALFORMED):
        await board.links(bind(NETWORK, order, bytes([1]) * 8, one.ms, key("one")))


async def test_a_flood_from_one_address_costs_others_nothing(tmp_path: Path) -> None:
    async with place(tmp_path, reader=Rate(20, 1)) as here:
        codes = [
            (await here.http.post(f"{here.urls[0]}/compute/messages", content=bytes(300))).json()["code"]
            for _ in range(21)
        ]
        assert codes == ["malformed"] * 20 + ["too_many"]
        # Somebody else's budget is their own; the board itself took none of what was malformed.
        gate = here.services[0].desk.intake.gate
        assert gate.read("192.0.2.7", 0) == 0
        assert here.offices[0].board.after(here.order.address) == []


async def test_a_flood_of_strangers_leaves_the_board_s_thread_to_whoever_is_known(
    one: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    office, client = one.offices[0], one.client()
    await client.post(one.made(joined(), key("one")))
    monkeypatch.setattr(module, "MOST_QUEUED", 0)
    await client.post(one.made(joined(), key("one"), seq=2))
    with refused(Why.TOO_MANY):
        await client.post(one.made(joined(), key("two")))
    for data, address in (
        (one.made(joined(), key("one"), seq=3).encode(), "192.0.2.9"),
        (b"junk", "127.0.0.1"),
    ):
        with pytest.raises(WireError, match="too many messages at once"):
            await office.post(data, address)


async def test_a_minute_is_noted_while_the_board_s_thread_is_busy(one: Place) -> None:
    """What a flood has it do holds up who reads the board, and not what the operator says that it heard."""
    office, goes_on = one.offices[0], threading.Event()
    busy = asyncio.create_task(office.run(goes_on.wait))
    one.ms += 300_000 - one.ms % 60_000
    async with asyncio.timeout(30):
        await office.refresh()
    assert office.witness._minutes and not busy.done()
    goes_on.set()
    await busy


async def test_a_reader_that_takes_nothing_holds_nobody_up(one: Place) -> None:
    order = one.order.address
    host, port = one.urls[0].removeprefix("http://").split(":")
    for seq in range(1, 41):
        one.offices[0].board.post(one.made(joined(), key("one"), seq).encode(), "192.0.2.1", one.ms, 0)
    _, deaf = await asyncio.open_connection(host, int(port), limit=1)
    for _ in range(4):
        deaf.write(f"GET /compute/orders/{order}/messages HTTP/1.1\r\nhost: x\r\n\r\n".encode())
    assert len(await one.client().after(order, 0)) == 40
    deaf.close()


async def test_what_was_taken_is_there_after_a_kill(one: Place) -> None:
    sent = one.made(joined(), key("one"))
    await one.client().post(sent)
    # A process that is killed closes nothing: another one opens the same file meanwhile.
    copy = type(one.offices[0].board)(
        one.folder / "board-0" / module.BOARD, NETWORK, one.world.operators[0].pubkey(), lambda at: None
    )
    assert copy.after(one.order.address) == [(1, sent.encode())]
    copy.close()


async def test_a_closed_order_is_forgotten_but_not_at_the_first_look(
    one: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    office, now = one.offices[0], [0.0]
    await one.client().post(one.made(joined(), key("one")))
    monkeypatch.setattr(office, "_monotonic", lambda: now[0])
    monkeypatch.setattr(type(office.directory), "orders", {})
    for at, kept in ((0, 1), (module.FORGET_SECONDS - 1, 1), (module.FORGET_SECONDS, 0)):
        now[0] = at
        await office.refresh()
        await office.tidy()
        assert len(office.board.after(one.order.address)) == kept


async def test_a_lease_that_ends_silences_its_worker(one: Place) -> None:
    board = one.client()
    complaint = Complaint(one.world.lease(one.order, "one").device, 1, Wrong.SLOW)
    await board.post(one.made(complaint, one.renter))
    assert one.world.end(one.order, "one", one.renter).error is None
    await one.offices[0].refresh()
    with refused(Why.NOT_A_PARTY):
        await board.post(one.made(joined(), key("one")))
    with refused(Why.NOT_A_PARTY):
        await board.post(one.made(complaint, one.renter, seq=2))
    await board.post(one.made(joined(), key("two")))
    said = [each.signed.message.body.KIND for each in await board.after(one.order.address, 0)]
    assert said == [Kind.COMPLAINT, Kind.JOINED]
    assert Hash(NETWORK.genesis) == GENESIS


async def test_members_reach_each_other_by_what_the_board_gave_them(
    one: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrier, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(relaying, "AGAIN_SECONDS", 0.0)
    relay = Relaying("127.0.0.1", 0, NETWORK, 25_000_000, LOG, Metrics())
    office, order = one.offices[0], one.order.address
    office.links, one.ms = relay, time.time_ns() // 1_000_000
    heard: asyncio.Queue[tuple[str, Pubkey, bytes]] = asyncio.Queue()
    people = {name: key(name) for name in ("one", "two", "renter")}

    def deliver(name: str):
        return lambda other, data: heard.put_nowait((name, other, data))

    carriers = {
        name: Carrier(one.client(), order, signer, deliver(name), LOG) for name, signer in people.items()
    }

    async def all_bound() -> None:
        while any(len(each.bound) < 2 for each in carriers.values()):
            await asyncio.sleep(0.01)

    async with relay.running():
        tasks = [asyncio.create_task(each.run()) for each in carriers.values()]
        await all_bound()
        carriers["one"].send(people["renter"].pubkey(), b"\x01 hello")
        assert await heard.get() == ("renter", people["one"].pubkey(), b"\x01 hello")
        carriers["renter"].send(people["two"].pubkey(), b"\x04 run")
        assert await heard.get() == ("two", people["renter"].pubkey(), b"\x04 run")
        carriers["two"].send(key("stranger").pubkey(), b"\x04 nobody")
        # One whose lease ended is nobody's peer any more.
        assert one.world.end(one.order, "one", one.renter).error is None
        await office.refresh()
        await carriers["renter"].refresh()
        carriers["renter"].send(people["one"].pubkey(), b"\x04 gone")
        carriers["two"].send(people["renter"].pubkey(), b"\x04 still")
        assert await heard.get() == ("renter", people["two"].pubkey(), b"\x04 still")
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert heard.empty()


async def test_who_asks_again_has_the_file_read_only_when_there_is_something(
    one: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    office, order, reads = one.offices[0], one.order.address, []
    read = office.board.after
    monkeypatch.setattr(office.board, "after", lambda *given: reads.append(given) or read(*given))
    monkeypatch.setattr("keeper.operator.clusters.service.POLL_SECONDS", 0.01)
    for _ in range(3):
        assert await one.client().after(order, 0) == []
    assert reads == []
    await one.client().post(one.made(joined(), key("one")))
    assert len(await one.client().after(order, 0)) == 1 and len(reads) == 1
    for _ in range(2):
        assert await one.client().after(order, 1) == []
    assert len(reads) == 1
    # An order that nobody has costs no memory, however often it is asked for.
    assert await one.client().after(key("nothing").pubkey(), 0) == []
    assert set(office._newest) == {order}


async def test_a_signer_that_fails_later_is_told_and_nobody_waits_for_ever(one: Place) -> None:
    boards, order = one.clients(), one.order.address

    class Fickle:
        """Signs once."""

        left = 1

        def pubkey(self) -> Pubkey:
            return key("one").pubkey()

        def sign_message(self, message: bytes):
            if not self.left:
                raise SigningFailed("the device is locked")
            self.left -= 1
            return key("one").sign_message(message)

    async def sleep(seconds: float) -> None:
        one.ms += 60_000

    boards.sleep = sleep
    boards.boards[0].url = "http://127.0.0.1:1"
    with pytest.raises(NobodyTookIt, match="the device is locked"):
        await boards.say(order, 0, joined(), Fickle())


async def test_a_relay_that_dies_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrier, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(carrier, "BIND_SECONDS", 0.1)
    monkeypatch.setattr(ways, "RENEW_SECONDS", 0.05)
    async with place(tmp_path, 2) as here, AsyncExitStack() as stack:
        here.ms = time.time_ns() // 1_000_000
        first, second = AsyncExitStack(), AsyncExitStack()
        for office, running in zip(here.offices, (first, second), strict=True):
            office.links = relay = Relaying("127.0.0.1", 0, NETWORK, 25_000_000, LOG, Metrics())
            await running.enter_async_context(relay.running())
        stack.push_async_callback(second.aclose)
        heard: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()
        members = {}
        for name in ("one", "two"):
            boards = [here.client(0), here.client(1)]
            deliver = lambda _, data, to=name: heard.put_nowait((to, data))  # noqa: E731
            found = ways.Ways(boards, here.order.address, key(name), deliver, LOG)
            found.begin()
            found.want({key("two" if name == "one" else "one").pubkey(): Other(bytes(32), RENTER)})
            stack.push_async_callback(found.close)
            members[name] = found

        async def hears(sender: str, to: str, data: bytes) -> None:
            while True:
                members[sender].send(key(to).pubkey(), data)
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.05):
                        while await heard.get() != (to, data):
                            pass
                        return

        await hears("one", "two", b"\x04 by any")
        await hears("two", "one", b"\x04 back")
        await first.aclose()
        await hears("one", "two", b"\x04 by the other")
        await hears("two", "one", b"\x04 back by the other")
        last = [
            members[name]._last[key(other).pubkey()][0] for name, other in (("one", "two"), ("two", "one"))
        ]
        assert last == [1, 1]
