"""Staking from registration to the last token out, on the real program."""

from keeper.clients import staking
from keeper.economy.supply import IO
from tests.programs.staking.world import StakingWorld
from tests.programs.world import DAY


def test_a_device_from_registration_to_its_end():
    world = StakingWorld.ready()
    supplier, helper = world.earner("supplier", 10_000 * IO), world.earner("helper", 10_000 * IO)
    device = world.device("worker", supplier)
    world.do(staking.stake(device, 600 * IO), signers=[supplier])
    assert world.read_device("worker").sufficient_since == 0
    world.do(staking.open_offer(device, 400 * IO, 2_000), signers=[supplier])
    world.do(staking.take_offer(device, helper.pubkey(), 400 * IO, 2_000), signers=[helper])
    assert world.read_device("worker").sufficient_since == world.chain.now()
    assert world.stake_vault() == world.staking_config().staked == 1_000 * IO

    lifetime = {supplier.pubkey(): 3_000 * IO, helper.pubkey(): 1_000 * IO}
    tree = world.block(0, lifetime)
    for index, wallet in enumerate(sorted(lifetime, key=bytes)):
        world.do(staking.claim(0, wallet, lifetime[wallet], tree.proof(index)))
    assert world.balance(supplier.pubkey()) == (10_000 - 600 + 3_000) * IO
    assert world.balance(helper.pubkey()) == (10_000 - 400 + 1_000) * IO

    world.do(staking.leave_co_stake(device, helper.pubkey()), signers=[helper])
    world.chain.advance(7 * DAY)
    world.do(staking.settle_device(device))
    assert world.read_device("worker").sufficient_since == 0
    world.chain.advance(14 * DAY)
    world.do(staking.withdraw_co_stake(device, helper.pubkey()))
    assert world.balance(helper.pubkey()) == 11_000 * IO
    world.do(staking.unstake(device), signers=[supplier])
    world.chain.advance(14 * DAY)
    world.do(staking.withdraw(device))
    world.do(staking.terminate_device(device), signers=[supplier])
    before = world.account(supplier.pubkey()).lamports
    world.do(staking.close_device(device))
    assert world.account(supplier.pubkey()).lamports > before + staking.PROGRAM.constants["DEVICE_DEPOSIT"]
    assert world.balance(supplier.pubkey()) == 13_000 * IO
    assert world.stake_vault() == world.staking_config().staked == 0


def test_a_slash_takes_both_sides_in_proportion_and_burns():
    world = StakingWorld.ready()
    supplier, helper = world.earner("supplier", 1_000 * IO), world.earner("helper", 1_000 * IO)
    device = world.device("worker", supplier)
    world.do(staking.stake(device, 600 * IO), signers=[supplier])
    world.do(staking.open_offer(device, 400 * IO, 500), signers=[supplier])
    world.do(staking.take_offer(device, helper.pubkey(), 400 * IO, 500), signers=[helper])
    supply = world.supply()
    evidence = b"e" * 32
    for operator in world.operators[:2]:
        world.do(staking.vote_slash(operator.pubkey(), device, evidence, 1_000), signers=[operator])
    record = world.send(staking.withdraw_overflow(world.read_device("worker"), 1), signers=[supplier])
    assert world.error(record) == "SlashPending"
    world.do(staking.appeal_slash(device, evidence, b"a" * 32), signers=[supplier])
    world.chain.advance(30 * DAY - 1)
    assert world.error(world.send(staking.execute_slash(device, evidence))) == "AppealOpen"
    world.chain.advance(1)
    world.do(staking.execute_slash(device, evidence))
    after = world.read_device("worker")
    assert (after.own, after.co.amount) == (540 * IO, 360 * IO)
    assert world.stake_vault() == world.staking_config().staked == 900 * IO
    assert supply - world.supply() == 100 * IO
    assert world.error(world.send(staking.execute_slash(device, evidence))) == "SlashState"
