"""Who may do what: wrong signers, forged authorities, roles handed over in two steps and taken back."""

import struct
from collections.abc import Callable

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from keeper.chain import Account
from keeper.chain.framework import SYSTEM_PROGRAM, UPGRADEABLE_LOADER
from keeper.chain.loader import program_data_address
from keeper.chain.program import EVENT_TAG
from keeper.clients import tokenomics as client
from keeper.clients.tokenomics import PROGRAM
from keeper.deploy import staking_program
from tests.programs.world import World, key
from tests.security.outcomes import refused
from tests.security.people import DEPUTY, HEIR, IMPOSTOR, address, do
from tests.security.tokenomics import stages
from tests.security.tokenomics.calls import LAST_ROW, NEW_SEASON
from tests.security.tokenomics.stages import WAITING, stage
from tests.security.tokenomics.substitution import valid

NOBODY = Pubkey.default()
MALLORY, ADMIN, GUARDIAN = address("mallory"), address("admin"), address("guardian")


def as_(name: str, instruction: str, slot: int = 0) -> Instruction:
    """The valid call with somebody else's signature where the first one was."""
    call = valid(instruction)
    metas = list(call.accounts)
    metas[slot] = AccountMeta(address(name), True, metas[slot].is_writable)
    return Instruction(call.program_id, call.data, metas)


WRONG_SIGNERS = [
    ("launch", "mallory", "NotAdmin"),
    ("launch", "guardian", "NotAdmin"),
    ("add_allocation", "guardian", "NotAdmin"),
    ("open_season", "guardian", "NotAdmin"),
    ("propose_guardian", "guardian", "NotAdmin"),
    ("propose_guardian", DEPUTY, "NotAdmin"),
    ("propose_admin", "guardian", "NotAdmin"),
    ("propose_admin", HEIR, "NotAdmin"),
    ("set_pause", "admin", "NotGuardian"),
    ("cancel_season", "mallory", "NotGuardian"),
    ("accept_admin", "admin", "NotPendingAdmin"),
    ("accept_admin", "guardian", "NotPendingAdmin"),
    ("accept_guardian", "admin", "NotPendingGuardian"),
    ("accept_guardian", "guardian", "NotPendingGuardian"),
    ("propose_beneficiary", "admin", "NotBeneficiary"),
    ("propose_beneficiary", "series_a", "NotBeneficiary"),
    ("accept_beneficiary", "series_a", "NotPendingBeneficiary"),
    ("accept_beneficiary", "admin", "NotPendingBeneficiary"),
]


@pytest.mark.parametrize(("instruction", "name", "error"), WRONG_SIGNERS)
def test_another_role_is_not_enough(instruction: str, name: str, error: str) -> None:
    """Each role is one address: the admin is no guardian, an heir no admin, nobody's row the admin's."""
    stage_name = {"launch": "complete", "add_allocation": "table"}.get(instruction, "running")
    assert refused(stage(stage_name), as_(name, instruction)) == error


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


# -- initialize ------------------------------------------------------------------------------


def initialize(admin: Pubkey, guardian: Pubkey = GUARDIAN, staking: Pubkey | None = None) -> Instruction:
    return client.initialize(admin, staking_program() if staking is None else staking, guardian)


def test_only_the_upgrade_authority_can_initialize() -> None:
    assert refused(stages.empty(), initialize(MALLORY)) == "NotUpgradeAuthority"


def with_program_data(call: Instruction, program_data: Pubkey) -> Instruction:
    metas = list(call.accounts)
    metas[1] = AccountMeta(program_data, False, False)
    return Instruction(call.program_id, call.data, metas)


def header(authority: Pubkey | None, tag: int = 3) -> bytes:
    """The first bytes of a ProgramData account."""
    return struct.pack("<IQB", tag, 1, authority is not None) + bytes(authority or Pubkey.default())


FORGED_PROGRAM_DATA: dict[str, tuple[Pubkey, Account | None]] = {
    "of the attacker's own program": (program_data_address(IMPOSTOR), None),
    "of the attacker's program's making": (address("elsewhere"), Account(10**9, header(MALLORY), IMPOSTOR)),
    "a wallet": (address("bob"), None),
    # A loader's buffer holds bytes of its owner's choice, behind a header of 37 bytes.
    "a buffer": (
        address("elsewhere"),
        Account(10**9, struct.pack("<IB", 1, 1) + bytes(MALLORY) + header(MALLORY), UPGRADEABLE_LOADER),
    ),
}


@pytest.mark.parametrize("name", FORGED_PROGRAM_DATA)
def test_initialize_with_a_forged_program_data(name: str) -> None:
    world = stages.empty()
    where, account = FORGED_PROGRAM_DATA[name]
    if account:
        world.chain.set_account(where, account)
    assert refused(world, with_program_data(initialize(MALLORY), where)) == "NotUpgradeAuthority"


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (header(MALLORY), None),
        (header(None), "NotUpgradeAuthority"),
        (header(MALLORY, tag=1), "NotUpgradeAuthority"),
        (header(MALLORY)[:44], "NotUpgradeAuthority"),
        (b"", "NotUpgradeAuthority"),
    ],
    ids=["its authority", "given up", "not a ProgramData", "cut", "empty"],
)
def test_what_the_program_data_must_say(content: bytes, error: str | None) -> None:
    """Planted where the loader keeps the authority: whoever it names, and nobody when it names none."""
    world = stages.empty()
    world.chain.set_account(client.PROGRAM_DATA, Account(10**10, content, UPGRADEABLE_LOADER))
    assert refused(world, initialize(MALLORY)) == error


def test_the_program_data_must_belong_to_the_loader() -> None:
    world = stages.empty()
    world.chain.set_account(client.PROGRAM_DATA, Account(10**10, header(MALLORY), SYSTEM_PROGRAM))
    assert refused(world, initialize(MALLORY)) == "NotUpgradeAuthority"


# -- addresses of zero -----------------------------------------------------------------------

ZEROS: dict[str, tuple[str, Callable[[], Instruction]]] = {
    "guardian at the start": ("empty", lambda: initialize(ADMIN, guardian=NOBODY)),
    "staking program at the start": ("empty", lambda: initialize(ADMIN, staking=NOBODY)),
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


def test_the_old_admin_has_nothing_left() -> None:
    world = stages.running()
    do(world, client.accept_admin(address(HEIR)))
    for call in ("propose_admin", "propose_guardian"):
        assert refused(world, as_("admin", call)) == "NotAdmin"
    assert refused(world, valid("open_season")) == "NotAdmin"
    assert refused(world, client.accept_admin(address(HEIR))) == "NotPendingAdmin"
    do(world, client.propose_admin(address(HEIR), ADMIN))


def test_a_withdrawn_proposal_can_not_be_accepted() -> None:
    world = stages.running()
    do(world, client.propose_admin(ADMIN, NOBODY))
    assert refused(world, client.accept_admin(address(HEIR))) == "NotPendingAdmin"
    do(world, client.propose_beneficiary(1, address("series_a"), NOBODY))
    assert refused(world, client.accept_beneficiary(1, address(HEIR))) == "NotPendingBeneficiary"


def test_a_proposal_alone_gives_no_right() -> None:
    world = stage("running")
    assert refused(world, client.propose_guardian(address(HEIR), MALLORY)) == "NotAdmin"
    assert refused(world, client.propose_beneficiary(1, address(HEIR), MALLORY)) == "NotBeneficiary"


def test_the_old_beneficiary_gets_nothing_any_more() -> None:
    world = stages.running()
    do(world, client.accept_beneficiary(1, address(HEIR)))
    assert refused(world, client.propose_beneficiary(1, address("series_a"), MALLORY)) == "NotBeneficiary"
    assert refused(world, client.release(1, address("series_a"))) == "InvalidAccountData"


def test_a_replaced_guardian_can_neither_stop_nor_veto() -> None:
    world = stages.running()
    do(world, client.accept_guardian(address(DEPUTY)))
    assert refused(world, valid("set_pause")) == "NotGuardian"
    assert refused(world, client.cancel_season(GUARDIAN, WAITING, ADMIN)) == "NotGuardian"
    do(world, client.cancel_season(address(DEPUTY), WAITING, ADMIN))


def test_a_guardian_who_funded_the_season_can_veto_it() -> None:
    world = stages.running()
    do(world, client.propose_guardian(ADMIN, ADMIN))
    world.chain.advance(client.GUARDIAN_NOTICE)
    do(world, client.accept_guardian(ADMIN))
    stages.open_season(world, NEW_SEASON, 30, page=False)
    before = world.balance(ADMIN)
    do(world, client.cancel_season(ADMIN, NEW_SEASON, ADMIN))
    assert world.balance(ADMIN) - before == sum(stages.season_amounts(NEW_SEASON).values())


def test_the_season_goes_back_to_its_funder_not_to_the_next_admin() -> None:
    world = stages.running()
    do(world, client.accept_admin(address(HEIR)))
    world.give(address(HEIR), 1)
    assert refused(world, client.cancel_season(GUARDIAN, WAITING, address(HEIR))) == "WrongAccount"
    do(world, client.cancel_season(GUARDIAN, WAITING, ADMIN))


# -- events ----------------------------------------------------------------------------------


def test_nobody_else_can_send_our_events() -> None:
    """The framework's event instruction, called from outside: the authority signs for us alone."""
    data = EVENT_TAG + bytes(100)
    for accounts, error in (
        ([AccountMeta(PROGRAM.event_authority, False, False)], "MissingRequiredSignature"),
        ([AccountMeta(MALLORY, True, False)], "InvalidSeeds"),
        ([], "NotEnoughAccountKeys"),
    ):
        assert refused(stage("running"), Instruction(PROGRAM.address, data, accounts)) == error
