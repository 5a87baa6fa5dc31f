"""Attacks on stakes and co-stakes: what nobody gains by timing, and whose money goes where."""

from dataclasses import replace

import pytest

from keeper.chain.token import transfer
from keeper.clients import staking as client
from keeper.clients import tokenomics
from keeper.clients.staking import Device
from keeper.economy.staking import CoStakeState
from keeper.economy.supply import IO
from tests.programs.staking.world import PRICES
from tests.programs.world import DAY, HOUR, START, World, key
from tests.security.outcomes import refused
from tests.security.people import SPARE_TOKENS, address, do
from tests.security.staking import stages
from tests.security.staking.stages import MINIMUM, OFFER, REWARD_BPS, device, stage

SPARE = key("another account of its owner")
ALICE, BOB, CAROL, MALLORY, ADMIN = (address(name) for name in ("alice", "bob", "carol", "mallory", "admin"))


def vault(world: World) -> tuple[int, int]:
    """What the vault holds, and what is recorded."""
    recorded = client.parse_config(world.account(client.CONFIG).data).staked
    return world.tokens(client.STAKE_VAULT), recorded


def shared(world: World | None = None) -> World:
    """Bob's device with carol's co-stake on it."""
    world = world or stages.staked()
    do(world, client.take_offer(device(world, "bob's worker"), CAROL, OFFER, REWARD_BPS))
    return world


# -- timing ------------------------------------------------------------------------------------


def test_around_the_hours_boundary() -> None:
    """Who stakes after an hour's start, or unstakes before its end, was not staked in it."""
    world = stages.initialized()
    one = stages.register(world, "worker")
    world.chain.warp_to(START + HOUR + 1)
    do(world, client.stake(one, MINIMUM))
    assert device(world, "worker").sufficient_since == START + HOUR + 1
    world.chain.warp_to(START + 2 * HOUR - 1)
    do(world, client.unstake(device(world, "worker")))
    assert device(world, "worker").sufficient_since == 0
    world.chain.advance(14 * DAY)
    do(world, client.withdraw(device(world, "worker")), client.stake(one, MINIMUM))
    assert device(world, "worker").sufficient_since == world.chain.now()


def test_a_flash_stake() -> None:
    """Everything in one transaction, with borrowed tokens: they can't be given back for 14 days."""
    world = stages.initialized()
    one = stages.register(world, "worker")
    spare = SPARE_TOKENS["mallory"].pubkey()
    own = tokenomics.tokens_address(ALICE)
    borrow = transfer(tokenomics.tokens_address(MALLORY), own, MALLORY, MINIMUM)
    repay = transfer(own, spare, ALICE, world.balance(ALICE) + MINIMUM)
    flash = (borrow, client.stake(one, MINIMUM), client.unstake(one))
    assert refused(world, *flash, client.withdraw(one), repay) == "NothingToWithdraw"
    assert refused(world, *flash, repay) == "Token.InsufficientFunds"


def test_a_flash_co_stake() -> None:
    world = stages.staked()
    offering = device(world, "bob's worker")
    steps = (
        client.take_offer(offering, CAROL, OFFER, REWARD_BPS),
        client.leave_co_stake(offering, CAROL),
        client.withdraw_co_stake(offering, CAROL),
    )
    assert refused(world, *steps) == "NothingToWithdraw"
    do(world, *steps[:2])
    world.chain.advance(7 * DAY + 14 * DAY - 1)
    assert refused(world, steps[2]) == "NothingToWithdraw"
    world.chain.advance(1)
    before = world.balance(CAROL)
    do(world, steps[2])
    assert world.balance(CAROL) - before == OFFER


def test_overflow_can_not_dip_into_the_minimum_bit_by_bit() -> None:
    world = stages.staked()
    for _ in range(4):
        do(world, client.withdraw_overflow(device(world, "worker"), 25 * IO))
    assert refused(world, client.withdraw_overflow(device(world, "worker"), 1)) == "ExceedsOverflow"
    assert device(world, "worker").own == MINIMUM


def test_cooling_can_not_be_shortened() -> None:
    """Neither by unstaking again nor by staking on top; the whole of it goes out at once, at the end."""
    world = stages.staked()
    one = device(world, "worker")
    do(world, client.unstake(one))
    world.chain.advance(14 * DAY - 1)
    for call, error in (
        (client.withdraw(one), "NothingToWithdraw"),
        (client.unstake(one), "NothingStaked"),
        (client.stake(replace(one, own=0), 1), "StillCooling"),
        (client.withdraw_overflow(replace(one, own=0), 1), "ExceedsOverflow"),
    ):
        assert refused(world, call) == error
    world.chain.advance(1)
    before = world.balance(ALICE)
    do(world, client.withdraw(one))
    assert world.balance(ALICE) - before == MINIMUM + 100 * IO
    assert refused(world, client.withdraw(one)) == "NothingToWithdraw"
    assert vault(world) == (MINIMUM - OFFER,) * 2


@pytest.mark.parametrize("lapse", ["the co-staker's wait", "the notice of a raised multiplier"])
@pytest.mark.parametrize("filled_by", ["supplier", "co-staker"])
def test_a_gap_that_nobody_settled_is_not_covered_up(lapse: str, filled_by: str) -> None:
    """Stake that fell short by time alone counts anew from when it was made up, not from before."""
    world = shared()
    one = device(world, "bob's worker")
    assert one.sufficient_since == START
    if lapse == "the co-staker's wait":
        do(world, client.leave_co_stake(one, CAROL))
    else:
        do(world, client.leave_co_stake(one, CAROL), client.stake(one, OFFER))
        do(world, client.change_class(ADMIN, stages.GPU, 175))
    if filled_by == "co-staker":
        do(world, client.open_offer(one, OFFER, REWARD_BPS))
    world.chain.advance(7 * DAY + HOUR)
    if filled_by == "supplier":
        do(world, client.stake(device(world, "bob's worker"), 2 * MINIMUM))
    else:
        do(world, client.take_offer(one, MALLORY, OFFER, REWARD_BPS))
    assert device(world, "bob's worker").sufficient_since == world.chain.now()


# -- two parties -------------------------------------------------------------------------------


@pytest.mark.parametrize("settled", [False, True])
@pytest.mark.parametrize("co_staker_first", [False, True])
def test_both_leave(co_staker_first: bool, settled: bool) -> None:
    """Whoever goes first, and whoever settles in between: both get all of theirs, nobody waits longer."""
    world = shared()
    one = device(world, "bob's worker")
    leave, unstake = client.leave_co_stake(one, CAROL), client.unstake(one)
    do(world, leave if co_staker_first else unstake)
    world.chain.advance(DAY)
    if settled:
        do(world, client.settle_device(one))
    if co_staker_first:
        do(world, unstake)
    else:
        assert refused(world, leave) == "NotCoStaker"
    left = 14 * DAY - (0 if co_staker_first else DAY)
    world.chain.advance(left - 1)
    outs = {BOB: client.withdraw(one), CAROL: client.withdraw_co_stake(one, CAROL)}
    for call in outs.values():
        assert refused(world, call) == "NothingToWithdraw"
    world.chain.advance(1)
    for owner, amount in ((BOB, MINIMUM - OFFER), (CAROL, OFFER)):
        before = world.balance(owner)
        do(world, outs[owner])
        assert world.balance(owner) - before == amount
        assert refused(world, outs[owner]) == "NothingToWithdraw"


def test_a_co_staker_who_waits_makes_room() -> None:
    """The next one starts the first one's cooldown early; it never lasts longer for that."""
    world = shared()
    one = device(world, "bob's worker")
    do(world, client.leave_co_stake(one, CAROL))
    do(world, client.open_offer(one, OFFER, REWARD_BPS))
    world.chain.advance(DAY)
    do(world, client.take_offer(one, MALLORY, OFFER, REWARD_BPS))
    found = device(world, "bob's worker")
    assert (found.co.staker, found.leaving.staker) == (MALLORY, CAROL)
    assert found.leaving.until == world.chain.now() + 14 * DAY
    world.chain.advance(14 * DAY)
    do(world, client.withdraw_co_stake(one, CAROL))
    assert vault(world)[0] == 2 * MINIMUM + 100 * IO


def test_at_the_waits_end_the_co_stake_stops_counting() -> None:
    """Nobody has to settle: what it counts for follows from time alone."""
    world = shared()
    one = device(world, "bob's worker")
    do(world, client.stake(one, OFFER), client.leave_co_stake(one, CAROL))
    one = device(world, "bob's worker")
    world.chain.advance(7 * DAY - 1)
    do(world, client.settle_device(one))
    assert device(world, "bob's worker").co.state == CoStakeState.WAITING
    assert refused(world, client.withdraw_overflow(one, OFFER + 1)) == "ExceedsOverflow"
    world.chain.advance(1)
    # A second earlier, 400 IO were overflow: now they are needed.
    assert refused(world, client.withdraw_overflow(one, 1)) == "ExceedsOverflow"
    do(world, client.settle_device(one))
    found = device(world, "bob's worker")
    assert found.leaving.state == CoStakeState.COOLING
    assert found.leaving.until == world.chain.now() + 14 * DAY


def test_a_stranger_can_not_take_a_co_stake_out() -> None:
    world = stage("running")
    one = device(world, "leaving worker")
    assert refused(world, client.withdraw_co_stake(one, MALLORY)) == "NothingToWithdraw"


def test_the_money_goes_to_its_owner_whoever_pays_the_fee() -> None:
    world = stages.running()
    one = device(world, "leaving worker")
    before = {owner: world.balance(owner) for owner in (BOB, CAROL, MALLORY)}
    do(world, client.withdraw(one), client.withdraw_co_stake(one, CAROL))
    after = {owner: world.balance(owner) for owner in before}
    gained = {owner: after[owner] - before[owner] for owner in before}
    assert gained == {BOB: MINIMUM - OFFER, CAROL: OFFER, MALLORY: 0}


# -- the vault ---------------------------------------------------------------------------------


def test_gifts_to_the_vault_change_no_record() -> None:
    world = stages.staked()
    before = device(world, "worker")
    do(world, transfer(tokenomics.tokens_address(MALLORY), client.STAKE_VAULT, MALLORY, 7))
    held, recorded = vault(world)
    assert (held - recorded, device(world, "worker")) == (7, before)
    do(world, client.unstake(before))
    world.chain.advance(14 * DAY)
    do(world, client.withdraw(before))
    assert vault(world) == (MINIMUM - OFFER + 7, MINIMUM - OFFER)


def test_a_raised_multiplier_counts_when_its_notice_is_over() -> None:
    """The device falls short at that second; the supplier had the notice to add what lacks."""
    world = stages.staked()
    one = device(world, "worker")
    do(world, client.change_class(ADMIN, stages.GPU, 150))
    world.chain.advance(7 * DAY - 1)
    do(world, client.settle_device(one))
    assert device(world, "worker").sufficient_since > 0
    assert refused(world, client.withdraw_overflow(one, 100 * IO)) is None
    world.chain.advance(1)
    do(world, client.settle_device(one))
    assert device(world, "worker").sufficient_since == 0
    do(world, client.stake(device(world, "worker"), 200 * IO))
    assert device(world, "worker").sufficient_since == world.chain.now()


def high_class() -> tuple[World, Device]:
    """Bob has staked half of what four of the best processors need, and looks for the other half."""
    world = stages.initialized()
    do(world, client.add_class(ADMIN, 7, "H100", 300, 0, 0, PRICES))
    world.chain.advance(7 * DAY)
    terms = {"processors": 4, "tier": 4, "country": "CH"}
    do(world, client.register_device(BOB, address("bob's worker"), BOB, 7, **terms))
    one = device(world, "bob's worker")
    do(world, client.stake(one, 1_200 * IO), client.open_offer(one, 1_200 * IO, REWARD_BPS))
    return world, device(world, "bob's worker")


def test_a_lowered_multiplier_leaves_the_co_staker_not_alone() -> None:
    """Half of the lower minimum stays the supplier's own: the co-stake alone would cover it, and bear all."""
    world, one = high_class()
    do(world, client.take_offer(one, CAROL, 1_200 * IO, REWARD_BPS))
    do(world, client.change_class(ADMIN, 7, 150))
    world.chain.advance(7 * DAY)
    before = world.balance(BOB)
    assert refused(world, client.withdraw_overflow(one, 600 * IO + 1)) == "ExceedsOverflow"
    do(world, client.withdraw_overflow(one, 600 * IO))
    found = device(world, "bob's worker")
    assert refused(world, client.withdraw_overflow(found, 1)) == "ExceedsOverflow"
    assert (world.balance(BOB) - before, found.own, found.co.amount) == (600 * IO, 600 * IO, 1_200 * IO)
    # To take out more, the supplier leaves, with a cooldown like the co-staker's.
    do(world, client.unstake(one))


def test_an_offer_from_before_a_lowered_multiplier() -> None:
    """It asks for more than half of the minimum of now, and must be made anew."""
    world, one = high_class()
    do(world, client.change_class(ADMIN, 7, 150))
    world.chain.advance(7 * DAY)
    assert refused(world, client.take_offer(one, CAROL, 1_200 * IO, REWARD_BPS)) == "OfferInvalid"
    do(world, client.close_offer(one), client.open_offer(one, 600 * IO, REWARD_BPS))
    do(world, client.take_offer(one, CAROL, 600 * IO, REWARD_BPS))
    do(world, client.withdraw_overflow(one, 600 * IO))
    assert device(world, "bob's worker").own == 600 * IO


def test_who_stakes_again_by_a_lie_about_the_first_stakes_once() -> None:
    """Both name the stake that the node shows, the one of before; what comes out comes out once, too."""
    world = stages.initialized()
    before = stages.register(world, "worker")
    held = world.balance(ALICE)
    assert refused(world, client.stake(replace(before, own=1), MINIMUM)) == "NotAsExpected"
    do(world, client.stake(before, MINIMUM + IO))
    assert refused(world, client.stake(before, MINIMUM + IO)) == "NotAsExpected"
    after = device(world, "worker")
    out = client.withdraw_overflow(after, IO // 2)
    do(world, out)
    assert refused(world, out) == "NotAsExpected"
    assert held - world.balance(ALICE) == device(world, "worker").own == MINIMUM + IO // 2


def test_ten_thousand_tiny_operations_farm_nothing() -> None:
    """Stakes, overflows, offers and slashes of odd amounts: every base unit is somewhere, once."""
    world = stages.initialized()
    one = stages.register(world, "worker")
    people = (ALICE, CAROL)
    start = sum(map(world.balance, people))
    supply = world.supply()
    do(world, client.stake(one, MINIMUM))
    staked = [replace(one, own=MINIMUM + number) for number in range(6)]
    adds = [client.stake(each, 1) for each in staked[:5]]
    takes = [client.withdraw_overflow(each, 1) for each in reversed(staked[1:])]
    for _ in range(1_000):
        do(world, *adds, *takes)
    assert sum(map(world.balance, people)) + vault(world)[0] == start
    for number in range(10):
        evidence = bytes([number]) * 32
        for operator in stages.OPERATORS[:2]:
            do(world, client.vote_slash(address(operator), one, evidence, 333))
        world.chain.advance(30 * DAY)
        do(world, client.execute_slash(one, evidence))
    burned = supply - world.supply()
    expected, left = 0, MINIMUM
    for _ in range(10):
        expected, left = expected + left * 333 // 10_000, left - left * 333 // 10_000
    assert burned == expected
    assert vault(world) == (left, left)
    assert sum(map(world.balance, people)) + left + burned == start
