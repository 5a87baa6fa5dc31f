"""Token accounts: another's, another mint's, handed over, frozen, closed; whose the vaults are.

``paid``, ``spent`` and ``received`` of a program's description say in which slots people's accounts stand.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from solders.pubkey import Pubkey

from keeper.chain import token
from keeper.chain.framework import associated_token_address
from tests.programs.world import World, key
from tests.security.every import SUBJECTS, on_every_instruction, on_every_program
from tests.security.matrix import Case
from tests.security.outcomes import refused, undone
from tests.security.people import KEYS, OTHER_MINT, address, do
from tests.security.subject import Purse, Subject
from tests.security.tokens import (
    TOKEN_2022,
    close,
    create_mint,
    create_tokens,
    freeze,
    freeze_anyway,
    mint_to,
    set_close_authority,
    set_mint_authority,
    set_owner,
    token_accounts,
    vaults,
)

ADMIN, MALLORY = address("admin"), address("mallory")
SPARE, NEWER = key("spare"), key("mint of Token-2022")
PLENTY = 10**15


def pays_nobody(its: Subject, instruction: str) -> bool:
    return instruction not in its.paid


def spends_nothing(its: Subject, instruction: str) -> bool:
    return instruction not in its.spent


@on_every_program
def test_these_are_all_the_accounts_of_people(program: str) -> None:
    its = SUBJECTS[program]
    listed = {
        (name, purse.slot, purse.owner)
        for each in (its.paid, its.spent, its.received)
        for name, purse in each.items()
    }
    found = set()
    for name in its.program.instructions:
        world, call = its.scene(name)
        held = token_accounts(world)
        for slot, meta in zip(its.matrix.slots(name), call.accounts, strict=True):
            if meta.is_writable and meta.pubkey in held and held[meta.pubkey].owner in KEYS:
                found.add((name, slot, held[meta.pubkey].owner))
    assert found == {(name, slot, address(owner)) for name, slot, owner in listed}


def misdirected(program: str, instruction: str) -> str:
    return SUBJECTS[program].misdirected.get(instruction, "NotAssociatedAccount")


def mint_of(world: World, account: Pubkey) -> Pubkey:
    return token_accounts(world)[account].mint


@contextmanager
def payment(program: str, instruction: str) -> Iterator[tuple[World, Pubkey, Pubkey, Pubkey]]:
    """A world to be undone; who is paid in the valid call there, the account, and of which mint it is."""
    its = SUBJECTS[program]
    world, _ = its.scene(instruction)
    slot, owner = its.paid[instruction]
    account = its.matrix.account_of(instruction, slot)
    with undone(world):
        yield world, address(owner), account, mint_of(world, account)


@on_every_instruction({"it pays nobody": pays_nobody})
def test_only_the_associated_account_is_paid(program: str, instruction: str) -> None:
    """Another account of the same owner for the same mint: yet nobody would look there."""
    matrix, slot = SUBJECTS[program].matrix, SUBJECTS[program].paid[instruction].slot
    with payment(program, instruction) as (world, owner, account, mint):
        assert account == associated_token_address(owner, mint)
        create_tokens(world, SPARE, mint, owner)
        other = matrix.put(instruction, **{slot: SPARE.pubkey()})
        assert refused(world, other) == misdirected(program, instruction)
        before = world.tokens(account)
        do(world, matrix.valid(instruction))
        assert world.tokens(account) > before


@on_every_instruction({"it pays nobody": pays_nobody})
def test_the_owners_account_of_another_mint(program: str, instruction: str) -> None:
    matrix, slot = SUBJECTS[program].matrix, SUBJECTS[program].paid[instruction].slot
    with payment(program, instruction) as (world, owner, _, _):
        create_tokens(world, SPARE, OTHER_MINT.pubkey(), owner)
        world.do(token.create_associated(world.payer.pubkey(), owner, OTHER_MINT.pubkey()))
        for other in (SPARE.pubkey(), associated_token_address(owner, OTHER_MINT.pubkey())):
            error = misdirected(program, instruction)
            assert refused(world, matrix.put(instruction, **{slot: other})) == error


@on_every_instruction({"it pays nobody": pays_nobody})
def test_an_associated_account_handed_to_a_stranger_is_not_paid(program: str, instruction: str) -> None:
    """Its address is right for ever, its owner isn't: the money stays until there is a way to its owner."""
    its = SUBJECTS[program]
    with payment(program, instruction) as (world, owner, account, _):
        do(world, set_owner(account, owner, MALLORY))
        # As a rule what is said of a stranger's own account, too.
        own = its.expectations.expected(Case(instruction, its.paid[instruction].slot, "stranger"))
        error = its.handed.get(instruction, own)
        assert error is not None
        error = its.blocked.get(instruction, error)
        assert refused(world, its.matrix.valid(instruction)) == error


@on_every_instruction({"it pays nobody": pays_nobody})
def test_a_closed_account_is_not_paid_and_anybody_opens_it_again(program: str, instruction: str) -> None:
    call = SUBJECTS[program].matrix.valid(instruction)
    with payment(program, instruction) as (world, owner, account, mint):
        held = world.tokens(account)
        if held:
            do(world, token.transfer(account, associated_token_address(MALLORY, mint), owner, held))
        do(world, close(account, owner, owner))
        error = SUBJECTS[program].blocked.get(instruction, "AccountDataTooSmall")
        assert refused(world, call) == error
        do(world, token.create_associated(MALLORY, owner, mint), call)
        assert world.tokens(account) > 0


@on_every_instruction({"it pays nobody": pays_nobody})
def test_nobody_can_freeze_a_payee(program: str, instruction: str) -> None:
    """IO has no freeze authority; were an account frozen all the same, its money waits."""
    with payment(program, instruction) as (world, _, account, mint):
        for who in ("admin", "guardian", "mallory"):
            assert refused(world, freeze(account, mint, address(who))) == "Token.MintCannotFreeze"
        freeze_anyway(world, account)
        error = SUBJECTS[program].blocked.get(instruction, "Token.AccountFrozen")
        assert refused(world, SUBJECTS[program].matrix.valid(instruction)) == error


def newer_account(world: World, owner: Pubkey) -> Pubkey:
    """An account of the newer token program with plenty in it."""
    create_mint(world, NEWER, MALLORY, program=TOKEN_2022)
    create_tokens(world, SPARE, NEWER.pubkey(), owner, program=TOKEN_2022)
    do(world, mint_to(NEWER.pubkey(), SPARE.pubkey(), MALLORY, PLENTY, program=TOKEN_2022))
    return SPARE.pubkey()


@on_every_instruction({"it pays nobody": pays_nobody})
def test_a_payee_of_the_newer_token_program(program: str, instruction: str) -> None:
    """Same bytes, same owner, another token program's."""
    matrix, slot = SUBJECTS[program].matrix, SUBJECTS[program].paid[instruction].slot
    with payment(program, instruction) as (world, owner, _, _):
        other = matrix.put(instruction, **{slot: newer_account(world, owner)})
        # Where the account is one that is recorded, only its address is looked at.
        recorded = instruction in SUBJECTS[program].blocked
        assert refused(world, other) == (misdirected(program, instruction) if recorded else "IllegalOwner")


@contextmanager
def spending(program: str, instruction: str) -> Iterator[tuple[World, Purse]]:
    """A world to be undone, and whose tokens are spent from which slot."""
    its = SUBJECTS[program]
    world, _ = its.scene(instruction)
    with undone(world):
        yield world, its.spent[instruction]


@on_every_instruction({"it spends nobody's tokens": spends_nothing})
def test_another_mints_tokens_count_for_nothing(program: str, instruction: str) -> None:
    """The owner signs, has plenty, and it is somebody else's coin: of this token program or the newer one."""
    matrix = SUBJECTS[program].matrix
    with spending(program, instruction) as (world, (slot, owner)):
        create_tokens(world, SPARE, OTHER_MINT.pubkey(), address(owner))
        do(world, mint_to(OTHER_MINT.pubkey(), SPARE.pubkey(), MALLORY, PLENTY))
        other = matrix.put(instruction, **{slot: SPARE.pubkey()})
        assert refused(world, other) == "Token.MintMismatch"
    with spending(program, instruction) as (world, (slot, owner)):
        other = matrix.put(instruction, **{slot: newer_account(world, address(owner))})
        # The token program looks itself, at the mint first where it is told which.
        assert refused(world, other) == "Token.MintMismatch"


@on_every_instruction({"it spends nobody's tokens": spends_nothing})
def test_any_account_of_ones_own_may_be_spent_from(program: str, instruction: str) -> None:
    matrix = SUBJECTS[program].matrix
    with spending(program, instruction) as (world, (slot, owner)):
        account = matrix.account_of(instruction, slot)
        create_tokens(world, SPARE, mint_of(world, account), address(owner))
        do(world, token.transfer(account, SPARE.pubkey(), address(owner), held := world.tokens(account)))
        do(world, matrix.put(instruction, **{slot: SPARE.pubkey()}))
        assert world.tokens(SPARE.pubkey()) < held
        assert world.tokens(account) == 0


# -- vaults and mints on the token program -----------------------------------------------------


@on_every_program
@pytest.mark.parametrize("who", ["admin", "guardian", "mallory", "alice", "carol", "operator 0"])
def test_no_person_owns_a_vault(program: str, who: str) -> None:
    """Nobody can move, hand over, close, empty or mint into one by the token program, whatever their role."""
    its = SUBJECTS[program]
    world, _ = its.scene("set_pause")
    person = address(who)
    with undone(world):
        assert vaults(world)
        for each, held in vaults(world).items():
            assert not held.owner.is_on_curve(), "somebody may have its key"
            purse = associated_token_address(MALLORY, held.mint)
            # Of an empty vault something else would be said.
            do(world, token.transfer(purse, each, MALLORY, 1))
            attacks = [
                token.transfer(each, purse, person, 1),
                set_owner(each, person, person),
                set_close_authority(each, person, person),
                token.burn(each, held.mint, person, 1),
                mint_to(held.mint, each, person, 1),
                set_mint_authority(held.mint, person, person),
            ]
            for attack in attacks:
                assert refused(world, attack) == "Token.OwnerMismatch"
            assert refused(world, close(each, person, person)) == "Token.NonNativeHasBalance"
