"""IDL types as ``construct`` layouts (little endian, Borsh) and as numpy dtypes (fixed size only)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import construct as c
import numpy as np
from solders.pubkey import Pubkey

IdlType = str | Mapping[str, Any]
"""A type as the IDL writes it: ``"u64"``, ``{"array": ["u8", 32]}``, ``{"defined": {"name": ..}}``."""

Definitions = Mapping[str, Mapping[str, Any]]
"""The IDL's named types, by name."""


class _PubkeyAdapter(c.Adapter):  # type: ignore[type-arg]  # generic in its stubs only
    """32 bytes as a Pubkey."""

    def _decode(self, obj: bytes, context: Any, path: str) -> Pubkey:
        return Pubkey(obj)

    def _encode(self, obj: Pubkey, context: Any, path: str) -> bytes:
        # bytes(32), of the number, would be 32 zeros: the system program's address.
        if not isinstance(obj, Pubkey):
            raise c.ConstructError(f"expected a Pubkey, found {obj!r}", path)
        return bytes(obj)


class _BytesAdapter(c.Adapter):  # type: ignore[type-arg]
    """A fixed number of bytes; construct alone would write an integer there, too."""

    def _decode(self, obj: bytes, context: Any, path: str) -> bytes:
        return obj

    def _encode(self, obj: bytes, context: Any, path: str) -> bytes:
        if not isinstance(obj, bytes):
            raise c.ConstructError(f"expected bytes, found {obj!r}", path)
        return obj


class _OptionAdapter(c.Adapter):  # type: ignore[type-arg]
    """Borsh's option: a byte that says whether a value follows."""

    def __init__(self, inner: Any) -> None:
        flagged = c.Struct("some" / c.Flag, "value" / c.If(c.this.some, inner))
        super().__init__(flagged)

    def _decode(self, obj: Any, context: Any, path: str) -> Any:
        return obj.value

    def _encode(self, obj: Any, context: Any, path: str) -> Any:
        return {"some": obj is not None, "value": obj}


PRIMITIVES: dict[str, Any] = {
    "bool": c.Flag,
    "u8": c.Int8ul,
    "i8": c.Int8sl,
    "u16": c.Int16ul,
    "i16": c.Int16sl,
    "u32": c.Int32ul,
    "i32": c.Int32sl,
    "u64": c.Int64ul,
    "i64": c.Int64sl,
    "u128": c.BytesInteger(16, swapped=True),
    "i128": c.BytesInteger(16, signed=True, swapped=True),
    "pubkey": _PubkeyAdapter(c.Bytes(32)),
    "bytes": c.Prefixed(c.Int32ul, c.GreedyBytes),
    "string": c.PascalString(c.Int32ul, "utf8"),
}

DTYPES: dict[str, str] = {
    "bool": "?",
    "u8": "u1",
    "i8": "i1",
    "u16": "<u2",
    "i16": "<i2",
    "u32": "<u4",
    "i32": "<i4",
    "u64": "<u8",
    "i64": "<i8",
    "u128": "V16",
    "i128": "V16",
    "pubkey": "V32",
}


def layout(kind: IdlType, definitions: Definitions) -> Any:
    """The construct layout of a type; a byte array decodes to bytes.

    Raises ValueError for a type that the IDL format knows and no program of ours uses.
    """
    if isinstance(kind, str):
        if kind in PRIMITIVES:
            return PRIMITIVES[kind]
        raise ValueError(f"unknown IDL type {kind!r}")
    if "array" in kind:
        inner, length = kind["array"]
        return (
            _BytesAdapter(c.Bytes(length)) if inner == "u8" else c.Array(length, layout(inner, definitions))
        )
    if "vec" in kind:
        inner = kind["vec"]
        return (
            PRIMITIVES["bytes"] if inner == "u8" else c.PrefixedArray(c.Int32ul, layout(inner, definitions))
        )
    if "option" in kind:
        return _OptionAdapter(layout(kind["option"], definitions))
    if "defined" in kind:
        return defined(kind["defined"]["name"], definitions)
    raise ValueError(f"unknown IDL type {kind!r}")


def defined(name: str, definitions: Definitions) -> Any:
    """The construct layout of one of the IDL's named types."""
    body = definitions[name]["type"]
    if body["kind"] == "struct":
        return struct(body.get("fields", []), definitions)
    if body["kind"] == "enum" and not any("fields" in variant for variant in body["variants"]):
        return c.Enum(c.Int8ul, **{each["name"]: i for i, each in enumerate(body["variants"])})
    raise ValueError(f"unknown kind of type for {name}: {body['kind']!r}")


def struct(fields: list[Mapping[str, Any]], definitions: Definitions) -> Any:
    """The construct layout of named fields, in order, without padding (the programs have none)."""
    return c.Struct(*(field["name"] / layout(field["type"], definitions) for field in fields))


def dtype(name: str, definitions: Definitions) -> np.dtype[Any]:
    """The numpy dtype of an account or type of fixed size: packed, little endian.

    Addresses are ``V32`` and 128-bit integers ``V16`` (raw bytes); arrays are sub-arrays.
    """
    fields = definitions[name]["type"]["fields"]
    return np.dtype([(field["name"], _dtype_of(field["type"], definitions)) for field in fields])


def _dtype_of(kind: IdlType, definitions: Definitions) -> np.dtype[Any]:
    if isinstance(kind, str):
        if kind in DTYPES:
            return np.dtype(DTYPES[kind])
    elif "array" in kind:
        inner, length = kind["array"]
        return np.dtype((_dtype_of(inner, definitions), (length,)))
    elif "defined" in kind:
        return dtype(kind["defined"]["name"], definitions)
    raise ValueError(f"{kind!r} has no fixed size")


def plain(value: Any) -> Any:
    """A construct result as dicts, lists and scalars."""
    if isinstance(value, c.Container):
        return {key: plain(each) for key, each in value.items() if key != "_io"}
    if isinstance(value, c.ListContainer | list):
        return [plain(each) for each in value]
    if isinstance(value, c.EnumIntegerString):
        return str(value)
    return value
