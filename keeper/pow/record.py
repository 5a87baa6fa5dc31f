"""``pow.json``: what an hour's verdicts were made of, by slots and hashes, as canonical JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field
from solders.pubkey import Pubkey

from keeper import canonical
from keeper.errors import UserError
from keeper.pow.clock import WaveKind
from keeper.pow.seeds import ALL

VERSION = 1
NAME = "pow.json"


class RecordError(UserError):
    """Bytes that aren't a canonical ``pow.json``."""


def _base58(text: str) -> str:
    if str(Pubkey.from_string(text)) != text:
        raise ValueError("not 32 bytes in base58")
    return text


Count = Annotated[int, Field(ge=0, lt=2**64)]
Second = Annotated[int, Field(ge=0, lt=2**63)]
Key = Annotated[str, AfterValidator(_base58)]
"""An address or a blockhash, 32 bytes in base58."""
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
"""SHA-256 of a file's bytes."""
Slot = Annotated[str, Field(pattern="^(0|[1-9][0-9]{0,19})$")]
"""A slot as the name of a field."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block of the chain."""

    slot: Count
    blockhash: Key


@dataclass(frozen=True, slots=True)
class WaveRecord:
    """A wave: the block that started it, and the one that its picks were drawn from."""

    slot: Count
    blockhash: Key
    time: Second
    kind: Annotated[int, Field(ge=0, le=max(WaveKind))]
    spot: bool
    opening: Block
    epoch: Block | None
    """The first block of the day whose plots a residency wave is about, None for other waves."""
    void: bool


@dataclass(frozen=True, slots=True)
class HourRecord:
    """All that an hour's verdicts follow from, but for the devices and the files themselves.

    ``profiles`` is the SHA-256 of the table of profiles, ``alpha`` the share that was opened in 65,536ths,
    ``pings`` slots; ``included`` has the WAVE files that count by slot and operator, ``evidence`` the
    EVIDENCE files by operator. Nothing in here depends on who computed it or when.
    """

    version: Count
    hour: Count
    start: Second
    genesis: Key
    program: Key
    profiles: Digest
    alpha: Annotated[int, Field(ge=0, le=ALL)]
    waves: tuple[WaveRecord, ...]
    pings: tuple[Count, ...]
    included: dict[Slot, dict[Key, Digest]]
    evidence: dict[Key, Digest]

    def encode(self) -> bytes:
        """Write it as canonical JSON: sorted keys, no spaces, integers only."""
        return canonical.encode(self)

    @classmethod
    def decode(cls, data: bytes) -> HourRecord:
        """Read it; raises RecordError when it isn't one, or of another version."""
        record = _FORM.read(data)
        if record.version != VERSION:
            raise RecordError(f"{NAME} is of version {record.version}, but this program knows {VERSION}")
        _FORM.require_canonical(record, data)
        waves = [each.slot for each in record.waves]
        for slots in (waves, list(record.pings)):
            if slots != sorted(set(slots)):
                raise RecordError(f"{NAME}: waves or pings aren't in the order of their slots")
        if record.included.keys() != set(map(str, waves)):
            raise RecordError(f"{NAME}: files are included by other slots than those of its waves")
        return record


_FORM = canonical.Form(HourRecord, NAME, "is no record of an hour", RecordError)
