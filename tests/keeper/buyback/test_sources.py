"""Prices: from the program's own sales, and from a real server that answers well, badly or not at all."""

import json
import threading
import time
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import structlog
from solders.pubkey import Pubkey
from structlog.testing import capture_logs

from keeper.buyback import sources
from keeper.buyback.sources import (
    AHEAD_SECONDS,
    HISTORY_DAYS,
    MAX_BYTES,
    NOTHING_KNOWN,
    HttpOracle,
    OracleError,
    OwnHistory,
    from_sales,
)
from keeper.clients.buyback import Auction, AuctionStatus
from keeper.economy.buyback import Standing
from keeper.economy.supply import IO
from tests.programs.buyback.world import FIRST_PRICE, USDC, BuybackWorld
from tests.programs.world import DAY

LOG = structlog.get_logger()
NOW = 1_800_000_000


def sale(number: int, price: int, at: int = NOW, status: AuctionStatus = AuctionStatus.SOLD) -> Auction:
    lot = 100 * USDC
    return Auction(
        status, number, lot, 2 * price, 1, at - 9, at + 9, at, price, price, Pubkey.default(), 10_000
    )


# -- own history -------------------------------------------------------------------------------


def test_the_median_of_the_last_five_sales():
    prices = [900, 100, 105, 110, 10**9, 95]
    found = from_sales([sale(number, price) for number, price in enumerate(prices)], NOW)
    assert found is not None
    assert found.price == 105, "neither the oldest nor the one strange price"
    assert found.source == "the last 5 sales"


def test_of_two_prices_the_lower():
    found = from_sales([sale(0, 100), sale(1, 200)], NOW)
    assert found is not None and found.price == 100


def test_small_lots_at_strange_prices_move_nothing():
    """Who overpays for four small lots after a lapse, or gets them for little, tells the keeper nothing."""
    for strange in (1, 10**9):
        small = [replace(sale(number, strange), lot=USDC << number) for number in range(1, 5)]
        found = from_sales([sale(0, 100), *small], NOW)
        assert found is not None and found.price == 100
    large = [sale(1, 200), sale(2, 200)]
    found = from_sales([sale(0, 100), *large], NOW)
    assert found is not None and found.price == 200


def test_what_says_nothing():
    unsold = [
        sale(0, 100, status=each) for each in (AuctionStatus.OPEN, AuctionStatus.UNSOLD, AuctionStatus.VOID)
    ]
    assert from_sales(unsold, NOW) is None
    old = sale(0, 100, NOW - HISTORY_DAYS * DAY)
    assert from_sales([old], NOW) is not None
    assert from_sales([old], NOW + 1) is None


async def test_the_history_on_chain():
    world = BuybackWorld.ready()
    with capture_logs() as logs:
        assert await OwnHistory().quote(world.chain, LOG) is None
    assert [each["event"] for each in logs] == ["price.no_sales"]
    world.start(1_000 * USDC)
    world.chain.advance(DAY // 2)
    assert world.bid(world.bidder("alice", 10_000 * IO), 0).error is None
    found = await OwnHistory().quote(world.chain, LOG)
    assert found is not None
    assert (found.price, found.at) == (5 * IO, world.chain.now())


# -- a server's answer ---------------------------------------------------------------------------


ORACLE = HttpOracle("http://nowhere", "io.usd", "io.at", max_age=60, max_deviation_bps=10_000)


def answer(price: object = 0.25, at: object = NOW) -> bytes:
    return json.dumps({"io": {"usd": price, "at": at}}).encode()


@pytest.mark.parametrize(
    ("price", "expected"),
    [(0.25, 4 * IO), (1, IO), (3, 33_333_333), (0.1, 10 * IO), (1e-05, 100_000 * IO), (7.3e1, 1_369_863)],
)
def test_dollars_per_io_become_io_per_usdc_rounded_down(price, expected):
    assert ORACLE.read(answer(price), NOW, NOTHING_KNOWN).price == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "not JSON"),
        (b"<html>", "not JSON"),
        (b"[" * 60_000, "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[]", "has no io.usd"),
        (b'{"io": 3}', "has no io.usd"),
        (b'{"io": {"usd": 1}}', "has no io.at"),
        (answer(price="0.25"), "io.usd is not a number"),
        (answer(price=None), "io.usd is not a number"),
        (answer(price=True), "io.usd is not a number"),
        (b'{"io": {"usd": NaN, "at": 1800000000}}', "io.usd is not a number"),
        (b'{"io": {"usd": Infinity, "at": 1800000000}}', "io.usd is not a number"),
        (answer(price=0), "a price of 0"),
        (answer(price=-0.25), "a price of -0.25"),
        (b'{"io": {"usd": 1e-9999999, "at": 1800000000}}', "out of all bounds"),
        (b'{"io": {"usd": 1e9999999, "at": 1800000000}}', "out of all bounds"),
        (answer(price=1e-9), "out of all bounds"),
        (answer(at=NOW - 61), "stale: 61 s old"),
        (answer(at=0), "stale"),
        (answer(at=-1), "stale"),
        (answer(at=NOW + AHEAD_SECONDS + 1), "in the future"),
        (answer(at=None), "io.at is not a number"),
        (b'{"io": {"usd": 1, "at": 1e9999999}}', "io.at is out of all bounds"),
        (b'{"io": {"usd": 1, "at": -1e9999999}}', "io.at is out of all bounds"),
        (b'{"io": {"usd": 1e99999999999999999999, "at": 1800000000}}', "not JSON"),
        (b'{"io": {"usd": 1e-99999999999999999999, "at": 1800000000}}', "not JSON"),
    ],
)
def test_an_answer_that_is_not_used(text, why):
    with pytest.raises(OracleError, match=why):
        ORACLE.read(text, NOW, NOTHING_KNOWN)


def test_answers_at_the_edges_of_time():
    for at in (NOW - 60, NOW, NOW + AHEAD_SECONDS):
        assert ORACLE.read(answer(at=at), NOW, NOTHING_KNOWN).at == at


@pytest.mark.parametrize(
    ("reference", "anchor", "used"),
    [
        (2 * IO - 1, 0, False),
        (2 * IO, 0, True),
        (8 * IO, 8 * IO, True),
        (8 * IO + 1, 8 * IO + 1, False),
        # Nobody has bid for long: the worth is between what was paid then and what nobody pays now.
        (1, 4 * IO, True),
        (1, 2 * IO, True),
        (1, 2 * IO - 1, False),
    ],
)
def test_an_outlier_is_what_the_auctions_are_far_from(reference, anchor, used):
    standing = Standing(reference, anchor, 10_000)
    if used:
        assert ORACLE.read(answer(), NOW, standing).price == 4 * IO
    else:
        with pytest.raises(OracleError, match="outlier"):
            ORACLE.read(answer(), NOW, standing)


# -- over HTTP ---------------------------------------------------------------------------------


class Server(ThreadingHTTPServer):
    status, body, pause = 200, b"", 0.0


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(self.server.status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        with suppress(ConnectionError):
            for start in range(0, len(self.server.body), 1 if self.server.pause else MAX_BYTES):
                self.wfile.write(self.server.body[start:][: 1 if self.server.pause else MAX_BYTES])
                time.sleep(self.server.pause)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    found = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=found.serve_forever)
    thread.start()
    yield found
    found.shutdown()
    thread.join()
    found.server_close()


@pytest.fixture
def oracle(server):
    return replace(ORACLE, url=f"http://127.0.0.1:{server.server_port}/price")


async def test_a_price_from_a_server(server, oracle):
    world = BuybackWorld.ready()
    server.body = answer(0.3, world.chain.now())
    found = await oracle.quote(world.chain, LOG)
    assert found is not None
    assert (found.price, found.source) == (333_333_333, "127.0.0.1")
    assert world.buyback_config().first_price == FIRST_PRICE
    server.body = answer(0.1, world.chain.now())
    with capture_logs() as logs:
        assert await oracle.quote(world.chain, LOG) is None
    assert logs[0]["event"] == "price.unusable" and logs[0]["reason"].startswith("outlier")


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (500, b"", "status 500"),
        (404, b"", "status 404"),
        (302, b"", "status 302"),
        (200, b"", "not JSON"),
        (200, b" " * (MAX_BYTES + 1), "more than 65,536 bytes"),
    ],
)
async def test_a_server_that_does_not_say(server, oracle, status, body, why):
    world = BuybackWorld.ready()
    server.status, server.body = status, body
    with capture_logs() as logs:
        assert await oracle.quote(world.chain, LOG) is None
    assert why in logs[0]["reason"]


async def test_a_server_that_trickles(server, oracle, monkeypatch):
    """Each piece comes in time, the whole never would."""
    world = BuybackWorld.ready()
    monkeypatch.setattr(sources, "TOTAL_SECONDS", 0.3)
    server.body, server.pause = b" " * 100, 0.1
    with capture_logs() as logs:
        assert await oracle.quote(world.chain, LOG) is None
    assert (logs[0]["event"], logs[0]["reason"]) == ("price.unusable", "TimeoutError")


async def test_a_key_in_the_url_is_not_logged(server, oracle):
    world = BuybackWorld.ready()
    secret = replace(oracle, url=f"{oracle.url}?key=s3cret")
    for server.status, server.body in (
        (403, b""),
        (200, answer(0.25, 0)),
        (200, answer(0.25, world.chain.now())),
    ):
        with capture_logs() as logs:
            found = await secret.quote(world.chain, LOG)
        assert "s3cret" not in repr((found, logs))


async def test_a_server_that_is_not_there():
    world = BuybackWorld.ready()
    with capture_logs() as logs:
        assert await replace(ORACLE, url="http://127.0.0.1:9/").quote(world.chain, LOG) is None
    assert logs[0]["event"] == "price.unusable" and logs[0]["reason"]
