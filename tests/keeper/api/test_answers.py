"""What every answer says of itself, and what is refused."""

import json
import shutil
import sqlite3
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message

from keeper.api.paging import BadCursor, decode, encode
from keeper.api.service import PREFIX, application
from keeper.db.visitors import Visitors
from keeper.web.app import install
from tests.keeper.api.conftest import Client
from tests.keeper.api.life import Life


async def test_as_of_which_state(api: Client, world: Life) -> None:
    answer = await api.ask("/network")
    as_of = answer.json()["as_of"]
    assert as_of["slot"] == world.chain.newest_slot() == int(answer.headers["x-ionet-slot"])
    assert as_of["final"] is True
    assert as_of["lag_seconds"] >= 0
    assert answer.headers["cache-control"] == "public, max-age=2"


async def test_what_the_visitor_has_is_not_sent_again(api: Client) -> None:
    tag = (await api.ask("/auctions", limit=1)).headers["etag"]
    again = await api.http.get("/api/v1/auctions?limit=1", headers={"if-none-match": f'"other", {tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    other = await api.http.get("/api/v1/auctions?limit=2", headers={"if-none-match": tag})
    assert other.status_code == 200


async def test_what_never_changes_is_kept_for_ever(api: Client) -> None:
    """But not by a name that every machine has: another network may answer there tomorrow."""
    signature = (await api.data("/transactions", limit=1))[0]["signature"]
    (file, *_) = await api.data("/blocks/1/files")
    for path, is_for_ever in (
        (f"{PREFIX}/blocks/1", True),
        (f"{PREFIX}/auctions/0", True),
        (f"{PREFIX}/auctions/1", True),
        (f"{PREFIX}/tx/{signature}", True),
        (file["path"], True),
        # It runs; it may be published anew; it grows.
        (f"{PREFIX}/auctions/2", False),
        (file["path"].partition("?")[0], False),
        (f"{PREFIX}/blocks", False),
    ):
        answer = await api.http.get(path)
        assert answer.status_code == 200, path
        kept = answer.headers.get("cache-control", "")
        assert (kept == "public, max-age=31536000, immutable") is is_for_ever, (path, kept)
        if path.startswith(PREFIX):
            own = await api.http.get(path, headers={"host": "127.0.0.1:8080"})
            assert own.headers["cache-control"] == "public, max-age=2"


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/json", 200),
        ("text/html, application/xml;q=0.9, */*;q=0.8", 200),
        ("application/*", 200),
        ("", 200),
        ("text/html", 406),
        ("application/xml, text/*", 406),
        ("*/*;q=0", 406),
        ("application/json;q=0, */*", 406),
        (",;q=,", 406),
    ],
)
async def test_who_takes_nothing_of_it_is_told(api: Client, accept: str, status: int) -> None:
    answer = await api.http.get(f"{PREFIX}/network", headers={"accept": accept})
    assert answer.status_code == status
    if status != 200:
        assert (
            answer.json()["detail"]
            == "this is application/json: have Accept name it, or leave the header out"
        )


async def test_csv_is_taken_by_who_takes_csv(api: Client) -> None:
    for accept, kind, status in (("text/csv", "csv", 200), ("text/csv", "json", 406), ("text/*", "csv", 200)):
        asked = await api.http.get(f"{PREFIX}/devices", params={"format": kind}, headers={"accept": accept})
        assert asked.status_code == status, (accept, kind)


async def test_an_index_that_catches_up_is_not_answered_from(life: tuple[Life, Path], tmp_path: Path) -> None:
    """Where more than so many slots are known to be missing in it; pages say how it was."""
    file = shutil.copy(life[1], tmp_path / "index.db")
    with sqlite3.connect(file) as open_:
        (folded,) = open_.execute("SELECT min(folded_slot) FROM watermarks").fetchone()
        open_.execute("UPDATE watermarks SET target_slot = folded_slot + 1501 WHERE program = 'orders'")
        (behind,) = open_.execute("SELECT max(target_slot - folded_slot) FROM watermarks").fetchone()
    database = Visitors(f"sqlite:///{file}")
    for lag_slots, status in ((behind, 200), (behind - 1, 503), (None, 200)):
        app = application(database, lag_slots=lag_slots)
        install(app)
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://api") as http:
            answer = await http.get(f"{PREFIX}/network")
            assert answer.status_code == status
            assert answer.headers["x-ionet-slot"] == str(folded)
            if status == 503:
                assert f"the index is {behind} slots behind" in answer.json()["detail"]
                assert answer.headers["retry-after"] == "30"
            assert (await http.get("/devices")).status_code == 200
    await database.close()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/auctions?limit=0", "limit is '0': it should be greater than or equal to 1"),
        ("/auctions?limit=201", "limit is '201': it should be less than or equal to 200"),
        ("/auctions?limit=x", "limit is 'x': it should be a whole number"),
        ("/auctions?offset=3", "there is no parameter offset here"),
        ("/auctions?order=up", "order is 'up': it should be 'asc' or 'desc'"),
        (
            "/auctions?after=zzz",
            "after is no place in this list: take it from an answer's `next`, or leave it out",
        ),
    ],
)
async def test_wrong_parameters_are_named(api: Client, path: str, said: str) -> None:
    answer = await api.ask(path)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {"type": "about:blank", "title": "Bad Request", "status": 400, "detail": said}


async def test_a_path_that_is_none(api: Client) -> None:
    answer = await api.ask("/nothing")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


@given(
    st.lists(
        st.one_of(st.integers(-(2**63), 2**63 - 1), st.text("123AZaz-", max_size=20)), min_size=1, max_size=4
    )
)
def test_a_place_in_a_list_is_read_again(key: list[int | str]) -> None:
    assert decode(encode(key), *map(type, key)) == tuple(key)


@given(st.one_of(st.text(), st.binary().map(lambda raw: raw.decode("latin-1"))))
def test_no_other_text_is_a_place(text: str) -> None:
    try:
        found = decode(text, int, str)
    except BadCursor:
        return
    assert [type(each) for each in found] == [int, str]


def test_a_number_that_no_database_has_is_no_place() -> None:
    with pytest.raises(BadCursor):
        decode(encode([2**63]), int)
    with pytest.raises(BadCursor):
        decode(encode([True]), int)


@pytest.mark.parametrize("text", ["\ud800", "\0", "a\0", "\u00e9"])
async def test_text_that_no_database_takes_is_no_place(api: Client, text: str) -> None:
    after = encode([text, 0, 0, 0])
    answer = await api.ask("/devices", after=after)
    assert (answer.status_code, answer.json()["detail"]) == (
        400,
        "after is no place in this list: it has text that no address has",
    )


@pytest.mark.parametrize(
    "path", ["/devices/a%00", "/devices?supplier=%00", "/orders/0", "/transactions?address=%00"]
)
async def test_what_can_be_no_address(api: Client, path: str) -> None:
    answer = await api.ask(path)
    assert answer.status_code == 400
    assert answer.json()["detail"].endswith("it should be an address, which is in base58")


async def test_an_answer_that_is_read_slowly_holds_no_connection(
    life: tuple[Life, Path], tmp_path: Path
) -> None:
    """Else a few visitors who read nothing would keep everybody from the index."""
    database = Visitors(f"sqlite:///{life[1]}")
    app, held, pool = application(database), [], database.engine.sync_engine.pool
    assert isinstance(pool, sa.QueuePool)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        held.append(pool.checkedout())

    scope = {"type": "http", "method": "GET", "path": "/api/v1/devices", "raw_path": b"/api/v1/devices"}
    await app({**scope, "query_string": b"", "headers": []}, receive, send)
    await database.close()
    assert held == [0, 0]


async def test_the_next_page_is_on_the_host_that_was_asked(api: Client) -> None:
    """A cache may tell others what a visitor called us."""
    answer = await api.http.get("/api/v1/devices?format=csv&limit=1", headers={"host": "evil.example"})
    assert answer.headers["link"].startswith("</api/v1/devices?format=csv&limit=1&after=")
    assert answer.headers["link"].endswith('>; rel="next"')


async def test_an_index_that_is_not_there_yet(api: Client, tmp_path: Path, empty_sqlite: Path) -> None:
    database = Visitors(f"sqlite:///{empty_sqlite}")
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(application(database)), base_url="http://api"
    ) as http:
        answer = await http.get("/api/v1/network")
    await database.close()
    assert answer.status_code == 503
    assert answer.json()["detail"].startswith("nothing is indexed yet: ")


async def test_integers_of_64_bits_are_strings(api: Client) -> None:
    """JavaScript would read 9,007,199,254,740,993 as ..992."""
    description = (await api.http.get("/api/openapi.json")).json()
    assert description["openapi"].startswith("3.1")
    auction = description["components"]["schemas"]["BuybackAuction"]["properties"]
    assert auction["lot"]["type"] == "string"
    assert auction["lot"]["description"] == "For sale, whole: base units of USDC."
    assert "_reserved" not in json.dumps(description)


async def test_who_has_the_answer_already_costs_no_question(api: Client) -> None:
    """Within a second of another's question."""
    tag = (await api.ask("/auctions")).headers["etag"]
    index = api.http._transport.app.state.index  # type: ignore[attr-defined]
    # However slow the machine is: the state was read just now.
    index._read_at = time.monotonic() + 60
    asked: list[str] = []

    @sa.event.listens_for(index.database.engine.sync_engine, "before_cursor_execute")
    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    again = await api.http.get(f"{PREFIX}/auctions", headers={"if-none-match": tag})
    assert (again.status_code, asked) == (304, [])
    assert (await api.ask("/auctions")).status_code == 200
    assert asked
