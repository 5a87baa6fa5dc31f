"""Columns for the IDLs' types, and what their values are in Python on both sides.

A value that is read back equals the one that was written, on both databases: an unsigned 64-bit
integer doesn't fit an SQL integer, and neither database may turn it into a float.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from solders.pubkey import Pubkey
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from keeper.chain import Program
from keeper.chain.types import Definitions, IdlType

LARGEST = 2**63 - 1
"""The largest integer that SQLite has."""
DIGITS = {"u64": 20, "u128": 39, "i128": 39}
WIDE = ("u64", "i64", "u128", "i128")
"""Integers that a reader of JSON may round: JavaScript's numbers hold 53 bits."""

Convert = Callable[[Any], Any]


class _Untyped(sa.types.UserDefinedType[Any]):
    """A column in which SQLite keeps each value as it is: the declared type means just that there."""

    cache_ok = True

    def get_col_spec(self, **kw: Any) -> str:
        """The declared type."""
        return "BLOB"


class Wide(TypeDecorator[int]):
    """An integer of up to ``digits`` digits.

    NUMERIC on PostgreSQL. SQLite has an integer where it fits, else the digits as text, with zeros in
    front: it sorts texts after all integers, so the order is right, and sums of what fits are exact.
    """

    impl = sa.Numeric
    cache_ok = True

    def __init__(self, digits: int) -> None:
        """Take integers of up to ``digits`` digits."""
        super().__init__(digits, 0)
        self.digits = digits

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The column's own type."""
        own = _Untyped() if dialect.name == "sqlite" else sa.Numeric(self.digits, 0)
        return dialect.type_descriptor(own)

    def process_bind_param(self, value: int | None, dialect: Dialect) -> Any:
        """What is written."""
        if value is None or dialect.name != "sqlite" or -LARGEST <= value <= LARGEST:
            return value
        if value < 0:
            raise ValueError(f"{value} is too small for this database")
        return f"{value:0{self.digits}d}"

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:
        """What is read."""
        return int(value) if isinstance(value, str | Decimal) else value


def column_type(kind: IdlType) -> TypeEngine[Any]:
    """The column for an IDL's type: addresses as base58, bytes as hex, whatever is composed as JSON."""
    if isinstance(kind, str):
        if kind in DIGITS:
            return Wide(DIGITS[kind])
        if kind == "bool":
            return sa.Boolean()
        if kind in ("u8", "i8", "u16", "i16", "i32"):
            return sa.Integer()
        if kind in ("u32", "i64"):
            return sa.BigInteger()
        return sa.Text()
    return sa.Text() if _is_bytes(kind) else sa.JSON()


def encoder(kind: IdlType) -> Convert | None:
    """What makes a codec's value the column's; None when it is that already."""
    if kind == "pubkey":
        return str
    if _is_bytes(kind):
        return bytes.hex
    return None if isinstance(kind, str) else jsonable


def jsonable(value: Any) -> Any:
    """A codec's value as JSON has it: addresses as base58, bytes as hex."""
    if isinstance(value, Pubkey):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {key: jsonable(each) for key, each in value.items()}
    return [jsonable(each) for each in value] if isinstance(value, list) else value


def decoder(kind: IdlType, definitions: Definitions) -> Convert | None:
    """What makes a column's or a JSON value the codec's again; None when it is that already."""
    if kind == "pubkey":
        return Pubkey.from_string
    if _is_bytes(kind):
        return bytes.fromhex
    if isinstance(kind, str):
        return None
    if "defined" in kind:
        body = definitions[kind["defined"]["name"]]["type"]
        return fields_decoder(body["fields"], definitions) if body["kind"] == "struct" else None
    if "option" in kind:
        some = decoder(kind["option"], definitions)
        return (lambda value: None if value is None else some(value)) if some else None
    inner = decoder(kind["vec"] if "vec" in kind else kind["array"][0], definitions)
    return (lambda values: [inner(each) for each in values]) if inner else None


def fields_decoder(fields: Sequence[Mapping[str, Any]], definitions: Definitions) -> Convert:
    """The same for a dict of named fields."""
    decoders = [(field["name"], decoder(field["type"], definitions)) for field in fields]

    def decode(values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: each(values[name]) if each else values[name] for name, each in decoders}

    return decode


def account_decoders(program: Program) -> dict[str, Convert]:
    """What makes the fields of each kind of a program's accounts the codec's again, by kind."""
    return {
        kind: fields_decoder(fields, program.definitions) for kind, fields in program.account_fields.items()
    }


def _is_bytes(kind: IdlType) -> bool:
    if isinstance(kind, str):
        return kind == "bytes"
    return kind.get("vec") == "u8" or ("array" in kind and kind["array"][0] == "u8")
