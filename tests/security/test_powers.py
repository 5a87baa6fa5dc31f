"""Whose money a signature moves: the guardian's none, the admin's its own, nobody's that of others.

On every instruction's valid call, by every token account and every wallet that there is.
"""

from collections.abc import Mapping

from solders.pubkey import Pubkey

from keeper.chain.framework import SYSTEM_PROGRAM
from tests.programs.world import World
from tests.security.every import SUBJECTS, Unless, on_every_instruction
from tests.security.outcomes import accounts, undone
from tests.security.people import address, do
from tests.security.test_roles import signers
from tests.security.tokens import token_accounts, vaults

ADMIN = address("admin")
LAUNCH = "launch"
"""The one instruction of the admin's that fills a vault: with the genesis supply, out of nothing."""


def balances(world: World) -> dict[Pubkey, int]:
    """Of every token account."""
    return {each: held.amount for each, held in token_accounts(world).items()}


def lamports(world: World) -> dict[Pubkey, int]:
    """Of every wallet."""
    return {each: found.lamports for each, found in accounts(world).items() if found.owner == SYSTEM_PROGRAM}


def changes(before: Mapping[Pubkey, int], after: Mapping[Pubkey, int]) -> dict[Pubkey, int]:
    """By account, without those that are as they were."""
    found = {each: after.get(each, 0) - before.get(each, 0) for each in {*before, *after}}
    return {each: change for each, change in found.items() if change}


def not_signed_by(slot: str) -> Unless:
    """The excuse of all instructions that nobody in this slot signs."""
    return {f"the {slot} doesn't sign it": lambda its, name: slot not in signers(its, name)}


@on_every_instruction(not_signed_by("guardian"))
def test_the_guardian_moves_no_token(program: str, instruction: str) -> None:
    world, call = SUBJECTS[program].scene(instruction)
    with undone(world):
        before = balances(world)
        do(world, call)
        assert changes(before, balances(world)) == {}


@on_every_instruction(not_signed_by("admin"))
def test_the_admin_moves_no_token_but_its_own(program: str, instruction: str) -> None:
    world, call = SUBJECTS[program].scene(instruction)
    with undone(world):
        before, whose = balances(world), token_accounts(world)
        do(world, call)
        found = changes(before, balances(world))
    taken = {each for each, change in found.items() if change < 0}
    assert {whose[each].owner for each in taken} <= {ADMIN}
    if instruction != LAUNCH:
        assert sum(found.values()) == 0


@on_every_instruction()
def test_nobodys_money_goes_without_their_signature(program: str, instruction: str) -> None:
    """Tokens leave accounts of those who sign, and vaults, for which programs do; SOL who signs."""
    world, call = SUBJECTS[program].scene(instruction)
    signed = {meta.pubkey for meta in call.accounts if meta.is_signer} | {world.payer.pubkey()}
    with undone(world):
        tokens, purses, whose, kept = balances(world), lamports(world), token_accounts(world), vaults(world)
        do(world, call)
        lost = changes(tokens, balances(world))
        paid = changes(purses, lamports(world))
    losers = {whose[each].owner for each, change in lost.items() if change < 0 and each not in kept}
    payers = {each for each, change in paid.items() if change < 0}
    assert losers <= signed
    assert payers <= signed
