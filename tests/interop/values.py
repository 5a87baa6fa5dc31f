"""Values of an IDL's types, the same in every run, and as JSON for clients in any language."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from solders.pubkey import Pubkey

from keeper.chain.types import Definitions, IdlType

SETS = ("least", "most", "some")
"""The argument sets: every value at its lower limit, at its upper one, and in between."""
MOST_BYTES = 300
"""Of an argument without a fixed length: a transaction has room for little more beside its accounts."""


def digest(*words: str) -> bytes:
    """32 bytes that follow from words."""
    return hashlib.sha256("/".join(words).encode()).digest()


def address(*words: str) -> Pubkey:
    """An address that nobody has the key of."""
    return Pubkey(digest("address", *words))


def value(kind: IdlType, which: str, path: str, definitions: Definitions) -> Any:
    """A value of a type out of one of :data:`SETS`; ``path`` sets it apart from the others of its set."""
    if isinstance(kind, str):
        return _plain(kind, which, path)
    if "array" in kind:
        inner, length = kind["array"]
        if inner == "u8":
            return _bytes(length, which, path)
        return [value(inner, which, f"{path}.{i}", definitions) for i in range(length)]
    fields = definitions[kind["defined"]["name"]]["type"]["fields"]
    return struct(fields, which, path, definitions)


def struct(
    fields: list[Mapping[str, Any]], which: str, path: str, definitions: Definitions
) -> dict[str, Any]:
    """A value for each of the named fields."""
    return {
        each["name"]: value(each["type"], which, f"{path}.{each['name']}", definitions) for each in fields
    }


def to_json(found: Any) -> Any:
    """A value as any language reads it: numbers as digits, addresses in base58, bytes in hex."""
    match found:
        case bool():
            return found
        case int():
            return str(found)
        case bytes():
            return found.hex()
        case Pubkey():
            return str(found)
        case dict():
            return {key: to_json(each) for key, each in found.items()}
        case list():
            return [to_json(each) for each in found]
    raise TypeError(f"no JSON for {found!r}")


def said(found: Any) -> Any:
    """A value as clients answer it: as :func:`to_json`, but bytes as a list of numbers."""
    match found:
        case bytes():
            return [str(each) for each in found]
        case dict():
            return {key: said(each) for key, each in found.items()}
        case list():
            return [said(each) for each in found]
    return to_json(found)


def alike(answer: Any) -> Any:
    """An answer with all names, of fields and of kinds, as no language spells them: ``hourpot``."""
    match answer:
        case dict():
            return {
                _bare(key): _bare(each) if key == "kind" and isinstance(each, str) else alike(each)
                for key, each in answer.items()
            }
        case list():
            return [alike(each) for each in answer]
    return answer


def _bare(name: str) -> str:
    return name.replace("_", "").lower()


def differences(wanted: Any, found: Any, path: str = "") -> list[str]:
    """Where two answers differ: the path of the field, what it should be, what it is."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        names = sorted(wanted.keys() | found.keys())
        return [
            line
            for each in names
            for line in differences(wanted.get(each, "nothing"), found.get(each, "nothing"), f"{path}.{each}")
        ]
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        return [
            line
            for i, (one, other) in enumerate(zip(wanted, found, strict=True))
            for line in differences(one, other, f"{path}[{i}]")
        ]
    return [] if wanted == found else [f"{path or 'it'} is {found!r}, should be {wanted!r}"]


def _plain(kind: str, which: str, path: str) -> Any:
    if kind == "bool":
        return {"least": False, "most": True}.get(which, digest(path)[0] % 2 == 0)
    if kind == "pubkey":
        return Pubkey(_bytes(Pubkey.LENGTH, which, path))
    if kind == "bytes":
        length = {"least": 0, "most": MOST_BYTES}.get(which, digest(path)[0])
        return _bytes(length, which, path)
    signed, bits = kind[0] == "i", int(kind[1:])
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    return {"least": low, "most": high}.get(which, low + int.from_bytes(digest(path)) % (high - low + 1))


def _bytes(length: int, which: str, path: str) -> bytes:
    if which in ("least", "most"):
        return (b"\0" if which == "least" else b"\xff") * length
    return b"".join(digest(path, str(i)) for i in range(length // 32 + 1))[:length]
