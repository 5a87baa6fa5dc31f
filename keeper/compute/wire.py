"""The envelope of a cluster's messages: for one network and order, by one sender, signed with Ed25519.

The first byte, 0xff, can't begin a transaction of Solana's; ``ionet compute`` after it isn't what a wallet's
off-chain messages begin with. Everything behind is of fixed length, up to the body.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from hashlib import sha256

from solders.pubkey import Pubkey
from solders.signature import Signature

from keeper.chain.signer import Signer
from keeper.compute.bodies import BODIES, Beat, Body, Kind, Probed
from keeper.compute.refusals import Why, WireError

MAGIC = b"\xffionet compute"
VERSION = 1
MAX_MESSAGE = 4_096
"""Bytes of a signed message."""
CLOCK_MS = 30_000
"""How far a sender's clock may be off, either way."""
SIGNATURE = 64
HEADER = struct.Struct("<14sBB32s32s32s32sIQQI")


@dataclass(frozen=True, slots=True)
class Network:
    """Which orders program on which chain: ``genesis`` is the hash of its genesis, 32 bytes."""

    genesis: bytes
    program: Pubkey


@dataclass(frozen=True, slots=True)
class Slot:
    """What a sender may fill once: a second message for it is evidence against the sender."""

    order: Pubkey
    sender: Pubkey
    kind: Kind
    operator: Pubkey | None
    """Of a BEAT and a PROBED: every operator has its own."""
    seq: int


@dataclass(frozen=True, slots=True)
class Message:
    """What is signed; ``seq`` rises strictly within a :class:`Slot`'s other fields, ``ms`` is unix time."""

    network: Network
    order: Pubkey
    sender: Pubkey
    epoch: int
    """Names the head, see :mod:`keeper.compute.members`; 0 in what is said before there is one."""
    seq: int
    ms: int
    body: Body

    @property
    def slot(self) -> Slot:
        """Where it belongs."""
        operator = self.body.operator if isinstance(self.body, Beat | Probed) else None
        return Slot(self.order, self.sender, self.body.KIND, operator, self.seq)

    def pack(self) -> bytes:
        """What its signature is of; raises WireError for numbers and bodies that don't fit."""
        body = self.body.encode()
        keys = (bytes(self.network.program), bytes(self.order), bytes(self.sender))
        numbers = (self.epoch, self.seq, self.ms, len(body))
        if len(self.network.genesis) != 32:  # noqa: PLR2004 - struct would cut it
            raise WireError(Why.WRONG_NETWORK, "a genesis hash has 32 bytes")
        if HEADER.size + len(body) + SIGNATURE > MAX_MESSAGE:
            raise WireError(Why.TOO_LONG, f"a message has at most {MAX_MESSAGE} bytes: send several")
        try:
            head = HEADER.pack(MAGIC, VERSION, self.body.KIND, self.network.genesis, *keys, *numbers)
        except struct.error as error:
            raise WireError(Why.MALFORMED, f"a number in its header doesn't fit: {error}") from error
        return head + body

    def sign(self, signer: Signer) -> Signed:
        """Have it signed by its sender; raises WireError, SigningFailed."""
        if signer.pubkey() != self.sender:
            raise WireError(Why.BAD_SIGNATURE, f"{signer.pubkey()} can't sign for {self.sender}")
        return Signed(self, signer.sign_message(self.pack()))


@dataclass(frozen=True, slots=True)
class Signed:
    """A message and its signature, which may be wrong: see :meth:`verify`."""

    message: Message
    signature: Signature

    def encode(self) -> bytes:
        """The message's bytes and the signature."""
        return self.message.pack() + bytes(self.signature)

    def verify(self, packed: bytes | None = None) -> None:
        """Raise WireError unless the sender signed it; strictly, so that no two verifiers disagree.

        ``packed`` is the message's :meth:`Message.pack`, where that is there already.
        """
        if not self.signature.verify(self.message.sender, packed or self.message.pack()):
            raise WireError(Why.BAD_SIGNATURE, f"{self.message.sender} didn't sign this message")


def decode(data: bytes, network: Network, order: Pubkey | None = None) -> Signed:
    """Read a message of ``network``, and of ``order`` where one is given; raises WireError.

    Its signature and time are not looked at: they come last, being dear and the receiver's matter.
    """
    if len(data) > MAX_MESSAGE:
        raise WireError(Why.TOO_LONG, f"a message has at most {MAX_MESSAGE} bytes, not {len(data)}")
    if len(data) < HEADER.size + SIGNATURE:
        raise WireError(Why.MALFORMED, f"a message has at least {HEADER.size + SIGNATURE} bytes")
    magic, version, kind, genesis, *keys, epoch, seq, ms, length = HEADER.unpack_from(data)
    program, named, sender = map(Pubkey, keys)
    if magic != MAGIC:
        raise WireError(Why.MALFORMED, "this is no message of a cluster")
    if version != VERSION:
        raise WireError(Why.MALFORMED, f"version {version} of messages isn't known here: update ionet")
    if kind not in set(Kind):
        raise WireError(Why.MALFORMED, f"there is no message of kind {kind}")
    if length != len(data) - HEADER.size - SIGNATURE:
        raise WireError(Why.MALFORMED, f"its body is said to have {length} bytes, and hasn't")
    if (genesis, program) != (network.genesis, network.program):
        raise WireError(Why.WRONG_NETWORK, "the message is for another chain or orders program")
    if order is not None and named != order:
        raise WireError(Why.WRONG_ORDER, f"the message is for order {named}")
    body = BODIES[Kind(kind)].decode(data[HEADER.size : -SIGNATURE])
    message = Message(network, named, sender, epoch, seq, ms, body)
    return Signed(message, Signature.from_bytes(data[-SIGNATURE:]))


def seq_of(data: bytes) -> int:
    """The number of a message that was read before."""
    return int(HEADER.unpack_from(data)[8])


def order_of(data: bytes) -> Pubkey:
    """The order of a message that was read before."""
    return Pubkey(HEADER.unpack_from(data)[5])


def kind_of(data: bytes) -> int:
    """The kind that a message says it is of, 0 for what is none."""
    return data[len(MAGIC) + 1] if len(data) >= HEADER.size else 0


def named_in(data: bytes) -> tuple[Pubkey, Pubkey] | None:
    """The order and the sender that a message says it is of, before anything of it is believed."""
    if len(data) < HEADER.size:
        return None
    found = HEADER.unpack_from(data)
    return Pubkey(found[5]), Pubkey(found[6])


def require_fresh(message: Message, now_ms: int) -> None:
    """Raise WireError for a message whose time is more than :data:`CLOCK_MS` from ours."""
    off = message.ms - now_ms
    if abs(off) > CLOCK_MS:
        raise WireError(
            Why.WRONG_CLOCK,
            f"the message's time is {abs(off) / 1_000:.1f} s {'ahead of' if off > 0 else 'behind'} ours, "
            f"and at most {CLOCK_MS // 1_000} s are allowed: set the clock",
        )


@dataclass(frozen=True, slots=True)
class Equivocation:
    """Two signed messages for one slot: proof, for anybody, that a key says different things to people."""

    first: Signed
    second: Signed

    @classmethod
    def of(cls, one: Signed, other: Signed) -> Equivocation | None:
        """Proof from two messages, in the one order that their bytes have; None where they prove nothing.

        The same message under two signatures proves nothing: what is compared is what was signed.
        """
        same = (one.message.network, one.message.slot) == (other.message.network, other.message.slot)
        if not same or one.message.pack() == other.message.pack():
            return None
        try:
            one.verify()
            other.verify()
        except WireError:
            return None
        return cls(*sorted((one, other), key=lambda each: each.message.pack()))

    def encode(self) -> bytes:
        """A u16 with the first's length, and both."""
        first = self.first.encode()
        return struct.pack("<H", len(first)) + first + self.second.encode()

    def hash(self) -> bytes:
        """What it is published under: SHA-256, 32 bytes, the same whoever found it."""
        return sha256(self.encode()).digest()

    @classmethod
    def decode(cls, data: bytes, network: Network) -> Equivocation:
        """Read and verify a proof; raises WireError for whatever proves nothing."""
        length = int.from_bytes(data[:2], "little")
        one, other = (decode(each, network) for each in (data[2 : 2 + length], data[2 + length :]))
        found = cls.of(one, other)
        if found is None or found.encode() != data:
            raise WireError(Why.EQUIVOCATION, "these two messages prove nothing against their sender")
        return found
