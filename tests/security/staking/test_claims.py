"""Attacks on claims: what claimants, and operators' stolen keys, can't get."""

from dataclasses import replace
from hashlib import sha256

import pytest

from keeper.clients import staking as client
from keeper.clients import tokenomics
from keeper.clients.staking import Attestation, Params
from keeper.economy import emission, merkle
from keeper.economy.supply import IO
from keeper.rewards.tree import leaf
from tests.programs.world import HOUR, START, START_MONTH
from tests.security.outcomes import refused
from tests.security.people import OPERATORS, address, do
from tests.security.staking import stages
from tests.security.staking.calls import LAST, claim
from tests.security.staking.hours import (
    ADMIN,
    ALICE,
    BOB,
    FIRST,
    GUARDIAN,
    MALLORY,
    apply_params,
    config,
    final,
    fresh,
    proof_of,
)
from tests.security.staking.stages import CHALLENGED, DUE, FINAL_HOURS, lifetimes, proof, said, stage


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
