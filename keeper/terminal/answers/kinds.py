"""What values in answers are: their units, and how they are written."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict

FORMATS = {
    "base-units": "an amount in base units of its currency (IO has 8 decimals, USDC 6), as text",
    "lamports": "SOL in lamports, 10^9 to one, as text",
    "address": "an account's address, base58",
    "signature": "a transaction's signature, base58",
    "sha256": "32 bytes in hexadecimal",
    "hex": "bytes in hexadecimal",
    "unix-seconds": "a time, UTC; 0 for never",
    "seconds": "a duration",
    "slot": "a slot of the chain",
    "basis-points": "hundredths of a per cent",
    "thousandths": "thousandths of one",
    "processors": "a number of processors",
    "class-name": "a class of processors, by its name",
    "class-number": "a class of processors, by its number on chain",
    "emission-hour": "an hour, counted since emission began",
    "unix-hour": "an hour: unix time over 3,600",
    "tick": "a tick of the market: unix time over 30",
    "words": "for people: the wording may change",
}
"""What a schema's ``format`` says of a value, in words; amounts are text as JSON's readers may round them."""


def _kind(name: str, pattern: str | None = None) -> Any:
    assert name in FORMATS
    return Field(pattern=pattern, json_schema_extra={"format": name})


_INTEGER, _BASE58 = "^-?[0-9]+$", "[1-9A-HJ-NP-Za-km-z]"
Amount = Annotated[str, _kind("base-units", _INTEGER)]
Lamports = Annotated[str, _kind("lamports", _INTEGER)]
Address = Annotated[str, _kind("address", f"^{_BASE58}{{32,44}}$")]
Signature = Annotated[str, _kind("signature", f"^{_BASE58}{{64,88}}$")]
Hash = Annotated[str, _kind("sha256", "^[0-9a-f]{64}$")]
Bytes = Annotated[str, _kind("hex", "^([0-9a-f]{2})*$")]
Time = Annotated[int, _kind("unix-seconds")]
Seconds = Annotated[int, _kind("seconds")]
Slot = Annotated[int, _kind("slot")]
Count = Annotated[int, Field(ge=0)]
Bps = Annotated[int, _kind("basis-points")]
Milli = Annotated[int, _kind("thousandths")]
Processors = Annotated[int, _kind("processors")]
Currency = Annotated[str, Field(pattern="^(IO|USDC)$")]
Unit = Annotated[str, Field(pattern="^(io|usdc)$")]
ClassName = Annotated[str, _kind("class-name")]
ClassNumber = Annotated[int, _kind("class-number")]
EmissionHour = Annotated[int, _kind("emission-hour")]
UnixHour = Annotated[int, _kind("unix-hour")]
Tick = Annotated[int, _kind("tick")]
Words = Annotated[str, _kind("words")]


class Failure(TypedDict):
    """What every command writes to standard error, as one line, when it can't do what it was told."""

    error: Words
    hint: Words
    """What to do; may be empty."""


OfClass = TypedDict("OfClass", {"class": ClassName})
"""``class`` is a word of Python's, so shapes that have it take it from here."""
OfClassNumber = TypedDict("OfClassNumber", {"class": ClassNumber})
