"""The values that a node's JSON is made of, checked: numbers in their bounds, addresses, data, errors.

Nothing is converted from another type: true isn't 1, and neither are "1" and 1.0. What doesn't fit is a
ValueError.
"""

from __future__ import annotations

from binascii import a2b_base64
from typing import Annotated, Any

import base58
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator
from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.signature import Signature

from keeper.chain.records import MAX_CALL_BYTES


class Shape(BaseModel):
    """An object of a node's JSON: what has no default must be there, what isn't named is ignored."""

    model_config = ConfigDict(frozen=True)


YEAR_1, YEAR_10000 = -62_135_596_800, 253_402_300_800
"""The times that calendars have."""
MAX_CALL_DIGITS = len(base58.b58encode(b"\xff" * MAX_CALL_BYTES))
"""What MAX_CALL_BYTES are in base58."""

Number = Annotated[int, Field(strict=True, ge=0, lt=2**64)]
"""A u64: lamports, units, prices."""
Slot = Annotated[int, Field(strict=True, ge=0, lt=2**63)]
"""A slot or a height, as a database keeps it."""
Time = Annotated[int, Field(strict=True, ge=YEAR_1, lt=YEAR_10000)]
"""Unix seconds."""
Index = Annotated[int, Field(strict=True, ge=0, lt=2**8)]
"""A place among a transaction's addresses or instructions."""
Height = Annotated[int, Field(strict=True, ge=2, lt=2**8)]
"""The stack height of a call that a program made."""
Position = Annotated[int, Field(strict=True, ge=0, lt=2**31)]
"""A transaction's place in its block."""


def _address(value: object) -> Pubkey:
    return Pubkey.from_string(_text(value))


def _signature(value: object) -> Signature:
    return Signature.from_string(_text(value))


def _hash(value: object) -> Hash:
    try:
        return Hash.from_string(_text(value))
    except ValueError:
        raise
    except Exception as error:  # solders' own error isn't a ValueError here
        raise ValueError(str(error)) from error


def _base64(value: object) -> bytes:
    match value:
        case [str(text), "base64"]:
            return a2b_base64(text, strict_mode=True)
    raise ValueError("no data in base64")


def _call_data(value: object) -> bytes:
    """A call's data, empty when it is too long to be kept."""
    text = _text(value)
    if len(text) > MAX_CALL_DIGITS:
        return b""
    if text[-1:].isspace():
        raise ValueError("a blank, which the library would pass over")
    # The library's own b58decode goes on to divide byte by byte: half of what reading a transaction took.
    number, zeros = base58.b58decode_int(text), len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def _error(value: object) -> object:
    if value is not None and not isinstance(value, str | dict):
        raise ValueError("an error is a text or an object")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("not a text")
    return value


Address = Annotated[Pubkey, PlainValidator(_address)]
Name = Annotated[Signature, PlainValidator(_signature)]
"""The signature that a transaction is known by."""
BlockHash = Annotated[Hash, PlainValidator(_hash)]
Data = Annotated[bytes, PlainValidator(_base64)]
"""An account's bytes: a pair of their base64 and the word "base64"."""
CallData = Annotated[bytes, PlainValidator(_call_data)]
Error = Annotated[Any, AfterValidator(_error)]
"""How a transaction failed, of whatever kind; None if it didn't."""
