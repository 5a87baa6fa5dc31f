"""The rule against its reference model, against the network's own figures, and at its limits."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.economy.classes import Pool
from keeper.rewards.exact import mul_div
from keeper.rewards.rows import Hour, RowsError
from keeper.rewards.rule import ALL_POINTS, POOL_POINTS, DeviceStatus, Reason, divide, reward, score
from tests.keeper.rewards.tables import (
    CLASSES,
    GOOD,
    START,
    another,
    classes,
    key,
    padded,
    rows,
    wallets,
)
from tests.model import rewards as model
from tests.model.rewards import Machine
from tests.model.schedule import DAY, HOUR, IO

import numpy as np  # isort: skip

EMITTED = 448_028_673_835
"""Of the first hour, base units."""


def run(machines, *, emitted=EMITTED, before=None, table=CLASSES):
    return reward(Hour(0, START, emitted), rows(machines), classes(table), wallets(before or {}))


# -- the reference model -----------------------------------------------------------------------

MOMENTS = st.sampled_from(
    [0, START - 2 * DAY, START - 12 * HOUR, START - 5 * HOUR - 1, START - 5 * HOUR, START, START + 1]
)
MACHINES = st.builds(
    Machine,
    device=st.integers(0, 40).map(key),
    payout=st.integers(100, 105).map(key),
    co_staker=st.integers(103, 108).map(key),
    class_id=st.integers(1, 6),
    processors=st.integers(1, 8),
    tier=st.integers(1, 4),
    terminated=st.integers(0, 9).map(lambda n: n == 0),
    slash_pending=st.integers(0, 9).map(lambda n: n == 0),
    barred_until=st.sampled_from([0] * 5 + [START, START + 1, START + DAY]),
    sufficient_since=st.sampled_from([START - DAY] * 5 + [0, START, START + 1]),
    own=st.sampled_from([0, 100 * IO, 200 * IO - 1, 200 * IO, 16_000 * IO]),
    co_amount=st.sampled_from([0, 100 * IO, 8_000 * IO]),
    co_until=MOMENTS,
    co_state=st.integers(0, 3),
    co_reward_bps=st.sampled_from([500, 3_333, 10_000]),
    up_since=st.sampled_from([START - DAY] * 5 + [0, START - 5 * HOUR, START - 5 * HOUR - 1]),
    online=st.integers(0, 9).map(lambda n: n > 0),
    work=st.sampled_from([1, 1, 1, 1, 0, 2, 3]),
    vram_failures=st.sampled_from([0, 0, 3, 4, 255]),
    vram_failed_at=MOMENTS,
    measured_tier=st.integers(0, 4),
    hired=st.booleans(),
    processors_shown=st.sampled_from([0, 0, 0, 1, 2, 5]),
)


@settings(max_examples=150, deadline=None)
@given(
    machines=st.lists(MACHINES, max_size=25, unique_by=lambda each: each.device),
    before=st.dictionaries(st.integers(100, 110).map(key), st.integers(1, IO), max_size=5),
    extra=st.integers(0, 10**16),
)
def test_rule_and_model_agree(machines, before, extra):
    emitted = sum(before.values()) + extra
    block = run(machines, emitted=emitted, before=before)
    expected, after = model.reward(START, emitted, machines, CLASSES, before)
    found = {}
    for device, row in zip(padded(block.devices["device"]), block.devices, strict=True):
        names = frozenset(each.name for each in Reason if row["reasons"] & each.value)
        amounts = (int(row[name]) for name in ("score", "reward", "co_staker"))
        found[device] = model.Row(int(row["status"]), names, *amounts)
    assert found == expected
    assert (block.devices["supplier"] + block.devices["co_staker"] == block.devices["reward"]).all()
    lifetimes = dict(zip(padded(block.wallets["wallet"]), block.wallets["lifetime"].tolist(), strict=True))
    assert lifetimes == after
    assert block.total == sum(after.values()) == sum(before.values()) + block.paid
    assert 0 <= block.paid <= block.pot == extra
    assert all(lifetimes[owner] >= amount for owner, amount in before.items())


@given(
    values=st.lists(st.integers(0, 2**28 - 1), min_size=1, max_size=20),
    times=st.integers(0, 2**63 - 1),
    more=st.integers(0, 2**48),
)
def test_products_are_exact(values, times, more):
    divisor = max(1, min(max(values) + more, 2**49 - 1))
    found = mul_div(np.array(values, np.uint64), times, divisor)
    assert found.tolist() == [value * times // divisor for value in values]


@pytest.mark.parametrize(
    ("value", "times", "divisor"), [(2**28, 1, 2**30), (1, 2**63, 1), (1, -1, 1), (5, 1, 4), (1, 1, 2**49)]
)
def test_products_out_of_range_are_refused(value, times, divisor):
    with pytest.raises(RowsError, match="exact for smaller figures"):
        mul_div(np.array([value], np.uint64), times, divisor)


# -- the network's figures ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("multiplier", "processors", "tier", "hired", "base"),
    [
        (500, 1, 4, False, 100_200),  # A100 80GB PCIe, Ultra
        (40, 1, 4, False, 8_200),  # A4000, Ultra
        (25, 6, 1, False, 30_050),  # 6 x RTX 3080, Low
        (40, 1, 3, False, 8_150),  # A4000, High: the documentation's own example
        (1_000, 8, 4, True, 1_600_205),  # 8 x H100, Ultra, hired
    ],
)
def test_published_scores(multiplier, processors, tier, hired, base):
    table = rows([another(1, processors=processors, tier=tier, hired=hired)])
    assert score(table, np.array([multiplier], np.uint64)).tolist() == [base]


@pytest.mark.parametrize(
    ("multiplier", "processors", "hired", "shown"),
    [
        (25, 2, True, 1_020),  # 2 x RTX 3060 Ti, Ultra, hired
        (40, 1, False, 820),  # A4000, Ultra
    ],
)
def test_published_scores_on_the_first_scale(multiplier, processors, hired, shown):
    """Before 20 June 2024 the network showed a tenth, without its fraction."""
    table = rows([another(1, processors=processors, tier=4, hired=hired)])
    assert score(table, np.array([multiplier], np.uint64)) // np.uint64(10) == shown


@pytest.mark.parametrize(
    ("normalised", "block", "reward_io"),
    [
        (1_927_051, 4_559_620, 87_866_191),
        (157_703, 4_559_620, 7_190_646),
        (577_923, 4_559_620, 26_351_088),
    ],
)
def test_published_rewards(normalised, block, reward_io):
    """Reward = normalised / 10,000,000 * block: figures in thousandths, base units out."""
    pot = block * IO // 1_000
    assert normalised * pot // (ALL_POINTS * 1_000) == pytest.approx(reward_io, abs=23)
    # The screenshots round the normalised score to thousandths: half a thousandth is 23 base units.
    assert pot // (ALL_POINTS * 1_000 * 2) == 22


def test_published_ratio_of_scores_is_that_of_rewards():
    """In one block of June 2024: 100,200, 8,200 and 30,050 points got 0.87866191, 0.07190646, 0.26351088."""
    published = {100_200: 87_866_191, 8_200: 7_190_646, 30_050: 26_351_088}
    # Whatever the sum of all scores was: it is the same for the three, to the roundings' width.
    ranges = [(base / (amount + 1), base / amount) for base, amount in published.items()]
    assert max(low for low, _ in ranges) < min(high for _, high in ranges)


def test_the_pools():
    assert (POOL_POINTS[Pool.ENTERPRISE], POOL_POINTS[Pool.COMMUNITY], ALL_POINTS) == (
        9_500_000,
        500_000,
        10_000_000,
    )
    assert divide(1_001, set(Pool)) == {Pool.ENTERPRISE: 950, Pool.COMMUNITY: 51}
    assert divide(1_001, {Pool.COMMUNITY}) == {Pool.COMMUNITY: 1_001}
    assert divide(1_001, set()) == {}


# -- single rules ------------------------------------------------------------------------------

FAILURES = {
    Reason.NOT_REWARDED: {"class_id": 5},
    Reason.TERMINATED: {"terminated": True},
    Reason.SLASH_PENDING: {"slash_pending": True},
    Reason.INSUFFICIENT_STAKE: {"own": 800 * IO - 1},
    Reason.UPTIME: {"up_since": START - 5 * HOUR},
    Reason.VRAM: {"vram_failures": 4, "vram_failed_at": START - 12 * HOUR},
    Reason.WORK_MISSING: {"work": 0},
    Reason.WORK_FAILED: {"work": 2},
    Reason.OFFLINE: {"online": False},
    Reason.BARRED: {"barred_until": START + 1},
    Reason.WORK_SLOW: {"work": 3},
    Reason.WORK_UNSHOWN: {"work": 4},
}


@pytest.mark.parametrize("hired", [False, True])
@pytest.mark.parametrize("reason", Reason)
def test_each_criterion_alone_earns_nothing(reason, hired):
    block = run([another(1), another(2, hired=hired, **FAILURES[reason])])
    first, second = block.devices
    assert second["reasons"] == reason.value
    assert (first["reward"], second["reward"]) == (EMITTED, 0)
    during = reason in Reason.WORK_MISSING | Reason.WORK_FAILED | Reason.WORK_SLOW | Reason.OFFLINE
    assert second["status"] == (DeviceStatus.FAILED if during else DeviceStatus.MISSED)
    assert padded(block.wallets["wallet"]) == [key("wallet 1")]


@pytest.mark.parametrize(
    "changed",
    [
        {"up_since": START - 5 * HOUR - 1},
        {"vram_failures": 4, "vram_failed_at": START - 12 * HOUR - 1},
        {"vram_failures": 3, "vram_failed_at": START},
        {"sufficient_since": START},
        {"barred_until": START},
        {"own": 400 * IO, "co_amount": 400 * IO, "co_state": 2, "co_until": START + 1},
    ],
)
def test_just_good_enough(changed):
    (row,) = run([another(1, **changed)]).devices
    assert (row["status"], row["reward"]) == (DeviceStatus.SUCCEEDED, EMITTED)


@pytest.mark.parametrize(
    "changed",
    [
        {"sufficient_since": START + 1},
        {"sufficient_since": 0},
        {"own": 400 * IO, "co_amount": 400 * IO, "co_state": 2, "co_until": START},
        {"own": 400 * IO, "co_amount": 400 * IO, "co_state": 3, "co_until": START + DAY},
    ],
)
def test_just_not_staked_enough(changed):
    (row,) = run([another(1, **changed)]).devices
    assert row["reasons"] == Reason.INSUFFICIENT_STAKE


def test_a_co_staker_earns_while_it_is_active():
    shared = {"own": 500 * IO, "co_amount": 300 * IO, "co_staker": key("helper"), "co_reward_bps": 1_234}
    (row,) = run([another(1, co_state=1, **shared)]).devices
    assert (row["co_staker"], row["supplier"]) == (
        EMITTED * 1_234 // 10_000,
        EMITTED - EMITTED * 1_234 // 10_000,
    )
    (row,) = run([another(1, co_state=2, co_until=START + DAY, **shared)]).devices
    assert (row["co_staker"], row["supplier"]) == (0, EMITTED)


def test_a_pool_without_anybody_gives_its_part_up():
    both = run([another(1), another(2, class_id=1, own=8_000 * IO)])
    assert both.devices["reward"].tolist() == [EMITTED - EMITTED * 95 // 100, EMITTED * 95 // 100]
    alone = run([another(1), another(2, class_id=1, own=8_000 * IO, work=2)])
    assert alone.devices["reward"].tolist() == [EMITTED, 0]


def test_an_hour_of_nobody_is_carried():
    block = run([another(1, work=2)], before={key("old"): 7})
    assert (block.paid, block.pot, block.total) == (0, EMITTED - 7, 7)
    assert block.wallets["lifetime"].tolist() == [7]
    later = reward(Hour(1, START + HOUR, 2 * EMITTED), rows([another(1)]), classes(), block.wallets)
    assert later.paid == later.pot == 2 * EMITTED - 7


def test_nobody_at_all():
    block = run([])
    assert (len(block.devices), len(block.wallets), block.paid) == (0, 0, 0)


def test_what_an_unknown_class_earns():
    (row,) = run([another(1, class_id=77)]).devices
    assert row["reasons"] == Reason.NOT_REWARDED


def test_the_largest_hour_that_there_can_be():
    """All of the emission at once, the highest multiplier, a million times the largest score."""
    table = {1: (50_000, 0)}
    machine = another(1, class_id=1, processors=8, hired=True, own=10**16)
    block = run([machine, another(2, class_id=1, own=10**16)], emitted=300_000_000 * IO, table=table)
    scores = block.devices["score"].tolist()
    assert block.devices["reward"].tolist() == [each * 300_000_000 * IO // sum(scores) for each in scores]


@pytest.mark.parametrize("work", [0, 2, 3])
def test_a_year_s_lease_to_oneself_earns_nothing_without_proofs(work):
    """Fault p3: such a device took a quarter of an hour from three honest ones, as a lease excused it."""
    honest = [another(number) for number in range(3)]
    block = run([*honest, another(9, hired=True, work=work)])
    third = EMITTED // 3
    assert block.devices["reward"].tolist() == [third, third, third, 0]
    assert key("wallet 9") not in padded(block.wallets["wallet"])


def test_a_card_behind_two_devices_earns_once():
    """One answers, then the other, which its own supplier has hired for the longer time that gives it."""
    whole = run([another(1), another(2)]).devices["reward"].tolist()
    block = run([another(1), another(2), another(3, hired=True, work=3)])
    assert block.devices["reward"].tolist() == [*whole, 0]


@pytest.mark.parametrize(
    ("stated", "measured", "counts"), [(4, 4, 4), (4, 2, 2), (2, 4, 2), (4, 0, 1), (1, 0, 1)]
)
def test_the_lower_of_the_stated_and_the_measured_tier_counts(stated, measured, counts):
    (row,) = run([another(1, tier=stated, measured_tier=measured)]).devices
    assert row["score"] == 50 * counts + 200 * 100 * 4


@pytest.mark.parametrize(("name", "value"), [("work", 5), ("work", 255), ("measured_tier", 5)])
def test_figures_that_mean_nothing_are_refused(name, value):
    with pytest.raises(RowsError, match=f"{name} is {value} in a row"):
        run([another(1), another(2, **{name: value})])


def test_rows_that_are_out_of_order_are_refused():
    table = rows([another(1), another(2)])
    for bad in (table[::-1], table[[0, 0]]):
        with pytest.raises(RowsError, match="sorted by address"):
            reward(Hour(0, START, EMITTED), bad, classes(), wallets({}))


def test_more_paid_than_emitted_is_refused():
    with pytest.raises(RowsError, match="1 too many"):
        run([GOOD], before={key("old"): EMITTED + 1})
