"""What workers and operators send each other about waves: bodies of exact lengths, signed with Ed25519.

What is signed is :func:`~keeper.pow.hashing.tagged` of the message's name and the body. It can't be a Solana
transaction, whoever makes the body: a message of version 0 or later begins with a byte from 0x80 on, ours
with a length below that; an older one says in its first byte how many must sign, in its second how many of
these write nothing, which the runtime wants to be fewer, and our second byte, ``i``, is 105, above any length
here.
Neither is it an off-chain message of a wallet, which begins with 0xff.
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import ClassVar, Generic, Self, TypeVar

from solders.pubkey import Pubkey
from solders.signature import Signature

from keeper.chain.signer import Signer
from keeper.errors import UserError
from keeper.pow.clock import WaveKind
from keeper.pow.connectivity import Direction
from keeper.pow.hashing import tagged

SIGNATURE = 64
"""Bytes of a signature."""
PONGS = 32
"""Answers to pings that a request may bring together: 4,096 bytes, half of what its head may have."""


class MessageError(UserError):
    """Bytes that aren't a message of their kind."""


class Message(ABC):
    """One of the kinds below."""

    __slots__ = ()
    NAME: ClassVar[str]
    """What its signature is tagged with."""
    BODY: ClassVar[struct.Struct]

    @abstractmethod
    def body(self) -> bytes:
        """Its bytes without a signature."""

    @classmethod
    @abstractmethod
    def of_body(cls, body: bytes) -> Self:
        """Read a body of the right length; raises MessageError for what it can't say."""

    def signed_bytes(self) -> bytes:
        """What its signature is of."""
        return tagged(self.NAME) + self.body()

    def sign(self, signer: Signer) -> Signed[Self]:
        """Have it signed; raises SigningFailed."""
        return Signed(self, signer.sign_message(self.signed_bytes()))


M = TypeVar("M", bound=Message)


@dataclass(frozen=True, slots=True)
class Signed(Generic[M]):
    """A message and a signature, which may be wrong: see :meth:`is_by`."""

    message: M
    signature: Signature

    def encode(self) -> bytes:
        """The message's body and the signature."""
        return self.message.body() + bytes(self.signature)

    def is_by(self, key: Pubkey) -> bool:
        """Whether the key signed it; strictly: no two verifiers disagree, and no signature has a twin."""
        return _is_signed(bytes(key), self.message.signed_bytes(), bytes(self.signature))


@lru_cache(maxsize=8_192)
def _is_signed(key: bytes, message: bytes, signature: bytes) -> bool:
    """Verify a signature, once for the same bytes: an operator meets a commit again in every other's file."""
    return Signature.from_bytes(signature).verify(Pubkey(key), message)


def size(kind: type[Message]) -> int:
    """How many bytes a signed message of a kind has."""
    return kind.BODY.size + SIGNATURE


def decode(kind: type[M], data: bytes) -> Signed[M]:
    """Read a signed message; raises MessageError. Nothing is verified."""
    if len(data) != size(kind):
        raise MessageError(f"a {kind.NAME} has {size(kind)} bytes, not {len(data)}")
    body, signature = data[:-SIGNATURE], data[-SIGNATURE:]
    return Signed(kind.of_body(body), Signature.from_bytes(signature))


@dataclass(frozen=True, slots=True)
class Commit(Message):
    """A worker to all operators: the root of what its device made in a wave. 168 bytes signed."""

    NAME: ClassVar[str] = "commit"
    BODY: ClassVar[struct.Struct] = struct.Struct("<32s32sBBHI32s")

    wave_seed: bytes
    device: Pubkey
    """The device's account; its worker's key signs."""
    kind: WaveKind
    """Of the work: PRODUCT in a residency wave, too, for who doesn't do the other."""
    procs: int
    profile: int
    device_ms: int
    """How long it took by the device's clock, milliseconds; nothing follows from it."""
    root: bytes

    def body(self) -> bytes:
        """See :class:`Message`."""
        numbers = self.kind, self.procs, self.profile, self.device_ms
        return self.BODY.pack(self.wave_seed, bytes(self.device), *numbers, self.root)

    @classmethod
    def of_body(cls, body: bytes) -> Commit:
        """See :class:`Message`."""
        seed, device, kind, procs, profile, device_ms, root = cls.BODY.unpack(body)
        if kind not in set(WaveKind):
            raise MessageError(f"a commit to work of kind {kind}")
        if procs == 0:
            raise MessageError("a commit without processors")
        return cls(seed, Pubkey(device), WaveKind(kind), procs, profile, device_ms, root)

    def hash(self) -> bytes:
        """What a receipt names it by: SHA-256 of the body."""
        return sha256(self.body()).digest()


@dataclass(frozen=True, slots=True)
class Receipt(Message):
    """An operator to a worker: when it had a commit. 132 bytes signed."""

    NAME: ClassVar[str] = "receipt"
    BODY: ClassVar[struct.Struct] = struct.Struct("<32s32sI")

    operator: Pubkey
    """Who signs."""
    commit: bytes
    """The commit's :meth:`~Commit.hash`."""
    ms: int
    """From seeing the wave's block confirmed to the commit's last byte."""

    def body(self) -> bytes:
        """See :class:`Message`."""
        return self.BODY.pack(bytes(self.operator), self.commit, self.ms)

    @classmethod
    def of_body(cls, body: bytes) -> Receipt:
        """See :class:`Message`."""
        operator, commit, ms = cls.BODY.unpack(body)
        return cls(Pubkey(operator), commit, ms)


@dataclass(frozen=True, slots=True)
class Pong(Message):
    """A worker to all operators, at a ping: its device is there. 128 bytes signed."""

    NAME: ClassVar[str] = "ping"
    BODY: ClassVar[struct.Struct] = struct.Struct("<32s32s")

    seed: bytes
    """The :class:`~keeper.pow.clock.Ping`'s."""
    device: Pubkey

    def body(self) -> bytes:
        """See :class:`Message`."""
        return self.BODY.pack(self.seed, bytes(self.device))

    @classmethod
    def of_body(cls, body: bytes) -> Pong:
        """See :class:`Message`."""
        seed, device = cls.BODY.unpack(body)
        return cls(seed, Pubkey(device))


@dataclass(frozen=True, slots=True)
class TransferRequest(Message):
    """A worker to one operator, in an HTTP header: measure my device's connection one way. 161 bytes signed.

    It names the operator: else one could use up the device's turn with the others.
    """

    NAME: ClassVar[str] = "transfer"
    BODY: ClassVar[struct.Struct] = struct.Struct("<32s32s32sB")

    operator: Pubkey
    wave_seed: bytes
    """Of the hour's wave, which drew the device."""
    device: Pubkey
    direction: Direction

    def body(self) -> bytes:
        """See :class:`Message`."""
        return self.BODY.pack(bytes(self.operator), self.wave_seed, bytes(self.device), self.direction)

    @classmethod
    def of_body(cls, body: bytes) -> TransferRequest:
        """See :class:`Message`."""
        operator, seed, device, direction = cls.BODY.unpack(body)
        if direction not in set(Direction):
            raise MessageError(f"a transfer in direction {direction}")
        return cls(Pubkey(operator), seed, Pubkey(device), Direction(direction))


SIGNED: tuple[type[Message], ...] = (Commit, Receipt, Pong, TransferRequest)
"""Every kind that somebody signs."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A worker to all operators: what was drawn of its work. Unsigned, as its root proves it."""

    HEADER: ClassVar[int] = 96

    wave_seed: bytes
    device: Pubkey
    root: bytes
    blob: bytes

    def encode(self) -> bytes:
        """Its bytes."""
        return self.wave_seed + bytes(self.device) + self.root + self.blob

    @classmethod
    def decode(cls, data: bytes) -> Opening:
        """Read one; raises MessageError where there is no blob.

        How long the blob must be follows from the device, its root and its picks: look before you read on.
        """
        if len(data) <= cls.HEADER:
            raise MessageError(f"an opening has more than {cls.HEADER} bytes, not {len(data)}")
        return cls(data[:32], Pubkey(data[32:64]), data[64:96], data[96:])
