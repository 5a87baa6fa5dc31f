"""Hypothesis strategies for values of an IDL's types, as the codec gives and takes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st
from solders.pubkey import Pubkey

from keeper.resources import IDL

IDLS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text()) for path in sorted(IDL.glob("*.json"))
}
"""Every program's IDL, by its name."""

Definitions = Mapping[str, Mapping[str, Any]]
LONGEST = 40
"""Elements of a sequence of free length, at most."""


def fixed_bytes(length: int) -> st.SearchStrategy[bytes]:
    """Bytes; long ones repeat a short pattern, which is as good a test and a hundred times as fast."""
    if length <= LONGEST:
        return st.binary(min_size=length, max_size=length)
    pattern = st.binary(min_size=7, max_size=7)
    return pattern.map(lambda drawn: (drawn * (length // 7 + 1))[:length])


def integers(kind: str) -> st.SearchStrategy[int]:
    """Integers of ``u8`` to ``i128``, the ends of their range among them."""
    bits = int(kind[1:])
    return (
        st.integers(0, 2**bits - 1)
        if kind[0] == "u"
        else st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    )


def values(kind: Any, definitions: Definitions) -> st.SearchStrategy[Any]:
    """Values of one type."""
    if isinstance(kind, str):
        simple: dict[str, st.SearchStrategy[Any]] = {
            "bool": st.booleans(),
            "pubkey": fixed_bytes(32).map(Pubkey),
            "bytes": st.binary(max_size=LONGEST),
            "string": st.text(max_size=LONGEST),
        }
        return simple[kind] if kind in simple else integers(kind)
    if "array" in kind:
        inner, length = kind["array"]
        return fixed_bytes(length) if inner == "u8" else sequences(inner, length, length, definitions)
    if "vec" in kind:
        inner = kind["vec"]
        return st.binary(max_size=LONGEST) if inner == "u8" else sequences(inner, 0, 5, definitions)
    if "option" in kind:
        return st.none() | values(kind["option"], definitions)
    return named(kind["defined"]["name"], definitions)


def sequences(inner: Any, least: int, most: int, definitions: Definitions) -> st.SearchStrategy[list[Any]]:
    """Lists of one type."""
    return st.lists(values(inner, definitions), min_size=least, max_size=most)


def fields(entries: list[Mapping[str, Any]], definitions: Definitions) -> st.SearchStrategy[dict[str, Any]]:
    """Values for named fields: an instruction's arguments, or a struct."""
    return st.fixed_dictionaries({each["name"]: values(each["type"], definitions) for each in entries})


def named(name: str, definitions: Definitions) -> st.SearchStrategy[Any]:
    """Values of one of the IDL's named types."""
    body = definitions[name]["type"]
    if body["kind"] == "enum":
        return st.sampled_from([each["name"] for each in body["variants"]])
    return fields(body["fields"], definitions)
