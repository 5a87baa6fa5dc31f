"""The service over HTTP: what it takes and gives, and what anybody can send it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import base58
import httpx2 as httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature

from keeper.budgets import Rate
from keeper.chain import Commitment, SigningFailed
from keeper.operator import connections, service
from keeper.operator.desk import FLEET
from keeper.operator.intake import Asked
from keeper.operator.limits import Limits
from keeper.operator.line import SCHEME
from keeper.operator.operator import Operator
from keeper.operator.refusals import STATUS, Why
from keeper.operator.running import NotAnOperator, network_of, require_operator
from keeper.operator.service import application
from keeper.operator.waves import Held, State
from keeper.pow.clock import Ping, epoch_start
from keeper.pow.codes import Code
from keeper.pow.messages import Receipt, decode
from keeper.pow.replay import first_at
from tests.keeper.operator.network import GENESIS, Net
from tests.keeper.operator.serving import serving
from tests.programs.world import World, key

ROOT = bytes([1]) * 32
UNTRUSTED = Limits(trusted=frozenset())


@pytest.fixture
def net(tmp_path: Path) -> Net:
    return Net(tmp_path)


@pytest.fixture
async def operator(net: Net) -> Operator:
    found = await net.operator(0, limits=UNTRUSTED)
    await found.step()
    return found


@pytest.fixture
async def wave(net: Net, operator: Operator) -> Held:
    return await net.until_wave(operator)


@pytest.fixture
async def http(operator: Operator) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(operator) as (url, _), httpx.AsyncClient(base_url=url) as client:
        yield client


def code(answer: httpx.Response) -> Why:
    """A refusal's code; everything about it must be right."""
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert found.keys() == {"code", "detail"}
    assert STATUS[Why(found["code"])] == answer.status_code
    assert ("retry-after" in answer.headers) or answer.status_code not in (429, 503)
    return Why(found["code"])


async def test_a_device_goes_through_a_wave(
    net: Net, operator: Operator, wave: Held, http: httpx.AsyncClient
) -> None:
    device = net.devices[0]
    proof = device.prove(wave.wave, net.profiles)
    data = device.commit(wave.wave, proof.root)
    answer = await http.post("/pow/commit", content=data)
    assert answer.status_code == 200
    receipt = decode(Receipt, answer.content)
    assert receipt.is_by(operator.desk.operator)
    assert (
        receipt.message.commit
        == operator.desk.intake.waves[wave.wave.seed].taken[bytes(device.account)][0].signed.message.hash()
    )
    assert (await http.post("/pow/commit", content=data)).content == answer.content
    conflicting = await http.post("/pow/commit", content=device.commit(wave.wave, ROOT))
    assert (conflicting.status_code, code(conflicting)) == (409, Why.CONFLICT)
    await net.go(70, operator)
    opening = device.opening(wave, net.profiles)
    wrong = opening[:-1] + bytes([opening[-1] ^ 1])
    assert code(await http.post("/pow/opening", content=wrong)) == Why.WRONG_OPENING
    assert code(await http.post("/pow/opening", content=opening[:-1])) == Why.WRONG_LENGTH
    for _ in range(2):
        assert (await http.post("/pow/opening", content=opening)).status_code == 204
    await net.go(5, operator)
    (kept,) = operator.desk.book.openings(1)
    assert kept.code == Code.PASS
    assert (await http.get(f"/pow/openings/{kept.sha256.hex()}")).content == opening[96:]
    listing = (await http.get("/pow/hours/1")).json()
    ((name, said),) = listing.items()
    file = (await http.get(f"/pow/hours/1/{name}")).content
    assert (len(file), name) == (said["bytes"], f"wave-{wave.wave.slot}-{operator.desk.operator}.bin")
    ready = await http.get("/ready")
    assert (ready.status_code, ready.json()["counts"]["commit"]) == (200, 2)
    assert (await http.get("/health")).status_code == 200


async def test_a_ping_over_http(net: Net, operator: Operator, http: httpx.AsyncClient) -> None:
    ping = Ping(1, 1, 0, bytes([7]) * 32)
    operator.desk.intake.pings[ping.seed] = Asked(ping, net.monotonic())
    assert (await http.post("/pow/ping", content=net.devices[0].pong(ping.seed))).status_code == 204
    assert code(await http.post("/pow/ping", content=net.devices[0].pong(ROOT))) == Why.UNKNOWN_WAVE


async def test_several_answers_in_one_body_are_each_taken_or_refused(
    net: Net, operator: Operator, http: httpx.AsyncClient
) -> None:
    ping = Ping(1, 1, 0, bytes([7]) * 32)
    operator.desk.intake.pings[ping.seed] = asked = Asked(ping, net.monotonic())
    first, second = net.devices
    forged = ping.seed + bytes(second.account) + first.pong(ping.seed)[64:]
    answer = await http.post("/pow/pings", content=first.pong(ping.seed) + forged + second.pong(ROOT))
    assert (answer.status_code, len(answer.json())) == (200, 3)
    taken, wrong, unknown = answer.json()
    assert taken is None and asked.answered == {bytes(first.account)}
    assert (wrong["code"], wrong["retry_after"]) == (Why.BAD_SIGNATURE, 0)
    assert (unknown["code"], unknown["retry_after"]) == (Why.UNKNOWN_WAVE, 1)
    both = first.pong(ping.seed) + second.pong(ping.seed)
    assert (await http.post("/pow/pings", content=both)).json() == [None, None]
    assert asked.answered == {bytes(each.account) for each in (first, second)}
    counted = {"ping": 3, "refused_bad_signature": 1, "refused_unknown_wave": 1}
    assert operator.desk.counts == counted


async def test_a_device_has_no_more_answers_by_sending_them_together(
    net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = Limits(device=Rate(4, 0.001), stranger=Rate(3, 0.001), trusted=frozenset())
    pings = [Ping(1, number, 0, bytes([number]) * 32) for number in range(6)]
    operator = await net.operator(1, limits=limits)
    await operator.step()
    first, second = net.devices
    intake = operator.desk.intake
    intake.pings |= {each.seed: Asked(each, net.monotonic()) for each in pings}
    intake.gate.proved("127.0.0.1", bytes(first.account), 0.0)
    held = asyncio.Event()

    async def closing(_: float) -> None:
        held.set()

    monkeypatch.setattr(operator.desk.news, "closing", closing)
    async with serving(operator) as (url, _), httpx.AsyncClient(base_url=url) as client:
        # The answers of one don't use up what another has.
        forged = [each.seed + bytes(second.account) + first.pong(each.seed)[64:] for each in pings[:5]]
        body = b"".join([*map(first.pong, [each.seed for each in pings]), *forged])
        found = [each and each["code"] for each in (await client.post("/pow/pings", content=body)).json()]
        assert found == [None] * 4 + [Why.TOO_MANY] * 2 + [Why.BAD_SIGNATURE] * 3 + [Why.TOO_MANY] * 2
        assert held.is_set()
        held.clear()
        assert (await client.get("/health")).status_code == 200 and not held.is_set()


async def test_who_serves(net: Net, operator: Operator, http: httpx.AsyncClient) -> None:
    assert (await http.get("/pow/operator")).json() == {
        "version": 1,
        "operator": str(operator.desk.operator),
        "genesis": str(GENESIS),
        "program": str(operator.desk.network.program),
        "profiles": net.profiles.hash.hex(),
    }


async def test_news_come_at_once_and_none_is_missed(
    net: Net, operator: Operator, http: httpx.AsyncClient
) -> None:
    first = (await http.get("/pow/waves")).json()
    day = await first_at(net.world.chain, epoch_start(net.world.chain.now()), Commitment.FINALIZED)
    assert day is not None
    assert first["epoch"] == {
        "slot": day.slot,
        "blockhash": str(Pubkey(day.blockhash)),
        "day": epoch_start(net.world.chain.now()),
    }
    waiting = asyncio.create_task(http.get("/pow/waves", params={"after": first["slot"]}))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    told, after = [], first["slot"]
    wave = await net.until_wave(operator)
    assert (await waiting).status_code == 200
    for _ in range(20):
        await net.go(5, operator)
        if operator.desk.news.is_new(after):
            found = (await http.get("/pow/waves", params={"after": after})).json()
            told += found["waves"] + found["opens"]
            after = found["slot"]
    opening = wave.opening
    assert opening is not None
    mine = [each for each in told if each["slot"] == wave.wave.slot]
    assert [each.get("kind", "open") for each in mine] == [wave.wave.kind.name.lower(), "open"]
    assert mine[0]["blockhash"] == str(Pubkey(wave.wave.blockhash))
    assert (mine[1]["open_slot"], mine[1]["open_blockhash"]) == (
        opening.slot,
        str(Pubkey(opening.blockhash)),
    )
    assert code(await http.get("/pow/waves", params={"after": "-1"})) == Why.NOT_FOUND
    assert code(await http.get("/pow/waves", params={"after": "9" * 19})) == Why.NOT_FOUND


async def test_a_signer_that_fails_costs_the_receipt_alone(
    net: Net, operator: Operator, wave: Held, http: httpx.AsyncClient
) -> None:
    class Remote:
        """A key elsewhere."""

        key: Keypair = net.world.operators[0]
        is_up = False

        def pubkey(self) -> Pubkey:
            return self.key.pubkey()

        def sign_message(self, message: bytes) -> Signature:
            if not self.is_up:
                raise SigningFailed("away")
            return self.key.sign_message(message)

    operator.desk.signer = signer = Remote()
    data = net.devices[0].commit(wave.wave, ROOT)
    assert code(await http.post("/pow/commit", content=data)) == Why.BUSY
    signer.is_up = True
    answer = await http.post("/pow/commit", content=data)
    assert decode(Receipt, answer.content).is_by(signer.pubkey())


# -- bad senders -------------------------------------------------------------------------------


async def raw(port: int, data: bytes, *, more: bytes = b"", seconds: float = 5.0) -> bytes:
    """What a socket answers until it is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(seconds):
            writer.write(data)
            await writer.drain()
            if more:
                await asyncio.sleep(0.05)
                writer.write(more)
            found = b""
            while piece := await reader.read(65_536):
                found += piece
            return found
    except ConnectionError:
        return b""
    finally:
        writer.close()


def post(path: str, *headers: str) -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "host: x", *headers, "", ""]).encode()


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/pow/commit", ["content-length: 169"]),
        ("/pow/commit", ["content-length: 99999999999999999"]),
        ("/pow/commit", []),
        ("/pow/ping", ["content-length: 127"]),
        ("/pow/ping", ["transfer-encoding: chunked"]),
        ("/pow/pings", ["content-length: 0"]),
        ("/pow/pings", ["content-length: 300"]),
        ("/pow/pings", [f"content-length: {128 * 33}"]),
        ("/pow/pings", ["transfer-encoding: chunked"]),
        ("/pow/opening", ["content-length: 96"]),
        ("/pow/opening", [f"content-length: {service.MAX_OPENING + 1}"]),
        ("/pow/opening", ["transfer-encoding: chunked"]),
    ],
)
async def test_wrong_lengths_are_refused_before_a_body_is_there(
    operator: Operator, path: str, headers: list[str]
) -> None:
    async with serving(operator) as (_, port):
        found = await raw(port, post(path, *headers))
    assert found.startswith(b"HTTP/1.1 400 ")
    assert b'"wrong_length"' in found


async def test_slow_bodies_are_cut_off(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "BODY_SECONDS", 0.05)
    monkeypatch.setattr("keeper.operator.http.BODY_SECONDS", 0.05)
    monkeypatch.setattr(service, "OPENING_SECONDS", 0.05)
    async with serving(operator) as (_, port):
        paths = (("/pow/commit", 168), ("/pow/ping", 128), ("/pow/pings", 256), ("/pow/opening", 5_000))
        for path, length in paths:
            found = await raw(port, post(path, f"content-length: {length}") + bytes(90))
            assert found.startswith(b"HTTP/1.1 408 ")
    assert operator.desk.counts["refused_too_slow"] == 4


async def test_slow_heads_are_cut_off(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.1)
    async with serving(operator) as (_, port):
        assert await raw(port, b"GET /health HTT") == b""
        assert await raw(port, b"\r\n\r\n", more=b"\r\n") == b""
        assert await raw(port, b"") == b""


@pytest.mark.parametrize(
    ("data", "more"),
    [
        (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\n\r\n", b""),
        (b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 3_000 + b"\r\n", b""),
        (b"GET / HTTP/1.1\r\nx: " + b"y" * 5_000, b"y" * 5_000),
        (b"nonsense\r\n\r\n", b""),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b""),
    ],
)
async def test_long_heads_and_nonsense_end_the_connection(
    operator: Operator, data: bytes, more: bytes
) -> None:
    async with serving(operator) as (_, port):
        found = await raw(port, data, more=more)
    assert found.startswith(b"HTTP/1.1 400 ") or found == b""


async def test_a_queue_of_requests_is_bounded(operator: Operator) -> None:
    after = operator.desk.news.slot
    poll = f"GET /pow/waves?after={after} HTTP/1.1\r\nhost: x\r\n\r\n".encode()
    async with serving(operator) as (_, port):
        assert (await raw(port, poll * 50)).startswith(b"HTTP/1.1 400 ")


async def test_connections_of_an_address_are_bounded(net: Net) -> None:
    limits = Limits(connections_each=5, trusted=frozenset())
    operator = await net.operator(1, limits=limits)
    await operator.step()
    async with serving(operator) as (_, port):
        opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(5)]
        await asyncio.sleep(0.05)
        assert await raw(port, b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n") == b""
        # A device that is known there has room of its own.
        operator.desk.intake.gate.proved("127.0.0.1", bytes(32), 0.0)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        for _, each in [*opened, (reader, writer)]:
            each.close()
        await asyncio.sleep(0.05)
        assert b"200 OK" in await raw(port, b"GET /health HTTP/1.1\r\nconnection: close\r\nhost: x\r\n\r\n")


async def test_strangers_leave_room_for_devices_that_are_known(net: Net) -> None:
    """However many addresses they have: an IPv6 network of a house has 65,536 that count as such."""
    operator = await net.operator(1, limits=Limits(connections=8, trusted=frozenset()))
    await operator.step()
    asks = b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    async with serving(operator) as (_, port):
        opened = [await begun(port, b"GET /") for _ in range(6)]
        assert await raw(port, asks) == b""
        operator.desk.intake.gate.proved("127.0.0.1", bytes(32), 0.0)
        opened += [await begun(port, b"GET /")]
        assert b"200 OK" in await raw(port, asks)
        opened += [await begun(port, b"GET /")]
        assert await raw(port, asks) == b""
        for each in opened:
            each.close()


@pytest.mark.parametrize("path", ["/pow/hours/1", "/health", "/ready", "/pow/waves?after=0"])
async def test_readers_have_a_budget(path: str, net: Net) -> None:
    operator = await net.operator(1, limits=Limits(reader=Rate(3, 0.5), trusted=frozenset()))
    await operator.step()
    async with serving(operator) as (url, _), httpx.AsyncClient(base_url=url) as client:
        answers = [await client.get(path) for _ in range(4)]
    assert [each.status_code for each in answers] == [200, 200, 200, 429]
    assert code(answers[3]) == Why.TOO_MANY
    assert answers[3].headers["retry-after"] == "2"


async def test_openings_on_their_way_are_bounded(
    net: Net, operator: Operator, wave: Held, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nobody takes room away from them by saying that something long will come."""
    device = net.devices[0]
    data = device.commit(wave.wave, device.prove(wave.wave, net.profiles).root)
    assert (await http.post("/pow/commit", content=data)).status_code == 200
    await net.go(70, operator)
    opening = device.opening(wave, net.profiles)
    monkeypatch.setattr(service, "OPENINGS_BYTES", len(opening))
    port = http.base_url.port
    assert port is not None
    head = f"POST /pow/opening HTTP/1.1\r\nhost: x\r\ncontent-length: {len(opening)}\r\n\r\n".encode()
    idle = [await begun(port, head + part) for part in (b"", b"", ROOT, bytes(96))]
    assert (await http.post("/pow/opening", content=opening)).status_code == 204
    # What is owed, and slow, does take room: half of it at most where its device isn't known.
    idle.append(await begun(port, head + opening[:96]))
    assert code(await http.post("/pow/opening", content=opening)) == Why.BUSY
    idle[-1].close()
    await asyncio.sleep(0.05)
    operator.desk.intake.gate.keep_only(())
    assert code(await http.post("/pow/opening", content=opening)) == Why.BUSY
    for each in idle:
        each.close()


async def begun(port: int, data: bytes) -> asyncio.StreamWriter:
    """A connection on which something was sent, and nothing more comes."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    await asyncio.sleep(0.05)
    return writer


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/pow",
        "/pow/hours/x",
        "/pow/hours/-1",
        "/pow/hours/1/fleet",
        "/pow/hours/1/..%2f..%2fstate.db",
        "/pow/hours/1/%2e%2e",
        "/pow/hours/openings/ab",
        "/pow/openings/" + "0" * 64,
        "/pow/openings/" + "G" * 64,
        "/pow/openings/..%2fstate.db",
        "/pow/hours/" + "9" * 30,
        "/metrics",
    ],
)
async def test_nothing_else_is_given_away(operator: Operator, http: httpx.AsyncClient, path: str) -> None:
    assert operator.desk.store.has(1, FLEET)
    assert code(await http.get(path)) == Why.NOT_FOUND


async def test_other_methods(http: httpx.AsyncClient) -> None:
    assert code(await http.get("/pow/commit")) == Why.WRONG_METHOD
    assert code(await http.put("/pow/waves", content=b"x")) == Why.WRONG_METHOD


async def test_whom_a_proxy_speaks_for(net: Net, wave: Held) -> None:
    operator = await net.operator(1)
    await operator.step()
    device = net.devices[0]
    held = operator.desk.intake.waves[wave.wave.seed]
    assert held.state is State.OPEN
    async with serving(operator) as (url, _), httpx.AsyncClient(base_url=url) as client:
        headers = {"x-forwarded-for": "203.0.113.77"}
        await client.post("/pow/commit", content=device.commit(wave.wave, ROOT), headers=headers)
    assert operator.desk.intake.gate.is_home("203.0.113.77", bytes(device.account))


# -- anything ----------------------------------------------------------------------------------

PATHS = ["/pow/commit", "/pow/ping", "/pow/pings", "/pow/opening"]
PATHS += ["/pow/waves", "/pow/operator", "/health", "/ready"]


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Net, Operator, Held]:
    async def start() -> tuple[Net, Operator, Held]:
        net = Net(tmp_path_factory.mktemp("fuzzed"))
        operator = await net.operator(0, limits=Limits(stranger=Rate(1e9, 1e9), reader=Rate(1e9, 1e9)))
        wave = await net.until_wave(operator)
        device = net.devices[0]
        proof = device.prove(wave.wave, net.profiles)
        operator.desk.intake.commit(device.commit(wave.wave, proof.root), "x", net.monotonic())
        await net.go(70, operator)
        return net, operator, wave

    return asyncio.run(start())


def rooted(text: str) -> str:
    """A path: what begins with two slashes is a host to the client."""
    return "/" + text.lstrip("/")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_nothing_that_is_sent_is_the_services_fault(
    fuzzed: tuple[Net, Operator, Held], data: st.DataObject
) -> None:
    net, operator, wave = fuzzed
    device = net.devices[0]
    valid = [
        device.commit(wave.wave, ROOT),
        device.pong(wave.wave.seed),
        device.pong(wave.wave.seed) * 3,
        device.opening(wave, net.profiles),
    ]
    body = data.draw(st.one_of(st.binary(max_size=400), st.sampled_from(valid)))
    for _ in range(data.draw(st.integers(0, 3))):
        if body:
            at = data.draw(st.integers(0, len(body) - 1))
            body = body[:at] + data.draw(st.binary(max_size=3)) + body[at + 1 :]
    transfer = f"/pow/transfer/{wave.wave.slot}/{device.account}"
    given = [*PATHS, transfer, transfer[:-1], f"/pow/hours/{wave.wave.hour}", "/pow/openings/" + "ab" * 32]
    given += [f"/pow/hours/{wave.wave.hour}/{name}" for name in operator.desk.store.names(wave.wave.hour)]
    path = data.draw(st.sampled_from(given) | st.text("/pow.%-hours1\u00e9 ", min_size=1).map(rooted))
    query = data.draw(st.sampled_from(["", "?after=0", "?after=x", "?after=%00", "?after=1&after=2"]))
    headers = data.draw(
        st.dictionaries(
            st.sampled_from(["content-length", "transfer-encoding", "content-type", "expect", "range"]),
            st.text("0123456789abc,-=", max_size=12),
            max_size=2,
        )
    )

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(application(operator, str(GENESIS)), raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport) as client:
            method = data.draw(st.sampled_from(["GET", "POST", "HEAD", "OPTIONS", "PUT"]))
            content = body if method in ("POST", "PUT") else None
            # Of a path with two slashes at its start the client would make a host.
            url = f"http://x{path}{query}"
            return await client.request(method, url, content=content, headers=headers)

    answer = asyncio.run(ask())
    assert answer.status_code < 500, answer.text


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_transfer_begins_by_what_strangers_write(
    fuzzed: tuple[Net, Operator, Held], data: st.DataObject
) -> None:
    """Of whoever is drawn, as far as the signature, which none of these is."""
    net, operator, wave = fuzzed
    device = str(net.devices[0].account)
    words = st.text("0123456789abcIl\u00e9\u0663%/ ", max_size=12)
    slot = data.draw(st.just(str(wave.wave.slot)) | words)
    whose = data.draw(st.just(device) | words | words.map(device.__add__))
    signed = base58.b58encode(bytes(Signature.default())).decode()
    said = SCHEME + data.draw(st.just(signed) | words | words.map(signed[:-3].__add__))
    headers = {"authorization": said.encode("utf-8").strip(), "x-forwarded-for": data.draw(words).encode()}

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(application(operator, str(GENESIS)), raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport) as client:
            url = f"http://x/pow/transfer/{slot}/{whose}"
            return await client.request(data.draw(st.sampled_from(["GET", "POST"])), url, headers=headers)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("keeper.operator.line.is_drawn", lambda seed, device: True)
        answer = asyncio.run(ask())
    assert 300 <= answer.status_code < 500, answer.text
    assert not operator.desk.book.transfers(wave.wave.hour)


async def test_only_an_operator_of_a_network_serves(net: Net) -> None:
    chain = net.world.chain
    await require_operator(chain, net.world.operators[0].pubkey())
    with pytest.raises(NotAnOperator, match="is no operator of this network"):
        await require_operator(chain, key("somebody").pubkey())
    with pytest.raises(NotAnOperator, match="no network is launched"):
        await network_of(World().chain)
