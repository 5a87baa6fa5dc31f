"""Attacks on reward blocks and claims: what stolen or lying operators, and claimants, can't do."""

from dataclasses import replace
from hashlib import sha256

import pytest
from solders.pubkey import Pubkey

from keeper.chain.token import transfer
from keeper.clients import staking as client
from keeper.clients import tokenomics
from keeper.clients.staking import Attestation, BlockStatus, Params
from keeper.economy import emission, merkle
from keeper.economy.supply import IO
from keeper.rewards.tree import leaf
from tests.programs.world import DAY, HOUR, START, START_MONTH, World, finish
from tests.security.outcomes import refused
from tests.security.stages import OPERATORS, address, do, signers
from tests.security.staking import stages
from tests.security.staking.calls import LAST, claim
from tests.security.staking.stages import CHALLENGED, DUE, FINAL_HOURS, attest, lifetimes, proof, said, stage

ALICE, BOB, CAROL, MALLORY, GUARDIAN, ADMIN = (
    address(name) for name in ("alice", "bob", "carol", "mallory", "guardian", "admin")
)
FIRST, SECOND, THIRD = map(address, OPERATORS)


def fresh(hours: int = 1) -> World:
    """Initialised, with so many hours over."""
    world = stages.initialized()
    world.chain.warp_to(START + hours * HOUR)
    return world


def config(world: World) -> client.Config:
    return client.parse_config(world.account(client.CONFIG).data)


def block(world: World, hour: int) -> client.Block:
    return client.parse_block(world.account(client.block_address(hour)).data)


def agree(world: World, hour: int, what: Attestation, *operators: Pubkey) -> None:
    for operator in operators or (FIRST, SECOND):
        do(world, client.attest(operator, hour, what))


def final(world: World, hour: int, what: Attestation) -> None:
    agree(world, hour, what)
    world.chain.advance(HOUR)
    do(world, client.finalise(hour))


# -- claims ------------------------------------------------------------------------------------


def test_a_claim_pays_once() -> None:
    world = stages.running()
    before, vault = world.balance(ALICE), world.tokens(tokenomics.REWARD_VAULT)
    do(world, claim("alice"))
    due = lifetimes(LAST)[ALICE]
    assert world.balance(ALICE) == before + due
    assert world.tokens(tokenomics.REWARD_VAULT) == vault - due
    assert refused(world, claim("alice")) == "NothingToClaim"
    # An older root pays nothing on top, a newer one what is new.
    assert refused(world, claim("alice", LAST - 1)) == "NothingToClaim"
    do(world, client.finalise(DUE), claim("alice", DUE))
    assert world.balance(ALICE) == before + lifetimes(DUE)[ALICE]


def test_a_claim_twice_in_one_transaction() -> None:
    world = stages.running()
    assert refused(world, claim("alice"), claim("alice")) == "NothingToClaim"


@pytest.mark.parametrize("amount", [-1, 1])
def test_another_amount(amount: int) -> None:
    due = lifetimes(LAST)[ALICE] + amount
    call = client.claim(LAST, ALICE, due, proof(LAST, "alice"))
    assert refused(stage("running"), call) == "InvalidProof"


def test_anothers_proof() -> None:
    call = client.claim(LAST, ALICE, lifetimes(LAST)[BOB], proof(LAST, "bob"))
    assert refused(stage("running"), call) == "InvalidProof"


def test_a_node_is_no_leaf() -> None:
    """The tree's inner nodes carry another tag than leaves, so that none can be shown as one."""
    owners = sorted(lifetimes(LAST), key=bytes)
    hashed = [leaf(owner, lifetimes(LAST)[owner]) for owner in owners]
    pair = merkle.node(hashed[0], hashed[1])
    sibling = merkle.node(hashed[2], hashed[3])
    assert merkle.node(pair, sibling) == said(LAST).root
    for forged in (sibling, hashed[1] + sibling, b""):
        call = client.claim(LAST, MALLORY, lifetimes(LAST)[MALLORY] + 1, forged)
        assert refused(stage("running"), call) == "InvalidProof"


@pytest.mark.parametrize("length", [1, 31, 33, 63])
def test_a_proof_that_is_cut(length: int) -> None:
    call = client.claim(LAST, ALICE, lifetimes(LAST)[ALICE], proof(LAST, "alice")[:length])
    assert refused(stage("running"), call) == "InvalidProof"


def test_a_leaf_is_bound_to_program_and_mint() -> None:
    world = fresh()
    due = IO
    raw = bytes(ALICE) + due.to_bytes(8, "little")
    parts = bytes(client.PROGRAM.address), bytes(tokenomics.MINT)
    for index, prefix in enumerate(
        (b"\0" + parts[1] + parts[0], b"\0" + parts[0], b"\1" + parts[0] + parts[1], b"\0" + bytes(64))
    ):
        what = Attestation(sha256(prefix + raw).digest(), due, 1, bytes([index]) * 32)
        world.chain.warp_to(START + (2 * index + 1) * HOUR)
        final(world, index, what)
        assert refused(world, client.claim(index, ALICE, due, b"")) == "InvalidProof"


def test_old_roots_pay_no_more() -> None:
    """The last 48 final roots can be claimed from; unclaimed hours are in every later one."""
    world = stages.running()
    assert config(world).next_hour == FINAL_HOURS
    for hour in (0, FINAL_HOURS - 49):
        assert refused(world, claim("alice", hour)) == "RootNotClaimable"
    for hour in (DUE, CHALLENGED):
        assert refused(world, claim("alice", hour)) == "RootNotClaimable"
    do(world, claim("alice", FINAL_HOURS - 48))
    assert refused(world, client.close_block(FINAL_HOURS - 48, FIRST)) == "BlockStillKept"


def test_a_closed_block_stays_closed() -> None:
    world = stages.running()
    before = world.account(FIRST).lamports
    rent = world.account(client.block_address(0)).lamports
    do(world, client.close_block(0, FIRST))
    assert world.account(FIRST).lamports == before + rent
    assert refused(world, client.attest(FIRST, 0, said(0))) == "HourOutOfRange"


def test_a_lower_total_takes_nothing_back_and_pays_nothing() -> None:
    """A wallet whose lifetime falls in a later root has nothing to claim; a lower sum is refused."""
    world = fresh(6)
    high = {ALICE: 900 * IO, BOB: 100 * IO}
    final(world, 0, Attestation(stages.tree(high).root, 1_000 * IO, 2, bytes(32)))
    do(world, client.claim(0, ALICE, 900 * IO, proof_of(high, ALICE)))
    low = {ALICE: 500 * IO, BOB: 500 * IO}
    lower = Attestation(stages.tree(low).root, 1_000 * IO - 1, 2, bytes(32))
    assert refused(world, client.attest(FIRST, 1, lower)) == "TotalOutOfRange"
    final(world, 1, replace(lower, total=1_000 * IO))
    before = world.balance(ALICE)
    assert refused(world, client.claim(1, ALICE, 500 * IO, proof_of(low, ALICE))) == "NothingToClaim"
    assert world.balance(ALICE) == before
    # The sum bounds what is paid, whatever the leaves say: bob's 500 would make 1,400 of 1,000.
    assert refused(world, client.claim(1, BOB, 500 * IO, proof_of(low, BOB))) == "InvariantViolated"


def proof_of(amounts: dict[Pubkey, int], owner: Pubkey) -> bytes:
    return stages.tree(amounts).proof(sorted(amounts, key=bytes).index(owner))


def test_a_root_above_the_emission() -> None:
    world = fresh(3)
    for hour in range(3):
        most = emission.cumulative(START_MONTH, hour + 1)
        above = Attestation(bytes(32), most + 1, 0, bytes(32))
        assert refused(world, client.attest(FIRST, hour, above)) == "TotalOutOfRange"
        do(world, client.attest(FIRST, hour, replace(above, total=most)))


@pytest.mark.parametrize("past", [False, True])
def test_a_stolen_quorum_gives_the_past_to_nobody_new(past: bool) -> None:
    """A wallet opened after the theft gets at most what was earned since; the vault's rest stays."""
    world = stages.running()
    stranger = world.person("heir").pubkey()
    do(world, client.finalise(DUE))
    do(world, client.open_wallet(address("payer"), stranger))
    world.give(stranger, 0)
    opened = config(world).final_total
    world.chain.advance(HOUR)
    do(world, client.finalise(CHALLENGED))
    total = emission.cumulative(START_MONTH, 53)
    since = total - opened
    final(world, 52, Attestation(leaf(stranger, since + past), total, 1, bytes(32)))
    call = client.claim(52, stranger, since + past, b"")
    do(world, call)
    assert world.balance(stranger) == since
    assert refused(world, call) == ("WalletLimit" if past else "NothingToClaim")


def test_a_wallets_share_is_limited() -> None:
    """With a limit of a tenth, half of all rewards can't be one wallet's."""
    world = stages.empty()
    terms = Params(tuple(map(address, OPERATORS)), 2, wallet_share_bps=1_000)
    do(world, client.initialize(ADMIN, GUARDIAN, terms))
    do(world, client.open_wallet(ALICE, ALICE))
    before = world.balance(ALICE)
    world.chain.advance(HOUR)
    final(world, 0, Attestation(leaf(ALICE, 500 * IO), 1_000 * IO, 1, bytes(32)))
    do(world, client.claim(0, ALICE, 500 * IO, b""))
    assert world.balance(ALICE) - before == 100 * IO
    assert refused(world, client.claim(0, ALICE, 500 * IO, b"")) == "WalletLimit"
    final(world, 1, Attestation(leaf(ALICE, 500 * IO), 1_010 * IO, 1, bytes(32)))
    do(world, client.claim(1, ALICE, 500 * IO, b""))
    assert world.balance(ALICE) - before == 101 * IO


def test_a_lower_share_holds_nobody_out() -> None:
    """Lowered, it pays up to it by roots that were final before; raised again, the rest."""
    world = stages.running()
    do(world, client.finalise(DUE), client.cancel_params(GUARDIAN))
    amounts = lifetimes(DUE)
    share = sum(amounts.values()) // 100
    before = {owner: world.balance(owner) for owner in amounts}
    apply_params(world, wallet_share_bps=100)
    for name in stages.EARNING:
        do(world, claim(name, DUE))
        assert refused(world, claim(name, DUE)) == "WalletLimit"
    assert {owner: world.balance(owner) - before[owner] for owner in amounts} == dict.fromkeys(amounts, share)
    apply_params(world, wallet_share_bps=10_000)
    do(world, claim("alice", DUE))
    assert world.balance(ALICE) - before[ALICE] == amounts[ALICE]


def apply_params(world: World, **changed: int) -> None:
    do(world, client.propose_params(ADMIN, Params(tuple(map(address, OPERATORS)), 2, **changed)))
    world.chain.advance(7 * DAY)
    do(world, client.apply_params())


# -- the circuit breaker -----------------------------------------------------------------------

LIMIT = 100_000 * IO
"""What all claims of an hour together pay at most."""


def unclaimed(hours: int = 50) -> tuple[World, dict[Pubkey, int]]:
    """So many final hours that nobody claimed, all of alice's and bob's; what is theirs."""
    world = stages.initialized()
    life: dict[Pubkey, int] = {}
    for hour in range(hours):
        world.chain.warp_to(START + (hour + 1) * HOUR)
        total = emission.cumulative(START_MONTH, hour + 1)
        life = {ALICE: total * 2 // 5, BOB: total - total * 2 // 5}
        final(world, hour, Attestation(stages.tree(life).root, total, 2, bytes(32)))
    return world, life


def test_a_stolen_quorum_gets_no_more_than_an_hours_limit() -> None:
    """With a wallet that was opened early it takes what nobody claimed, but not within an hour: whoever sees
    it claims by the honest roots, which pay on."""
    world, life = unclaimed()
    world.chain.warp_to(START + 51 * HOUR)
    total = emission.cumulative(START_MONTH, 51)
    final(world, 50, Attestation(leaf(MALLORY, total), total, 1, bytes(32)))
    before, vault = world.balance(MALLORY), world.tokens(tokenomics.REWARD_VAULT)
    theft = client.claim(50, MALLORY, total, b"")
    do(world, theft)
    assert total > 220_000 * IO
    assert world.balance(MALLORY) - before == vault - world.tokens(tokenomics.REWARD_VAULT) == LIMIT
    assert refused(world, theft) == "ClaimLimit"
    world.chain.advance(HOUR - 1)
    assert refused(world, theft) == "ClaimLimit"
    world.chain.advance(1)
    mine = world.balance(ALICE)
    do(world, client.claim(49, ALICE, life[ALICE], proof_of(life, ALICE)))
    assert world.balance(ALICE) - mine == life[ALICE] > 88_000 * IO
    # The thief has what is left of that hour.
    do(world, theft)
    assert world.balance(MALLORY) - before == 2 * LIMIT - life[ALICE]


def test_many_wallets_of_a_thief_share_the_hour() -> None:
    world, _ = unclaimed()
    world.chain.warp_to(START + 51 * HOUR)
    each = emission.cumulative(START_MONTH, 51) // 4
    thieves = dict.fromkeys((MALLORY, CAROL, ALICE, BOB), each)
    final(world, 50, Attestation(stages.tree(thieves).root, 4 * each, 4, bytes(32)))
    before = sum(map(world.balance, thieves))
    calls = [client.claim(50, thief, each, proof_of(thieves, thief)) for thief in thieves]
    assert [refused(world, call) for call in calls] == [None, None, "ClaimLimit", "ClaimLimit"]
    assert sum(map(world.balance, thieves)) - before == LIMIT


def test_what_an_hour_does_not_pay_later_ones_do() -> None:
    """A claim may be partial; nothing is lost, whichever root is claimed by next."""
    world = stages.running()
    amounts = lifetimes(LAST)
    before = {owner: world.balance(owner) for owner in amounts}

    def paid() -> dict[Pubkey, int]:
        return {owner: (world.balance(owner) - before[owner]) // IO for owner in amounts}

    do(world, claim("mallory"), claim("carol"))
    assert paid() == {MALLORY: 89_400, CAROL: 10_600, BOB: 0, ALICE: 0}
    assert refused(world, claim("carol")) == refused(world, claim("alice")) == "ClaimLimit"
    assert refused(world, claim("mallory")) == "NothingToClaim"
    wallet = client.parse_wallet(world.account(client.wallet_address(CAROL)).data)
    assert (wallet.claimed, config(world).claimed_in_hour) == (10_600 * IO, LIMIT)
    world.chain.advance(HOUR)
    do(world, claim("carol", LAST - 1), claim("bob"))
    # By the root before, an hour's 1,341 IO less.
    assert paid() == {MALLORY: 89_400, CAROL: 65_709, BOB: 44_700, ALICE: 0}
    do(world, claim("carol"))
    assert refused(world, claim("alice")) == "ClaimLimit"
    world.chain.advance(HOUR)
    do(world, claim("carol"), claim("alice"))
    assert paid() == {owner: amount // IO for owner, amount in amounts.items()}
    assert config(world).claimed == sum(amounts.values()) == 223_500 * IO


def test_the_limit_is_always_above_what_an_hour_emits() -> None:
    """However low it is set, what was not claimed drains: the first hour emits less than half of it."""
    least = client.PROGRAM.constants["MIN_CLAIM_LIMIT"]
    assert least > 2 * emission.cumulative(START_MONTH, 1)
    world = stages.empty()
    terms = Params(tuple(map(address, OPERATORS)), 2, claim_limit=least - 1)
    assert refused(world, client.initialize(ADMIN, GUARDIAN, terms)) == "ParamsInvalid"
    do(world, client.initialize(ADMIN, GUARDIAN, replace(terms, claim_limit=least)))
    assert refused(world, client.propose_params(ADMIN, terms)) == "ParamsInvalid"


# -- attestations ------------------------------------------------------------------------------


def test_one_key_counts_once() -> None:
    world = fresh()
    for _ in range(3):
        do(world, client.attest(FIRST, 0, said(0)))
    assert block(world, 0).status == BlockStatus.OPEN
    assert refused(world, client.finalise(0)) == "NotAgreed"


def test_an_operator_who_changes_its_mind_counts_for_the_last_it_said() -> None:
    world = fresh()
    other = replace(said(0), data_hash=b"x" * 32)
    agree(world, 0, other, FIRST)
    agree(world, 0, said(0), FIRST, SECOND)
    found = block(world, 0)
    assert (found.status, found.root, found.data_hash) == (
        BlockStatus.AGREED,
        said(0).root,
        said(0).data_hash,
    )


def test_a_lying_operator_stops_nothing_and_shows() -> None:
    world = fresh()
    lie = replace(said(0), root=b"l" * 32)
    calls = [client.attest(THIRD, 0, lie), *(client.attest(o, 0, said(0)) for o in (FIRST, SECOND))]
    records = [world.send(call, signers=signers(call)) for call in calls]
    events = [client.PROGRAM.events(record)[0].fields for record in records]
    assert [(each["conflict"], each["agreed"]) for each in events] == [
        (False, False),
        (True, False),
        (True, True),
    ]
    world.chain.advance(HOUR)
    do(world, client.finalise(0))
    assert block(world, 0).root == said(0).root


def test_two_who_disagree_decide_nothing() -> None:
    world = fresh()
    agree(world, 0, said(0), FIRST)
    agree(world, 0, replace(said(0), total=said(0).total - 1), SECOND)
    world.chain.advance(DAY)
    assert refused(world, client.finalise(0)) == "NotAgreed"
    agree(world, 0, said(0), THIRD)
    world.chain.advance(HOUR)
    do(world, client.finalise(0))


@pytest.mark.parametrize("name", ["alice", "admin", "guardian", "mallory"])
def test_only_operators_attest(name: str) -> None:
    assert refused(stage("running"), client.attest(address(name), 52, said(52))) == "NotOperator"


def test_an_hour_is_attested_when_it_has_ended() -> None:
    world = stages.initialized()
    for hour in (0, 5):
        world.chain.warp_to(START + (hour + 1) * HOUR - 1)
        assert refused(world, client.attest(FIRST, hour, said(hour))) == "HourNotEnded"
        world.chain.advance(1)
        do(world, client.attest(FIRST, hour, said(hour)))


def test_blocks_become_final_in_order() -> None:
    world = fresh(3)
    for hour in (0, 1, 2):
        attest(world, hour)
    world.chain.advance(HOUR)
    for hour in (1, 2):
        assert refused(world, client.finalise(hour)) == "BlockOutOfOrder"
    for hour in (0, 1, 2):
        do(world, client.finalise(hour))
        assert refused(world, client.finalise(hour)) == "NotAgreed"


def test_the_window_to_the_second() -> None:
    world = fresh()
    attest(world, 0)
    world.chain.advance(HOUR - 1)
    assert refused(world, client.finalise(0)) == "ChallengeOpen"
    world.chain.advance(1)
    do(world, client.finalise(0))
    assert refused(world, client.veto_block(GUARDIAN, 0)) == "ChallengeOver"


def test_a_vetoed_block_is_attested_anew() -> None:
    world = fresh()
    attest(world, 0)
    world.chain.advance(HOUR - 1)
    do(world, client.veto_block(GUARDIAN, 0))
    world.chain.advance(DAY)
    assert refused(world, client.finalise(0)) == "NotAgreed"
    agree(world, 0, said(0), FIRST)
    assert block(world, 0).status == BlockStatus.OPEN, "what was said before the veto counts no more"
    agree(world, 0, said(0), SECOND)
    world.chain.advance(HOUR)
    do(world, client.finalise(0))


def test_a_block_below_the_one_before_stops_nothing() -> None:
    """Two hours that a fault has counted too low, the first one vetoed in time: the second can't become final
    below it, and can be vetoed after its window, so that rewards go on."""
    world = fresh(2)
    for hour in (0, 1):
        agree(world, hour, Attestation(bytes([hour]) * 32, (hour + 1) * 100 * IO, 1, bytes(32)))
    world.chain.advance(HOUR - 1)
    do(world, client.veto_block(GUARDIAN, 0))
    agree(world, 0, said(0))
    world.chain.advance(HOUR)
    do(world, client.finalise(0))
    assert refused(world, client.finalise(1)) == "TotalOutOfRange"
    assert refused(world, client.attest(THIRD, 1, said(1))) == "AlreadyAgreed"
    assert refused(world, client.veto_block(ADMIN, 1)) == "NotGuardian"
    do(world, client.veto_block(GUARDIAN, 1))
    final(world, 1, said(1))
    assert (config(world).next_hour, config(world).final_total) == (2, said(1).total)


def test_a_block_that_a_pause_outlasts_is_vetoed() -> None:
    """A bad block, and a guardian who pauses first: the pause must not make it final."""
    world = fresh()
    agree(world, 0, Attestation(leaf(MALLORY, 100 * IO), 100 * IO, 1, bytes(32)))
    do(world, client.set_pause(GUARDIAN, client.PAUSE_REWARDS, world.chain.now() + 7 * DAY))
    world.chain.advance(7 * DAY - 1)
    assert refused(world, client.finalise(0)) == "Paused"
    do(world, client.veto_block(GUARDIAN, 0))
    world.chain.advance(1)
    assert refused(world, client.finalise(0)) == "NotAgreed"
    final(world, 0, said(0))
    assert block(world, 0).root == said(0).root


def test_new_parameters_void_what_was_said() -> None:
    """An operator who is out must not have decided, before or after the agreement."""
    world = fresh(2)
    attest(world, 0)
    agree(world, 1, said(1), FIRST)
    others = Params((THIRD, ALICE, BOB), 2, notice=DAY)
    do(world, client.propose_params(ADMIN, others))
    world.chain.advance(7 * DAY)
    do(world, client.apply_params())
    assert refused(world, client.finalise(0)) == "StaleConfig"
    assert refused(world, client.attest(FIRST, 0, said(0))) == "NotOperator"
    agree(world, 1, said(1), THIRD)
    assert block(world, 1).status == BlockStatus.OPEN
    agree(world, 0, said(0), THIRD, ALICE)
    world.chain.advance(HOUR)
    do(world, client.finalise(0))


def test_finality_pulls_the_emission_that_it_needs() -> None:
    world = fresh(1)
    attest(world, 0)
    world.chain.advance(HOUR)
    assert world.tokens(tokenomics.REWARD_VAULT) == 0
    do(world, client.finalise(0))
    minted = emission.cumulative(START_MONTH, 2)
    assert world.tokens(tokenomics.REWARD_VAULT) == world.config().emitted == minted


def test_a_paused_emission_delays_finality() -> None:
    world = fresh(1)
    attest(world, 0)
    world.chain.advance(HOUR)
    until = world.chain.now() + DAY
    do(world, tokenomics.set_pause(GUARDIAN, tokenomics.PAUSE_EMISSION, until))
    assert refused(world, client.finalise(0)) == "Paused"
    world.chain.advance(DAY)
    do(world, client.finalise(0))


def test_gifts_to_the_reward_vault_change_no_record() -> None:
    world = stages.running()
    before = config(world)
    do(world, transfer(tokenomics.tokens_address(ALICE), tokenomics.REWARD_VAULT, ALICE, IO))
    assert config(world) == before
    do(world, claim("alice"))


def test_who_opens_a_block_gets_its_rent_back() -> None:
    world = stages.running()
    assert refused(world, client.close_block(1, SECOND)) == "NotRentPayer"
    assert finish(client.read_blocks(world.chain))[0].hour == 0
