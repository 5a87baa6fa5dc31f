"""How well a device is connected, measured: who is measured in an hour, and the tier that follows.

Each operator in turn sends and receives at most :data:`TRANSFER` bytes with each device that the hour's wave
drew. A device counts with the lower median over the included operators, so that a minority of them can't lift
it. Whoever was drawn and transferred nothing has a rate of 0: else a device would be measured once on a
borrowed line, and never again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from solders.pubkey import Pubkey

from keeper.pow.hashing import digest, first_u64

DRAWN = 168
"""One device in so many is measured in an hour: each about once a week."""
TRANSFER = 256_000_000
"""What is transferred at most each way, bytes; more doesn't count."""
SECONDS = 10.0
"""What a transfer takes at most each way: what has come by then counts."""
SECOND = 1_000_000
"""In microseconds."""
MEGABYTE = 1_000_000
TIERS = {
    4: (1_600 * MEGABYTE, 1_200 * MEGABYTE),
    3: (800 * MEGABYTE, 600 * MEGABYTE),
    2: (400 * MEGABYTE, 300 * MEGABYTE),
}
"""What a tier takes at least, down to the device and up from it, bytes a second: io.net's Ultra, High and
Medium. Its Low (100 and 10) is tier 1, which takes nothing here: a slow line keeps nobody from earning."""
LOWEST = 1


class Direction(IntEnum):
    """Which way, as the device sees it."""

    DOWN = 0
    UP = 1


@dataclass(frozen=True, slots=True)
class Transfer:
    """What an operator measured with a device: bytes to it and from it, and the microseconds of each."""

    down: int
    down_us: int
    up: int
    up_us: int

    @property
    def rates(self) -> tuple[int, int]:
        """Bytes a second down and up, rounded down."""
        return rate(self.down, self.down_us), rate(self.up, self.up_us)


NONE = Transfer(0, 0, 0, 0)


def is_drawn(wave_seed: bytes, device: Pubkey) -> bool:
    """Whether a device is measured in the hour of this wave: nobody knows before it."""
    return first_u64(digest("line", wave_seed, bytes(device))) * DRAWN < 1 << 64


def rate(size: int, microseconds: int) -> int:
    """Bytes a second, rounded down; 0 for a transfer that took no time, which is no measurement."""
    return min(size, TRANSFER) * SECOND // microseconds if microseconds > 0 else 0


def measured_tiers(
    drawn: Iterable[Pubkey], files: Sequence[Mapping[Pubkey, Transfer]], threshold: int
) -> dict[Pubkey, int]:
    """The tiers of all that were drawn, from what each included operator measured.

    Fewer operators than ``threshold`` measure nobody: the result is empty, and earlier tiers stay.
    """
    if len(files) < max(threshold, 1):
        return {}
    return {device: tier([each.get(device, NONE) for each in files]) for device in drawn}


def tier(transfers: Sequence[Transfer]) -> int:
    """The highest tier that the lower medians of both rates reach."""
    down, up = (lower_median(each) for each in zip(*(each.rates for each in transfers), strict=True))
    return max(
        (each for each, (least_down, least_up) in TIERS.items() if down >= least_down and up >= least_up),
        default=LOWEST,
    )


def lower_median(values: Iterable[int]) -> int:
    """The middle one of some values; of an even number, the lower of the two."""
    ordered = sorted(values)
    return ordered[(len(ordered) - 1) // 2]
