"""Roles, pauses and addresses of staking: who may do what, what a pause stops, what can't be blocked."""

import pytest

from keeper.chain.framework import SYSTEM_PROGRAM
from keeper.clients import staking as client
from keeper.clients import tokenomics
from keeper.clients.staking import Params
from tests.programs.staking.world import StakingWorld
from tests.programs.world import DAY, World
from tests.security.outcomes import refused, rehearsed
from tests.security.people import HEIR, OPERATORS, address, do
from tests.security.prefunded import AMOUNTS, assert_created
from tests.security.staking import stages
from tests.security.staking.calls import CALLS
from tests.security.staking.stages import stage
from tests.security.staking.substitution import MATRIX

ADMIN, GUARDIAN, MALLORY = (address(name) for name in ("admin", "guardian", "mallory"))
STAKING, REWARDS = client.PROGRAM.constants["PAUSE_STAKING"], client.PROGRAM.constants["PAUSE_REWARDS"]
LONGEST = client.PROGRAM.constants["MAX_PAUSE"]
STOPPED_BY = {
    "register_device": STAKING,
    "stake": STAKING,
    "take_offer": STAKING,
    "finalise": REWARDS,
}
"""Money that comes in, and new roots; everything else goes on, every way out above all."""


def config(world: World) -> client.Config:
    return client.parse_config(world.account(client.CONFIG).data)


@pytest.mark.parametrize("mask", [0, STAKING, REWARDS, STAKING | REWARDS])
@pytest.mark.parametrize("name", ["staked", "leased", "running"])
def test_a_pause_stops_nobody_on_the_way_out(name: str, mask: int) -> None:
    world = stages.STAGES[name]()
    do(world, client.set_pause(GUARDIAN, mask, world.chain.now() + LONGEST))
    calls = {each: call for each, call in CALLS.items() if call.stage == name}
    found = {each: rehearsed(world, call.build(world)) for each, call in calls.items()}
    assert found == {each: "Paused" if STOPPED_BY.get(each, 0) & mask else None for each in calls}


def test_a_pause_lapses_to_the_second() -> None:
    world = stages.running()
    do(world, client.set_pause(GUARDIAN, REWARDS, world.chain.now() + LONGEST))
    finalise = CALLS["finalise"].build(world)
    world.chain.advance(LONGEST - 1)
    assert refused(world, finalise) == "Paused"
    world.chain.advance(1)
    do(world, finalise)


@pytest.mark.parametrize(
    ("mask", "longer", "error"),
    [(4, 0, "PauseMaskInvalid"), (2**32 - 1, 0, "PauseMaskInvalid"), (1, 1, "PauseTooLong")],
)
def test_what_a_pause_may_be(mask: int, longer: int, error: str) -> None:
    world = stage("running")
    until = world.chain.now() + LONGEST + longer
    assert refused(world, client.set_pause(GUARDIAN, mask, until)) == error


@pytest.mark.parametrize("name", [GUARDIAN, MALLORY, address(OPERATORS[0])])
def test_the_admins_own(name) -> None:
    terms = Params(tuple(map(address, OPERATORS)), 2)
    for call in (
        client.propose_params(name, terms),
        client.propose_admin(name, name),
        client.propose_guardian(name, name),
        client.add_class(name, 9, "L4", 25, 1, 0),
        client.change_class(name, 1, 150),
    ):
        assert refused(stage("running"), call) == "NotAdmin"


@pytest.mark.parametrize("name", [ADMIN, MALLORY, address(OPERATORS[0])])
def test_the_guardians_own(name) -> None:
    """The admin can't veto or pause; the guardian, in turn, moves no token and proposes nothing."""
    world = stage("running")
    one = stages.device(world, "worker")
    for call in (
        client.cancel_params(name),
        client.set_pause(name, 1, world.chain.now() + DAY),
        client.veto_block(name, stages.CHALLENGED),
        client.veto_slash(name, one, stages.LATE_EVIDENCE),
    ):
        assert refused(world, call) == "NotGuardian"


def test_only_the_upgrade_authority_initialises() -> None:
    terms = Params(tuple(map(address, OPERATORS)), 2)
    assert refused(stage("empty"), client.initialize(MALLORY, MALLORY, terms)) == "NotUpgradeAuthority"
    nobody = client.initialize(ADMIN, SYSTEM_PROGRAM, terms)
    assert refused(stage("empty"), nobody) == "ZeroAddress"


def test_it_is_initialised_once() -> None:
    terms = Params(tuple(map(address, OPERATORS)), 2)
    again = client.initialize(ADMIN, GUARDIAN, terms)
    assert refused(stage("running"), again) == "System.AccountAlreadyInUse"


def test_a_role_is_handed_over_in_two_steps() -> None:
    world = stages.running()
    assert refused(world, client.accept_admin(MALLORY)) == "NotPendingAdmin"
    do(world, client.accept_admin(address(HEIR)))
    assert refused(world, client.propose_admin(ADMIN, ADMIN)) == "NotAdmin"
    assert refused(world, client.accept_admin(address(HEIR))) == "NotPendingAdmin"


def test_a_change_takes_its_notice_and_can_be_dropped() -> None:
    world = stages.initialized()
    terms = Params(tuple(map(address, OPERATORS)), 3)
    assert refused(world, client.apply_params()) == refused(world, client.cancel_params(GUARDIAN))
    do(world, client.propose_params(ADMIN, terms))
    world.chain.advance(7 * DAY - 1)
    assert refused(world, client.apply_params()) == "NoticeNotOver"
    do(world, client.cancel_params(GUARDIAN))
    world.chain.advance(1)
    assert refused(world, client.apply_params()) == "NothingProposed"
    assert (config(world).params.threshold, config(world).revision) == (2, 0)
    do(world, client.propose_params(ADMIN, terms))
    world.chain.advance(7 * DAY)
    do(world, client.apply_params())
    assert (config(world).params.threshold, config(world).revision) == (3, 1)
    assert refused(world, client.apply_params()) == "NothingProposed"


def test_nothing_before_the_launch() -> None:
    """Staking can be set up before tokenomics is launched; no hour can be attested then."""
    world = StakingWorld()
    admin = world.admin.pubkey()
    world.do(
        tokenomics.initialize(admin, client.PROGRAM.address, world.guardian.pubkey()), signers=[world.admin]
    )
    operator = world.person(OPERATORS[0])
    terms = Params((operator.pubkey(),), 1)
    world.do(client.initialize(admin, world.guardian.pubkey(), terms), signers=[world.admin])
    record = world.send(client.attest(operator.pubkey(), 0, stages.said(0)), signers=[operator])
    assert world.error(record) == "NotLaunched"


CREATED = [(name, slot) for name in CALLS for slot in MATRIX.slots(name) if MATRIX.is_created(name, slot)]


def test_these_are_all_the_accounts_that_the_program_creates() -> None:
    assert set(CREATED) == {
        ("initialize", "config"),
        ("initialize", "stake_vault"),
        ("add_class", "class"),
        ("open_wallet", "wallet"),
        ("register_device", "device"),
        ("attest", "block"),
        ("vote_slash", "slash"),
    }


@pytest.mark.parametrize("amount", AMOUNTS)
@pytest.mark.parametrize(("name", "slot"), CREATED)
def test_lamports_in_advance_stop_nothing(name: str, slot: str, amount: str) -> None:
    where = MATRIX.account_of(name, slot)
    deposit = client.PROGRAM.constants["DEVICE_DEPOSIT"] if slot == "device" else 0
    valid = MATRIX.valid(name)
    assert_created(stages.STAGES[CALLS[name].stage], lambda _: valid, where, amount, deposit=deposit)


def test_the_deposit_comes_back() -> None:
    """A device costs its rent and the deposit while it lives; closed, the supplier has both again."""
    world = stages.initialized()
    alice = address("alice")
    before = world.account(alice).lamports
    one = stages.register(world, "worker")
    where = client.device_address(address("worker"))
    assert before - world.account(alice).lamports == world.account(where).lamports
    do(world, client.terminate_device(one))
    do(world, client.close_device(one))
    assert world.account(alice).lamports == before
    assert world.chain.get(where) is None
