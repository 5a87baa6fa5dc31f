"""Roles of tokenomics' own: beneficiaries, and who may veto a season; addresses of zero."""

from collections.abc import Callable

import pytest
from solders.instruction import Instruction
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from keeper.clients import tokenomics as client
from keeper.deploy import staking_program
from tests.programs.world import World, key
from tests.security.outcomes import refused
from tests.security.people import DEPUTY, HEIR, address, do
from tests.security.tokenomics import stages
from tests.security.tokenomics.calls import LAST_ROW, NEW_SEASON
from tests.security.tokenomics.stages import WAITING, stage
from tests.security.tokenomics.substitution import valid

NOBODY = Pubkey.default()
MALLORY, ADMIN, GUARDIAN = address("mallory"), address("admin"), address("guardian")


def test_a_forged_signature_never_gets_to_the_program() -> None:
    world = World(verify_signatures=True)
    call = client.initialize(ADMIN, staking_program(), GUARDIAN)
    message = MessageV0.try_compile(world.payer.pubkey(), [call], [], world.chain.latest_blockhash())
    good = VersionedTransaction(message, [world.payer, world.admin])
    forged = [good.signatures[0], key("mallory").sign_message(bytes(message))]
    record = world.chain.submit(VersionedTransaction.populate(message, forged))
    assert record.error == "SignatureFailure"
    assert world.chain.get(client.CONFIG) is None
    assert world.chain.submit(good).error is None


# -- addresses of zero -----------------------------------------------------------------------

ZEROS: dict[str, tuple[str, Callable[[], Instruction]]] = {
    "staking program at the start": ("empty", lambda: client.initialize(ADMIN, NOBODY, GUARDIAN)),
    "beneficiary": (
        "table",
        lambda: client.add_allocation(ADMIN, LAST_ROW, NOBODY),
    ),
}


@pytest.mark.parametrize("name", ZEROS)
def test_nobody_is_no_address(name: str) -> None:
    where, call = ZEROS[name]
    assert refused(stage(where), call()) == "ZeroAddress"


# -- two steps -------------------------------------------------------------------------------


def test_a_withdrawn_proposal_can_not_be_accepted() -> None:
    world = stages.running()
    do(world, client.propose_beneficiary(1, address("series_a"), NOBODY))
    assert refused(world, client.accept_beneficiary(1, address(HEIR))) == "NotPendingBeneficiary"


def test_a_proposal_alone_gives_no_right() -> None:
    world = stage("running")
    assert refused(world, client.propose_beneficiary(1, address(HEIR), MALLORY)) == "NotBeneficiary"


def test_the_old_beneficiary_gets_nothing_any_more() -> None:
    world = stages.running()
    do(world, client.accept_beneficiary(1, address(HEIR)))
    assert refused(world, client.propose_beneficiary(1, address("series_a"), MALLORY)) == "NotBeneficiary"
    assert refused(world, client.release(1, address("series_a"))) == "NotAssociatedAccount"


def test_a_replaced_guardian_can_neither_stop_nor_veto() -> None:
    world = stages.running()
    do(world, client.accept_guardian(address(DEPUTY)))
    assert refused(world, valid("set_pause")) == "NotGuardian"
    assert refused(world, client.cancel_season(GUARDIAN, WAITING)) == "NotGuardian"
    do(world, client.cancel_season(address(DEPUTY), WAITING))


def test_a_guardian_who_funded_the_season_can_veto_it() -> None:
    world = stages.running()
    do(world, client.propose_guardian(ADMIN, ADMIN))
    world.chain.advance(client.GUARDIAN_NOTICE)
    do(world, client.accept_guardian(ADMIN))
    stages.open_season(world, NEW_SEASON, 30, page=False)
    before = world.balance(ADMIN)
    do(world, client.cancel_season(ADMIN, NEW_SEASON))
    assert world.balance(ADMIN) == before, "a veto moves nothing"
    do(world, client.close_season(NEW_SEASON, ADMIN))
    assert world.balance(ADMIN) - before == sum(stages.season_amounts(NEW_SEASON).values())


def test_the_season_goes_back_to_its_funder_not_to_the_next_admin() -> None:
    world = stages.running()
    do(world, client.accept_admin(address(HEIR)))
    world.give(address(HEIR), 1)
    do(world, client.cancel_season(GUARDIAN, WAITING))
    assert refused(world, client.close_season(WAITING, address(HEIR))) == "WrongAccount"
    before = world.balance(ADMIN)
    do(world, client.close_season(WAITING, ADMIN))
    assert world.balance(ADMIN) - before == sum(stages.season_amounts(WAITING).values())
