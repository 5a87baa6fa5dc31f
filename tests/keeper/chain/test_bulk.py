"""Reading many accounts at once with numpy: field by field what reading them one by one gives."""

import random
from typing import Any

import numpy as np
import pytest
from solders.pubkey import Pubkey

from keeper.chain import Program
from keeper.chain.program import CodecError
from tests.keeper.chain.idl_values import IDLS

KINDS = [(name, account["name"]) for name, idl in IDLS.items() for account in idl["accounts"]]
each_kind = pytest.mark.parametrize(("program", "kind"), KINDS, ids=[".".join(pair) for pair in KINDS])
COUNT = 1_000


def random_accounts(codec: Program, kind: str, count: int) -> list[bytes]:
    """Accounts of random bytes; a bool is one bit of its byte, as a program writes it."""
    rng = random.Random(f"{codec.name}.{kind}")
    dtype = codec.dtype(kind)
    assert dtype.fields is not None
    flags = [offset for field, offset, *_ in dtype.fields.values() if field == np.bool_]
    start = codec.discriminator(kind)
    found = []
    for _ in range(count):
        data = bytearray(start + rng.randbytes(dtype.itemsize - len(start)))
        for offset in flags:
            data[offset] &= 1
        found.append(bytes(data))
    return found


def plain(value: Any) -> Any:
    """A numpy value, with raw bytes for addresses and byte arrays, and dicts for structs."""
    if isinstance(value, np.ndarray) and (value.dtype != np.uint8 or value.ndim > 1):
        return [plain(item) for item in value]
    if isinstance(value, np.void) and value.dtype.names:
        return {name: plain(value[name]) for name in value.dtype.names}
    if isinstance(value, np.ndarray | np.void):
        return value.tobytes()
    return value.item()


def raw(value: Any) -> Any:
    """A decoded value in the same form: addresses as their bytes."""
    if isinstance(value, dict):
        return {name: raw(each) for name, each in value.items()}
    if isinstance(value, list):
        return [raw(each) for each in value]
    return bytes(value) if isinstance(value, Pubkey) else value


@each_kind
def test_field_by_field(program: str, kind: str) -> None:
    codec = Program.load(program)
    accounts = random_accounts(codec, kind, COUNT)
    table = codec.decode_accounts(kind, iter(accounts))
    assert len(table) == COUNT
    for row, data in zip(table, accounts, strict=True):
        name, fields = codec.decode_account(data)
        assert name == kind
        assert table.dtype.names == ("discriminator", *fields)
        for field, value in fields.items():
            assert plain(row[field]) == raw(value), field


@each_kind
def test_sizes(program: str, kind: str) -> None:
    codec = Program.load(program)
    whole = random_accounts(codec, kind, 3)
    assert codec.dtype(kind).itemsize == len(whole[0])
    for spoiled in (whole[1][:-1], whole[1] + b"\0", b""):
        with pytest.raises(CodecError, match=f"a {kind} of {program} has {len(whole[0])} bytes"):
            codec.decode_accounts(kind, [whole[0], spoiled, whole[2]])


@each_kind
def test_kinds(program: str, kind: str) -> None:
    codec = Program.load(program)
    whole = random_accounts(codec, kind, 3)
    for other in (bytes(8), *(codec.discriminator(k) for p, k in KINDS if p == program and k != kind)):
        with pytest.raises(CodecError, match=f"some of these are not a {kind} of {program}"):
            codec.decode_accounts(kind, [*whole[:2], other + whole[2][8:]])


@each_kind
def test_none_at_all(program: str, kind: str) -> None:
    codec = Program.load(program)
    table = codec.decode_accounts(kind, [])
    assert len(table) == 0
    assert table.dtype == codec.dtype(kind)


def test_a_hundred_thousand_at_once() -> None:
    """Sums and selections over all of them are those of the rows that were put in."""
    codec = Program.load("tokenomics")
    rows = random_accounts(codec, "Allocation", 100)
    table = codec.decode_accounts("Allocation", (rows[i % 100] for i in range(100_000)))
    assert len(table) == 100_000
    amounts = [codec.account("Allocation", row)["amount"] for row in rows]
    assert int((table["amount"] >> np.uint64(32)).sum()) == 1_000 * sum(a >> 32 for a in amounts)
    beneficiary = codec.account("Allocation", rows[7])["beneficiary"]
    assert (table["beneficiary"] == np.void(bytes(beneficiary))).nonzero()[0].tolist() == list(
        range(7, 100_000, 100)
    )


def test_the_table_outlives_its_input() -> None:
    codec = Program.load("tokenomics")
    data = bytearray(random_accounts(codec, "Config", 1)[0])
    table = codec.decode_accounts("Config", [data])
    before = table.tobytes()
    data[:] = bytes(len(data))
    assert table.tobytes() == before
