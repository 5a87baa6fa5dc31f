"""Readers of fixed-size types, compiled from the IDL: one ``struct`` call, then the few conversions.

They read what :mod:`keeper.chain.types` reads with ``construct``, to the same values, several times as
fast: an indexer reads millions of events.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from solders.pubkey import Pubkey

from keeper.chain.types import Definitions, IdlType

Reader = Callable[[bytes, int], dict[str, Any]]
"""Reads the fields that start at an offset of some bytes; raises struct.error when there are too few."""

_CODES = {
    "bool": "?",
    "u8": "B",
    "i8": "b",
    "u16": "H",
    "i16": "h",
    "u32": "I",
    "i32": "i",
    "u64": "Q",
    "i64": "q",
}


class _Scalar(NamedTuple):
    """What ``struct`` unpacks to one value."""

    code: str
    convert: Callable[[Any], Any] | None = None


class _Group(NamedTuple):
    """What it unpacks to several values, which ``build`` takes."""

    code: str
    build: Callable[[Iterator[Any]], Any]


class _VariableSizeError(Exception):
    """A type whose size differs from value to value."""


def reader(fields: Sequence[Mapping[str, Any]], definitions: Definitions) -> Reader | None:
    """Compile a reader of named fields; None when one of them has no fixed size."""
    try:
        parts = {field["name"]: _part(field["type"], definitions) for field in fields}
    except _VariableSizeError:
        return None
    unpack = struct.Struct("<" + "".join(part.code for part in parts.values())).unpack_from
    scalars = {name: part for name, part in parts.items() if isinstance(part, _Scalar)}
    if scalars and len(scalars) == len(parts):
        return _flat(scalars, unpack)
    build = _named(parts)
    return lambda data, offset: build(iter(unpack(data, offset)))


def _flat(parts: Mapping[str, _Scalar], unpack: Callable[[bytes, int], tuple[Any, ...]]) -> Reader:
    """A function written for these fields, as dataclasses' are: a loop over them takes twice as long."""
    values = [f"v{number}" for number in range(len(parts))]
    items = [
        f"{name!r}: {f'c{number}({value})' if part.convert else value}"
        for number, (value, (name, part)) in enumerate(zip(values, parts.items(), strict=True))
    ]
    known: dict[str, Any] = {f"c{number}": part.convert for number, part in enumerate(parts.values())}
    made = eval(f"lambda {', '.join(values)}: {{{', '.join(items)}}}", known)

    def flat(data: bytes, offset: int) -> dict[str, Any]:
        found: dict[str, Any] = made(*unpack(data, offset))
        return found

    return flat


def _part(kind: IdlType, definitions: Definitions) -> _Scalar | _Group:
    if isinstance(kind, str):
        return _primitive(kind)
    if "array" in kind:
        inner, length = kind["array"]
        if inner == "u8":
            return _Scalar(f"{length}s")
        return _repeated(_part(inner, definitions), length)
    if "defined" in kind:
        body = definitions[kind["defined"]["name"]]["type"]
        if body["kind"] == "struct":
            parts = {field["name"]: _part(field["type"], definitions) for field in body.get("fields", [])}
            return _Group("".join(part.code for part in parts.values()), _named(parts))
        if not any("fields" in variant for variant in body["variants"]):
            variants = dict(enumerate(variant["name"] for variant in body["variants"]))
            return _Scalar("B", lambda number: variants.get(number, number))
    raise _VariableSizeError


def _primitive(kind: str) -> _Scalar:
    if kind in _CODES:
        return _Scalar(_CODES[kind])
    if kind == "pubkey":
        return _Scalar("32s", Pubkey)
    if kind in ("u128", "i128"):
        signed = kind == "i128"
        return _Scalar("16s", lambda raw: int.from_bytes(raw, "little", signed=signed))
    raise _VariableSizeError


def _take(part: _Scalar | _Group) -> Callable[[Iterator[Any]], Any]:
    if isinstance(part, _Group):
        return part.build
    convert = part.convert
    return (lambda values: convert(next(values))) if convert else next


def _named(parts: Mapping[str, _Scalar | _Group]) -> Callable[[Iterator[Any]], dict[str, Any]]:
    takes = [(name, _take(part)) for name, part in parts.items()]
    return lambda values: {name: take(values) for name, take in takes}


def _repeated(part: _Scalar | _Group, length: int) -> _Group:
    take = _take(part)
    if take is next:
        return _Group(part.code * length, lambda values: list(islice(values, length)))
    return _Group(part.code * length, lambda values: [take(values) for _ in range(length)])
