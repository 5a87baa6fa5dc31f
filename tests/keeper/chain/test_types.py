"""IDL types that no program uses yet, token accounts, and how errors read."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.transaction_status import (
    InstructionErrorCustom,
    InstructionErrorFieldless,
    TransactionErrorDuplicateInstruction,
    TransactionErrorFieldless,
    TransactionErrorInstructionError,
    TransactionErrorInsufficientFundsForRent,
)

from keeper.chain import Account, types
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.failure import describe
from keeper.chain.framework import TOKEN_PROGRAM, associated_token_address
from keeper.chain.token import (
    Mint,
    TokenAccount,
    burn,
    create_associated,
    read_mint,
    read_token_account,
    transfer,
)
from tests.keeper.chain.conftest import ADMIN, ALICE, BOB
from tests.keeper.chain.idl_values import values

PAIR_FIELDS = [{"name": "a", "type": "u8"}, {"name": "b", "type": "i128"}]
DEFINITIONS: dict[str, Any] = {
    "Pair": {
        "type": {"kind": "struct", "fields": [{"name": "a", "type": "u8"}, {"name": "b", "type": "i128"}]}
    },
    "Color": {"type": {"kind": "enum", "variants": [{"name": "Red"}, {"name": "Green"}]}},
    "Shape": {"type": {"kind": "enum", "variants": [{"name": "Round", "fields": ["u8"]}]}},
    "Empty": {"type": {"kind": "struct"}},
}
PAIR, COLOR = {"defined": {"name": "Pair"}}, {"defined": {"name": "Color"}}
BYTES: list[tuple[Any, Any, str]] = [
    ("u16", 258, "0201"),
    ("i16", -2, "feff"),
    ("u32", 1, "01000000"),
    ("i64", -1, "ff" * 8),
    ("u128", 2**127 + 1, "01" + "00" * 14 + "80"),
    ("i128", -1, "ff" * 16),
    ("bool", True, "01"),
    ("string", "a\u00df", "0300000061c39f"),
    ("bytes", b"xy", "020000007879"),
    ({"vec": "u8"}, b"xy", "020000007879"),
    ({"vec": "u16"}, [1, 2], "0200000001000200"),
    ({"option": "u16"}, 5, "010500"),
    ({"option": "u16"}, None, "00"),
    ({"option": {"option": "bool"}}, False, "010100"),
    ({"array": ["u8", 3]}, b"abc", "616263"),
    ({"array": ["u16", 2]}, [1, 2], "01000200"),
    (PAIR, {"a": 1, "b": -2}, "01fe" + "ff" * 15),
    ({"vec": PAIR}, [{"a": 1, "b": 0}], "01000000" + "01" + "00" * 16),
    (COLOR, "Green", "01"),
    ({"defined": {"name": "Empty"}}, {}, ""),
]


@pytest.mark.parametrize(("kind", "value", "raw"), BYTES, ids=str)
def test_borsh(kind: Any, value: Any, raw: str) -> None:
    layout = types.layout(kind, DEFINITIONS)
    assert layout.build(value).hex() == raw
    assert types.plain(layout.parse(bytes.fromhex(raw))) == value


KINDS = ["u8", "i8", "i16", "u64", "i64", "u128", "i128", "string", PAIR, COLOR, {"vec": {"option": PAIR}}]


@pytest.mark.parametrize("kind", KINDS, ids=str)
@settings(derandomize=True, max_examples=25, deadline=None)
@given(data=st.data())
def test_round_trips(kind: Any, data: st.DataObject) -> None:
    value = data.draw(values(kind, DEFINITIONS))
    layout = types.layout(kind, DEFINITIONS)
    assert types.plain(layout.parse(layout.build(value))) == value


@pytest.mark.parametrize(
    "kind", ["f64", {"hashMap": ["u8", "u8"]}, {"defined": {"name": "Shape"}}, {"vec": "u7"}], ids=str
)
def test_types_that_arent_supported(kind: Any) -> None:
    with pytest.raises(ValueError, match="unknown"):
        types.layout(kind, DEFINITIONS)


def test_numpy_types() -> None:
    assert types.dtype("Pair", DEFINITIONS) == np.dtype([("a", "u1"), ("b", "V16")])
    fields = [
        {"name": "pairs", "type": {"array": [PAIR, 2]}},
        {"name": "grid", "type": {"array": [{"array": ["i32", 3]}, 2]}},
    ]
    nested = types.dtype("T", {**DEFINITIONS, "T": {"type": {"kind": "struct", "fields": fields}}})
    assert nested.itemsize == 2 * 17 + 24
    table = np.frombuffer(bytes(34) + np.arange(6, dtype="<i4").tobytes(), dtype=nested)
    assert table["grid"].tolist() == [[[0, 1, 2], [3, 4, 5]]]
    for kind in ("string", {"vec": "u8"}, {"option": "u8"}):
        free = {"T": {"type": {"kind": "struct", "fields": [{"name": "x", "type": kind}]}}}
        with pytest.raises(ValueError, match="has no fixed size"):
            types.dtype("T", free)


ERRORS = [
    (TransactionErrorFieldless.AccountNotFound, ("AccountNotFound", None, None)),
    (TransactionErrorDuplicateInstruction(3), ("DuplicateInstruction(3)", None, None)),
    (
        TransactionErrorInsufficientFundsForRent(1),
        ("InsufficientFundsForRent { account_index: 1 }", None, None),
    ),
    (
        TransactionErrorInstructionError(2, InstructionErrorFieldless.MissingRequiredSignature),
        ("instruction 2: MissingRequiredSignature", 2, None),
    ),
    (
        TransactionErrorInstructionError(0, InstructionErrorCustom(0)),
        ("instruction 0: custom error 0", 0, 0),
    ),
]


@pytest.mark.parametrize(("error", "expected"), ERRORS, ids=[text for _, (text, *_) in ERRORS])
def test_errors_in_words(error: Any, expected: tuple[str, int | None, int | None]) -> None:
    assert describe(error) == expected


def test_tokens(embedded: EmbeddedChain) -> None:
    """Mint, move and burn with the real token program, and read what it wrote."""
    mint = Pubkey(b"\x31" * 32)
    alice, bob = (associated_token_address(each.pubkey(), mint) for each in (ALICE, BOB))
    embedded.set_account(mint, Account(10**9, bytes(82), TOKEN_PROGRAM))
    create = b"\x14\x06" + bytes(ADMIN.pubkey()) + b"\x00"
    grant = b"\x07" + (1_000).to_bytes(8, "little")
    metas = [AccountMeta(mint, False, True), AccountMeta(alice, False, True)]
    authority = AccountMeta(ADMIN.pubkey(), True, False)
    instructions = [
        Instruction(TOKEN_PROGRAM, create, metas[:1]),
        create_associated(ADMIN.pubkey(), ALICE.pubkey(), mint),
        create_associated(ADMIN.pubkey(), BOB.pubkey(), mint),
        create_associated(ADMIN.pubkey(), BOB.pubkey(), mint),
        Instruction(TOKEN_PROGRAM, grant, [*metas, authority]),
        transfer(alice, bob, ALICE.pubkey(), 300),
        burn(alice, mint, ALICE.pubkey(), 50),
    ]
    assert embedded.execute(instructions, [ADMIN, ALICE]).error is None
    accounts = [embedded.get(address) for address in (mint, alice, bob)]
    data = [account.data for account in accounts if account]
    assert read_mint(data[0]) == Mint(ADMIN.pubkey(), 950, 6, None)
    assert read_token_account(data[1]) == TokenAccount(mint, ALICE.pubkey(), 650)
    assert read_token_account(data[2]) == TokenAccount(mint, BOB.pubkey(), 300)
    stolen = embedded.execute([transfer(bob, alice, ALICE.pubkey(), 1)], [ALICE])
    assert stolen.code == 4
