"""Verdicts as they are published: a folder by the vote's hash, with what anybody repeats the verdict from.

``faults/<hash>/lease.json`` names the lease and the minute; each ``<number>.observation`` beside it is what
an operator signed. Which operators count, and how many must agree, is on chain.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from solders.pubkey import Pubkey

from keeper import canonical, disk
from keeper.compute.liveness import Hired, ObservationError, Verdict, silence
from keeper.compute.observations import MAX_BYTES, Case, usable
from keeper.compute.wire import Network
from keeper.errors import UserError, why

FAULTS, LEASE, OBSERVATION = "faults", "lease.json", ".observation"
MAX_FILES = 256


class VerdictError(UserError):
    """A folder that shows no verdict, or another one than its name says."""


@dataclass(frozen=True, slots=True)
class About:
    """What ``lease.json`` says: base58 keys, the minute in unix seconds."""

    order: str
    worker: str
    at: int
    lease: Hired


_FORM = canonical.Form(About, LEASE, "names no lease", VerdictError)


def publish(folder: Path, found: Verdict, case: Case, at: int, files: Iterable[bytes]) -> Path:
    """Publish a verdict with the files that it was made of; raises VerdictError where the disk refuses it."""
    place = folder / FAULTS / found.hash().hex()
    about = About(str(case.order), str(case.worker), at, case.lease)
    try:
        with disk.whole(place) as part:
            disk.write(part / LEASE, [canonical.encode(about)])
            for number, data in enumerate(files):
                disk.write(part / f"{number}{OBSERVATION}", [data])
    except OSError as error:
        raise VerdictError(f"{place}: {why(error)}") from error
    return place


def repeat(place: Path, operators: Collection[Pubkey], k: int, network: Network) -> tuple[About, Verdict]:
    """The verdict of a published folder, made anew; raises VerdictError unless its hash is its name."""
    try:
        about = _FORM.decode((place / LEASE).read_bytes())
        paths = sorted(place.glob(f"*{OBSERVATION}"))[:MAX_FILES]
        files = [each.read_bytes() for each in paths if each.stat().st_size <= MAX_BYTES]
    except OSError as error:
        raise VerdictError(f"{place}: {why(error)}") from error
    try:
        case = Case(Pubkey.from_string(about.order), Pubkey.from_string(about.worker), about.lease)
    except ValueError as error:
        raise VerdictError(f"{place}: {LEASE} names an order or a worker that is no address") from error
    seen = usable(files, case, about.at, operators, network)
    try:
        found = silence(seen, k) if seen else None
    except ObservationError as error:
        raise VerdictError(f"{place}: {error}") from error
    if found is None:
        counted = f"{len(seen)} of its {len(files)} observations count"
        raise VerdictError(f"{place}: {counted}, and they show no fault of {case.lease.device}")
    if found.hash().hex() != place.name:
        raise VerdictError(f"{place}: the verdict's hash is {found.hash().hex()}, not that of the folder")
    return about, found
