"""Who acts in the security tests, by name, and what the attacker has of its own."""

from __future__ import annotations

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.null_signer import NullSigner
from solders.pubkey import Pubkey

from keeper.clients import orders
from keeper.economy.genesis import read_table
from tests.programs.world import World, key

IMPOSTOR = key("impostor program").pubkey()
"""A program of the attacker's."""
OTHER_MINT = key("mallory's mint")
OTHER_TOKENS = key("mallory's tokens of another mint")
SPARE_TOKENS = {name: key(f"{name}'s second account") for name in ("admin", "alice", "mallory")}
"""Token accounts for IO beside the associated ones."""
LABELS = tuple(row.label for row in read_table())
"""The genesis table's rows; each row's beneficiary is the person of that name."""
HEIR = "heir"
"""Proposed as admin, and as the beneficiary of allocation 1, in the stages where somebody can accept it."""
DEPUTY = "deputy"
"""Proposed as guardian in the stages where somebody can accept it, long enough ago."""
OPERATORS = ("operator 0", "operator 1", "operator 2")
WORKERS = ("worker", "bob's worker", "leaving worker", "slashed worker", "empty worker", "new worker")
PEOPLE = ("admin", "guardian", "payer", "alice", "bob", "carol", "mallory", HEIR, DEPUTY, "elsewhere")
KEYS = {key(name).pubkey(): key(name) for name in (*PEOPLE, *OPERATORS, *WORKERS, *LABELS)}
"""Everybody's key by address; ``elsewhere`` is one of mallory's, where nothing is at first."""
AUTHORITIES = {orders.LEASE_AUTHORITY: NullSigner(orders.LEASE_AUTHORITY)}
"""Addresses that only a program can sign for on a real chain.

Signatures are not verified here, so that the side of such a call that is called can be tested alone.
"""


def signers(*instructions: Instruction) -> list[Keypair | NullSigner]:
    """Everybody whose signature some calls name."""
    named = (meta.pubkey for each in instructions for meta in each.accounts if meta.is_signer)
    return [AUTHORITIES.get(each) or KEYS[each] for each in dict.fromkeys(named)]


def do(world: World, *instructions: Instruction) -> None:
    """Execute calls that must succeed, in one transaction."""
    world.do(*instructions, signers=signers(*instructions))


def address(name: str) -> Pubkey:
    """Somebody's wallet."""
    return key(name).pubkey()
