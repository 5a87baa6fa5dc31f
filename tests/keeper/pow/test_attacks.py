"""Cheats: each is found as often as the law of picks says, or always."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from solders.pubkey import Pubkey

from keeper.pow import product, seeds, tree
from keeper.pow.backend import NumpyBackend
from keeper.pow.codes import Code
from keeper.pow.generator import generate
from keeper.pow.hashing import digest
from keeper.pow.opening import Claim, claim, make_opening
from keeper.pow.prove import Proof, prove
from keeper.pow.verify import verify_batch
from tests.keeper.pow.cheats import DEVICE, PROFILE, WAVE, Spoiling, found, opens, verdicts

DRAWS = 200
SIGMAS = 4.5
"""A right build is outside of so many once in 150,000 choices of seeds; these seeds are fixed."""


def spoiled(spoil: Callable[[NDArray[Any]], None], procs: int = 1) -> Proof[Any]:
    return prove(Spoiling(spoil), WAVE, DEVICE, PROFILE, procs)


def is_lawful(rate: float, skipped: float, picks: int = PROFILE.q) -> bool:
    """Whether a rate of detection is what independent picks, even over all segments, give."""
    law = 1 - (1 - skipped) ** picks
    return abs(rate - law) <= SIGMAS * math.sqrt(law * (1 - law) / DRAWS) + 1e-9


def test_the_honest_are_never_found_out() -> None:
    assert set(verdicts(prove(NumpyBackend(), WAVE, DEVICE, PROFILE, 1), DRAWS)) == {Code.PASS}


@pytest.mark.parametrize(("first", "rows"), [(0, 1), (61, 3), (20, 6), (0, 32)])
def test_skipped_rows(first: int, rows: int) -> None:
    def skip(c: NDArray[Any]) -> None:
        c[first : first + rows] = 0

    assert is_lawful(found(verdicts(spoiled(skip), DRAWS)), rows / PROFILE.m)


@pytest.mark.parametrize("segment", [0, 3])
def test_a_skipped_segment_of_every_row(segment: int) -> None:
    def skip(c: NDArray[Any]) -> None:
        c[:, 256 * segment : 256 * (segment + 1)] = 0

    assert is_lawful(found(verdicts(spoiled(skip), DRAWS)), 1 / PROFILE.segments)


@pytest.mark.parametrize("tiles", [5, 13])
def test_scattered_segments(tiles: int) -> None:
    chosen = np.random.default_rng(tiles).choice(PROFILE.m * PROFILE.segments, tiles, replace=False)

    def skip(c: NDArray[Any]) -> None:
        c.reshape(-1, 256)[chosen] = 0

    assert is_lawful(found(verdicts(spoiled(skip), DRAWS)), tiles / (PROFILE.m * PROFILE.segments))


def test_a_column_of_each_segment_is_enough_to_be_found() -> None:
    def skip(c: NDArray[Any]) -> None:
        c[:, ::256] = 0

    assert found(verdicts(spoiled(skip), 20)) == 1


def test_one_processor_of_eight_that_idles() -> None:
    idle = iter(range(8))

    def skip(c: NDArray[Any]) -> None:
        if next(idle) == 5:
            c[:] = 0

    # The law says 99.998 %.
    assert found(verdicts(spoiled(skip, procs=8), 50)) == 1


@pytest.mark.parametrize("bits", [4, 6, 7])
def test_operands_of_fewer_bits_give_no_right_check(bits: int) -> None:
    low = 8 - bits
    cheap = Spoiling(cut=lambda a: a >> low << low)
    ours, right = (prove(each, WAVE, DEVICE, PROFILE, 1) for each in (cheap, NumpyBackend()))
    assert equal_checks(ours, right) == 0
    assert found(verdicts(ours, 20)) == 1


@pytest.mark.parametrize(
    "spoil",
    [
        lambda c: np.bitwise_and(c, 0xFF, out=c),
        lambda c: np.bitwise_and(c, 0xFFFF, out=c),
        lambda c: np.bitwise_and(c, -256, out=c),
        lambda c: np.bitwise_and(c, -2, out=c),
    ],
    ids=["low byte", "low two bytes", "all but the low byte", "all but the low bit"],
)
def test_part_of_the_product_s_bits_gives_no_right_check(spoil: Callable[[NDArray[Any]], None]) -> None:
    assert equal_checks(spoiled(spoil), prove(NumpyBackend(), WAVE, DEVICE, PROFILE, 1)) == 0


def equal_checks(ours: Proof[Any], right: Proof[Any]) -> int:
    rows = range(PROFILE.m)
    mine, exact = (np.frombuffer(each.parts[0].records(rows), "<u8") for each in (ours, right))
    assert len(mine) == PROFILE.m * PROFILE.segments
    return int((mine == exact).sum())


def test_checks_are_no_linear_function_of_the_product() -> None:
    """A linear check would follow from A (B q) at a 256th of the work."""
    rng = np.random.default_rng(0)
    q = product.key(WAVE, 0)
    one, other = rng.integers(-(10**6), 10**6, (2, 64, 256)).astype(np.int32)
    together, apart = product.checks(one + other, q), product.checks(one, q) + product.checks(other, q)
    assert (together == apart).sum() == 0


# -- another's answer ----------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["device", "wave", "profile", "processor"])
def test_the_answer_to_another_question(what: str) -> None:
    """The bytes are a right answer, elsewhere; the picks are those that the chain draws for it here."""
    other = {
        "device": lambda: prove(NumpyBackend(), WAVE, Pubkey(bytes(32)), PROFILE, 1),
        "wave": lambda: prove(NumpyBackend(), digest("test", b"before"), DEVICE, PROFILE, 1),
        "profile": lambda: prove(NumpyBackend(), WAVE, DEVICE, _renamed(1), 1),
        "processor": _only_the_second,
    }[what]()
    assert verdicts(other, 20) == [Code.WORK_WRONG] * 20


def _renamed(number: int) -> Any:
    return type(PROFILE)(number, PROFILE.m, PROFILE.n, PROFILE.K, PROFILE.q, PROFILE.T_ms)


def _only_the_second() -> Proof[Any]:
    second = prove(NumpyBackend(), WAVE, DEVICE, PROFILE, 2).parts[1]
    return Proof(seeds.device_root([second.levels[-1]]), [second])


def test_one_product_for_two_processors() -> None:
    first = prove(NumpyBackend(), WAVE, DEVICE, PROFILE, 1).parts[0]
    twice = Proof(seeds.device_root([first.levels[-1]] * 2), [first, first])
    assert verdicts(twice, 20) == [Code.WORK_WRONG] * 20


def test_a_row_s_record_for_all_rows() -> None:
    def repeat(c: NDArray[Any]) -> None:
        c[:] = c[0]

    assert is_lawful(found(verdicts(spoiled(repeat), DRAWS)), 1 - 1 / PROFILE.m)


# -- once the picks are known ----------------------------------------------------------------------


class Patched:
    """Zeros committed to, and then right records wherever they are asked for."""

    def __init__(self, chosen: Sequence[seeds.Pick]) -> None:
        rows = sorted({pick.row for pick in chosen})
        a = generate(seeds.seed_a(WAVE, DEVICE, 0), rows, PROFILE.K)
        bt = generate(seeds.seed_b(WAVE, PROFILE.id), range(PROFILE.n), PROFILE.K)
        right = product.checks(product.product(a, bt), product.key(WAVE, PROFILE.id))
        self._records = np.zeros((PROFILE.m, PROFILE.segments, 2), np.int32)
        self._records[rows] = right
        self.levels = tree.levels(tree.leaves(self._records.tobytes(), PROFILE.record))

    def records(self, rows: Sequence[int]) -> bytes:
        return self._records[list(rows)].tobytes()


def test_only_what_is_picked_is_made() -> None:
    nothing = Patched([])
    root = seeds.device_root([nothing.levels[-1]])
    chosen = seeds.picks(opens(0), DEVICE, root, PROFILE, 1)
    later = Patched(chosen)
    blob = make_opening([later], chosen)
    assert verify_batch(WAVE, PROFILE, [Claim(DEVICE, root, 1, chosen, blob)]) == [Code.OPEN_ROOT]
    # Its paths don't lead to the old tree's root, either.
    old = nothing.levels[-1] + blob[32:]
    assert verify_batch(WAVE, PROFILE, [Claim(DEVICE, root, 1, chosen, old)]) == [Code.OPEN_PATH]


def test_picks_follow_from_the_root() -> None:
    """Whoever knew the draw before it commits has to guess what its own root makes of it."""
    before: list[set[seeds.Pick]] = []
    chosen: Sequence[seeds.Pick] = []
    codes = []
    for number in range(12):
        made = Patched(chosen)
        root = seeds.device_root([made.levels[-1]])
        again = claim(opens(0), PROFILE, DEVICE, root, 1, b"")
        chosen = again.picks
        blob = make_opening([made], chosen)
        codes.append(verify_batch(WAVE, PROFILE, [again._replace(blob=blob)])[0])
        before.append(set(chosen))
        assert number == 0 or len(before[-1] & before[-2]) < PROFILE.q
    assert set(codes) == {Code.WORK_WRONG}


def test_no_device_or_draw_shares_picks() -> None:
    root = bytes(32)
    some = {
        tuple(seeds.picks(opens(number), Pubkey(bytes([device]) * 32), root, PROFILE, 1))
        for number in range(20)
        for device in range(20)
    }
    assert len(some) == 400
    counts = np.bincount([pick.row for each in some for pick in each], minlength=PROFILE.m)
    # Even over rows: chi-squared with 63 degrees of freedom is above 130 once in a million choices.
    expected = 400 * PROFILE.q / PROFILE.m
    assert ((counts - expected) ** 2 / expected).sum() < 130


def test_the_share_that_is_opened() -> None:
    devices = [Pubkey(digest("test", bytes([a, b]))) for a in range(50) for b in range(50)]
    for alpha in (0, seeds.ALL // 8, seeds.ALL // 2, seeds.ALL):
        opened = sum(seeds.is_opened(opens(1), device, alpha) for device in devices)
        share = alpha / seeds.ALL
        assert abs(opened - 2500 * share) <= 5 * math.sqrt(2500 * share * (1 - share))
