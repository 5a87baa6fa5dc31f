"""Stakes and co-stakes from the first token in to the last one out."""

from keeper.clients.staking import STAKE_VAULT
from keeper.economy import staking as economy
from keeper.economy.supply import IO
from tests.e2e.network import PURSE_IO, Network
from tests.programs.orders.calls import CLASSES

MINIMUM = economy.minimum(CLASSES[0].multiplier, 4)


def test_a_stake_and_its_overflow_and_cooldown(network: Network) -> None:
    supplier = network.join("staker")
    device = network.let("staker's device", supplier)
    vault = network.pair.world.tokens(STAKE_VAULT)
    assert network.stake(device, MINIMUM - 1) == "stake"
    assert network.device(device).sufficient_since == 0
    assert network.stake(device, 5 * IO + 1) == "stake"
    assert network.device(device).sufficient_since > 0
    assert network.withdraw_overflow(device, 5 * IO + 1) == "ExceedsOverflow"
    assert network.withdraw_overflow(device, 5 * IO) == "withdraw_overflow"
    assert network.money(supplier) == PURSE_IO - MINIMUM
    assert network.pair.world.tokens(STAKE_VAULT) == vault + MINIMUM
    assert network.unstake(device) == "unstake"
    assert network.withdraw(device) == "NothingToWithdraw"
    network.wait_until(network.device(device).own_until)
    assert network.withdraw(device) == "withdraw"
    assert network.money(supplier) == PURSE_IO
    assert network.terminate_device(device) == "terminate_device"
    assert network.stake(device, MINIMUM) == "DeviceTerminated"
    assert network.close_device(device) == "close_device"
    assert network.pair.world.tokens(STAKE_VAULT) == vault


def test_a_co_stake_from_offer_to_withdrawal(network: Network) -> None:
    supplier, helper = network.join("offerer"), network.join("helper")
    own, part = MINIMUM * 6 // 10, MINIMUM * 4 // 10
    device = network.let("offered device", supplier, own)
    assert network.open_offer(device, part, 2_000) == "open_offer"
    assert network.take_offer(supplier, device, part, 2_000) == "OwnCoStake"
    assert network.take_offer(helper, device, part, 1_999) == "OfferChanged"
    assert network.take_offer(helper, device, part, 2_000) == "take_offer"
    assert network.device(device).sufficient_since > 0
    assert network.money(helper) == PURSE_IO - part
    assert network.leave_co_stake(helper, device) == "leave_co_stake"
    until = network.device(device).co.until
    assert network.withdraw_co_stake(helper, device) == "NothingToWithdraw"
    network.wait_until(until)
    assert network.settle_device(device) == "settle_device"
    assert network.device(device).sufficient_since == 0, "it counted until the wait was over"
    network.wait_until(network.device(device).leaving.until)
    assert network.withdraw_co_stake(helper, device) == "withdraw_co_stake"
    assert network.money(helper) == PURSE_IO
    assert network.money(supplier) == PURSE_IO - own
