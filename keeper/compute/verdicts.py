"""Verdicts as they are published: by the vote's hash, with what anybody repeats the verdict from.

``faults/<hash>/lease.json`` names the lease, the minute and how many observations there are;
``<number>.observation`` beside it is what an operator signed. Who publishes reward blocks serves them under
``/rewards/faults/<hash>/``. Which operators count, and how many must agree, is on chain.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx2 as httpx
from solders.pubkey import Pubkey

from keeper import canonical, disk
from keeper.chain.services import OperatorError, ask
from keeper.compute.liveness import Hired, ObservationError, Verdict, judge
from keeper.compute.observations import MAX_BYTES, Case, usable
from keeper.compute.wire import Network
from keeper.errors import UserError, why

FAULTS, LEASE, OBSERVATION = "faults", "lease.json", ".observation"
SERVED = re.compile(r"[0-9a-f]{64}/(lease\.json|[0-9]{1,3}\.observation)")
"""What of the folder of faults is for everybody."""
HASH = re.compile(r"[0-9a-f]{64}")
MAX_FILES = 256
DAY = 86_400
KEPT_SECONDS = 90 * DAY
"""A lease is settled two hours after its end: who doubts a verdict has three months."""
MOST_KEPT = 20_000
"""Verdicts, each of 10 KB for each operator: of more the oldest go."""


class VerdictError(UserError):
    """What shows no verdict, or another one than its name says, or isn't there."""


@dataclass(frozen=True, slots=True)
class About:
    """What ``lease.json`` says: base58 keys, the minute in unix seconds, how many observations there are."""

    order: str
    worker: str
    at: int
    lease: Hired
    observations: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """A published verdict as it was found at ``place``, whose last part is the hash."""

    place: str
    about: About
    files: Sequence[bytes]


_FORM = canonical.Form(About, LEASE, "names no lease", VerdictError)


def publish(folder: Path, found: Verdict, case: Case, at: int, files: Sequence[bytes]) -> Path:
    """Publish a verdict with the files that it was made of; raises VerdictError where the disk refuses it."""
    place = folder / FAULTS / found.hash().hex()
    files = [data for data in files if len(data) <= MAX_BYTES][:MAX_FILES]
    about = About(str(case.order), str(case.worker), at, case.lease, len(files))
    try:
        with disk.whole(place) as part:
            disk.write(part / LEASE, [canonical.encode(about)])
            for number, data in enumerate(files):
                disk.write(part / f"{number}{OBSERVATION}", [data])
    except OSError as error:
        raise VerdictError(f"{place}: {why(error)}") from error
    return place


def retire(folder: Path, now: int) -> int:
    """Delete verdicts of before :data:`KEPT_SECONDS`, and the oldest beyond :data:`MOST_KEPT`; how many.

    What can't be read is left to whoever looks after the disk.
    """
    found = []
    for place in (folder / FAULTS).glob("*"):
        if HASH.fullmatch(place.name):
            try:
                found.append((_FORM.decode((place / LEASE).read_bytes()).at, place))
            except (OSError, VerdictError):
                continue
    found.sort(reverse=True)
    recent = sum(at >= now - KEPT_SECONDS for at, _ in found)
    gone = [place for _, place in found[min(recent, MOST_KEPT) :]]
    for place in gone:
        shutil.rmtree(place, ignore_errors=True)
    return len(gone)


def held(place: Path) -> Evidence:
    """What a folder has; raises VerdictError."""
    try:
        about = _FORM.decode((place / LEASE).read_bytes())
        names = (place / f"{number}{OBSERVATION}" for number in range(min(about.observations, MAX_FILES)))
        files = [each.read_bytes() for each in names if each.stat().st_size <= MAX_BYTES]
    except OSError as error:
        raise VerdictError(f"{place}: {why(error)}") from error
    return Evidence(str(place), about, files)


async def fetch(http: httpx.AsyncClient, url: str) -> Evidence:
    """What an operator serves at ``.../rewards/faults/HASH``; raises VerdictError."""
    url = url.rstrip("/")
    try:
        about = _FORM.decode(await ask(http, "GET", url, f"/{LEASE}", most=MAX_BYTES))
        numbers = range(min(about.observations, MAX_FILES))
        files = [await ask(http, "GET", url, f"/{each}{OBSERVATION}", most=MAX_BYTES) for each in numbers]
    except OperatorError as error:
        raise VerdictError(f"{url}: {error}") from error
    return Evidence(url, about, files)


def repeat(evidence: Evidence, operators: Collection[Pubkey], k: int, network: Network) -> Verdict:
    """The verdict, made anew; raises VerdictError unless its hash is what the place is named by."""
    place, about, files = evidence.place, evidence.about, evidence.files
    try:
        case = Case(Pubkey.from_string(about.order), Pubkey.from_string(about.worker), about.lease)
    except ValueError as error:
        raise VerdictError(f"{place}: {LEASE} names an order or a worker that is no address") from error
    seen = usable(files, case, about.at, operators, network)
    try:
        found = judge(seen, k) if seen else None
    except ObservationError as error:
        raise VerdictError(f"{place}: {error}") from error
    if found is None:
        counted = f"{len(seen)} of its {len(files)} observations count"
        raise VerdictError(f"{place}: {counted}, and they show no fault of {case.lease.device}")
    if found.hash().hex() != place.rpartition("/")[2]:
        raise VerdictError(f"{place}: the verdict's hash is {found.hash().hex()}, not what it is named by")
    return found
