"""Answers that nodes, and what stands in front of them, give in place of good ones.

Each row is a name, what becomes of a good answer, and how the question ends: unreachable, refused, or read.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tests.keeper.chain.reply import Reply

Json = Any
UNREACHABLE, REFUSED, READ = "unreachable", "refused", "read"


class Row(NamedTuple):
    """``spoil`` makes a bad reply of a good answer's JSON."""

    name: str
    spoil: Callable[[Json], Reply]
    ending: str


def reply(answer: Json, status: int = 200, **headers: str) -> Reply:
    return Reply(json.dumps(answer).encode(), status, headers)


def error(good: Json, value: Json, **others: Json) -> Reply:
    return reply({"jsonrpc": "2.0", "id": good["id"], "error": value, **others})


CODES = {
    429: UNREACHABLE,
    -32429: UNREACHABLE,
    -32000: UNREACHABLE,
    -32603: UNREACHABLE,
    -32004: UNREACHABLE,
    -32005: UNREACHABLE,
    -32012: UNREACHABLE,
    -32014: UNREACHABLE,
    -32016: UNREACHABLE,
    -32017: UNREACHABLE,
    -32019: UNREACHABLE,
    -32020: UNREACHABLE,
    -32001: REFUSED,
    -32002: REFUSED,
    -32003: REFUSED,
    -32006: REFUSED,
    -32007: REFUSED,
    -32008: REFUSED,
    -32009: REFUSED,
    -32010: REFUSED,
    -32011: REFUSED,
    -32013: REFUSED,
    -32015: REFUSED,
    -32018: REFUSED,
    -32021: REFUSED,
    -32052: REFUSED,
    -32600: REFUSED,
    -32601: REFUSED,
    -32602: REFUSED,
    -32700: REFUSED,
    -1: REFUSED,
    0: REFUSED,
    2**70: REFUSED,
}
STATUSES = (
    *(204, 301, 302, 400, 401, 402, 403, 404, 405, 408, 413, 414, 422, 425, 429, 451),
    *(500, 502, 503, 504, 520, 529, 599),
)
SIMULATED = {
    "err": {"InstructionError": [0, {"Custom": 1}]},
    "logs": [],
    "unitsConsumed": 0,
    "accounts": None,
}


def rows() -> Iterator[Row]:
    """Whatever is wrong with an answer before its result is looked at."""
    yield from _errors()
    yield from _envelopes()
    yield from _bodies()
    for status in STATUSES:
        yield Row(f"HTTP {status}", lambda good, s=status: reply(good, s), UNREACHABLE)
        yield Row(f"HTTP {status}, page", lambda _, s=status: Reply(b"<html>no</html>", s), UNREACHABLE)
    for text in ("1", "Wed, 21 Oct 2099 07:28:00 GMT", "soon", "-1", "1e9", "", "99999999999999999999", "٣"):
        header = {"retry-after": text}
        yield Row(f"429, retry after {text!r}", lambda good, h=header: reply(good, 429, **h), UNREACHABLE)


def _errors() -> Iterator[Row]:
    for code, ending in CODES.items():
        variants: dict[str, Json] = {
            "message": {"code": code, "message": "no"},
            "no message": {"code": code},
            "null message": {"code": code, "message": None},
            "null data": {"code": code, "message": "no", "data": None},
            "other data": {"code": code, "message": "no", "data": {"x": [1, None]}},
            "message a list": {"code": code, "message": ["no"], "data": "x"},
        }
        for name, value in variants.items():
            yield Row(f"{code}, {name}", lambda good, v=value: error(good, v), ending)
    others: dict[str, tuple[Json, str]] = {
        "simulation": ({"code": -32002, "message": "failed", "data": SIMULATED}, REFUSED),
        "behind": ({"code": -32005, "message": "behind", "data": {"numSlotsBehind": 42}}, UNREACHABLE),
        "not so far": ({"code": -32016, "message": "no", "data": {"contextSlot": 7}}, UNREACHABLE),
        "limit in words": ({"code": -32007, "message": "15/second request limit reached"}, UNREACHABLE),
        "limit in others": ({"code": -32090, "message": "Too Many Requests, retry in 10s"}, UNREACHABLE),
        "code a text": ({"code": "-32601", "message": "no"}, REFUSED),
        "code a number": ({"code": -32601.0, "message": "no"}, REFUSED),
        "code true": ({"code": True, "message": "no"}, REFUSED),
        "code null": ({"code": None, "message": "no"}, REFUSED),
        "code a list": ({"code": [429], "message": "no"}, REFUSED),
        "a text": ("no", REFUSED),
        "a text of a limit": ("rate limit exceeded", UNREACHABLE),
        "a list": ([{"code": -32601}], REFUSED),
        "empty": ({}, REFUSED),
        "false": (False, REFUSED),
        "a number": (-32601, REFUSED),
        "long": ({"code": -32601, "message": "no\0\n" * 10**5}, REFUSED),
    }
    for name, (value, ending) in others.items():
        yield Row(f"error {name}", lambda good, v=value: error(good, v), ending)


def _envelopes() -> Iterator[Row]:
    no = {"code": -32601, "message": "no"}
    yield Row("both", lambda good: error(good, no, result=good["result"]), REFUSED)
    yield Row("error and a null", lambda good: error(good, no, result=None), REFUSED)
    yield Row("result and a null", lambda good: reply({**good, "error": None}), READ)
    yield Row("neither", lambda good: reply({"jsonrpc": "2.0", "id": good["id"]}), UNREACHABLE)
    yield Row("null error alone", lambda good: error(good, None), UNREACHABLE)
    yield Row("the next id", lambda good: reply({**good, "id": good["id"] + 1}), UNREACHABLE)
    yield Row("id a text", lambda good: reply({**good, "id": str(good["id"])}), UNREACHABLE)
    yield Row("id a fraction", lambda good: reply({**good, "id": float(good["id"])}), UNREACHABLE)
    for name, value in {"null": None, "true": True, "list": [], "object": {}, "huge": 2**70}.items():
        yield Row(f"id {name}", lambda good, v=value: reply({**good, "id": v}), UNREACHABLE)
    yield Row("no id", lambda good: reply({"result": good["result"]}), UNREACHABLE)
    yield Row("error without an id", lambda _: reply({"error": no}), REFUSED)
    yield Row("error with another id", lambda good: error({"id": good["id"] + 1}, no), UNREACHABLE)
    yield Row("limit without an id", lambda _: reply({"id": None, "error": {"code": 429}}), UNREACHABLE)
    yield Row("no version", lambda good: reply({"id": good["id"], "result": good["result"]}), READ)
    yield Row("another version", lambda good: reply({**good, "jsonrpc": 1}), READ)
    yield Row("more fields", lambda good: reply({**good, "usage": {"left": 1}}), READ)
    yield Row("a list", lambda good: reply([good]), UNREACHABLE)
    for value in (None, True, 1, 1.5, "text", [], {}, "null"):
        yield Row(f"only {value!r}", lambda _, v=value: reply(v), UNREACHABLE)


def _bodies() -> Iterator[Row]:
    bodies: dict[str, bytes] = {
        "empty": b"",
        "page": b"<!DOCTYPE html><html><body>502</body></html>",
        "spaces": b" " * 10_000_000,
        "open lists": b"[" * 100_000,
        "open objects": b'{"a":' * 100_000,
        "latin-1": b'{"id":1,"result":"\xff\xfe"}',
        "zeros": b"\0" * 100,
        "NaN": b"NaN",
        "words": b"Too many requests",
        "half a surrogate": b'{"id":1,"result":"\\ud800"}',
        "digits": b"9" * 100_000,
    }
    for name, body in bodies.items():
        yield Row(f"body {name}", lambda _, b=body: Reply(b), UNREACHABLE)
    whole = lambda good: json.dumps(good).encode()  # noqa: E731
    yield Row("cut", lambda good: Reply(whole(good)[:-1]), UNREACHABLE)
    yield Row("cut in half", lambda good: Reply(whole(good)[: len(whole(good)) // 2]), UNREACHABLE)
    yield Row("twice", lambda good: Reply(whole(good) * 2), UNREACHABLE)
    yield Row("byte order mark", lambda good: Reply(b"\xef\xbb\xbf" + whole(good)), UNREACHABLE)
    yield Row("UTF-16", lambda good: Reply(json.dumps(good).encode("utf-16")), UNREACHABLE)
    yield Row("NaN inside", lambda good: Reply(whole({**good, "more": float("nan")})), UNREACHABLE)
    yield Row(
        "deep inside",
        lambda good: Reply(b'{"more":' + b"[" * 300 + b"]" * 300 + b"," + whole(good)[1:]),
        UNREACHABLE,
    )
    yield Row("blanks around", lambda good: Reply(b" \r\n" + whole(good) + b"\n"), READ)
    yield Row("a field twice", lambda good: Reply(b'{"id":0,"result":{"x":1},' + whole(good)[1:]), READ)
    for kind in ("text/html", "application/octet-stream", "\xe4", ""):
        yield Row(f"as {kind!r}", lambda good, k=kind: Reply(whole(good), 200, {"content-type": k}), READ)
    packed = {"content-encoding": "gzip"}
    yield Row("packed", lambda good: Reply(gzip.compress(whole(good)), 200, packed), READ)
    yield Row(
        "packed and cut", lambda good: Reply(gzip.compress(whole(good))[:-30], 200, packed), UNREACHABLE
    )
    yield Row("not packed", lambda good: Reply(whole(good), 200, packed), UNREACHABLE)
    bomb = gzip.compress(b" " * (20 * 2**20))
    yield Row("a bomb", lambda _, b=bomb: Reply(b, 200, packed), UNREACHABLE)
    yield Row(
        "content-length wrong", lambda good: Reply(whole(good), 200, {"content-length": "7"}), UNREACHABLE
    )


VALUES: dict[str, Json] = {
    "null": None,
    "true": True,
    "zero": 0,
    "negative": -1,
    "beyond u64": 2**64,
    "fraction": 1.5,
    "empty text": "",
    "text": "x",
    "zero digit": "0" * 44,
    "other base64": "_-==",
    "number as text": "17",
    "empty list": [],
    "list": [None, 1, "x"],
    "empty object": {},
    "object": {"x": None},
}
MISSING = object()


def places(value: Json, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in a JSON value, its own first."""
    yield path
    if isinstance(value, dict):
        for key, each in value.items():
            yield from places(each, (*path, key))
    elif isinstance(value, list):
        for index, each in enumerate(value[:2]):
            yield from places(each, (*path, index))


def changed(value: Json, path: tuple[str | int, ...], new: Json) -> Json:
    """A JSON value with another one at a place, or without that place."""
    if not path:
        return new
    first, *rest = path
    copy = dict(value) if isinstance(value, dict) else list(value)
    if new is MISSING and not rest:
        del copy[first]
    else:
        copy[first] = changed(value[first], tuple(rest), new)  # type: ignore[index]
    return copy
