"""A stranger's wallet in the place of the right one, together with the stranger's own token account.

One of the two alone is refused, as they don't belong together. Both at once fit each other: then the record
must say whose the money is.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import pytest
from solders.pubkey import Pubkey

from keeper.clients import staking as client
from keeper.clients import tokenomics
from tests.security.outcomes import refused, undone
from tests.security.people import address, do
from tests.security.staking.subject import SUBJECT

MALLORY = address("mallory")
PAIRED = {**SUBJECT.paid, **SUBJECT.spent}
"""By the instruction: the slot of somebody's token account, and whose it is."""
OWN_OFFER = "she takes the offer for herself, from her own tokens"


def strangers(owner: Pubkey) -> dict[Pubkey, Pubkey]:
    """What of a wallet's can stand in a slot, and what the stranger has in its place."""
    return {
        owner: MALLORY,
        tokenomics.tokens_address(owner): tokenomics.tokens_address(MALLORY),
        client.wallet_address(owner): client.wallet_address(MALLORY),
    }


def swaps(instruction: str) -> Iterator[dict[str, Pubkey]]:
    """Every choice of two and more of the slots that follow from the right wallet, with the stranger's."""
    matrix = SUBJECT.matrix
    other = strangers(address(PAIRED[instruction].owner))
    named = zip(matrix.slots(instruction), matrix.valid(instruction).accounts, strict=True)
    theirs = {slot: other[meta.pubkey] for slot, meta in named if meta.pubkey in other}
    for size in range(2, len(theirs) + 1):
        for slots in combinations(theirs, size):
            yield {slot: theirs[slot] for slot in slots}


CASES = [
    ("claim", "owner wallet wallet_tokens", "InvalidProof"),
    ("claim", "owner wallet_tokens", "WrongAccount"),
    ("claim", "wallet wallet_tokens", "WrongAccount"),
    ("claim", "owner wallet", "NotAssociatedAccount"),
    ("stake", "supplier supplier_tokens", "NotSupplier"),
    ("take_offer", "staker staker_tokens", "WrongAccount"),
    ("take_offer", "staker wallet", "Token.OwnerMismatch"),
    ("take_offer", "staker_tokens wallet", "WrongAccount"),
    ("take_offer", "staker staker_tokens wallet", None),
    ("withdraw", "owner owner_tokens", "WrongAccount"),
    ("withdraw_co_stake", "owner owner_tokens", "WrongAccount"),
    ("withdraw_co_stake", "owner wallet", "InvalidAccountData"),
    ("withdraw_co_stake", "owner_tokens wallet", "InvalidAccountData"),
    ("withdraw_co_stake", "owner owner_tokens wallet", "NothingToWithdraw"),
    ("withdraw_overflow", "owner owner_tokens", "WrongAccount"),
    ("withdraw_overflow", "owner supplier", "InvalidAccountData"),
    ("withdraw_overflow", "owner_tokens supplier", "InvalidAccountData"),
    ("withdraw_overflow", "owner owner_tokens supplier", "NotSupplier"),
]
"""Each pair of slots, and what it is told; :data:`OWN_OFFER` is the one that is right."""


def test_these_are_all_of_them() -> None:
    """Of every instruction that pays or spends somebody's tokens."""
    listed = {(instruction, slots) for instruction, slots, _ in CASES}
    found = {(name, " ".join(sorted(swap))) for name in PAIRED for swap in swaps(name)}
    assert listed == found
    assert {name for name, *_ in CASES} == PAIRED.keys()
    assert [case for *case, error in CASES if error is None] == [
        ["take_offer", "staker staker_tokens wallet"]
    ]


@pytest.mark.parametrize(("instruction", "slots", "error"), CASES)
def test_a_strangers_wallet_with_its_own_account(instruction: str, slots: str, error: str | None) -> None:
    """600 IO of another's stake, cooled, would be anybody's otherwise: no single slot shows that."""
    world, call = SUBJECT.scene(instruction)
    swap = next(each for each in swaps(instruction) if " ".join(sorted(each)) == slots)
    with undone(world):
        held = world.balance(MALLORY)
        found = refused(world, SUBJECT.matrix.put(instruction, **swap))
        assert found == error, OWN_OFFER if error is None else None
        assert world.balance(MALLORY) <= held
        if error is not None:
            do(world, call)


@pytest.mark.parametrize("instruction", SUBJECT.paid)
def test_who_is_paid_is_who_it_belongs_to(instruction: str) -> None:
    """The whole of it, and nobody else has a base unit more or less."""
    world, call = SUBJECT.scene(instruction)
    owner = address(SUBJECT.paid[instruction].owner)
    vault = tokenomics.REWARD_VAULT if instruction == "claim" else client.STAKE_VAULT
    everybody = [address(name) for name in ("alice", "bob", "carol", "mallory", "admin")]
    with undone(world):
        before, held = {each: world.balance(each) for each in everybody}, world.tokens(vault)
        do(world, call)
        gained = {each: world.balance(each) - before[each] for each in everybody}
        assert gained.pop(owner) == held - world.tokens(vault) > 0
        assert set(gained.values()) == {0}
