"""A question's parameters, read as Agave's node reads them: what isn't one is refused in its words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from solders.pubkey import Pubkey
from solders.signature import Signature

from keeper.localnet.refusal import BEHIND, Refusal, invalid

COMMITMENTS = "processed", "confirmed", "finalized"
OLD_COMMITMENTS = "recent", "single", "singleGossip", "root", "max"
"""What they were called before 2020, and what some libraries still send."""
U64_MAX = 2**64 - 1


class Slice(NamedTuple):
    """The part of an account's data that is asked for."""

    offset: int
    length: int


class Config:
    """The object of settings that ends most questions; null is as good as nothing."""

    def __init__(self, content: dict[str, Any], newest: int) -> None:
        """Check what all methods understand; ``newest`` is the chain's slot."""
        self.content = {key: value for key, value in content.items() if value is not None}
        commitment = self.content.get("commitment", "finalized")
        if commitment not in COMMITMENTS and commitment not in OLD_COMMITMENTS:
            raise invalid(
                f"Invalid params: unknown variant `{str(commitment)[:40]}`, expected one of `processed`, "
                "`confirmed`, `finalized`."
            )
        self.commitment = str(commitment)
        if self.number("minContextSlot", 0) > newest:
            raise Refusal(BEHIND, "Minimum context slot has not been reached", {"contextSlot": newest})

    def __contains__(self, name: str) -> bool:
        """Whether something is set."""
        return name in self.content

    def number(self, name: str, default: int, most: int = U64_MAX) -> int:
        """An integer from 0 on."""
        return _number(self.content.get(name, default), most)

    def text(self, name: str, default: str, allowed: Sequence[str]) -> str:
        """One of some words."""
        value = self.content.get(name, default)
        if value not in allowed:
            choices = ", ".join(f"`{each}`" for each in allowed)
            raise invalid(f"Invalid params: unknown variant `{str(value)[:40]}`, expected one of {choices}.")
        return str(value)

    def flag(self, name: str) -> bool:
        """True or false, which is the default."""
        value = self.content.get(name, False)
        if not isinstance(value, bool):
            raise invalid(f"Invalid params: invalid type: {_kind(value)}, expected a boolean.")
        return value

    def slice(self) -> Slice | None:
        """The dataSlice."""
        value = self.content.get("dataSlice")
        if value is None:
            return None
        if not isinstance(value, dict) or not {"offset", "length"} <= value.keys():
            raise invalid("Invalid params: missing field `offset` or `length`.")
        return Slice(_number(value["offset"]), _number(value["length"]))

    def confirmed(self) -> None:
        """Refuse a commitment that methods about blocks don't have."""
        if self.commitment in ("processed", "recent"):
            raise invalid("Method does not support commitment below `confirmed`")


class Parameters:
    """What a method was called with."""

    def __init__(self, values: Any, newest: int) -> None:
        """A list; None for no parameters."""
        if values is None:
            values = []
        if not isinstance(values, list):
            raise invalid("Invalid params: invalid type: map, expected a sequence.")
        self.values = values
        self.newest = newest

    def get(self, place: int) -> Any:
        """A parameter, None where there is none."""
        return self.values[place] if place < len(self.values) else None

    def needed(self, place: int) -> Any:
        """A parameter that must be there."""
        if place >= len(self.values):
            raise invalid(f"`params` should have at least {place + 1} argument(s)")
        return self.values[place]

    def text(self, place: int) -> str:
        """A text."""
        value = self.needed(place)
        if not isinstance(value, str):
            raise invalid(f"Invalid params: invalid type: {_kind(value)}, expected a string.")
        return value

    def number(self, place: int, most: int = U64_MAX) -> int:
        """An integer from 0 on."""
        return _number(self.needed(place), most)

    def address(self, place: int) -> Pubkey:
        """An address."""
        return address(self.text(place))

    def signature(self, place: int) -> Signature:
        """A signature."""
        return signature(self.text(place))

    def texts(self, place: int, most: int) -> list[str]:
        """A list of at most so many texts."""
        value = self.needed(place)
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise invalid(f"Invalid params: invalid type: {_kind(value)}, expected a sequence of strings.")
        if len(value) > most:
            raise invalid(f"Too many inputs provided; max {most}")
        return value

    def config(self, place: int) -> Config:
        """The settings; empty where there are none."""
        value = self.get(place)
        if value is None:
            value = {}
        if not isinstance(value, dict):
            raise invalid(f"Invalid params: invalid type: {_kind(value)}, expected a map of settings.")
        return Config(value, self.newest)


def address(text: Any) -> Pubkey:
    """Read an address."""
    try:
        return Pubkey.from_string(text)
    except (ValueError, TypeError) as error:
        raise invalid(f"Invalid param: {'WrongSize' if 'size' in str(error) else 'Invalid'}") from error


def signature(text: Any) -> Signature:
    """Read a signature."""
    try:
        return Signature.from_string(text)
    except (ValueError, TypeError) as error:
        raise invalid(f"Invalid param: {'WrongSize' if 'size' in str(error) else 'Invalid'}") from error


def _number(value: Any, most: int = U64_MAX) -> int:
    if type(value) is not int or not 0 <= value <= most:
        shown = f"{value}" if type(value) is int else _kind(value)
        raise invalid(f"Invalid params: invalid value: {shown}, expected an integer from 0 to {most}.")
    return value


def _kind(value: Any) -> str:
    kinds = {bool: "boolean", int: "integer", float: "floating point", str: "string", list: "sequence"}
    return "null" if value is None else kinds.get(type(value), "map")
