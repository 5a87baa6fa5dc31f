"""Lamports that somebody sends to an address before the program creates an account there."""

from __future__ import annotations

from solders.instruction import Instruction
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer

from keeper.chain.loader import minimum_balance
from tests.programs.world import World, finish
from tests.security.outcomes import undone
from tests.security.people import address, do

AMOUNTS = ("one lamport", "a lamport less than the rent", "the rent", "a lamport more", "much more")


def fund(world: World, where: Pubkey, lamports: int) -> None:
    """Mallory sends them; less than a wallet's minimum can't be sent today, though it could be once."""
    if lamports >= finish(minimum_balance(world.chain, 0)):
        gift = TransferParams(from_pubkey=address("mallory"), to_pubkey=where, lamports=lamports)
        do(world, transfer(gift))
    else:
        world.chain.airdrop(where, lamports)


def assert_created(world: World, call: Instruction, where: Pubkey, amount: str, *, deposit: int = 0) -> None:
    """A call creates the same account with one of AMOUNTS at its address as without.

    Its rent counts what is there already; a ``deposit`` in it comes on top. All of it is undone again.
    """
    with undone(world):
        do(world, call)
        wanted = world.account(where)
    rent = wanted.lamports
    lamports = dict(zip(AMOUNTS, (1, rent - 1, rent, rent + 1, 10**9), strict=True))[amount]
    with undone(world):
        fund(world, where, lamports)
        do(world, call)
        found = world.account(where)
    assert (found.data, found.owner) == (wanted.data, wanted.owner)
    assert found.lamports == max(rent - deposit, lamports) + deposit
