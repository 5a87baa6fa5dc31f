"""When waves and pings are: drawn by the chain's own blocks, so that nobody knows before and anybody sees.

One machine for all uses: a worker and an operator feed it confirmed blocks as they come, a verdict and an
auditor the finalized blocks of an hour that is over. It asks for a block at a time (``next_slot``) and
decides on each at once, from blocks up to it alone.

**What a chain may do.** Every 32 slots' first block is a candidate, whatever its slot in them; 32 slots
without a block have none. An hour of the emission takes the candidates whose block time is 60 to 3,300
seconds into it. When a cluster stood still, an hour may be left without a wave, and several hours may pass
between two candidates: each candidate belongs to the hour of its own time. Solana's clock never runs
backwards (a block's time is bounded by its parent's); should a chain's do so all the same, a block starts
nothing in an hour that an earlier block has ended. A block without a time never comes here: whoever reads
chains asks again, or elsewhere (:meth:`~keeper.chain.protocol.ChainReader.head`), as the answer must be the
same for all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from solders.pubkey import Pubkey

from keeper.chain.records import Head
from keeper.errors import UserError
from keeper.pow.hashing import digest, first_u64
from keeper.pow.seeds import ALL, epoch_seed, open_seed, wave_seed

HOUR, DAY = 3_600, 86_400
APART = 32
"""Slots from one candidate to the next: 12.8 seconds at 400 ms a slot."""
FIRST_SECOND, LAST_SECOND = 60, 3_300
"""Of an hour, between which waves and pings start: before, the hour's devices become final."""
SECONDS_LEFT_EACH = 16
"""A draw for each so many seconds left: a bit more than candidates are apart, so that the last is sure."""
SPOT_BITS = 54
"""A candidate after the hour's wave starts a spot wave with probability 2^54 / 2^64: one in nine hours."""
SPOT_AFTER = 450
"""Slots from a wave to the next spot wave: the one before is over."""
PINGS_ONE_IN = 40
RESIDENCY_ONE_IN = 6
OPEN_AFTER = 150
"""Slots from a wave to the block that picks are drawn from: all roots are anchored by then."""
PLOT_SECONDS = 1_800
"""Waves so early in a UTC day are about the plot of the day before."""
RESIDENCY_SHARE = 4
"""By rule 3 a quarter of the share is opened in residency waves, whatever an opening of them costs."""
PLOT_COST = 24
"""A plot's pick costs so many times what a product's does at the same K, as its columns are made for it alone
and its row in many rounds: see the table of ``python benches/pow.py``."""
OPENED_LOAD = 12_500 * 24 * 65_536
"""Picks times K that operators verify for an hour: 12,500 devices with 24 picks at K = 2^16."""


class ClockError(UserError):
    """A block that isn't the one asked for: whoever told of it is broken, or lies."""


class WaveKind(IntEnum):
    """What devices do in a wave; those that can't do the second, or are hired, do the first."""

    PRODUCT = 0
    RESIDENCY = 1


@dataclass(frozen=True, slots=True)
class Network:
    """Whose waves: the chain (its genesis hash, 32 bytes), the staking program, and when hour 0 started."""

    genesis: bytes
    program: Pubkey
    start: int
    """Unix seconds of the start of hour 0 of the emission."""

    def wave_seed(self, slot: int, blockhash: bytes) -> bytes:
        """What makes a wave's operands, and a ping's question: of the block that starts it."""
        return wave_seed(self.genesis, self.program, slot, blockhash)

    def epoch_seed(self, slot: int, blockhash: bytes) -> bytes:
        """What makes a day's plots: of the first block of the day, see :func:`epoch_start`."""
        return epoch_seed(self.genesis, self.program, slot, blockhash)

    def hour_of(self, time: int) -> int:
        """The hour of the emission at a time; below 0 before the first."""
        return (time - self.start) // HOUR

    def start_of(self, hour: int) -> int:
        """When an hour starts, unix seconds."""
        return self.start + HOUR * hour


@dataclass(frozen=True, slots=True)
class Wave:
    """A wave, by the block that starts it."""

    hour: int
    slot: int
    blockhash: bytes
    time: int
    """Of the block, unix seconds."""
    seed: bytes
    kind: WaveKind
    spot: bool

    @property
    def open_from(self) -> int:
        """The slot from which on the first block gives the picks."""
        return self.slot + OPEN_AFTER

    @property
    def epoch_start(self) -> int:
        """Unix seconds of the UTC day whose plot a residency wave is about."""
        return epoch_start(self.time)

    def open_seed(self, opening: Head) -> bytes:
        """What picks are drawn from, by the first block from :attr:`open_from` on; or ClockError."""
        if opening.slot < self.open_from:
            raise ClockError(f"a wave at slot {self.slot} can't be opened by a block of slot {opening.slot}")
        return open_seed(self.seed, opening.slot, opening.blockhash)


@dataclass(frozen=True, slots=True)
class Ping:
    """A question whether a device is there; the answer repeats the seed."""

    hour: int
    slot: int
    time: int
    seed: bytes


class WaveClock:
    """Decides of candidate after candidate whether it starts a wave or a ping.

    To say what an hour has, it must have had all candidates of the hour: begin at or before the first one.
    """

    def __init__(self, network: Network, slot: int) -> None:
        """Begin with the candidates from ``slot`` on."""
        self.network = network
        self.next_slot = -(-slot // APART) * APART
        """The next block to feed is the first one from here on. All before is decided."""
        self.hour: int | None = None
        """The hour of the newest block, None before the first block: all hours before it are over."""
        self.closed = False
        """Whether nothing more starts in :attr:`hour`."""
        self._last: Wave | None = None
        """The newest wave of the hour."""

    def is_over(self, hour: int) -> bool:
        """Whether nothing more starts in an hour."""
        return self.hour is not None and (self.hour > hour or (self.hour == hour and self.closed))

    def feed(self, head: Head) -> Wave | Ping | None:
        """Take the first block from :attr:`next_slot` on; returns what it starts.

        Raises ClockError for a block before that, and then nothing has changed.
        """
        if head.slot < self.next_slot:
            raise ClockError(f"asked for the first block from slot {self.next_slot}, told of {head.slot}")
        # There is none between: candidates up to this block's own have no block in their 32 slots.
        self.next_slot = head.slot // APART * APART + APART
        hour = self.network.hour_of(head.time)
        if self.hour is None or hour > self.hour:
            self.hour, self.closed, self._last = hour, False, None
        second = head.time - self.network.start_of(hour)
        if hour < max(self.hour, 0) or self.closed or second < FIRST_SECOND:
            return None
        if second > LAST_SECOND:
            self.closed = True
            return None
        seed = self.network.wave_seed(head.slot, head.blockhash)
        if self._starts(head, second):
            spot = self._last is not None
            residency = not spot and first_u64(digest("kind", seed)) * RESIDENCY_ONE_IN < 1 << 64
            kind = WaveKind.RESIDENCY if residency else WaveKind.PRODUCT
            self._last = Wave(hour, head.slot, head.blockhash, head.time, seed, kind, spot)
            return self._last
        if first_u64(digest("ping", head.blockhash)) * PINGS_ONE_IN < 1 << 64:
            return Ping(hour, head.slot, head.time, seed)
        return None

    def _starts(self, head: Head, second: int) -> bool:
        """Whether a candidate starts a wave."""
        if self._last is None:
            return drawn(head.blockhash) * remaining(second) < 1 << 64
        spot = first_u64(digest("spot", head.blockhash)) < 1 << SPOT_BITS
        return spot and head.slot >= self._last.slot + SPOT_AFTER


@dataclass(frozen=True, slots=True)
class HourPlan:
    """The waves and pings of an hour, in the order of the chain; at most one wave isn't a spot wave."""

    hour: int
    waves: tuple[Wave, ...]
    pings: tuple[Ping, ...]

    @classmethod
    def of(cls, hour: int, events: Iterable[Wave | Ping | None]) -> HourPlan:
        """Pick an hour's out of what a clock gave."""
        mine = [each for each in events if each and each.hour == hour]
        waves = tuple(each for each in mine if isinstance(each, Wave))
        return cls(hour, waves, tuple(each for each in mine if isinstance(each, Ping)))


def drawn(blockhash: bytes) -> int:
    """A candidate's draw for the hour's wave, below 2^64."""
    return first_u64(digest("draw", blockhash))


def remaining(second: int) -> int:
    """How many candidates an hour is taken to have left at a second of it, this one with them."""
    return 1 + (LAST_SECOND - second) // SECONDS_LEFT_EACH


def epoch_start(time: int) -> int:
    """The start of the UTC day whose plots a wave at ``time`` is about, unix seconds."""
    return (time - PLOT_SECONDS) // DAY * DAY


class Shares(NamedTuple):
    """How many of 65,536 devices are opened: of those that do a product, of those that show their plots."""

    product: int
    residency: int

    def of(self, kind: WaveKind) -> int:
        """That of a kind of work."""
        return self.residency if kind is WaveKind.RESIDENCY else self.product


def quartered(share: int) -> Shares:
    """The shares by rule 3."""
    return Shares(share, share // RESIDENCY_SHARE)


def alpha(load: int) -> int:
    """The share of devices that is opened, in 65,536ths: all, up to what operators can verify.

    ``load`` is the sum over the hour's devices of their picks times their profile's K.
    """
    return min(ALL, ALL * OPENED_LOAD // load) if load else ALL
