"""When waves and pings are: by golden vectors, over thousands of hours, and on chains that do odd things."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from keeper.chain.records import Head
from keeper.pow.clock import (
    APART,
    HOUR,
    ClockError,
    HourPlan,
    Network,
    Ping,
    Wave,
    WaveClock,
    WaveKind,
    alpha,
    drawn,
    epoch_start,
    remaining,
)
from keeper.pow.hashing import digest, first_u64, u64

START = 1_700_000_123
NETWORK = Network(b"\x01" * 32, Pubkey(b"\x02" * 32), START)
VECTORS = [
    ("df3f619804a92fdb4057192dc43dd748ea778adc52bc498ce80524c014b81119", 60, 6898054758617478081, 203),
    ("67abdd721024f0ff4e0b3f4c2fc13bc5bad42d0b7851d456d88d203d15aaa450", 73, 11123675591514977308, 202),
    ("26b25d457597a7b0463f9620f666dd10aa2c4373a505967c7c8d70922a2d6ece", 86, 2208150242849697595, 201),
    ("40e736c02a102a050e1555781b4171020a4279adaa7ed9ca3cc9633a0ade9c37", 1360, 7822257234779569670, 122),
    ("a77802d8305178be2db1ab04fdd5ca3b8c03ad5d45ca35132ff6a04c7faec115", 2660, 6053499776397690332, 41),
    ("f2babbb43659871bdcd83367a2982b28fa4463117507462fc7a2672910f8488e", 3297, 14316455488005515851, 1),
]
"""Blockhash, second of the hour, draw, candidates left; the last one starts a wave."""


def head(slot: int, time: int, salt: object = "") -> Head:
    return Head(slot, sha256(f"{slot} {salt}".encode()).digest(), time)


def candidates(hours: int, seconds_apart: float = 12.8, salt: object = "") -> Iterator[Head]:
    """All of so many hours, and the first ones of the next."""
    for number in range(int((hours * HOUR + 100) / seconds_apart)):
        yield head(number * APART, START + int(number * seconds_apart), salt)


def fed(clock: WaveClock, heads: Iterator[Head]) -> list[Wave | Ping]:
    return [event for each in heads if (event := clock.feed(each))]


def near(count: int, expected: float) -> bool:
    """Within three standard deviations."""
    return abs(count - expected) < 3 * expected**0.5


def where(draw_below: int | None = None, spot: bool | None = None) -> bytes:
    """A blockhash with a low or high draw, that starts a spot wave or not."""
    for number in range(1 << 20):
        found = sha256(number.to_bytes(8, "little")).digest()
        if draw_below is not None and drawn(found) >= draw_below:
            continue
        if spot is None or spot == (first_u64(digest("spot", found)) < 1 << 54):
            return found
    raise AssertionError


SPOT, LOW, DULL = where(spot=True), where(draw_below=1 << 52), where(spot=False)


def test_golden_vectors() -> None:
    clock = WaveClock(NETWORK, 0)
    for number, (blockhash, second, draw, left) in enumerate(VECTORS):
        raw = bytes.fromhex(blockhash)
        assert (drawn(raw), remaining(second)) == (draw, left)
        event = clock.feed(Head(number * APART, raw, START + second))
        assert isinstance(event, Wave) == (number == len(VECTORS) - 1)


def test_the_seeds_are_the_specifications() -> None:
    clock = WaveClock(NETWORK, 0)
    wave = clock.feed(Head(7, LOW, START + 60))
    assert isinstance(wave, Wave)
    seed = digest("wave", NETWORK.genesis, bytes(NETWORK.program), u64(7), LOW)
    residency = first_u64(digest("kind", seed)) < 2**64 / 6
    assert wave == Wave(0, 7, LOW, START + 60, seed, WaveKind(residency), False)
    assert wave.open_from == 157
    opening = head(160, START + 130)
    assert wave.open_seed(opening) == digest("open", seed, u64(160), opening.blockhash)
    with pytest.raises(ClockError, match="can't be opened by a block of slot 156"):
        wave.open_seed(head(156, START + 130))
    expected = digest("epoch", NETWORK.genesis, bytes(NETWORK.program), u64(9), LOW)
    assert NETWORK.epoch_seed(9, LOW) == expected


@pytest.mark.parametrize(("hours", "seconds_apart"), [(1_500, 12.8), (500, 16.0), (300, 9.6)])
def test_every_hour_has_one_wave_anywhere_in_it(hours: int, seconds_apart: float) -> None:
    """At the nominal pace, the slowest that is sure, and a fast one; near uniform by a chi-square bound."""
    found = fed(WaveClock(NETWORK, 0), candidates(hours, seconds_apart))
    waves = [each for each in found if isinstance(each, Wave)]
    mains = [each for each in waves if not each.spot and each.hour < hours]
    assert [each.hour for each in mains] == list(range(hours))
    seconds = [each.time - NETWORK.start_of(each.hour) for each in mains]
    assert min(seconds) >= 60
    assert max(seconds) <= 3_300
    # The share of a tenth of the hour follows from the rate at which the number left falls.
    pace = seconds_apart / 16
    ends = [60 + 324 * at for at in range(11)]
    shares = [
        ((3316 - a) ** (1 / pace) - (3316 - b) ** (1 / pace)) / 3256 ** (1 / pace) for a, b in pairwise(ends)
    ]
    counts = [sum(a <= each < b for each in seconds) for a, b in zip(ends, [*ends[1:-1], 3301], strict=False)]
    squares = sum((n - hours * share) ** 2 / (hours * share) for n, share in zip(counts, shares, strict=True))
    assert squares < 27.9  # of nine degrees of freedom, one in a thousand is more; the seed is fixed
    tried = hours * 3_240 / seconds_apart
    # 180 seconds after the hour's own wave, which may be at any time: 0.446 of candidates.
    assert near(sum(each.spot for each in waves), tried * 0.446 / 1_024)
    assert near(sum(isinstance(each, Ping) for each in found), tried / 40)
    assert near(sum(each.kind is WaveKind.RESIDENCY for each in mains), hours / 6)
    assert all(each.kind is WaveKind.PRODUCT for each in waves if each.spot)


def test_a_spot_wave_waits_for_the_wave_before_it() -> None:
    clock = WaveClock(NETWORK, 0)
    assert clock.feed(Head(3, SPOT, START + 60)) is None  # no spot wave before the hour's own
    main = clock.feed(Head(32, LOW, START + 70))
    assert isinstance(main, Wave)
    assert not isinstance(clock.feed(Head(448 + 31, SPOT, START + 248)), Wave)
    first = clock.feed(Head(482, SPOT, START + 250))
    assert isinstance(first, Wave)
    assert (first.spot, first.kind, first.hour) == (True, WaveKind.PRODUCT, 0)
    assert not isinstance(clock.feed(Head(931, SPOT, START + 430)), Wave)
    second = clock.feed(Head(932 + 28, SPOT, START + 440))
    assert isinstance(second, Wave)
    assert second.spot
    assert not isinstance(clock.feed(Head(1_600, LOW, START + 800)), Wave)  # one of its own, an hour


def test_the_seconds_of_an_hour() -> None:
    for second, starts in ((0, False), (59, False), (60, True), (3_284, True), (3_300, True), (3_301, False)):
        event = WaveClock(NETWORK, 0).feed(Head(5, LOW, START + HOUR + second))
        assert isinstance(event, Wave) == starts
    assert remaining(3_284) == 2
    assert remaining(3_285) == 1
    forced = WaveClock(NETWORK, 0).feed(Head(5, b"\xff" * 32, START + 3_285))
    assert isinstance(forced, Wave)  # whatever it draws


def test_nothing_starts_before_the_first_hour() -> None:
    assert WaveClock(NETWORK, 0).feed(Head(5, LOW, START - HOUR + 100)) is None


def test_only_the_first_block_of_32_slots_is_a_candidate_and_none_where_there_is_none() -> None:
    clock = WaveClock(NETWORK, 1)
    assert clock.next_slot == 32
    clock.feed(head(63, START))
    assert clock.next_slot == 64
    clock.feed(head(64, START))
    assert clock.next_slot == 96
    clock.feed(head(1_000, START + 100))  # 96..991 have none
    assert clock.next_slot == 1_024
    with pytest.raises(ClockError, match="asked for the first block from slot 1024, told of 1023"):
        clock.feed(head(1_023, START + 100))
    assert clock.next_slot == 1_024


def test_a_halt_leaves_hours_without_a_wave_and_the_next_one_is_whole() -> None:
    """The cluster stood still from minute 20 of hour 0 to minute 10 of hour 5."""
    times = [*range(START, START + 1_200, 13), *range(START + 5 * HOUR + 600, START + 7 * HOUR, 13)]
    found = fed(WaveClock(NETWORK, 0), (head(at * APART, time, "h") for at, time in enumerate(times)))
    mains = [each.hour for each in found if isinstance(each, Wave) and not each.spot]
    assert mains in ([5, 6], [0, 5, 6])
    late = next(each for each in found if isinstance(each, Wave) and each.hour == 5)
    assert 600 <= late.time - NETWORK.start_of(5) <= 3_300


def test_a_gap_at_the_end_leaves_the_hour_without_a_wave() -> None:
    """Where no block draws one, the last sixteen seconds force one; if they have no block, there is none."""
    clock = WaveClock(NETWORK, 0)
    for number, second in enumerate((100, 3_284, 3_301, 3_290)):
        assert clock.feed(Head(number * APART, DULL_HIGH, START + second)) is None
    assert clock.is_over(0)
    assert not clock.is_over(1)
    assert isinstance(clock.feed(Head(128, LOW, START + HOUR + 60)), Wave)


DULL_HIGH = next(
    found
    for number in range(1 << 10)
    if drawn(found := sha256(f"high {number}".encode()).digest()) > 2**63 + 2**62
    and first_u64(digest("ping", found)) > 2**60
)
"""A block that starts nothing unless it must."""


def test_time_that_runs_backwards_starts_nothing_in_an_hour_that_is_over() -> None:
    clock = WaveClock(NETWORK, 0)
    assert clock.feed(Head(0, DULL_HIGH, START + 2 * HOUR + 3_301)) is None
    assert clock.is_over(2)
    assert clock.feed(Head(32, LOW, START + 2 * HOUR + 3_000)) is None
    assert clock.feed(Head(64, LOW, START + HOUR + 100)) is None
    assert clock.hour == 2
    assert isinstance(clock.feed(Head(96, LOW, START + 3 * HOUR + 100)), Wave)


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.integers(0, 250))
def test_from_any_beginning_before_an_hour_the_hour_is_the_same(seed: int, skipped: int) -> None:
    heads = list(candidates(3, 12.8, seed))
    whole = HourPlan.of(1, fed(WaveClock(NETWORK, 0), iter(heads)))
    clock = WaveClock(NETWORK, heads[skipped].slot)
    assert HourPlan.of(1, fed(clock, iter(heads[skipped:]))) == whole
    assert sum(not each.spot for each in whole.waves) == 1


def test_all_that_is_decided_is_decided_by_blocks_so_far() -> None:
    """Another future changes nothing: a live worker and a replay see the same."""
    heads = list(candidates(2))
    events = [WaveClock.feed(clock, each) for clock in [WaveClock(NETWORK, 0)] for each in heads]
    for cut in Random(1).sample(range(len(heads)), 40):
        clock = WaveClock(NETWORK, 0)
        mixed = [*heads[:cut], *(head(each.slot, each.time, "other") for each in heads[cut:])]
        assert [clock.feed(each) for each in mixed][:cut] == events[:cut]


def test_days_of_plots() -> None:
    day = 1_700_006_400
    assert day % 86_400 == 0
    assert epoch_start(day + 1_799) == day - 86_400
    assert epoch_start(day + 1_800) == day
    assert epoch_start(day + 86_400 + 1_799) == day
    assert Wave(0, 0, LOW, day + 5, LOW, WaveKind.RESIDENCY, False).epoch_start == day - 86_400


def test_the_share_that_is_opened() -> None:
    """All up to 12,500 devices of class L; 100,000 have an eighth."""
    device = 24 * 65_536
    assert alpha(0) == alpha(1) == alpha(12_500 * device) == 65_536
    assert alpha(12_500 * device + 1) == 65_535
    assert alpha(100_000 * device) == 65_536 // 8
