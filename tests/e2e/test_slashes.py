"""Slashes: more than half of the operators, an appeal, then a veto or a fire."""

from keeper.clients import tokenomics
from keeper.economy.supply import IO
from tests.e2e.network import PURSE_IO, Network
from tests.model.orders.state import Terms
from tests.programs.orders.calls import CLASSES, OPERATORS
from tests.programs.orders.world import ASK_IO, MINIMUM
from tests.programs.side_by_side import GUARDIAN, MALLORY

EVIDENCE, STATEMENT = b"e" * 32, b"s" * 32
BPS = 1_000


def test_a_slash_burns_both_sides_in_proportion_after_the_appeal(network: Network) -> None:
    supplier, helper, renter = map(network.join, ("slashed", "slashed helper", "slashed renter"))
    own, part = MINIMUM * 6 // 10, MINIMUM * 4 // 10
    device = network.let("slashed device", supplier, own)
    assert network.open_offer(device, part, 500) == "open_offer"
    assert network.take_offer(helper, device, part, 500) == "take_offer"
    order = network.open(renter, Terms(ASK_IO, 1, 1, 4, (CLASSES[0].id,)))
    assert network.vote_slash(MALLORY, device, EVIDENCE, BPS) == "NotOperator"
    assert network.vote_slash(OPERATORS[0], device, EVIDENCE, BPS) == "vote_slash"
    assert network.vote_slash(OPERATORS[0], device, EVIDENCE, BPS) == "AlreadyVoted"
    assert not network.device(device).slash_pending
    assert network.vote_slash(OPERATORS[2], device, EVIDENCE, BPS) == "vote_slash"
    until = network.staking.slashes[device, EVIDENCE].appeal_until
    assert network.device(device).slash_pending
    assert network.appeal_slash(device, EVIDENCE, STATEMENT) == "appeal_slash"
    assert network.withdraw_overflow(device, 1) == "SlashPending"
    assert network.execute_slash(device, EVIDENCE) == "AppealOpen"
    assert network.match(order, device) == "SlashPending"
    network.wait_until(until)
    assert network.veto_slash(GUARDIAN, device, EVIDENCE) == "AppealOver"
    supply = network.pair.world.supply()
    assert network.execute_slash(device, EVIDENCE) == "execute_slash"
    assert network.execute_slash(device, EVIDENCE) == "SlashState"
    after = network.device(device)
    assert (after.own, after.co.amount) == (own - own // 10, part - part // 10)
    assert supply - network.pair.world.supply() == MINIMUM // 10
    assert network.money(supplier) == PURSE_IO - own
    assert network.match(order, device) == "StakeInsufficient"
    network.give_up(order)


def test_tokenomics_counts_what_was_burned_elsewhere(network: Network) -> None:
    supplier = network.join("burned")
    device = network.let("burned device", supplier, 10 * IO)
    for operator in OPERATORS[:2]:
        assert network.vote_slash(operator, device, EVIDENCE, BPS) == "vote_slash"
    network.wait_until(network.staking.slashes[device, EVIDENCE].appeal_until)
    assert network.execute_slash(device, EVIDENCE) == "execute_slash"
    assert network.sync_burned() == "sync_burned"
    assert network.sync_burned() == "NothingDue"
    supply = network.supply()
    genesis = tokenomics.PROGRAM.constants["GENESIS_SUPPLY"]
    assert supply.supply == genesis + supply.emitted - supply.burned


def test_the_guardian_vetoes_a_slash_and_the_stake_is_whole(network: Network) -> None:
    supplier = network.join("spared")
    device = network.let("spared device", supplier, MINIMUM)
    for operator in OPERATORS[1:3]:
        assert network.vote_slash(operator, device, EVIDENCE, 2_000) == "vote_slash"
    assert network.veto_slash(MALLORY, device, EVIDENCE) == "NotGuardian"
    assert network.veto_slash(GUARDIAN, device, EVIDENCE) == "veto_slash"
    network.wait_until(network.staking.slashes[device, EVIDENCE].appeal_until)
    assert network.execute_slash(device, EVIDENCE) == "SlashState"
    assert network.device(device).own == MINIMUM
    assert network.unstake(device) == "unstake"
