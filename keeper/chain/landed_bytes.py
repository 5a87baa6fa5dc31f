"""A transaction that has landed, as it was signed, out of a node's JSON: its bytes, and token balances."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, TypeAdapter
from solders.message import MessageV0
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from keeper.chain.landed import Loaded
from keeper.chain.shapes import Address, Data, Index, Number, Shape
from keeper.chain.whole import Holding, Signed, TokenBalance

_Digits = Annotated[str, Field(pattern="^[0-9]{1,20}$")]


class _Amount(Shape):
    amount: _Digits
    decimals: Number


class _Token(Shape):
    accountIndex: Index
    mint: Address
    owner: Address
    programId: Address
    uiTokenAmount: _Amount


class _Meta(Shape):
    loadedAddresses: Loaded | None = None
    preTokenBalances: list[_Token]
    postTokenBalances: list[_Token]


class _Landed(Shape):
    transaction: Data
    meta: _Meta


_LANDED = TypeAdapter(_Landed | None)


def signed(result: Any, signature: Signature) -> Signed | None:
    """Read getTransaction of ``signature`` in base64; None where the node doesn't have it.

    Raises ValueError for another transaction or half of this one.
    """
    found = _LANDED.validate_python(result)
    if found is None:
        return None
    transaction = VersionedTransaction.from_bytes(found.transaction)
    if transaction.signatures[:1] != [signature]:
        raise ValueError("it is another transaction")
    loaded = found.meta.loadedAddresses or Loaded(writable=[], readonly=[])
    message = transaction.message
    lookups = message.address_table_lookups if isinstance(message, MessageV0) else []
    looked_up = (
        sum(len(each.writable_indexes) for each in lookups),
        sum(len(each.readonly_indexes) for each in lookups),
    )
    if (len(loaded.writable), len(loaded.readonly)) != looked_up:
        raise ValueError("not the addresses that the transaction looked up")
    before, after = map(_amounts, (found.meta.preTokenBalances, found.meta.postTokenBalances))
    known = len(message.account_keys) + sum(looked_up)
    if any(each.place >= known for each in {**before, **after}):
        raise ValueError("tokens of an address that the transaction doesn't name")
    tokens = (TokenBalance(*each, before.get(each), after.get(each)) for each in sorted({**before, **after}))
    return Signed(found.transaction, tuple(loaded.writable), tuple(loaded.readonly), tuple(tokens))


def _amounts(tokens: list[_Token]) -> dict[Holding, int]:
    return {
        Holding(each.accountIndex, each.mint, each.owner, each.programId, each.uiTokenAmount.decimals): int(
            each.uiTokenAmount.amount
        )
        for each in tokens
    }
