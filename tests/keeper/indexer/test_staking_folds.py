"""Staking's accounts from events alone, where what holds follows from time and from who operates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from solders.keypair import Keypair

from keeper.clients import staking
from keeper.clients.staking import Attestation
from keeper.economy import merkle
from keeper.economy.classes import Bounds
from keeper.economy.supply import IO
from tests.programs.folded import assert_events_make_the_accounts, folded
from tests.programs.staking.world import GPU_CLASS, PRICES, StakingWorld
from tests.programs.world import DAY, HOUR, START

EVIDENCE = bytes(range(32))
SAID = Attestation(b"r" * 32, 1_000, 1, b"d" * 32)


class Voting(StakingWorld):
    """Operators that vote, and a device to vote on; parameters change after an hour's notice."""

    @classmethod
    def started(cls) -> Voting:
        world = cls.ready(notice=HOUR)
        assert isinstance(world, Voting)
        supplier = world.earner("supplier", 10_000 * IO)
        device = world.device("worker", supplier)
        world.do(staking.stake(device, 1_000 * IO), signers=[supplier])
        return world

    def agree(self) -> None:
        """The events make every account."""
        assert_events_make_the_accounts(self.chain, staking.PROGRAM)

    def vote(self, operator: Keypair) -> None:
        """To take a tenth of the device's stakes."""
        call = staking.vote_slash(operator.pubkey(), self.read_device("worker"), EVIDENCE, 1_000)
        self.do(call, signers=[operator])

    def price(self, hour: int, step_io: int, step_usdc: int) -> None:
        """Two operators vote for a class's steps of an hour, and they are announced."""
        numbers = hour.to_bytes(4, "little") + GPU_CLASS.to_bytes(2, "little")
        steps = step_io.to_bytes(2, "little", signed=True) + step_usdc.to_bytes(2, "little", signed=True)
        root = merkle.leaf(b"price", numbers, steps)
        for operator in self.operators[:2]:
            self.do(staking.vote_prices(operator.pubkey(), hour, root), signers=[operator])
        self.do(staking.apply_price(GPU_CLASS, hour, step_io, step_usdc, b""))

    def list_operators(self, operators: Sequence[Keypair]) -> None:
        """These are in force an hour later."""
        keys = tuple(each.pubkey() for each in operators)
        changed = replace(self.staking_config().params, operators=keys)
        self.do(staking.propose_params(self.admin.pubkey(), changed), signers=[self.admin])
        self.chain.advance(HOUR)
        self.do(staking.apply_params())


@pytest.fixture
def world() -> Voting:
    return Voting.started()


def test_what_was_announced_of_a_class_is_written_down_with_the_next_change(world: Voting) -> None:
    """Steps and bounds hold by themselves; the account has them once something else is announced."""
    admin, guardian, hour = world.admin, world.guardian, START // HOUR
    bounds = Bounds(3 * IO, 5 * IO, PRICES.low_usdc, PRICES.high_usdc)
    world.chain.warp_to((hour + 1) * HOUR)
    world.price(hour, 1_250, -1_250)
    world.agree()
    world.do(staking.change_bounds(admin.pubkey(), GPU_CLASS, bounds), signers=[admin])
    world.agree()
    world.chain.warp_to((hour + 2) * HOUR)
    world.price(hour + 1, 1_000, 7)
    world.agree()
    row = folded(world.chain, staking.PROGRAM).get("Class", staking.class_address(GPU_CLASS))
    # 2.25 by the first step, then within the bounds, which held in the same second.
    assert (row["price_io"], row["next_io"], row["bounds"]["low_io"]) == (3 * IO, 1_000, 3 * IO)
    world.do(staking.cancel_price(guardian.pubkey(), GPU_CLASS), signers=[guardian])
    world.agree()
    world.do(staking.change_bounds(admin.pubkey(), GPU_CLASS, bounds), signers=[admin])
    world.do(staking.change_class(admin.pubkey(), GPU_CLASS, 200), signers=[admin])
    world.do(staking.add_class(admin.pubkey(), 3, "H100", 1_000, 0, 0, PRICES), signers=[admin])
    world.agree()
    for number in (GPU_CLASS, 3):
        world.do(staking.cancel_class(guardian.pubkey(), number), signers=[guardian])
        world.agree()
    world.do(staking.change_class(admin.pubkey(), GPU_CLASS, 150), signers=[admin])
    world.chain.advance(HOUR)
    world.do(staking.change_class(admin.pubkey(), GPU_CLASS, 175), signers=[admin])
    for closed in (hour, hour + 1):
        world.chain.warp_to((closed + 2) * HOUR)
        world.do(staking.close_prices(closed, world.operators[0].pubkey()))
    world.agree()


def test_votes_of_those_who_stay_outlast_a_change_of_operators(world: Voting) -> None:
    """Whether their account is looked at before the next change or after it."""
    first, second, third = world.operators
    world.chain.warp_to(START + HOUR)
    world.attest(0, SAID)
    world.vote(first)
    world.vote(second)
    prices = staking.vote_prices(first.pubkey(), START // HOUR, b"p" * 32)
    world.do(prices, signers=[first])
    world.agree()
    heir, late = world.person("heir"), world.person("late")
    world.chain.warp_to(START + HOUR + 60)
    world.list_operators([heir, second, third])
    world.agree()
    device = world.read_device("worker")
    world.do(staking.finalise(0))
    world.do(staking.execute_slash(device, EVIDENCE))
    world.agree()
    world.attest(0, SAID, [heir])
    world.vote(third)
    world.agree()
    world.list_operators([heir, second, late])
    world.do(staking.execute_slash(device, EVIDENCE))
    world.agree()
    world.chain.advance(DAY * 30)
    world.do(staking.finalise(0))
    guardian = world.guardian
    for operator in (heir, late):
        other = staking.vote_slash(operator.pubkey(), device, bytes(32), 1_000)
        world.do(other, signers=[operator])
    world.do(staking.veto_slash(guardian.pubkey(), device, bytes(32)), signers=[guardian])
    world.agree()
    assert not world.read_device("worker").slash_pending


def test_a_slash_that_stands_after_a_change_is_carried_out(world: Voting) -> None:
    first, second, _ = world.operators
    world.vote(first)
    world.vote(second)
    world.list_operators([first, second, world.person("heir")])
    world.chain.advance(DAY * 30)
    world.do(staking.execute_slash(world.read_device("worker"), EVIDENCE))
    world.agree()
    assert world.staking_config().slashed == 100 * IO


def test_small_claims_have_a_reserve_of_the_hour(world: Voting) -> None:
    """What a wallet takes of it is counted for the wallet, too, and begins anew with the hour."""
    ann, ben = (world.earner(name, 1) for name in ("ann", "ben"))
    for hour in range(3):
        lifetime = {each.pubkey(): (hour + 1) * 1_500 * IO for each in (ann, ben)}
        tree = world.block(hour, lifetime)
        order = sorted(lifetime, key=bytes)
        for owner, signed in ((ann, True), (ben, False)):
            wallet = owner.pubkey()
            proof = tree.proof(order.index(wallet))
            call = staking.claim(hour, wallet, lifetime[wallet], proof, signed=signed)
            world.do(call, signers=[owner] if signed else [])
            world.agree()
    found = [
        staking.parse_wallet(world.account(staking.wallet_address(each.pubkey())).data) for each in (ann, ben)
    ]
    assert [each.claimed_in_hour for each in found] == [1_000 * IO, 0]


def test_postings_are_counted_by_the_hour(world: Voting) -> None:
    operator = world.operators[0]
    for at in (0, 1, HOUR, HOUR + 1, HOUR + 2):
        world.chain.warp_to(START + HOUR + at)
        world.do(staking.post(operator.pubkey(), at, 1, at, bytes(32)), signers=[operator])
        world.agree()
    (counter,) = folded(world.chain, staking.PROGRAM).of_kind("PostCounter").values()
    assert counter["count"] == 3
