"""This operator's probes of devices that beat and, as a renter or the head says, don't serve.

A probe goes with the answer to a BEAT, again with each until it is answered, so that a lost answer costs
nobody anything; the worker posts what its sandbox made of it as a PROBED. It has failed once it isn't rightly
answered in :data:`ANSWER_SECONDS`, while the device beat :data:`HANDED` times. What touches a wave isn't
counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

import numpy as np
from solders.pubkey import Pubkey

from keeper.budgets import Buckets, Rate
from keeper.clients.orders import Lease
from keeper.compute.bodies import Body, Complaint, Probed, View
from keeper.compute.liveness import JOINING_SECONDS, TOGETHER_SECONDS, Wave
from keeper.compute.probe import DEPTH, SIDE, factors

ANSWER_SECONDS = 120
"""For an answer: four BEATs, and a sandbox whose processors are all in use."""
HANDED = 3
"""BEATs that a probe was handed out with before it can fail: all but the last's answer came."""
PAUSE_SECONDS = 300
"""Between two probes of a lease: two fall into the ten minutes that count together."""
BUDGET = Rate(120, 2)
"""Probes of all leases: whatever renters say, a fiftieth of a core."""
WORDS = 16
"""Seconds of a kind that are kept of a lease: the newest."""
Name = tuple[Pubkey, int, int]
"""A lease: its address, its device's number of it, and that device's registration."""


def expected(seed: bytes) -> bytes:
    """What :func:`keeper.compute.probe.answer` gives, in a fiftieth of its time."""
    left, right = (np.frombuffer(part, np.int8).astype(np.int32) for part in factors(seed))
    sums = left.reshape(SIDE, DEPTH) @ right.reshape(SIDE, DEPTH).T
    return sha256(sums.astype("<i4").tobytes()).digest()


class Words(NamedTuple):
    """What speaks against a lease, unix seconds: see :class:`keeper.compute.liveness.Observation`."""

    complaints: tuple[int, ...] = ()
    missing: tuple[int, ...] = ()
    probes_failed: tuple[int, ...] = ()


@dataclass(slots=True)
class _Asked:
    seed: bytes
    second: int
    handed: int = 0


@dataclass(slots=True)
class _Case:
    """A lease that somebody has spoken against."""

    words: Words = field(default_factory=Words)
    asked: _Asked | None = None
    last: int = 0
    """When it was last asked."""


class Prober:
    """One operator's; used from one thread."""

    def __init__(self, draw: Callable[[], bytes], waves: Callable[[], Iterable[Wave]] = tuple) -> None:
        """``draw`` gives a seed that nobody knows; ``waves`` those that have begun lately."""
        self._draw, self.waves = draw, waves
        self._cases: dict[Name, _Case] = {}
        self._budget = Buckets(BUDGET)

    def heard(self, leases: Iterable[Lease], sender: Pubkey, body: Body, at: int) -> None:
        """The renter or the head said something in an order at a unix second; ``leases`` of it run."""
        if any(wave.covers(at) for wave in self.waves()):
            return
        for each in leases:
            if isinstance(body, Complaint) and body.device == each.device:
                self._add(each, "complaints", at)
            # Nobody speaks against itself, and so a head can't be missed by its own list.
            if isinstance(body, View) and sender != each.worker:
                for row in body.seen:
                    if row.device == each.device and not row.alive:
                        self._add(each, "missing", at)

    def knows(self, lease: Lease) -> bool:
        """Whether anybody has spoken against it."""
        return _name(lease) in self._cases

    @property
    def is_idle(self) -> bool:
        """Whether nobody has spoken against any."""
        return not self._cases

    def ask(self, lease: Lease, now: int) -> bytes:
        """What a lease's worker is asked with the answer to its BEAT; nothing for most."""
        case = self._cases.get(_name(lease))
        if case is None:
            return b""
        self._judge(case, now)
        if case.asked is None and self._is_due(lease, case, now):
            case.asked, case.last = _Asked(self._draw(), now), now
        if case.asked is None:
            return b""
        case.asked.handed += 1
        return case.asked.seed

    def answered(self, lease: Lease, body: Probed, now: int) -> bool:
        """A worker's answer; whether it is the right one to what it was asked."""
        case = self._cases.get(_name(lease))
        if case is None or case.asked is None or body.seed != case.asked.seed:
            return False
        if now - case.asked.second > ANSWER_SECONDS or body.answer != expected(body.seed):
            return False
        case.asked = None
        return True

    def words(self, lease: Lease, at: int) -> Words:
        """What speaks against a lease at a second."""
        case = self._cases.get(_name(lease))
        if case is None:
            return Words()
        self._judge(case, at)
        first = at - 2 * TOGETHER_SECONDS
        return Words(*(tuple(each for each in kind if first <= each <= at) for kind in case.words))

    def keep_only(self, leases: Iterable[Lease]) -> None:
        """Forget leases that don't run any more."""
        there = {_name(each) for each in leases}
        self._cases = {name: case for name, case in self._cases.items() if name in there}

    # -- inside ----------------------------------------------------------------------------------

    def _add(self, lease: Lease, kind: str, second: int) -> None:
        words = self._cases.setdefault(_name(lease), _Case()).words
        seconds = sorted({*getattr(words, kind), second})[-WORDS:]
        self._cases[_name(lease)].words = words._replace(**{kind: tuple(seconds)})

    def _is_due(self, lease: Lease, case: _Case, now: int) -> bool:
        said = max((*case.words.complaints, *case.words.missing), default=0)
        if not now - TOGETHER_SECONDS <= said <= now or now - case.last < PAUSE_SECONDS:
            return False
        if now < lease.start + JOINING_SECONDS or any(wave.covers(now) for wave in self.waves()):
            return False
        return self._budget.take(None, now) == 0

    def _judge(self, case: _Case, now: int) -> None:
        """What became of a probe whose time is over."""
        asked = case.asked
        if asked is None or now - asked.second <= ANSWER_SECONDS:
            return
        case.asked = None
        ends = asked.second + ANSWER_SECONDS
        frozen = any(wave.touches(asked.second, ends) for wave in self.waves())
        if asked.handed >= HANDED and not frozen:
            failed = (*case.words.probes_failed, asked.second)[-WORDS:]
            case.words = case.words._replace(probes_failed=failed)


def _name(lease: Lease) -> Name:
    return lease.address, lease.number, lease.registered_at
