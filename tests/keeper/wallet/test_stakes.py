"""Plans of stakes against the program: what a plan refuses, the program refuses, and all else comes true."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import product
from random import Random
from typing import NamedTuple

import pytest
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.clients import staking
from keeper.economy.staking import CoStakeState, OfferState, co_staker_state
from keeper.economy.supply import IO
from keeper.errors import UserError
from keeper.wallet import stakes
from keeper.wallet.lamports import payments_of
from keeper.wallet.plan import NothingToDo, Plan
from keeper.wallet.stakes import Staked, StakeRefused
from tests.programs.staking.world import StakingWorld
from tests.programs.world import DAY, finish, key

MINIMUM = 1_000 * IO
"""The stake that the device needs: four processors of the first class."""
HALF = MINIMUM // 2
NAMES = ("supplier", "staker", "other", "third")
OFTEN = (12, 2, 6, 4, 12, 4, 12, 10, 8)
"""How often each kind of act is tried, in the order of :func:`acts`: all ends soon after unstaking."""
OFTEN_ENOUGH = 3
DEVICE = staking.device_address(key("one").pubkey())


class Act(NamedTuple):
    """Something that somebody may want: the plan for it, and the bare instruction."""

    name: str
    who: Keypair
    plan: Callable[[Staked], Plan]
    bare: Callable[[staking.Device], Instruction]


@pytest.fixture
def world() -> StakingWorld:
    """A device without stake, its supplier, and three who have IO but no wallet account."""
    world = StakingWorld.ready()
    supplier = world.earner("supplier", 100_000 * IO)
    for name in NAMES[1:]:
        world.give(world.person(name).pubkey(), 100_000 * IO)
    world.device("one", supplier)
    return world


def look(world: StakingWorld) -> Staked:
    return finish(stakes.read_staked(world.chain, DEVICE, world.chain.now()))


def carry_out(world: StakingWorld, plan: Plan, who: Keypair) -> None:
    """Do what the plan says: every balance that it names changes by that, and so does the payer's SOL."""
    moved = Counter[Pubkey]()
    for each in plan.movements:
        moved[each.source.address] -= each.amount
        moved[each.to.address] += each.amount
    before = {address: world.tokens(address) for address in moved}
    sol = world.account(who.pubkey()).lamports
    paid = finish(payments_of(world.chain, plan, who.pubkey()))
    record = world.chain.execute(plan.instructions, [who])
    assert record.error is None, world.error(record)
    assert {at: world.tokens(at) - had for at, had in before.items()} == moved
    spent = paid.fee + sum(lamports for _, lamports in paid.rents)
    assert sol - world.account(who.pubkey()).lamports == spent


def add(world: StakingWorld, amount: int) -> None:
    carry_out(world, stakes.add(look(world), amount), key("supplier"))


def take(world: StakingWorld, name: str = "staker") -> None:
    who = key(name)
    wallet = finish(staking.read_wallet(world.chain, who.pubkey()))
    carry_out(world, stakes.take(look(world), who.pubkey(), wallet), who)


def with_a_co_staker(world: StakingWorld) -> None:
    add(world, MINIMUM)
    carry_out(world, stakes.offer(look(world), None, 2_000), key("supplier"))
    take(world)


def acts(world: StakingWorld, chance: Random) -> list[Act]:
    """One of each kind, with amounts from none to too much."""
    supplier, staker = key("supplier"), key(chance.choice(NAMES))
    amount = chance.choice([0, IO, HALF - 1, HALF, HALF + 1, MINIMUM, 2 * MINIMUM])
    offered = chance.choice([0, HALF - 1, HALF, HALF, HALF + 1])
    bps = chance.choice([499, 500, 2_000, 10_000, 10_001])
    wallet = finish(staking.read_wallet(world.chain, staker.pubkey()))
    me = staker.pubkey()

    def taking(device: staking.Device) -> Instruction:
        return staking.take_offer(device, me, device.offer, device.offer_reward_bps)

    return [
        Act("add", supplier, lambda at: stakes.add(at, amount), lambda d: staking.stake(d, amount)),
        Act("unstake", supplier, stakes.unstake, staking.unstake),
        Act("withdraw", staker, lambda at: stakes.withdraw(at, me), staking.withdraw),
        Act(
            "overflow",
            supplier,
            lambda at: stakes.overflow(at, amount),
            lambda d: staking.withdraw_overflow(d, amount),
        ),
        Act(
            "offer",
            supplier,
            lambda at: stakes.offer(at, offered, bps),
            lambda d: staking.open_offer(d, offered, bps),
        ),
        Act("withdraw offer", supplier, stakes.withdraw_offer, staking.close_offer),
        Act("take", staker, lambda at: stakes.take(at, me, wallet), taking),
        Act("leave", staker, lambda at: stakes.leave(at, me), lambda d: staking.leave_co_stake(d, me)),
        Act(
            "withdraw co-stake",
            staker,
            lambda at: stakes.withdraw_co_stake(at, me, me),
            lambda d: staking.withdraw_co_stake(d, me),
        ),
    ]


def test_a_plan_is_refused_exactly_when_the_program_refuses(world: StakingWorld) -> None:
    """Random acts by everybody, with days between them; each kind succeeds, and each is refused."""
    chance, seen = Random(7), Counter[tuple[str, bool]]()
    for _ in range(1_000):
        if chance.random() < 0.3:
            world.chain.advance(chance.choice([1, DAY, 7 * DAY, 14 * DAY]))
        (act,) = chance.choices(acts(world, chance), weights=OFTEN)
        at = look(world)
        try:
            plan = act.plan(at)
        except (StakeRefused, NothingToDo):
            record = world.chain.execute([act.bare(at.device)], [act.who])
            assert record.error is not None, act.name
            seen[act.name, False] += 1
            continue
        carry_out(world, plan, act.who)
        seen[act.name, True] += 1
    names = [each.name for each in acts(world, chance)]
    assert {each for each in seen if seen[each] >= OFTEN_ENOUGH} == set(product(names, (True, False)))


def test_a_stake_says_what_is_missing_and_when_it_comes_back(world: StakingWorld) -> None:
    plan = stakes.add(look(world), 400 * IO)
    assert "600.00000000 IO are still missing of the minimum of 1,000.00000000 IO" in plan.notes[0]
    assert plan.notes[1] == "0.00000000 IO of yours count on it now, and 400.00000000 IO then."
    assert "14 days after" in plan.notes[2]
    carry_out(world, plan, key("supplier"))
    assert world.stake_vault() == 400 * IO
    assert "the minimum is 1,000.00000000 IO" in stakes.add(look(world), 600 * IO).notes[0]


def test_what_is_cooled_goes_to_the_supplier_whoever_asks(world: StakingWorld) -> None:
    add(world, MINIMUM)
    had = world.balance(key("supplier").pubkey())
    carry_out(world, stakes.unstake(look(world)), key("supplier"))
    with pytest.raises(StakeRefused, match=r"the cooldown is over at .* UTC, in 14 days"):
        stakes.withdraw(look(world), key("other").pubkey())
    world.chain.advance(14 * DAY)
    carry_out(world, stakes.withdraw(look(world), key("other").pubkey()), key("other"))
    assert world.balance(key("supplier").pubkey()) == had + MINIMUM
    assert world.stake_vault() == 0


def test_beside_a_co_stake_half_of_the_minimum_stays(world: StakingWorld) -> None:
    with_a_co_staker(world)
    assert look(world).overflow == HALF
    carry_out(world, stakes.overflow(look(world), None), key("supplier"))
    with pytest.raises(NothingToDo, match="nothing is above"):
        stakes.overflow(look(world), None)


def test_a_co_staker_gets_a_wallet_account_the_first_time(world: StakingWorld) -> None:
    add(world, MINIMUM)
    carry_out(world, stakes.offer(look(world), None, 2_000), key("supplier"))
    who = key("staker").pubkey()
    plan = stakes.take(look(world), who, None)
    paid = finish(payments_of(world.chain, plan, who))
    assert [(each.name, lamports) for each, lamports in paid.rents] == [
        ("the wallet's account for earnings", (128 + 96) * 6_960)
    ]
    take(world)
    assert look(world).co_stakes[0].amount == HALF
    assert (world.balance(who), world.stake_vault()) == (99_500 * IO, 1_500 * IO)


@pytest.mark.parametrize(("sent", "left"), [(1_000_000, 559_040), (5_000_000, 0)])
def test_what_a_stranger_sent_there_in_advance_is_no_account(
    world: StakingWorld, sent: int, left: int
) -> None:
    """The account is made all the same, for what its rent takes beyond that: and so it is shown."""
    add(world, MINIMUM)
    carry_out(world, stakes.offer(look(world), None, 2_000), key("supplier"))
    who = key("staker").pubkey()
    world.chain.airdrop(staking.wallet_address(who), sent)
    paid = finish(payments_of(world.chain, stakes.take(look(world), who, None), who))
    assert [(each.name, lamports) for each, lamports in paid.rents] == [
        ("the wallet's account for earnings", left)
    ]
    take(world)
    assert look(world).co_stakes[0].amount == HALF


def test_one_who_left_has_its_dates(world: StakingWorld) -> None:
    with_a_co_staker(world)
    staker = key("staker")
    carry_out(world, stakes.leave(look(world), staker.pubkey()), staker)
    held = look(world).co_stake_of(staker.pubkey(), CoStakeState.ACTIVE)
    assert held is not None
    assert stakes.held_words(held, world.chain.now()).startswith("left, counts until")
    world.chain.advance(7 * DAY)
    held = look(world).co_stake_of(staker.pubkey(), CoStakeState.COOLING)
    assert held is not None
    assert co_staker_state(held, world.chain.now()) is OfferState.COOLDOWN
    with pytest.raises(StakeRefused, match=r"in 14 days: run"):
        stakes.withdraw_co_stake(look(world), staker.pubkey(), staker.pubkey())
    world.chain.advance(14 * DAY)
    assert stakes.held_words(held, world.chain.now()) == "cooled, can be taken out"
    carry_out(world, stakes.withdraw_co_stake(look(world), staker.pubkey(), staker.pubkey()), staker)
    assert world.balance(staker.pubkey()) == 100_000 * IO


def test_nothing_moves_under_a_slash(world: StakingWorld) -> None:
    with_a_co_staker(world)
    device = look(world).device
    for operator in world.operators[:2]:
        vote = staking.vote_slash(operator.pubkey(), device, bytes(32), 1_000)
        world.do(vote, signers=[operator])
    for ask in (
        lambda: stakes.overflow(look(world), None),
        lambda: stakes.offer(look(world), None, 2_000),
        lambda: stakes.take(look(world), key("other").pubkey(), None),
    ):
        with pytest.raises(StakeRefused, match="operators have voted to slash"):
            ask()


def test_where_there_is_no_device(world: StakingWorld) -> None:
    for at in (key("nobody").pubkey(), staking.CONFIG):
        with pytest.raises(UserError, match="no device"):
            finish(stakes.read_staked(world.chain, at, world.chain.now()))
