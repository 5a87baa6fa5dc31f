"""What a cluster's messages say: eight kinds, each with a fixed layout, integers little-endian."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import IntEnum
from ipaddress import IPv6Address
from typing import Any, ClassVar, Self

from construct import (
    Byte,
    Bytes,
    Construct,
    ConstructError,
    ExprAdapter,
    Int16ul,
    Int32ul,
    Int64ul,
    PrefixedArray,
    Struct,
    Terminated,
)
from solders.pubkey import Pubkey

from keeper.compute.refusals import Why, WireError

NODE_ID = 28
"""Bytes of a Ray node's id."""
NONCE = 16
"""Bytes of what an operator asks to have repeated."""
SEALED = 156
"""Bytes of a sealed :class:`keeper.compute.seal.Ticket`."""
ANSWERS_PROBES = 1
"""In a KEY's capabilities: the agent has probes run in its sandbox. Who doesn't isn't asked."""
EGRESS = 2
"""Also there. A worker's: its supplier lets renters' code out to some hosts; a renter's: it asks for that."""
MAX_ENDPOINTS, MAX_TICKETS, MAX_ROWS = 4, 20, 80
"""Rows in a message, so that none has more than 4 KiB; a cluster with more members sends several."""


class Kind(IntEnum):
    """Which of the bodies below a message has."""

    KEY = 1
    TICKET = 2
    JOINED = 3
    BEAT = 4
    VIEW = 5
    COMPLAINT = 6
    BYE = 7
    PROBED = 8


class Serving(IntEnum):
    """How a device says that it is, in a BEAT."""

    JOINING = 1
    ACTIVE = 2
    RESTARTING = 3


class Wrong(IntEnum):
    """What a renter complains of."""

    UNREACHABLE = 1
    SLOW = 2
    OTHER = 3


class Leaving(IntEnum):
    """Why a device leaves a cluster."""

    LEASE_ENDED = 1
    FAILED = 2
    STOPPED = 3


class _Record:
    """Fields that a layout reads and writes by their names."""

    __slots__ = ()

    def plain(self) -> dict[str, Any]:
        return {each.name: _plain(getattr(self, each.name)) for each in fields(self)}  # type: ignore[arg-type]


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value.plain() if isinstance(value, _Record) else value


def _as(layout: Construct[Any, Any], read: Callable[[Any], Any], write: Callable[[Any], Any]) -> Any:
    """A layout whose values are of a type of ours."""
    return ExprAdapter(layout, lambda value, _: read(value), lambda value, _: write(value))


def _rows(kind: Callable[..., Any], most: int, **layouts: Any) -> Any:
    """Up to ``most`` records, their number in a byte in front."""

    def few(rows: Any) -> Any:
        if len(rows) > most:
            raise WireError(
                Why.MALFORMED, f"a message has at most {most} rows, not {len(rows)}: send several"
            )
        return rows

    def read(rows: Any) -> Any:
        return tuple(kind(**{name: row[name] for name in layouts}) for row in few(rows))

    layout = Struct(*(name / each for name, each in layouts.items()))
    return _as(PrefixedArray(Byte, layout), read, few)


_PUBKEY = _as(Bytes(32), Pubkey, bytes)
_BOOL = _as(Byte, lambda value: (False, True)[value], int)


def _one_of(kind: type[IntEnum]) -> Any:
    return _as(Byte, kind, int)


class Body(_Record, ABC):
    """One of the kinds below."""

    __slots__ = ()
    KIND: ClassVar[Kind]
    LAYOUT: ClassVar[Any]

    def encode(self) -> bytes:
        """Its bytes; raises WireError for what doesn't fit."""
        try:
            return bytes(self.LAYOUT.build(self.plain()))
        except (ConstructError, ValueError, TypeError) as error:
            raise _malformed(self.KIND, error) from error

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read all of ``data``; raises WireError."""
        try:
            found = cls.LAYOUT.parse(data)
            return cls(**{each.name: found[each.name] for each in fields(cls)})  # type: ignore[arg-type]
        except (ConstructError, ValueError, IndexError) as error:
            raise _malformed(cls.KIND, error) from error


def _malformed(kind: Kind, error: Exception) -> WireError:
    reason = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
    return WireError(Why.MALFORMED, f"this is no {kind.name}: {reason}")


@dataclass(frozen=True, slots=True)
class Endpoint(_Record):
    """Where a member may be reached directly: an IPv6 address (or an IPv4 one mapped into it), a UDP port."""

    address: bytes
    port: int


def endpoint(address: str, port: int) -> Endpoint:
    """Of an IPv4 address."""
    return Endpoint(IPv6Address(f"::ffff:{address}").packed, port)


@dataclass(frozen=True, slots=True)
class Key(Body):
    """A member's X25519 key, which is its WireGuard key: one for each lease, or a renter's."""

    KIND: ClassVar[Kind] = Kind.KEY
    LAYOUT: ClassVar[Any] = Struct(
        "public" / Bytes(32),
        "number" / Int64ul,
        "runtime" / Bytes(32),
        "endpoints" / _rows(Endpoint, MAX_ENDPOINTS, address=Bytes(16), port=Int16ul),
        "capabilities" / Int32ul,
        Terminated,
    )

    public: bytes
    number: int
    """The lease's own. The renter counts its own from 0, and the highest counts: a key may be lost."""
    runtime: bytes
    """SHA-256 of the runtime's lock."""
    endpoints: tuple[Endpoint, ...]
    """None: by a relay alone."""
    capabilities: int
    """Bits: :data:`ANSWERS_PROBES`, :data:`EGRESS`; the others are for later, and 0."""


@dataclass(frozen=True, slots=True)
class Sealed(_Record):
    """A ticket that one member alone can open."""

    worker: Pubkey
    box: bytes


@dataclass(frozen=True, slots=True)
class Tickets(Body):
    """The head to other members: how to join, sealed for each; ``members`` is the list's hash."""

    KIND: ClassVar[Kind] = Kind.TICKET
    LAYOUT: ClassVar[Any] = Struct(
        "members" / Bytes(32),
        "sealed" / _rows(Sealed, MAX_TICKETS, worker=_PUBKEY, box=Bytes(SEALED)),
        Terminated,
    )

    members: bytes
    sealed: tuple[Sealed, ...]


@dataclass(frozen=True, slots=True)
class Joined(Body):
    """A device's node is up; ``memory`` in bytes."""

    KIND: ClassVar[Kind] = Kind.JOINED
    LAYOUT: ClassVar[Any] = Struct(
        "node" / Bytes(NODE_ID), "cpus" / Int16ul, "gpus" / Int16ul, "memory" / Int64ul, Terminated
    )

    node: bytes
    cpus: int
    gpus: int
    memory: int


@dataclass(frozen=True, slots=True)
class Beat(Body):
    """A device to one operator every 30 seconds: it is there, and what its sandbox has used so far."""

    KIND: ClassVar[Kind] = Kind.BEAT
    LAYOUT: ClassVar[Any] = Struct(
        "operator" / _PUBKEY,
        "nonce" / Bytes(NONCE),
        "serving" / _one_of(Serving),
        "node" / Bytes(NODE_ID),
        "number" / Int64ul,
        "uptime" / Int32ul,
        "cpu_ms" / Int64ul,
        "memory" / Int64ul,
        "sent" / Int64ul,
        "received" / Int64ul,
        Terminated,
    )

    operator: Pubkey
    nonce: bytes
    """From that operator's last answer: nobody signs it earlier."""
    serving: Serving
    node: bytes
    number: int
    """The lease's own: a device that is leased to an order again begins anew."""
    uptime: int
    """Seconds."""
    cpu_ms: int
    memory: int
    """Bytes, as are the next two."""
    sent: int
    received: int


@dataclass(frozen=True, slots=True)
class Seen(_Record):
    """Whether a device's node is alive, and since which unix second it is so."""

    device: Pubkey
    alive: bool
    since: int


@dataclass(frozen=True, slots=True)
class View(Body):
    """What the head's own list of nodes says of some devices; of those that it doesn't name, nothing."""

    KIND: ClassVar[Kind] = Kind.VIEW
    LAYOUT: ClassVar[Any] = Struct(
        "seen" / _rows(Seen, MAX_ROWS, device=_PUBKEY, alive=_BOOL, since=Int64ul), Terminated
    )

    seen: tuple[Seen, ...]


@dataclass(frozen=True, slots=True)
class Complaint(Body):
    """The renter: a device hasn't served since a unix second. By itself it costs nobody anything."""

    KIND: ClassVar[Kind] = Kind.COMPLAINT
    LAYOUT: ClassVar[Any] = Struct(
        "device" / _PUBKEY, "since" / Int64ul, "wrong" / _one_of(Wrong), Terminated
    )

    device: Pubkey
    since: int
    wrong: Wrong


@dataclass(frozen=True, slots=True)
class Bye(Body):
    """A device leaves."""

    KIND: ClassVar[Kind] = Kind.BYE
    LAYOUT: ClassVar[Any] = Struct("leaving" / _one_of(Leaving), Terminated)

    leaving: Leaving


@dataclass(frozen=True, slots=True)
class Probed(Body):
    """A device to the operator that asked: what its sandbox made of a :mod:`~keeper.compute.probe`'s seed."""

    KIND: ClassVar[Kind] = Kind.PROBED
    LAYOUT: ClassVar[Any] = Struct(
        "operator" / _PUBKEY, "seed" / Bytes(32), "answer" / Bytes(32), "number" / Int64ul, Terminated
    )

    operator: Pubkey
    seed: bytes
    answer: bytes
    number: int
    """The lease's own."""


BODIES: dict[Kind, type[Body]] = {
    each.KIND: each for each in (Key, Tickets, Joined, Beat, View, Complaint, Bye, Probed)
}
