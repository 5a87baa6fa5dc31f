"""The node over HTTP and websocket: with clients that others wrote, and against those who mean it no good."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Confirmed
from solana.rpc.models import TokenAccountOpts, TxOpts
from solana.rpc.websocket_api import SolanaWsClient
from solders.rpc.config import RpcTransactionLogsFilterMentions
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from keeper.chain import TransactionFailed
from keeper.chain.framework import TOKEN_PROGRAM
from keeper.chain.landing import land
from keeper.chain.rpc import RpcChain
from keeper.chain.token import transfer
from keeper.localnet.faults import read_faults
from keeper.localnet.server import MAX_BODY
from keeper.localnet.sockets import MAX_EACH, MAX_SOCKETS, MAX_SUBSCRIPTIONS, MAX_TICKING, Session
from keeper.patience import Patient, PatientSocket
from keeper.terminal.localnet import wrong
from tests.keeper.chain.conftest import ALICE, BOB, LAMPORTS, pay
from tests.keeper.localnet.conftest import MINT, Served, serving, tokens
from tests.keeper.localnet.test_methods import B64, encoded


async def test_our_own_client_lands_a_transaction(remote: Served) -> None:
    chain = RpcChain(remote.url)
    try:
        record = await land(chain, [pay(7)], [ALICE], poll_seconds=0)
        assert (record.error, record.fee) == (None, 5_000)
        assert await chain.history(BOB.pubkey()) == [record]
        with pytest.raises(TransactionFailed, match="instruction 0: custom error 1"):
            await land(chain, [pay(2 * LAMPORTS)], [ALICE], poll_seconds=0)
        assert set(await chain.program_accounts(TOKEN_PROGRAM, size=165)) == {tokens(ALICE)}
        assert await chain.genesis_hash() == await remote.node.chain.genesis_hash()
    finally:
        await chain.close()


async def test_solana_py_lands_a_transaction(remote: Served) -> None:
    """Airdrop, transfer, confirmation, balances: what each test of a client begins with."""
    async with AsyncClient(remote.url, Confirmed, timeout=120) as client:
        given = await client.request_airdrop(BOB.pubkey(), 3)
        await client.confirm_transaction(given.value, sleep_seconds=0.01)
        before = (await client.get_balance(BOB.pubkey())).value
        blockhash = (await client.get_latest_blockhash()).value
        sent = await client.send_transaction(remote.signed([pay(5)], ALICE), TxOpts(skip_preflight=False))
        confirmed = await client.confirm_transaction(
            sent.value, sleep_seconds=0.01, last_valid_block_height=blockhash.last_valid_block_height
        )
        assert confirmed.value[0] is not None and confirmed.value[0].err is None
        assert (await client.get_balance(BOB.pubkey())).value == before + 5
        landed = await client.get_transaction(sent.value, "jsonParsed", max_supported_transaction_version=0)
        assert landed.value is not None
        held = await client.get_token_accounts_by_owner_json_parsed(
            ALICE.pubkey(), TokenAccountOpts(mint=MINT)
        )
        assert [each.pubkey for each in held.value] == [tokens(ALICE)]


async def test_solana_py_hears_of_all_kinds_of_notices(remote: Served) -> None:
    """Accounts, a program's accounts, logs, slots, roots, a signature: on the port of notices."""
    async with SolanaWsClient(remote.websocket, request_timeout=120) as socket:
        await socket.account_subscribe(pubkey=tokens(ALICE), encoding="jsonParsed")
        await socket.program_subscribe(program_id=TOKEN_PROGRAM, encoding="base64")
        await socket.logs_subscribe(filter_=RpcTransactionLogsFilterMentions(BOB.pubkey()))
        await socket.slot_subscribe()
        await socket.root_subscribe()
        move = transfer(tokens(ALICE), tokens(ALICE), ALICE.pubkey(), 5)
        sent = remote.signed([pay(5), move], ALICE)
        await socket.signature_subscribe(signature=sent.signatures[0])
        await remote.ask("sendTransaction", encoded(sent), B64)
        heard = {}
        kinds = {"Account", "Program", "Logs", "Slot", "Root", "Signature"}
        while set(heard) < kinds:
            notice = await socket.recv()
            heard[type(notice).__name__.partition("Notification")[0]] = notice
        assert set(heard) == kinds
        assert heard["Logs"].result.value.signature == sent.signatures[0]
        assert heard["Signature"].result.value.err is None
        assert heard["Program"].result.value.pubkey == tokens(ALICE)


class Socket:
    """A websocket with questions and notices as they are."""

    def __init__(self, connection) -> None:  # type: ignore[no-untyped-def]
        self.connection = connection

    async def ask(self, method: str, *parameters: object) -> dict:  # type: ignore[type-arg]
        question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
        await self.connection.send(json.dumps(question))
        while (answer := await self.hear()).get("id") != 1:
            pass
        return answer

    async def hear(self) -> dict:  # type: ignore[type-arg]
        found: dict = json.loads(await self.connection.recv())  # type: ignore[type-arg]
        return found


async def test_a_signature_that_landed_before_is_told_at_once(remote: Served) -> None:
    sent = remote.signed([pay(5)], ALICE)
    signature = await remote.ask("sendTransaction", encoded(sent), B64)
    async with connect(f"ws{remote.url.removeprefix('http')}") as connection:  # the same port, too
        socket = Socket(connection)
        number = (await socket.ask("signatureSubscribe", signature))["result"]
        notice = await socket.hear()
        assert notice["method"] == "signatureNotification"
        assert notice["params"] == {
            "result": {"context": {"slot": 3}, "value": {"err": None}},
            "subscription": number,
        }
        # Told once, and then it is over.
        assert (await socket.ask("signatureUnsubscribe", number))["error"]["code"] == -32602


async def test_an_account_that_is_closed_is_empty_and_not_null(remote: Served) -> None:
    poor = remote.node.faucet
    async with connect(remote.websocket) as connection:
        socket = Socket(connection)
        await socket.ask("accountSubscribe", str(poor.pubkey()), B64)
        account = remote.node.chain.get(poor.pubkey())
        assert account is not None
        everything = pay(account.lamports - 5_000, payer=poor)
        await remote.ask("sendTransaction", encoded(remote.signed([everything], poor)), B64)
        notice = await socket.hear()
        assert notice["params"]["result"]["value"] == {
            "lamports": 0,
            "data": ["", "base64"],
            "owner": "1" * 32,
            "executable": False,
            "rentEpoch": 2**64 - 1,
            "space": 0,
        }


async def test_sockets_and_subscriptions_have_a_limit(remote: Served) -> None:
    connections = [await connect(remote.websocket) for _ in range(MAX_SOCKETS)]
    try:
        with pytest.raises(Exception, match=r"403|1013|rejected"):
            await connect(remote.websocket)
        socket = Socket(connections[0])
        for _ in range(MAX_SUBSCRIPTIONS):
            assert "result" in await socket.ask("logsSubscribe", {"mentions": [str(BOB.pubkey())]})
        refused = await socket.ask("slotSubscribe")
        assert refused["error"]["code"] == -32603 and "Max 200" in refused["error"]["message"]
        assert (await socket.ask("nothing"))["error"]["code"] == -32601
        await connections[0].send("{")
        assert (await socket.hear())["error"]["code"] == -32700
        await connections[0].send(json.dumps({"jsonrpc": "2.0", "method": "ping"}))
        assert (await socket.ask("logsUnsubscribe", 10**6))["error"]["message"] == "Invalid subscription id."
        await connections[1].send("x" * (MAX_BODY + 1))
        with pytest.raises(ConnectionClosed):
            await connections[1].recv()
    finally:
        for each in connections:
            await each.close()
    async with connect(remote.websocket) as connection:
        assert "result" in await Socket(connection).ask("slotSubscribe")


# -- HTTP ---------------------------------------------------------------------------------------------


async def test_browsers_may_ask(remote: Served) -> None:
    asked = {
        "origin": "https://example.org",
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,solana-client",
        "access-control-request-private-network": "true",
    }
    answer = await remote.client.options(remote.url, headers=asked)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-headers"] == "content-type,solana-client"
    assert answer.headers["access-control-allow-private-network"] == "true"
    question = {"jsonrpc": "2.0", "id": 1, "method": "getHealth"}
    answer = await remote.client.post(remote.url, json=question)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["content-type"] == "application/json"
    assert (await remote.client.get(f"{remote.url}/health")).text == "ok"
    answer = await remote.client.post(remote.url, content=b"{}", headers={"content-type": "text/plain"})
    assert answer.status_code == 415


@pytest.mark.parametrize("told", [True, False], ids=["told", "in pieces"])
async def test_a_hundred_megabytes_stop_nothing(remote: Served, told: bool) -> None:
    """They are refused as soon as they are too long, while others are answered."""
    parts = urlsplit(remote.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    length = f"content-length: {100 * 2**20}" if told else "transfer-encoding: chunked"
    head = f"POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{length}\r\n\r\n"
    writer.write(head.encode())
    piece = b"x" * 2**16
    frame = piece if told else b"%x\r\n%s\r\n" % (len(piece), piece)
    sent = 0
    try:
        while sent < 100 * 2**20 and not reader.at_eof():
            writer.write(frame)
            await writer.drain()
            sent += len(piece)
            if sent % 2**20 == 0:
                assert await remote.ask("getHealth") == "ok"
            if reader._buffer:  # type: ignore[attr-defined]
                break
    except ConnectionError:
        pass
    assert sent < 100 * 2**20
    with suppress(ConnectionError):  # the answer may be lost to whoever still sends when it is cut off
        assert (await reader.readline()).split()[1] == b"413"
    writer.close()
    assert await remote.ask("getHealth") == "ok"


async def test_a_flood_stops_nothing(remote: Served) -> None:
    """Hundreds at once of all that is wrong, half of them gone before they are answered."""
    parts = urlsplit(remote.url)
    bodies = [b"", b"{", b"[" * 50_000, b"\x00" * 1_000, b"GET / HTTP/9\r\n\r\n" * 50]

    async def once(number: int) -> None:
        body = bodies[number % len(bodies)]
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        head = (
            f"POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        )
        writer.write(head.encode() + b"\r\n" + body if number % 3 else body)
        await writer.drain()
        if number % 2:
            writer.transport.abort()
            return
        await asyncio.wait_for(reader.read(100), 120) if body and number % 3 else None
        writer.close()

    for _ in range(4):
        await asyncio.gather(*(once(number) for number in range(100)), return_exceptions=True)
        assert await remote.ask("getHealth") == "ok"
    assert (await remote.ask("getTransactionCount")) == 1


# -- faults -------------------------------------------------------------------------------------------


async def _seen(faults: str) -> tuple[list[object], int]:
    async with serving(faults=read_faults(faults)) as remote:
        seen: list[object] = []
        for amount in range(1, 25):
            sent = remote.signed([pay(amount)], ALICE)
            await remote.ask("sendTransaction", encoded(sent), {**B64, "skipPreflight": True})
            (status,) = (await remote.ask("getSignatureStatuses", [str(sent.signatures[0])]))["value"]
            blockhash = (await remote.ask("getLatestBlockhash"))["value"]["blockhash"]
            valid = (await remote.ask("isBlockhashValid", blockhash))["value"]
            seen.append((status is None, valid))
        return seen, len(remote.node.chain.transactions()) - 1


def test_faults_are_told_in_words() -> None:
    said = "10 % of the transactions that it takes are lost; answers and landings come up to 2 seconds late; "
    said += "25 % of the answers are those of a node that is behind; 100 % of the blockhashes are too old"
    assert wrong(read_faults("drop=0.1,delay=2,stale=0.25,expire=1,seed=7")) == said
    assert wrong(read_faults("stale=0.5")) == "50 % of the answers are those of a node that is behind"


async def test_the_same_questions_meet_the_same_faults_again() -> None:
    first, landed = await _seen("drop=0.2,stale=0.2,expire=0.2,seed=7")
    assert (first, landed) == await _seen("drop=0.2,stale=0.2,expire=0.2,seed=7")
    assert 10 < landed < 24  # some were dropped
    assert sum(unknown for unknown, _ in first) > 24 - landed  # some are only not known yet
    assert {valid for _, valid in first} == {True, False}


async def test_our_client_lands_through_all_faults() -> None:
    async with serving(faults=read_faults("drop=0.3,delay=0.05,stale=0.2,expire=0.2,seed=3")) as remote:
        chain = RpcChain(remote.url)
        try:
            for amount in range(1, 6):
                record = await land(chain, [pay(amount)], [ALICE], poll_seconds=0)
                assert record.error is None
        finally:
            await chain.close()
        account = remote.node.chain.get(BOB.pubkey())
        assert account is not None and account.lamports == LAMPORTS + 15


async def test_who_reads_no_notice_loses_the_connection(remote: Served, monkeypatch) -> None:
    """What waits for it stands in memory; everybody else goes on."""
    monkeypatch.setattr(PatientSocket, "take_seconds", 0.2)
    question = json.dumps({"jsonrpc": "2.0", "id": "x" * 100_000, "method": "nothing"})
    connection = await connect(remote.websocket, max_queue=1, compression=None)
    with pytest.raises(ConnectionClosed):
        for _ in range(2_000):
            await connection.send(question)
            await asyncio.sleep(0.001)
    assert await remote.ask("getHealth") == "ok"


async def test_little_is_kept_for_who_is_behind() -> None:
    """Its notices are forgotten with the connection, which ends as soon as it can be told."""
    session = Session(None)  # type: ignore[arg-type]  # nothing is sent
    for _ in range(1_000):
        session.tell("x" * 100_000)
    assert session._waiting.qsize() == 1 and session._waiting.get_nowait() is None


async def test_nobody_hears_of_each_slot_many_times(remote: Served) -> None:
    """All who hear of slots are told every 400 ms: that is cheap to ask for, and not to serve."""
    async with connect(remote.websocket) as connection:
        for kind in ("slot", "root"):
            answers = []
            for _ in range(MAX_TICKING + 1):
                await connection.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": f"{kind}Subscribe"}))
                answers.append(json.loads(await connection.recv()))
            *good, refused = answers
            assert all("result" in each for each in good)
            assert refused["error"]["message"].endswith(f"Max {MAX_TICKING} allowed")


async def test_an_address_has_so_many_sockets(remote: Served, monkeypatch) -> None:
    """Where others reach it; this machine's own clients share all there are."""
    monkeypatch.setattr(Patient, "is_own", staticmethod(lambda address: False))
    connections = [await connect(remote.websocket) for _ in range(MAX_EACH)]
    with pytest.raises(InvalidStatus):
        await connect(remote.websocket)
    await connections[0].close()
    for each in connections[1:]:
        await each.close()
