"""An account's fields as a visitor reads them: names and descriptions are the IDL's.

An integer of 64 bits or more is a string of digits, as JavaScript's numbers hold 53; addresses are base58,
bytes hex, names text. What is there for the layout alone is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    create_model,
)
from solders.pubkey import Pubkey

from keeper.chain.program import Fields, Program
from keeper.chain.types import IdlType
from keeper.db.types import WIDE

M = TypeVar("M", bound="Form")
HIDDEN = ("bump",)
TEXTS = ("name", "label", "country")
"""Fields of bytes that are text."""

Amount = Annotated[
    int, PlainSerializer(str, str), WithJsonSchema({"type": "string", "pattern": "^-?[0-9]+$"})
]
"""An integer that may not fit JavaScript's numbers: digits in a string. Amounts are in base units."""
Address = Annotated[Pubkey, PlainSerializer(str, str), WithJsonSchema({"type": "string"})]
"""An address in base58."""
Hex = Annotated[
    bytes, PlainSerializer(bytes.hex, str), WithJsonSchema({"type": "string", "pattern": "^[0-9a-f]*$"})
]
"""Bytes in hex."""


def _base58(text: str) -> str:
    if not _BASE58.fullmatch(text):
        raise ValueError("it should be an address, which is in base58")
    return text


_BASE58 = re.compile("[1-9A-HJ-NP-Za-km-z]*")
AskedAddress = Annotated[str, AfterValidator(_base58), Field(max_length=44)]
"""An address that somebody asks for: there may be nothing at it. Databases don't take every text."""


Country = Annotated[str | None, Field(pattern="^[A-Z]{2}$", description="two letters")]
"""Where devices are, as somebody asks for it."""


class Form(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(frozen=True, from_attributes=True, arbitrary_types_allowed=True)


def account_model(program: Program, kind: str, more: type[M], name: str | None = None) -> type[M]:
    """A model of an account of ``kind``, with the fields of ``more`` beside the account's own."""
    return create_model(
        name or f"{program.name.title()}{kind}",
        __base__=more,
        __doc__=more.__doc__,
        **_columns(program, program.account_fields[kind]),
    )


def shown(fields: Fields) -> Fields:
    """An account's values as its model takes them: text instead of the bytes of names."""
    return {
        name: _text(value) if name in TEXTS else value for name, value in fields.items() if _visible(name)
    }


def _visible(name: str) -> bool:
    return not name.startswith("_") and name not in HIDDEN


def _columns(program: Program, fields: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        each["name"]: (
            _type(program, each["name"], each["type"]),
            Field(description=" ".join(map(str.strip, each.get("docs", []))) or None),
        )
        for each in fields
        if _visible(each["name"])
    }


def _type(program: Program, name: str, kind: IdlType) -> Any:
    if isinstance(kind, str):
        return _PLAIN.get(kind, Amount if kind in WIDE else int)
    if "defined" in kind:
        body = program.definitions[kind["defined"]["name"]]["type"]
        title = f"{program.name.title()}{kind['defined']['name']}"
        return create_model(title, __base__=Form, **_columns(program, body["fields"]))
    if name in TEXTS:
        return str
    inner = kind["vec"] if "vec" in kind else kind["array"][0]
    return Hex if inner == "u8" else list[_type(program, "", inner)]  # type: ignore[misc]


_PLAIN: dict[str, Any] = {"bool": bool, "pubkey": Address, "string": str, "bytes": Hex}


def _text(value: Any) -> Any:
    """A name of the chain as text: what can't be read, or would move a cursor, is a question mark."""
    if not isinstance(value, bytes):
        return value
    text = value.rstrip(b"\0").decode(errors="replace")
    return "".join(each if each.isprintable() else "?" for each in text)
