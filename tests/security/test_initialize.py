"""Only the upgrade authority starts a program, once, and for somebody."""

import struct

import pytest
from solders.instruction import Instruction
from solders.pubkey import Pubkey

from keeper.chain import Account
from keeper.chain.framework import SYSTEM_PROGRAM, UPGRADEABLE_LOADER
from keeper.chain.loader import program_data_address
from tests.security.every import SUBJECTS, on_every_program
from tests.security.outcomes import refused, undone
from tests.security.people import IMPOSTOR, address
from tests.security.subject import Subject

ADMIN, MALLORY, ELSEWHERE = address("admin"), address("mallory"), address("elsewhere")
NOT_YOURS = "NotUpgradeAuthority"


def changed(its: Subject, *, by: Pubkey = ADMIN, **arguments: object) -> Instruction:
    """The call that succeeds, with other arguments, or signed by somebody else."""
    call = its.matrix.valid("initialize")
    decoded = its.program.decode_instruction(bytes(call.data))
    assert decoded is not None
    slots = dict(zip(its.matrix.slots("initialize"), (meta.pubkey for meta in call.accounts), strict=True))
    return its.program.instruction("initialize", {**decoded[1], **arguments}, **{**slots, "admin": by})


def header(authority: Pubkey | None, tag: int = 3) -> bytes:
    """The first bytes of a ProgramData account."""
    return struct.pack("<IQB", tag, 1, authority is not None) + bytes(authority or Pubkey.default())


FORGED: dict[str, tuple[Pubkey, Account | None]] = {
    "of the attacker's own program": (program_data_address(IMPOSTOR), None),
    "of the attacker's program's making": (ELSEWHERE, Account(10**9, header(MALLORY), IMPOSTOR)),
    "a wallet": (address("bob"), None),
    # A loader's buffer holds bytes of its owner's choice, behind a header of 37 bytes.
    "a buffer": (
        ELSEWHERE,
        Account(10**9, struct.pack("<IB", 1, 1) + bytes(MALLORY) + header(MALLORY), UPGRADEABLE_LOADER),
    ),
}
SAID: dict[str, tuple[bytes, str | None]] = {
    "its authority": (header(MALLORY), None),
    "given up": (header(None), NOT_YOURS),
    # The loader leaves the old authority's bytes where they were and takes the flag before them back.
    "given up, its old authority still behind the flag": (
        struct.pack("<IQB", 3, 1, 0) + bytes(MALLORY),
        NOT_YOURS,
    ),
    "a flag that is none": (struct.pack("<IQB", 3, 1, 2) + bytes(MALLORY), NOT_YOURS),
    "not a ProgramData": (header(MALLORY, tag=1), NOT_YOURS),
    "cut": (header(MALLORY)[:44], NOT_YOURS),
    "empty": (b"", NOT_YOURS),
}


@on_every_program
def test_only_the_upgrade_authority_initialises(program: str) -> None:
    """Whomever a stranger names as guardian."""
    its = SUBJECTS[program]
    world, call = its.scene("initialize")
    assert changed(its) == call
    for each in (changed(its, by=MALLORY), changed(its, by=MALLORY, guardian=MALLORY)):
        assert refused(world, each) == NOT_YOURS


@on_every_program
@pytest.mark.parametrize("name", FORGED)
def test_a_forged_program_data(program: str, name: str) -> None:
    its = SUBJECTS[program]
    world, _ = its.scene("initialize")
    where, account = FORGED[name]
    with undone(world, where):
        if account:
            world.chain.set_account(where, account)
        assert refused(world, its.matrix.put("initialize", admin=MALLORY, program_data=where)) == NOT_YOURS


@on_every_program
@pytest.mark.parametrize("name", SAID)
def test_what_the_program_data_must_say(program: str, name: str) -> None:
    """Planted where the loader keeps the authority: whoever it names, and nobody when it names none."""
    its = SUBJECTS[program]
    world, _ = its.scene("initialize")
    content, error = SAID[name]
    with undone(world, its.client.PROGRAM_DATA):
        world.chain.set_account(its.client.PROGRAM_DATA, Account(10**10, content, UPGRADEABLE_LOADER))
        assert refused(world, changed(its, by=MALLORY)) == error


@on_every_program
def test_the_program_data_must_belong_to_the_loader(program: str) -> None:
    its = SUBJECTS[program]
    world, _ = its.scene("initialize")
    with undone(world, its.client.PROGRAM_DATA):
        world.chain.set_account(its.client.PROGRAM_DATA, Account(10**10, header(MALLORY), SYSTEM_PROGRAM))
        assert refused(world, changed(its, by=MALLORY)) == NOT_YOURS


@on_every_program
def test_the_guardian_is_somebody(program: str) -> None:
    its = SUBJECTS[program]
    world, _ = its.scene("initialize")
    assert refused(world, changed(its, guardian=SYSTEM_PROGRAM)) == "ZeroAddress"


@on_every_program
def test_a_program_is_initialised_once(program: str) -> None:
    """Neither with the same roles nor with others, whatever has become of it."""
    its = SUBJECTS[program]
    world, _ = its.scene("set_pause")
    for call in (its.matrix.valid("initialize"), changed(its, guardian=MALLORY)):
        assert refused(world, call) == "System.AccountAlreadyInUse"
