"""Attacks on an hour's limit of claims: what a thief gets in it, and whom nobody can keep waiting by it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from keeper.clients import staking as client
from keeper.clients import tokenomics
from keeper.clients.staking import Attestation, Params
from keeper.economy import emission
from keeper.economy.supply import IO
from keeper.rewards.tree import leaf
from tests.programs.world import HOUR, START, START_MONTH, World, key
from tests.security.outcomes import refused
from tests.security.people import OPERATORS, WORKERS, address, do, signers
from tests.security.staking import stages
from tests.security.staking.hours import (
    ADMIN,
    ALICE,
    BOB,
    CAROL,
    GUARDIAN,
    MALLORY,
    apply_params,
    config,
    final,
    proof_of,
)
from tests.security.tokens import create_tokens, set_owner

LIMIT = 100_000 * IO
"""What all claims of an hour together pay at most."""
OPEN = LIMIT // 2
"""What of it anybody can claim for anybody."""
SMALL = 1_000 * IO
"""What of the other half, the reserve, a wallet that signs gets."""
Amounts = dict[Pubkey, int]


def earned(amounts: Amounts, **params: int) -> World:
    """A network in which these wallets have earned so much, and nobody has claimed anything."""
    world = stages.empty()
    do(world, client.initialize(ADMIN, GUARDIAN, Params(tuple(map(address, OPERATORS)), 2, **params)))
    for owner in amounts:
        do(world, client.open_wallet(address("payer"), owner))
        world.give(owner, 0)
    total = sum(amounts.values())
    hours = next(each for each in range(1, 100) if emission.cumulative(START_MONTH, each) >= total)
    for hour in range(hours):
        world.chain.warp_to(START + (hour + 1) * HOUR)
        so_far = total if hour == hours - 1 else 0
        root = stages.tree(amounts).root if so_far else bytes(32)
        final(world, hour, Attestation(root, so_far, len(amounts), bytes([hour]) * 32))
    world.chain.warp_to(world.chain.now() // HOUR * HOUR + HOUR)
    return world


def claim(amounts: Amounts, owner: Pubkey, world: World, *, signed: bool = False) -> Instruction:
    hour = config(world).next_hour - 1
    return client.claim(hour, owner, amounts[owner], proof_of(amounts, owner), signed=signed)


def got(world: World, owner: Pubkey, call: Instruction) -> int:
    """What a claim that succeeds pays its wallet."""
    before, vault = world.balance(owner), world.tokens(tokenomics.REWARD_VAULT)
    do(world, call)
    paid = world.balance(owner) - before
    assert vault - world.tokens(tokenomics.REWARD_VAULT) == paid
    return paid


def wallet(world: World, owner: Pubkey) -> client.Wallet:
    return client.parse_wallet(world.account(client.wallet_address(owner)).data)


BIG = {MALLORY: 120_000 * IO, CAROL: 30_000 * IO, ALICE: 900 * IO, BOB: 5_000 * IO}


# -- whom nobody keeps waiting -------------------------------------------------------------------


def test_nobody_uses_the_hour_up_for_others() -> None:
    """The fault: somebody paid strangers' claims out each hour, and a small claimant waited for three."""
    world = earned(BIG)
    do(world, claim(BIG, MALLORY, world))
    for owner in (MALLORY, CAROL, ALICE, BOB):
        assert refused(world, claim(BIG, owner, world)) == "ClaimLimit"
    assert config(world).claimed_in_hour == OPEN
    # Whoever signs is paid, whatever was done before: the small one all of it, in this same hour.
    assert got(world, ALICE, claim(BIG, ALICE, world, signed=True)) == 900 * IO
    assert got(world, BOB, claim(BIG, BOB, world, signed=True)) == SMALL
    assert refused(world, claim(BIG, BOB, world, signed=True)) == "ClaimLimit"


def test_a_signed_claim_takes_its_reserve_first_and_the_rest_from_all() -> None:
    world = earned(BIG)
    assert got(world, BOB, claim(BIG, BOB, world, signed=True)) == 5_000 * IO
    found = config(world)
    assert (found.claimed_in_hour, found.reserve_in_hour) == (5_000 * IO, SMALL)
    mine = wallet(world, BOB)
    assert (mine.claim_hour, mine.claimed_in_hour) == (world.chain.now() // HOUR, SMALL)
    assert (mine.small_left(world.chain.now()), found.claim_left(world.chain.now())) == (0, OPEN - 4_000 * IO)


def test_a_big_claimant_who_signs_leaves_others_their_reserve() -> None:
    world = earned(BIG)
    assert got(world, MALLORY, claim(BIG, MALLORY, world, signed=True)) == OPEN + SMALL
    assert refused(world, claim(BIG, MALLORY, world, signed=True)) == "ClaimLimit"
    assert got(world, ALICE, claim(BIG, ALICE, world, signed=True)) == 900 * IO


def test_the_reserve_of_an_hour_is_half_of_its_limit() -> None:
    """With the lowest limit five wallets have room in it; the sixth has the open half like everybody."""
    names = ("alice", "bob", "carol", "mallory", *WORKERS[:2])
    amounts = {address(name): SMALL for name in names}
    world = earned(amounts, claim_limit=10_000 * IO)
    for name in names[:5]:
        assert got(world, address(name), claim(amounts, address(name), world, signed=True)) == SMALL
    assert config(world).reserve_in_hour == 5_000 * IO
    sixth = address(names[5])
    # The open half is as it was.
    assert got(world, sixth, claim(amounts, sixth, world, signed=True)) == SMALL
    assert (config(world).claimed_in_hour, config(world).reserve_in_hour) == (6_000 * IO, 5_000 * IO)


def test_the_next_hour_begins_anew() -> None:
    world = earned(BIG)
    for _ in range(2):
        assert got(world, MALLORY, claim(BIG, MALLORY, world)) == OPEN
        assert got(world, BOB, claim(BIG, BOB, world, signed=True)) == SMALL
        assert refused(world, claim(BIG, CAROL, world)) == "ClaimLimit"
        world.chain.advance(HOUR)
    assert got(world, CAROL, claim(BIG, CAROL, world, signed=True)) == 30_000 * IO


def test_a_claim_in_each_hours_last_and_first_second() -> None:
    """A thousand in each hour of the clock, and no second time around its turn."""
    amounts = {MALLORY: 120_000 * IO, BOB: 9_000 * IO}
    world = earned(amounts)
    do(world, claim(amounts, MALLORY, world))
    world.chain.advance(HOUR - 1)
    mine = claim(amounts, BOB, world, signed=True)
    assert got(world, BOB, mine) == SMALL
    assert refused(world, mine) == "ClaimLimit"
    world.chain.advance(1)
    do(world, claim(amounts, MALLORY, world))
    assert got(world, BOB, mine) == SMALL
    assert refused(world, mine) == "ClaimLimit"


@pytest.mark.parametrize("who", ["mallory", "alice", "guardian", "admin"])
def test_anothers_signature_opens_no_reserve(who: str) -> None:
    """Only the wallet's own: neither whoever sends the claim, nor another one that signs beside it."""
    world = earned(BIG)
    do(world, claim(BIG, MALLORY, world))
    call = claim(BIG, BOB, world)
    extra = [*call.accounts, AccountMeta(address(who), True, False)]
    assert refused(world, Instruction(call.program_id, bytes(call.data), extra)) == "ClaimLimit"
    swapped = [
        AccountMeta(address(who), True, False) if each.pubkey == BOB else each for each in call.accounts
    ]
    assert refused(world, Instruction(call.program_id, bytes(call.data), swapped)) == "WrongAccount"


def test_who_signs_is_paid_into_any_account_of_its_own() -> None:
    """The associated one was given away, or taken: a signed claim goes on, an unsigned one doesn't."""
    world = earned(BIG)
    spare = key("bob's other account")
    create_tokens(world, spare, tokenomics.MINT, BOB)
    own = tokenomics.tokens_address(BOB)
    do(world, set_owner(own, BOB, MALLORY))

    def into(account: Pubkey, *, signed: bool) -> Instruction:
        call = claim(BIG, BOB, world, signed=signed)
        metas = [AccountMeta(account, False, True) if each.pubkey == own else each for each in call.accounts]
        return Instruction(call.program_id, bytes(call.data), metas)

    assert refused(world, into(own, signed=True)) == "InvalidAccountData"
    assert refused(world, into(tokenomics.tokens_address(MALLORY), signed=True)) == "InvalidAccountData"
    assert refused(world, into(spare.pubkey(), signed=False)) == "NotAssociatedAccount"
    do(world, into(spare.pubkey(), signed=True))
    assert world.tokens(spare.pubkey()) == 5_000 * IO


def test_an_unsigned_claim_leaves_the_reserve_alone() -> None:
    world = earned(BIG)
    for owner in (ALICE, BOB, CAROL):
        do(world, claim(BIG, owner, world))
        assert (wallet(world, owner).claim_hour, wallet(world, owner).claimed_in_hour) == (0, 0)
    assert (config(world).claimed_in_hour, config(world).reserve_in_hour) == (35_900 * IO, 0)


def test_the_event_says_what_came_from_where() -> None:
    world = earned(BIG)
    call = claim(BIG, BOB, world, signed=True)
    (event,) = client.PROGRAM.events(world.send(call, signers=signers(call)))
    assert (event.name, event.fields) == (
        "RewardClaimed",
        {
            "wallet": BOB,
            "amount": 5_000 * IO,
            "claimed": 5_000 * IO,
            "hour": config(world).next_hour - 1,
            "claim_hour": world.chain.now() // HOUR,
            "claimed_in_hour": 5_000 * IO,
            "reserve": SMALL,
            "reserve_in_hour": SMALL,
        },
    )
    (event,) = client.PROGRAM.events(world.send(claim(BIG, CAROL, world)))
    names = ("amount", "claimed", "claimed_in_hour", "reserve", "reserve_in_hour")
    amounts = tuple(event.fields[name] // IO for name in names)
    assert amounts == (30_000, 30_000, 35_000, 0, 1_000)


# -- what a thief gets ---------------------------------------------------------------------------


def stolen(thieves: Amounts, total: int) -> tuple[World, int]:
    """A quorum's keys were stolen: what nobody has claimed in 50 hours is the thieves' by the last root."""
    world = earned({ALICE: 200_000 * IO, **dict.fromkeys(thieves, 0)})
    hour = config(world).next_hour
    world.chain.warp_to(START + (hour + 1) * HOUR)
    root = stages.tree(thieves).root if len(thieves) > 1 else leaf(*next(iter(thieves.items())))
    final(world, hour, Attestation(root, total, len(thieves), bytes(32)))
    world.chain.warp_to(world.chain.now() // HOUR * HOUR + HOUR)
    return world, hour


def test_a_stolen_quorum_gets_no_more_than_an_hours_limit() -> None:
    """With a wallet that was opened early it takes what nobody claimed, but not within an hour: whoever sees
    it claims by the honest roots, which pay on, and signs."""
    total = 201_000 * IO
    world, hour = stolen({MALLORY: total}, total)
    theft = client.claim(hour, MALLORY, total, b"")
    signed = client.claim(hour, MALLORY, total, b"", signed=True)
    assert got(world, MALLORY, theft) == OPEN
    assert refused(world, theft) == "ClaimLimit"
    assert got(world, MALLORY, signed) == SMALL
    world.chain.advance(HOUR - 1)
    assert refused(world, theft) == refused(world, signed) == "ClaimLimit"
    world.chain.advance(1)
    honest = {ALICE: 200_000 * IO, MALLORY: 0}
    mine = client.claim(hour - 1, ALICE, 200_000 * IO, proof_of(honest, ALICE), signed=True)
    assert got(world, ALICE, mine) == OPEN + SMALL
    assert refused(world, theft) == "ClaimLimit"


def test_many_wallets_of_a_thief_share_the_hour() -> None:
    """Whatever they sign, and however many they are: no hour pays more than its limit."""
    names = (*WORKERS, *OPERATORS, "bob", "carol", "mallory")
    thieves = {address(name): 17_000 * IO for name in names}
    total = sum(thieves.values())
    world, hour = stolen(thieves, total)
    before = sum(map(world.balance, thieves))
    for signed in (False, True):
        for thief, amount in thieves.items():
            call = client.claim(hour, thief, amount, proof_of(thieves, thief), signed=signed)
            result = refused(world, call)
            assert result in (None, "ClaimLimit", "NothingToClaim")
    paid = sum(map(world.balance, thieves)) - before
    # Two had all of theirs without a signature, and a third what was left.
    assert paid == OPEN + (len(names) - 2) * SMALL
    assert paid <= LIMIT
    assert config(world).claimed_in_hour == paid


def test_what_an_hour_does_not_pay_later_ones_do() -> None:
    """A claim may be partial; nothing is lost, whichever root is claimed by next."""
    world = earned(BIG)
    paid: dict[Pubkey, list[int]] = {owner: [] for owner in BIG}
    for _ in range(4):
        for owner in BIG:
            call = claim(BIG, owner, world, signed=True)
            before = world.balance(owner)
            if refused(world, call) is None:
                paid[owner].append((world.balance(owner) - before) // IO)
        world.chain.advance(HOUR)
    assert paid == {
        MALLORY: [51_000, 51_000, 18_000],
        CAROL: [1_000, 1_000, 28_000],
        ALICE: [900],
        BOB: [1_000, 1_000, 3_000],
    }
    assert config(world).claimed == sum(BIG.values())
    for owner in BIG:
        assert refused(world, claim(BIG, owner, world)) == "NothingToClaim"


def test_a_limit_that_is_lowered_within_the_hour_pays_no_more_of_it() -> None:
    """Neither the open half nor the reserve, where both together are used up already."""
    world = earned(BIG)
    do(
        world,
        client.propose_params(ADMIN, Params(tuple(map(address, OPERATORS)), 2, claim_limit=10_000 * IO)),
    )
    world.chain.advance(7 * 24 * HOUR)
    assert got(world, MALLORY, claim(BIG, MALLORY, world)) == OPEN
    do(world, client.apply_params())
    for owner in (ALICE, CAROL):
        for signed in (False, True):
            assert refused(world, claim(BIG, owner, world, signed=signed)) == "ClaimLimit"
    assert config(world).claim_left(world.chain.now()) == 0
    world.chain.advance(HOUR)
    assert got(world, CAROL, claim(BIG, CAROL, world, signed=True)) == 6_000 * IO


def test_a_limit_that_is_raised_pays_at_once() -> None:
    world = earned(BIG, claim_limit=10_000 * IO)
    do(world, client.propose_params(ADMIN, Params(tuple(map(address, OPERATORS)), 2, claim_limit=LIMIT)))
    world.chain.advance(7 * 24 * HOUR)
    assert got(world, MALLORY, claim(BIG, MALLORY, world)) == 5_000 * IO
    do(world, client.apply_params())
    assert got(world, MALLORY, claim(BIG, MALLORY, world)) == OPEN - 5_000 * IO


def test_the_limit_is_always_above_what_an_hour_emits() -> None:
    """However low it is set, what was not claimed drains, by its open half alone: no hour emits as much."""
    least = client.PROGRAM.constants["MIN_CLAIM_LIMIT"]
    hours = (emission.cumulative(START_MONTH, each) for each in range(12 * 731))
    assert least // 2 > max(after - before for before, after in pairwise(hours)) > 4_600 * IO
    world = stages.empty()
    terms = Params(tuple(map(address, OPERATORS)), 2, claim_limit=least - 1)
    assert refused(world, client.initialize(ADMIN, GUARDIAN, terms)) == "ParamsInvalid"
    do(world, client.initialize(ADMIN, GUARDIAN, replace(terms, claim_limit=least)))
    assert refused(world, client.propose_params(ADMIN, terms)) == "ParamsInvalid"


def test_a_wallets_share_comes_before_its_reserve() -> None:
    """What it may have at all is not more for being signed."""
    world = earned(BIG)
    apply_params(world, wallet_share_bps=100)
    total = sum(BIG.values())
    mine = claim(BIG, BOB, world, signed=True)
    assert got(world, BOB, mine) == total // 100
    assert refused(world, mine) == "WalletLimit"
