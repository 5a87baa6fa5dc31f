"""A wave by oneself: product, commitment, opening and verification, with the time that each takes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from solders.pubkey import Pubkey

from keeper.errors import UserError
from keeper.pow.backend import Backend
from keeper.pow.codes import Code
from keeper.pow.hashing import digest
from keeper.pow.opening import claim
from keeper.pow.profiles import Profile, deadline_ms
from keeper.pow.prove import prove
from keeper.pow.seeds import open_seed, picks
from keeper.pow.verify import verify_batch

WAVE = digest("trial")
"""What a trial's wave is made from: no block's."""


SAMPLE = 8_192
"""Of K at most, in the piece of a product that is timed first."""
HOPELESS = 10
"""Times the deadline: who needs longer isn't told so after hours."""


class Hopeless(UserError):
    """A machine that is far too slow for a profile."""


@dataclass(frozen=True, slots=True)
class Trial:
    """How a wave went here; times are milliseconds, of the product what counts against the deadline."""

    profile: Profile
    product_ms: int
    open_ms: int
    verify_ms: int
    blob: int
    """Bytes of the opening."""
    code: Code
    """What a verifier finds; anything but PASS is a defect of this machine."""

    @property
    def is_in_time(self) -> bool:
        """Whether the product alone was made before the deadline; handing it in takes a moment more."""
        return self.product_ms < deadline_ms(self.profile.T_ms)


def require_hope(backend: Backend[Any], profile: Profile, procs: int) -> None:
    """Time a small piece of a wave's product; raises Hopeless where all of it would take far too long."""
    rows, columns = min(backend.rows, profile.m), min(backend.columns, profile.n)
    inner = min(SAMPLE, profile.K)
    begun = time.monotonic()
    a, bt = (backend.generate(WAVE, range(count), inner) for count in (rows, columns))
    backend.take(backend.product(a, bt))
    taken = time.monotonic() - begun
    pieces = profile.m * profile.n * profile.K / (rows * columns * inner)
    turns = -(-procs // backend.processors)
    seconds, deadline = taken * pieces * turns, deadline_ms(profile.T_ms) / 1000
    if seconds > HOPELESS * deadline:
        raise Hopeless(
            f"a wave of profile {profile.id} would take about {seconds:,.0f} seconds here with "
            f"{backend.name}, and its deadline is {deadline:.1f}: choose the class that this machine is"
        )


def run_trial(backend: Backend[Any], device: Pubkey, profile: Profile, procs: int) -> Trial:
    """Make a wave that nobody asked for, and verify it; takes as long as a real one. Raises Hopeless."""
    require_hope(backend, profile, procs)
    times = [time.monotonic()]
    proof = prove(backend, WAVE, device, profile, procs)
    times.append(time.monotonic())
    drawn = open_seed(WAVE, 0, WAVE)
    blob = proof.open(picks(drawn, device, proof.root, profile, procs))
    times.append(time.monotonic())
    claimed = claim(drawn, profile, device, proof.root, procs, blob)
    (code,) = verify_batch(WAVE, profile, [claimed])
    times.append(time.monotonic())
    product, opened, verified = (int(1000 * (end - start)) for start, end in pairwise(times))
    return Trial(profile, product, opened, verified, len(blob), code)
