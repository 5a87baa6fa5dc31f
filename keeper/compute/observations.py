"""Observations as operators publish them: signed, so that nobody says something in another's name.

A file is the operator's signature (64 bytes) of ``0xff "ionet observation" | genesis hash 32 | orders program
32`` and what follows: the observation in canonical JSON. What can be used for a verdict is decided by
:func:`usable`, for operators and for anybody who repeats it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from solders.pubkey import Pubkey
from solders.signature import Signature

from keeper.chain.signer import Signer
from keeper.clients.orders import Lease
from keeper.compute.liveness import Hired, Observation, ObservationError, decode, require_proven
from keeper.compute.wire import SIGNATURE, Network

MAGIC = b"\xffionet observation"
MAX_BYTES = 64 << 10
"""Of a file: a BEAT, and the seconds of what was complained and seen."""


@dataclass(frozen=True, slots=True)
class Case:
    """A lease that is judged, and who serves it for which order."""

    order: Pubkey
    worker: Pubkey
    lease: Hired

    @classmethod
    def of(cls, lease: Lease) -> Case:
        """From the account of a lease that has begun."""
        hired = Hired(str(lease.device), lease.registered_at, lease.number, lease.start, lease.stop)
        return cls(lease.order, lease.worker, hired)


def sign(seen: Observation, network: Network, signer: Signer) -> bytes:
    """The file of an observation; raises SigningFailed."""
    data = seen.encode()
    return bytes(signer.sign_message(_said(network, data))) + data


def read(data: bytes, network: Network) -> Observation:
    """Read a file; raises ObservationError unless the operator that it names has signed it."""
    if not SIGNATURE < len(data) <= MAX_BYTES:
        raise ObservationError(f"an observation has at most {MAX_BYTES} bytes, behind a signature")
    seen = decode(data[SIGNATURE:])
    try:
        operator = Pubkey.from_string(seen.operator)
    except ValueError as error:
        raise ObservationError(f"{seen.operator!r} is no operator") from error
    if not Signature.from_bytes(data[:SIGNATURE]).verify(operator, _said(network, data[SIGNATURE:])):
        raise ObservationError(f"{operator} didn't sign this observation")
    return seen


def usable(
    files: Iterable[bytes], case: Case, at: int, operators: Collection[Pubkey], network: Network
) -> list[Observation]:
    """Of the files about a lease at ``at``, what counts: signed by one of ``operators``, one of each, proven.

    Files that don't count are passed over, as anybody may publish any. An operator that signed two different
    ones for a minute has none that counts.
    """
    found: dict[str, Observation | None] = {}
    for data in files:
        try:
            seen = read(data, network)
            require_proven(seen, network, case.order, case.worker)
        except ObservationError:
            continue
        if Pubkey.from_string(seen.operator) not in operators or (seen.at, seen.lease) != (at, case.lease):
            continue
        found[seen.operator] = seen if found.get(seen.operator, seen) == seen else None
    return [seen for _, seen in sorted(found.items()) if seen is not None]


def _said(network: Network, data: bytes) -> bytes:
    return MAGIC + network.genesis + bytes(network.program) + data
