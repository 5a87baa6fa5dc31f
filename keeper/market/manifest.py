"""A tick's manifest: which files there are, and what they follow from, as canonical JSON (RFC 8785)."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated

from pydantic import Field

from keeper import canonical
from keeper.errors import UserError
from keeper.pow.record import Digest, Key

NAME = "manifest.json"


class ManifestInvalid(UserError):
    """Bytes that aren't a tick's canonical manifest."""


Count = Annotated[int, Field(ge=0, lt=2**53)]
"""Whatever canonical JSON can hold as a number."""
Number = Annotated[str, Field(pattern="^(0|[1-9][0-9]{0,19})$")]
"""A number that may be too large for JSON."""


@dataclass(frozen=True, slots=True)
class File:
    """A file: SHA-256 of its bytes, their number, and that of its rows."""

    sha256: Digest
    bytes: Count
    rows: Count


@dataclass(frozen=True, slots=True)
class Base:
    """An earlier tick of the hour whose ``devices.csv`` has all devices, and that file's SHA-256."""

    tick: Count
    sha256: Digest


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a tick's files are, and by which rules.

    ``figures`` is the hash of all that the rule's version has in figures (:mod:`keeper.market.rules`),
    ``profiled`` are the classes whose devices had to pass a proof of work.
    ``slot`` and ``blockhash`` are of the first block of the tick, ``seed`` follows from them. With a ``base``
    ``devices.csv`` has only what changed since then.
    """

    rule: Count
    figures: Digest
    profiled: list[Count]
    program: Key
    operator: Key
    tick: Count
    slot: Count
    blockhash: Key
    seed: Number
    base: Base | None
    files: dict[str, File]

    def encode(self) -> bytes:
        """Write it: sorted keys, no spaces."""
        return canonical.encode(self)

    @property
    def hash(self) -> bytes:
        """SHA-256 of its bytes: what the operator posts on chain."""
        return sha256(self.encode()).digest()

    @classmethod
    def decode(cls, data: bytes) -> Manifest:
        """Read it; raises ManifestInvalid."""
        return _FORM.decode(data)


_FORM = canonical.Form(Manifest, NAME, "is no manifest of a tick", ManifestInvalid)
