"""A season's division by exact fractions, at its edges; and when it is over, to the second."""

from __future__ import annotations

import json
from fractions import Fraction
from math import floor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from keeper.clients.tokenomics import Season, SeasonStatus
from keeper.economy import merkle
from keeper.economy.seasons import POOLS, Distribution, Points, SeasonError, leaf, points_file
from tests.model import schedule

VECTORS = Path(__file__).parents[2] / "vectors/season.json"
PROGRAM, MINT = Pubkey(b"\x01" * 32), Pubkey(b"\x02" * 32)
WALLETS = [Pubkey(bytes([number]) * 32) for number in (9, 3, 200, 77)]


def distribution(pools: dict[str, int], points: list[Points]) -> Distribution:
    return Distribution(7, pools, points, program=PROGRAM, mint=MINT)


LINES = st.lists(
    st.builds(Points, st.sampled_from(WALLETS), st.sampled_from(POOLS), st.integers(0, 9)), max_size=12
)


@settings(deadline=None)
@given(st.fixed_dictionaries({name: st.integers(0, 40) for name in POOLS}), LINES)
def test_everybody_gets_the_floor_of_the_share(pools, lines):
    """Small pools and few points: shares just below a unit, of one exactly, and above."""
    due = dict.fromkeys(WALLETS, 0)
    for pool in POOLS:
        whole = sum(each.points for each in lines if each.pool == pool)
        for wallet in WALLETS:
            own = sum(each.points for each in lines if (each.wallet, each.pool) == (wallet, pool))
            due[wallet] += floor(Fraction(pools[pool] * own, whole)) if whole else 0
    expected = sorted(((w, amount) for w, amount in due.items() if amount), key=lambda each: bytes(each[0]))
    if not expected:
        with pytest.raises(SeasonError, match="nobody gets anything in season 7"):
            distribution(pools, lines)
        return
    found = distribution(pools, lines)
    assert [(each.index, each.wallet, each.amount) for each in found.claims] == [
        (index, wallet, amount) for index, (wallet, amount) in enumerate(expected)
    ]
    assert sum(each.amount for each in found.claims) <= sum(pools.values())
    for wallet in WALLETS:
        claim = found.claim(wallet)
        assert (claim is None) == (due[wallet] == 0)
        if claim:
            assert merkle.verify(found.root, leaf(PROGRAM, MINT, 7, claim), found.proof(claim))
    assert found.pools == tuple(pools[name] for name in POOLS)


@pytest.mark.parametrize(
    ("pool", "amounts"), [(1, ()), (2, (1,)), (5, (4,)), (6, (5, 1)), (11, (9, 1)), (12, (10, 2))]
)
def test_just_below_a_unit_and_one_exactly(pool, amounts):
    """Five of six points, and the sixth: who gets nothing is no leaf; without leaves there is no season."""
    lines = [Points(WALLETS[0], "gpu", 5), Points(WALLETS[2], "gpu", 1)]
    if not amounts:
        with pytest.raises(SeasonError, match="nobody gets anything"):
            distribution({"gpu": pool}, lines)
        return
    found = distribution({"gpu": pool}, lines).claims
    assert [(each.wallet, each.amount) for each in found] == list(
        zip((WALLETS[0], WALLETS[2]), amounts, strict=False)
    )


def test_what_no_pool_can_be_divided_by():
    with pytest.raises(SeasonError, match="has no pool 'tpu'"):
        distribution({"gpu": 1}, [Points(WALLETS[0], "tpu", 1)])
    with pytest.raises(SeasonError, match="negative points in gpu"):
        distribution({"gpu": 1}, [Points(WALLETS[0], "gpu", -1)])


@pytest.mark.parametrize(
    ("status", "now", "is_over"),
    [
        (SeasonStatus.OPEN, 99, False),
        (SeasonStatus.OPEN, 100, False),
        (SeasonStatus.OPEN, 199, False),
        (SeasonStatus.OPEN, 200, True),
        (SeasonStatus.OPEN, 201, True),
        (SeasonStatus.CANCELLED, 99, True),
        (SeasonStatus.CLOSED, 150, True),
    ],
)
def test_when_a_season_is_over(status, now, is_over):
    season = Season(
        season=0,
        status=status,
        leaves=1,
        claims=0,
        root=bytes(32),
        data_hash=bytes(32),
        vault=WALLETS[0],
        funder=WALLETS[1],
        pools=(1, 0, 0),
        total=1,
        claimed=0,
        returned=0,
        claim_start=100,
        claim_end=200,
    )
    assert season.has_ended(now) == is_over
    assert season.is_paid_back == (status == SeasonStatus.CLOSED)


def test_a_browser_divides_alike() -> None:
    """``web/test/season.test.ts`` computes the same file of points; its leaves are the reference model's."""
    found = json.loads(VECTORS.read_text())
    program, mint = (Pubkey.from_string(found[name]) for name in ("program", "mint"))
    lines = [line.split(",") for line in found["points"].splitlines()[1:]]
    points = [Points(Pubkey.from_string(wallet), pool, int(count)) for wallet, pool, count in lines]
    assert points_file(points).decode() == found["points"]
    pools = dict(zip(POOLS, map(int, found["pools"]), strict=True))
    made = Distribution(found["season"], pools, points, program=program, mint=mint)
    claims = [[str(each.wallet), str(each.amount)] for each in made.claims]
    proofs = [made.proof(each).hex() for each in made.claims]
    assert (claims, proofs) == (found["claims"], found["proofs"])
    assert (made.root.hex(), made.data_hash.hex()) == (found["root"], found["data_hash"])
    leaves = [
        schedule.leaf(
            bytes(program), bytes(mint), found["season"], each.index, bytes(each.wallet), each.amount
        )
        for each in made.claims
    ]
    assert schedule.root(leaves) == made.root
    assert [b"".join(schedule.proof(leaves, at)).hex() for at in range(len(leaves))] == proofs
