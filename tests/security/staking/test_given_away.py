"""Attacks on the way out of a stake whose owner's associated token account can't be paid, and by it."""

from __future__ import annotations

import pytest
from solders.instruction import Instruction
from solders.pubkey import Pubkey

from keeper.chain.token import transfer
from keeper.clients import staking as client
from keeper.clients import tokenomics
from keeper.economy.supply import IO
from tests.programs.world import DAY, World, key
from tests.security.matrix import put
from tests.security.outcomes import refused
from tests.security.people import address, do
from tests.security.staking import stages
from tests.security.staking.stages import MINIMUM, OFFER, device
from tests.security.staking.test_stakes import shared
from tests.security.tokens import approve, close, create_tokens, freeze_anyway, set_owner

SPARE = key("another account of its owner")
ALICE, BOB, CAROL, MALLORY = (address(name) for name in ("alice", "bob", "carol", "mallory"))


def given_away(world: World, owner: Pubkey) -> Pubkey:
    """The owner's associated account is somebody else's; another one that is the owner's."""
    do(world, set_owner(tokenomics.tokens_address(owner), owner, MALLORY))
    create_tokens(world, SPARE, tokenomics.MINT, owner)
    return SPARE.pubkey()


def test_who_gave_its_account_away_holds_nobody_up_for_long() -> None:
    """A week after its cooldown anybody pays a co-stake to another account of its owner, to the second: the
    next co-staker has its place, and the device can be closed."""
    world = shared()
    one = device(world, "bob's worker")
    do(world, client.unstake(one))
    spare = given_away(world, CAROL)
    out = client.withdraw_co_stake(one, CAROL, spare)
    due = device(world, "bob's worker").leaving.until
    for at, error in ((due - 1, "NothingToWithdraw"), (due, "NotAssociatedAccount")):
        world.chain.warp_to(at)
        assert refused(world, out) == error
    assert refused(world, client.withdraw_co_stake(one, CAROL)) == "InvalidAccountData"
    world.chain.warp_to(due + 7 * DAY - 1)
    assert refused(world, out) == "NotAssociatedAccount"
    world.chain.advance(1)
    # Hers, and nobody else's.
    stranger = tokenomics.tokens_address(MALLORY)
    assert refused(world, client.withdraw_co_stake(one, CAROL, stranger)) == "InvalidAccountData"
    do(world, out)
    assert world.tokens(spare) == OFFER
    do(world, client.withdraw(one), client.terminate_device(one), client.close_device(one))


def test_a_supplier_who_gave_its_account_away() -> None:
    world = stages.staked()
    one = device(world, "worker")
    do(world, client.unstake(one))
    spare = given_away(world, ALICE)
    out = client.withdraw(one, spare)
    world.chain.advance(21 * DAY - 1)
    assert refused(world, out) == "NotAssociatedAccount"
    world.chain.advance(1)
    do(world, out)
    assert world.tokens(spare) == MINIMUM + 100 * IO


def test_overflow_never_goes_to_another_account() -> None:
    """Its owner signs and can choose the moment: nobody waits for it."""
    world = stages.staked()
    one = device(world, "worker")
    spare = given_away(world, ALICE)
    world.chain.advance(100 * DAY)
    for associated in (client.PROGRAM.address, tokenomics.tokens_address(ALICE)):
        out = put_into(client.withdraw_overflow(one, IO), spare, associated)
        assert refused(world, out) == "NotAssociatedAccount"


def put_into(call: Instruction, tokens: Pubkey, associated: Pubkey) -> Instruction:
    """The call with another account to pay into, and one to show that the associated one can't be paid."""
    decoded = client.PROGRAM.decode_instruction(bytes(call.data))
    assert decoded is not None
    slots = [each["name"] for each in client.PROGRAM.instructions[decoded[0]]]
    return put(call, slots, owner_tokens=tokens, associated=associated)


def test_a_thief_of_an_allowance_chooses_no_account() -> None:
    """An account over which its owner has allowed somebody else to dispose is hers, too. Before, all of her
    stake was sent there, and on, in the first second after a slash: the freeze had used the week up."""
    world = stages.staked()
    one = device(world, "worker")
    create_tokens(world, SPARE, tokenomics.MINT, ALICE)
    spare, associated = SPARE.pubkey(), tokenomics.tokens_address(ALICE)
    do(world, approve(spare, ALICE, MALLORY, 10**15), client.unstake(one))
    world.chain.advance(13 * DAY)
    for operator in stages.OPERATORS[:2]:
        do(world, client.vote_slash(address(operator), one, b"e" * 32, 1))
    world.chain.advance(30 * DAY)
    do(world, client.execute_slash(one, b"e" * 32))
    for wait in (DAY, 7 * DAY, 1_000 * DAY):
        world.chain.advance(wait)
        for shown in (associated, client.PROGRAM.address, spare, tokenomics.tokens_address(MALLORY), MALLORY):
            out = put_into(client.withdraw(one), spare, shown)
            assert refused(world, out) in {"NotAssociatedAccount", "ConstraintDuplicateMutableAccount"}
    before = world.balance(ALICE)
    do(world, client.withdraw(one))
    stake = MINIMUM + 100 * IO
    assert world.balance(ALICE) - before == stake - stake // 10_000
    assert world.tokens(spare) == 0


def test_the_week_begins_when_a_freeze_ends() -> None:
    """Of one who did give her account away, too: until then nobody could have paid her."""
    world = stages.staked()
    one = device(world, "worker")
    do(world, client.unstake(one))
    spare = given_away(world, ALICE)
    world.chain.advance(13 * DAY)
    for operator in stages.OPERATORS[:2]:
        do(world, client.vote_slash(address(operator), one, b"e" * 32, 1))
    world.chain.advance(30 * DAY)
    do(world, client.execute_slash(one, b"e" * 32))
    free = device(world, "worker").frozen_until
    assert free == world.chain.now() + DAY
    out = client.withdraw(one, spare)
    for at, error in ((free - 1, "SlashPending"), (free, "NotAssociatedAccount")):
        world.chain.warp_to(at)
        assert refused(world, out) == error
    world.chain.warp_to(free + 7 * DAY - 1)
    assert refused(world, out) == "NotAssociatedAccount"
    world.chain.advance(1)
    do(world, out)
    stake = MINIMUM + 100 * IO
    assert world.tokens(spare) == stake - stake // 10_000


@pytest.mark.parametrize("state", ["there", "missing", "frozen", "somebody else's"])
def test_only_an_account_that_is_there_and_can_not_be_paid_makes_way(state: str) -> None:
    """A missing one is made by anybody; so it is no reason, and its owner's stake waits for nothing else."""
    world = stages.staked()
    one = device(world, "worker")
    associated = tokenomics.tokens_address(ALICE)
    create_tokens(world, SPARE, tokenomics.MINT, ALICE)
    do(world, client.unstake(one))
    if state == "missing":
        do(world, transfer(associated, tokenomics.tokens_address(BOB), ALICE, world.balance(ALICE)))
        do(world, close(associated, ALICE, ALICE))
    elif state == "frozen":
        freeze_anyway(world, associated)
    elif state == "somebody else's":
        do(world, set_owner(associated, ALICE, MALLORY))
    world.chain.advance(21 * DAY)
    # What is shown must be her associated account, not just one that can't be paid.
    create_tokens(world, other := key("a frozen account of hers"), tokenomics.MINT, ALICE)
    freeze_anyway(world, other.pubkey())
    shown = put_into(client.withdraw(one), SPARE.pubkey(), other.pubkey())
    assert refused(world, shown) == "NotAssociatedAccount"
    blocked = state in {"frozen", "somebody else's"}
    out = client.withdraw(one, SPARE.pubkey())
    assert refused(world, out) == (None if blocked else "NotAssociatedAccount")
