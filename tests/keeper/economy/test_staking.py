"""Every published state, from a device as it goes through them on the real program."""

from keeper.clients import staking
from keeper.economy.staking import CLEAR, OfferState, co_staker_state, minimum, next_bar, supplier_state
from keeper.economy.supply import IO
from tests.programs.staking.world import StakingWorld
from tests.programs.world import DAY, HOUR


def test_minimum_stakes_that_the_network_publishes():
    assert minimum(1_000, 8) == 16_000 * IO  # 8x H100
    assert minimum(25, 4) == 800 * IO  # 4x 4070 at a quarter: never less than 200 a processor
    assert minimum(100, 1) == minimum(0, 1) == 200 * IO


def test_bars_in_a_row_and_after_a_day_served():
    assert [next_bar(strikes, 0) // HOUR for strikes in range(8)] == [1, 2, 4, 8, 16, 24, 24, 24]
    assert next_bar(255, CLEAR - 1) == DAY
    assert next_bar(255, CLEAR) == HOUR


def test_the_states_of_an_offer_from_its_opening_to_the_withdrawal():
    world = StakingWorld.ready()
    supplier, helper = world.earner("supplier", 5_000 * IO), world.earner("helper", 1_000 * IO)
    device = world.device("worker", supplier)
    least = 1_000 * IO

    def shown() -> OfferState:
        at, now = world.read_device("worker"), world.chain.now()
        return supplier_state(at.own, at.offer, at.co, least, now)

    def shown_to_helper() -> OfferState:
        at, now = world.read_device("worker"), world.chain.now()
        mine = at.leaving if at.leaving.staker == helper.pubkey() else at.co
        return co_staker_state(mine, now)

    assert shown() == OfferState.CLOSED
    world.do(staking.stake(device, 600 * IO), signers=[supplier])
    world.do(staking.open_offer(device, 400 * IO, 1_000), signers=[supplier])
    assert shown() == OfferState.INSUFFICIENT_WAITING
    world.do(staking.stake(world.read_device("worker"), 400 * IO), signers=[supplier])
    assert shown() == OfferState.SUFFICIENT_WAITING
    world.do(staking.take_offer(device, helper.pubkey(), 400 * IO, 1_000), signers=[helper])
    assert shown() == shown_to_helper() == OfferState.ACTIVE
    world.do(staking.leave_co_stake(device, helper.pubkey()), signers=[helper])
    assert shown() == OfferState.WAIT_PERIOD
    assert shown_to_helper() == OfferState.UNSTAKED
    world.do(staking.withdraw_overflow(world.read_device("worker"), 400 * IO), signers=[supplier])
    assert shown() == OfferState.WAIT_PERIOD
    world.chain.advance(7 * DAY)
    assert shown() == OfferState.CLOSED
    assert shown_to_helper() == OfferState.COOLDOWN
    world.chain.advance(14 * DAY)
    world.do(staking.withdraw_co_stake(device, helper.pubkey()))
    assert shown_to_helper() == OfferState.WITHDRAWN
