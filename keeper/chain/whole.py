"""A transaction whole, with all that a node tells of it: what an embedded chain keeps beside its record.

The keeper reads records alone; wallets, explorers and other clients ask for the rest (getTransaction).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from solders.account import Account as SoldersAccount
from solders.message import Message, MessageV0, MessageV1
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from keeper.chain.framework import TOKEN_PROGRAM
from keeper.chain.token import ACCOUNT_SIZE, STATE, read_mint, read_token_account

TOKEN_2022 = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
LOOKUP_TABLES = Pubkey.from_string("AddressLookupTab1e1111111111111111111111111")
TOKEN_PROGRAMS = TOKEN_PROGRAM, TOKEN_2022
LOOKUP_TABLE_HEADER = 56
"""Bytes before a lookup table's addresses."""
_TYPE, _IS_ACCOUNT = ACCOUNT_SIZE, 2
"""Token-2022 writes what a longer account is behind the part that both programs share."""

Row = tuple[bytes, str]
"""How a chain keeps it: the bytes that were sent, and the rest in JSON."""
AnyMessage = Message | MessageV0 | MessageV1
Read = Callable[[Pubkey], SoldersAccount | None]


class TokenBalance(NamedTuple):
    """A token account in a transaction, by its place among the addresses; amounts in base units.

    ``before`` or ``after`` is None where it wasn't an account of this owner and mint then.
    """

    place: int
    mint: Pubkey
    owner: Pubkey
    program: Pubkey
    decimals: int
    before: int | None
    after: int | None


class Holding(NamedTuple):
    """What a token account is, but for its amount."""

    place: int
    mint: Pubkey
    owner: Pubkey
    program: Pubkey
    decimals: int


class Balances(NamedTuple):
    """Lamports of a transaction's addresses in their order, and amounts of the token accounts among them."""

    lamports: tuple[int, ...]
    tokens: dict[Holding, int]


class Signed(NamedTuple):
    """A transaction as it was signed, and the token accounts among its addresses.

    ``wire`` are the bytes that were sent, ``writable`` and ``readonly`` the addresses that it looked up in
    tables. The signatures are over ``wire`` alone: the rest is what a node says.
    """

    wire: bytes
    writable: tuple[Pubkey, ...]
    readonly: tuple[Pubkey, ...]
    tokens: tuple[TokenBalance, ...]

    def transaction(self) -> VersionedTransaction:
        """The transaction itself."""
        return VersionedTransaction.from_bytes(self.wire)


class Whole(NamedTuple):
    """A transaction that was executed: ``wire`` as it was sent, ``error`` in the runtime's own JSON.

    ``writable`` and ``readonly`` are the addresses that it looked up in tables, ``before`` and ``after``
    lamports by address. ``calls`` has the data of calls that its record leaves empty, by their place in
    ``inner``; ``returned`` what a program returned last.
    """

    wire: bytes
    error: Any
    writable: tuple[Pubkey, ...]
    readonly: tuple[Pubkey, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    tokens: tuple[TokenBalance, ...]
    calls: dict[int, bytes]
    returned: tuple[Pubkey, bytes] | None

    def transaction(self) -> VersionedTransaction:
        """The transaction itself."""
        return VersionedTransaction.from_bytes(self.wire)

    def signed(self) -> Signed:
        """What an auditor looks at."""
        return Signed(self.wire, self.writable, self.readonly, self.tokens)

    def row(self) -> Row:
        """As it is kept."""
        rest = {
            "error": self.error,
            "writable": [str(each) for each in self.writable],
            "readonly": [str(each) for each in self.readonly],
            "before": self.before,
            "after": self.after,
            "tokens": [
                [
                    each.place,
                    str(each.mint),
                    str(each.owner),
                    str(each.program),
                    each.decimals,
                    each.before,
                    each.after,
                ]
                for each in self.tokens
            ],
            "calls": {str(at): data.hex() for at, data in self.calls.items()},
            "returned": [str(self.returned[0]), self.returned[1].hex()] if self.returned else None,
        }
        return self.wire, json.dumps(rest, separators=(",", ":"))

    @classmethod
    def of(cls, row: Row) -> Whole:
        """Read what :meth:`row` wrote."""
        wire, text = row
        rest = json.loads(text)
        address = Pubkey.from_string
        return cls(
            wire,
            rest["error"],
            tuple(map(address, rest["writable"])),
            tuple(map(address, rest["readonly"])),
            tuple(rest["before"]),
            tuple(rest["after"]),
            tuple(
                TokenBalance(index, address(mint), address(owner), address(program), *figures)
                for index, mint, owner, program, *figures in rest["tokens"]
            ),
            {int(at): bytes.fromhex(data) for at, data in rest["calls"].items()},
            (address(rest["returned"][0]), bytes.fromhex(rest["returned"][1])) if rest["returned"] else None,
        )


def looked_up(transaction: VersionedTransaction, read: Read) -> tuple[list[Pubkey], list[Pubkey]]:
    """The addresses that a transaction takes from tables: all writable ones, and the others.

    Nothing for a table, or a place in one, that isn't there: the VM refuses the transaction.
    """
    message = transaction.message
    writable: list[Pubkey] = []
    readonly: list[Pubkey] = []
    if isinstance(message, MessageV0):
        for lookup in message.address_table_lookups:
            table = read(lookup.account_key)
            if table is None or table.owner != LOOKUP_TABLES:
                return [], []
            data = bytes(table.data)[LOOKUP_TABLE_HEADER:]
            for indexes, found in (
                (lookup.writable_indexes, writable),
                (lookup.readonly_indexes, readonly),
            ):
                for index in indexes:
                    if len(address := data[32 * index : 32 * index + 32]) < Pubkey.LENGTH:
                        return [], []
                    found.append(Pubkey(address))
    return writable, readonly


def is_writable(message: AnyMessage, place: int) -> bool:
    """Whether a transaction may write the address at a place among those that it names itself."""
    header, count = message.header, len(message.account_keys)
    if place < header.num_required_signatures:
        return place < header.num_required_signatures - header.num_readonly_signed_accounts
    return place < count - header.num_readonly_unsigned_accounts


def balances(keys: Sequence[Pubkey], read: Read) -> Balances:
    """Lamports and token amounts of a transaction's addresses, as they are now."""
    lamports: list[int] = []
    tokens: dict[Holding, int] = {}
    for index, key in enumerate(keys):
        account = read(key)
        lamports.append(account.lamports if account else 0)
        if account is None or account.owner not in TOKEN_PROGRAMS:
            continue
        data = bytes(account.data)
        if not is_token_account(data):
            continue
        found = read_token_account(data)
        mint = read(found.mint)
        if mint is not None and mint.owner == account.owner:
            decimals = read_mint(bytes(mint.data)).decimals
            tokens[Holding(index, found.mint, found.owner, account.owner, decimals)] = found.amount
    return Balances(tuple(lamports), tokens)


def is_token_account(data: bytes) -> bool:
    """Whether an account of a token program is a token account in use, not a mint or a multisig."""
    kind = len(data) == ACCOUNT_SIZE or (len(data) > ACCOUNT_SIZE and data[_TYPE] == _IS_ACCOUNT)
    return kind and data[STATE] != 0


def changes(before: Balances, after: Balances) -> tuple[TokenBalance, ...]:
    """Each token account of a transaction, with both its amounts."""
    holdings = {**before.tokens, **after.tokens}
    ordered = sorted(holdings, key=lambda each: each.place)
    return tuple(TokenBalance(*each, before.tokens.get(each), after.tokens.get(each)) for each in ordered)
