"""A head's ticket for one member, sealed to the key that this member signed: no operator can read it."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from keeper.compute.bodies import SEALED
from keeper.compute.refusals import Why, WireError

PLAIN = struct.Struct("<32s4sHHI32s32s")


@dataclass(frozen=True, slots=True)
class Ticket:
    """How to join: where the head is, and the token that its Ray asks for."""

    token: bytes
    """32 bytes, made by the head's agent."""
    head: ipaddress.IPv4Address
    """In the overlay."""
    gcs_port: int
    jobs_port: int
    epoch: int
    runtime: bytes
    members: bytes
    """:meth:`keeper.compute.members.Members.hash`: in another order or epoch the ticket is none."""


def seal(ticket: Ticket, public: bytes) -> bytes:
    """Seal a ticket to an X25519 key of 32 bytes; raises WireError for a key that none can hold."""
    numbers = (ticket.gcs_port, ticket.jobs_port, ticket.epoch)
    plain = PLAIN.pack(ticket.token, ticket.head.packed, *numbers, ticket.runtime, ticket.members)
    try:
        return SealedBox(PublicKey(public)).encrypt(plain)
    except CryptoError as error:
        raise WireError(Why.MALFORMED, "the member's key is no X25519 key: nothing is sealed") from error


def unseal(box: bytes, private: PrivateKey) -> Ticket:
    """Open what was sealed to us; raises WireError for anything else."""
    try:
        plain = SealedBox(private).decrypt(box)
    except (CryptoError, ValueError, TypeError) as error:
        raise WireError(Why.NOT_SEALED_FOR_US, "the ticket isn't sealed to this device's key") from error
    if len(box) != SEALED:
        raise WireError(Why.MALFORMED, f"a sealed ticket has {SEALED} bytes, not {len(box)}")
    token, head, gcs, jobs, epoch, runtime, members = PLAIN.unpack(plain)
    return Ticket(token, ipaddress.IPv4Address(head), gcs, jobs, epoch, runtime, members)
