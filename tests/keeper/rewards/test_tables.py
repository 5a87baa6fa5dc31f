"""Tables in bulk are the same bytes as value by value, in whatever pieces they are written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from keeper import tables
from keeper.tables import COUNTRY, KEY, NOTHING, Spelled, decode, encode

KIND = np.dtype(
    [
        ("device", KEY),
        ("small", "u1"),
        ("middle", "<u2"),
        ("wide", "<u4"),
        ("amount", "<u8"),
        ("payout", KEY),
        ("country", COUNTRY),
        ("steps", "<i4", 3),
    ]
)


def plain(rows: Any) -> bytes:
    """The same, value by value."""

    def word(value: Any) -> str:
        if isinstance(value, list):
            return " ".join(str(each) for each in value if each != NOTHING)
        if isinstance(value, bytes) and len(value) > 2:
            return str(Pubkey(value.ljust(32, b"\0")))
        return value.decode() if isinstance(value, bytes) else str(value)

    lines = [",".join(rows.dtype.names)]
    for row in rows:
        lines.append(",".join(word(row[name].tolist()) for name in rows.dtype.names))
    return ("\n".join(lines) + "\n").encode()


def whole(bits: int) -> st.SearchStrategy[int]:
    """Numbers of every length, and those around powers of ten."""
    edges = [near for power in range(20) for near in (10**power - 1, 10**power, 10**power + 1)]
    most = 2**bits - 1
    return st.one_of(st.integers(0, most), st.sampled_from([each for each in [*edges, most] if each <= most]))


ADDRESS = st.one_of(
    st.binary(min_size=32, max_size=32).filter(lambda each: len(each.rstrip(b"\0")) > 2),
    st.sampled_from([bytes(32), bytes(28) + b"abcd", b"\xff" * 32, b"abc" + bytes(29)]),
)
ROW = st.tuples(
    ADDRESS,
    whole(8),
    whole(16),
    whole(32),
    whole(64),
    ADDRESS,
    st.sampled_from([b"", b"CH", b"US"]),
    st.lists(st.integers(0, 10**9), max_size=3).map(lambda some: (*some, *[NOTHING] * (3 - len(some)))),
)


def test_addresses_of_long_tables_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """They would push out those that are asked for again."""
    monkeypatch.setattr(tables, "REMEMBERED", 2)
    table = np.zeros(3, [("device", KEY), ("amount", "<u8")])
    table["device"] = tables.keys([Pubkey.new_unique() for _ in table])
    for rows, more in ((table, 0), (table[:2], 2)):
        before = tables._kept_key.cache_info().misses
        assert (decode(b"".join(encode(rows)), table.dtype, "t") == rows).all()
        assert tables._kept_key.cache_info().misses == before + more


@given(st.lists(ROW, max_size=12), st.integers(1, 5))
@example([(bytes(32), 0, 0, 0, 0, bytes(32), b"", (NOTHING,) * 3)], 1)
@example([(bytes(32), 0, 0, 0, each, bytes(32), b"", (0, 0, 0)) for each in (0, 10**4, 10**8, 2**64 - 1)], 2)
@settings(max_examples=300, deadline=None)
def test_in_bulk_as_value_by_value(rows: list[Any], chunk: int) -> None:
    table = np.array(rows, KIND)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "CHUNK", chunk)
        found = b"".join(encode(table))
        assert found == plain(table)
        spelled = Spelled(table["device"])
        assert b"".join(encode(table, spelled)) == found
        others = table.copy()
        others["device"] = table["payout"]
        assert b"".join(encode(others, spelled)) == plain(others)
        assert b"".join(encode(table[:-1], spelled)) == plain(table[:-1])
        kind = np.dtype([(name, KIND[name]) for name in KIND.names or () if name not in ("steps", "country")])
        short = np.array([tuple(row[name] for name in kind.names or ()) for row in table], kind)
        assert (decode(plain(short), kind, "t") == short).all()
