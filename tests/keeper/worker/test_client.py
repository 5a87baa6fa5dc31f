"""Whatever an operator answers: it is used when it is right, and is one kind of error otherwise."""

from __future__ import annotations

import json
from typing import Any

import base58
import httpx2 as httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.responses import Response

from keeper.pow.clock import WaveKind
from keeper.worker.client import EpochAt, News, OpenAt, Operator, OperatorError, PingAt, Refused, WaveAt

HASH = bytes(range(32))
TEXT = base58.b58encode(HASH).decode()
ABOUT = {"version": 1, "operator": TEXT, "genesis": TEXT, "program": TEXT, "profiles": "ab" * 32}
WAVE = {"slot": 64, "blockhash": TEXT, "kind": "residency", "spot": True, "time": 1_800_000_000}
NEWS: dict[str, Any] = {
    "slot": 70,
    "waves": [WAVE],
    "pings": [{"slot": 32, "seed": TEXT}],
    "opens": [{"slot": 64, "open_slot": 214, "open_blockhash": TEXT}],
    "epoch": {"slot": 1, "blockhash": TEXT, "day": 1_800_057_600},
}


def operator(content: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Operator:
    """One that answers everything with this."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await Response(content, status, headers)(scope, receive, send)

    return Operator("http://operator/", httpx.AsyncClient(transport=httpx.ASGITransport(answer)))


async def test_what_is_read() -> None:
    about = await operator(json.dumps(ABOUT).encode()).identify()
    assert (bytes(about.operator), about.genesis, about.profiles) == (HASH, HASH, b"\xab" * 32)
    news = await operator(json.dumps(NEWS).encode()).news(0)
    waves = WaveAt(64, HASH, WaveKind.RESIDENCY, True, 1_800_000_000)
    expected = (waves, PingAt(32, HASH), OpenAt(64, 214, HASH), EpochAt(1, HASH, 1_800_057_600))
    assert news == News(70, expected)
    assert (await operator(json.dumps({**NEWS, "epoch": None}).encode()).news(0)).items == expected[:3]


WRONG = [
    {"slot": -1},
    {"slot": "70"},
    {"slot": 2**63},
    {"waves": [WAVE] * 513},
    {"waves": [{**WAVE, "kind": "spot"}]},
    {"waves": [{**WAVE, "spot": 1}]},
    {"waves": [{**WAVE, "time": "1"}]},
    {"waves": [{**WAVE, "blockhash": TEXT[:-1]}]},
    {"pings": [32]},
    {"opens": None},
    {"epoch": {}},
]


@pytest.mark.parametrize("change", WRONG)
async def test_news_that_make_no_sense(change: dict[str, object]) -> None:
    with pytest.raises(OperatorError, match="makes no sense"):
        await operator(json.dumps({**NEWS, **change}).encode()).news(0)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=50) | st.just(TEXT),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(NEWS)), inner, max_size=5)
    ),
    max_leaves=10,
)


@settings(max_examples=60, deadline=None)
@given(content=st.binary(max_size=200) | ANY.map(lambda found: json.dumps(found).encode()))
async def test_any_answer_is_news_or_one_kind_of_error(content: bytes) -> None:
    for ask in (Operator.identify, lambda each: each.news(0), lambda each: each.pongs([b"1", b"2"])):
        try:
            await ask(operator(content))
        except OperatorError as error:
            assert "\n" not in str(error)


async def test_an_answer_without_end() -> None:
    with pytest.raises(OperatorError, match="more than 262,144 bytes"):
        await operator(b" " * 300_000).news(0)


@pytest.mark.parametrize(
    ("wait", "seconds"), [("7", 7.0), ("", 0.0), ("9999", 0.0), ("-1", 0.0), ("soon", 0.0), ("²", 0.0)]
)
async def test_a_refusal_says_when_to_come_again(wait: str, seconds: float) -> None:
    body = json.dumps({"code": "busy", "detail": "Later."}).encode()
    with pytest.raises(Refused, match="busy: Later") as refused:
        await operator(body, 503, {"retry-after": wait}).open(b"")
    assert (refused.value.wait, refused.value.is_final) == (seconds, False)


async def test_what_is_said_of_several_answers() -> None:
    body = [None, {"code": "busy", "detail": "Later.", "retry_after": 5}, {"code": "too_late"}]
    taken, busy, late = await operator(json.dumps(body).encode()).pongs([b"1", b"2", b"3"])
    assert taken is None and busy is not None and late is not None
    assert (busy.code, busy.wait, busy.is_final, str(busy)) == ("busy", 5, False, "busy: Later.")
    assert (late.code, late.wait, late.is_final) == ("too_late", 0, True)
    for wrong in ([None], [None, {"code": "busy", "retry_after": -1}], [None, {"code": "A b"}], [None, 5]):
        with pytest.raises(OperatorError):
            await operator(json.dumps(wrong).encode()).pongs([b"1", b"2"])


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"code": "Such A Code"}', b'{"code": 5}', b"[]"])
async def test_a_refusal_without_a_code_is_a_failure(body: bytes) -> None:
    with pytest.raises(OperatorError, match="status 502") as failed:
        await operator(body, 502).open(b"")
    assert not isinstance(failed.value, Refused)
