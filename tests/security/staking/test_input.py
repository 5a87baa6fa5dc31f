"""Bad input: an error that says what is wrong, and nothing moved."""

from dataclasses import replace

import pytest

from keeper.clients import staking as client
from keeper.clients.staking import Params
from keeper.economy.supply import IO
from tests.model.state import U64
from tests.programs.staking.world import PRICES
from tests.programs.world import DAY, World
from tests.security.outcomes import refused
from tests.security.people import OPERATORS, address, do
from tests.security.staking import stages
from tests.security.staking.calls import PARAMS, TERMS
from tests.security.staking.stages import GPU, MINIMUM, OFFER, REWARD_BPS, device, said, stage

ALICE, CAROL, ADMIN, WORKER = (address(name) for name in ("alice", "carol", "admin", "new worker"))


def registration(number: int = GPU, **changed: object):
    return client.register_device(ALICE, WORKER, ALICE, number, **{**TERMS, **changed})


@pytest.mark.parametrize(
    ("number", "changed", "error"),
    [
        (77, {}, "UnknownClass"),
        (GPU, {"processors": 0}, "ProcessorsInvalid"),
        (GPU, {"processors": 9}, "ProcessorsInvalid"),
        (GPU, {"tier": 0}, "TierInvalid"),
        (GPU, {"tier": 5}, "TierInvalid"),
        (GPU, {"country": "ch"}, "CountryInvalid"),
        (GPU, {"country": "C1"}, "CountryInvalid"),
    ],
)
def test_a_device_that_can_not_be(number: int, changed: dict[str, object], error: str) -> None:
    assert refused(stage("staked"), registration(number, **changed)) == error


def test_a_worker_can_not_supply_itself() -> None:
    own = client.register_device(ALICE, ALICE, ALICE, GPU, **TERMS)
    assert refused(stage("staked"), own) == "ConstraintDuplicateMutableAccount"


def test_a_device_that_pays_nobody() -> None:
    """The payout's wallet account must exist: otherwise its rewards could never be claimed."""
    nowhere = client.register_device(ALICE, WORKER, address("nobody"), GPU, **TERMS)
    assert refused(stage("staked"), nowhere) == "UninitializedAccount"


@pytest.mark.parametrize(
    ("amount", "error"),
    [(0, "ZeroAmount"), (U64, "Overflow"), (10_000_000 * IO, "Token.InsufficientFunds")],
)
def test_a_stake_that_can_not_be(amount: int, error: str) -> None:
    world = stage("staked")
    assert refused(world, client.stake(device(world, "worker"), amount)) == error


@pytest.mark.parametrize(
    ("amount", "error"),
    [(0, "ZeroAmount"), (100 * IO + 1, "ExceedsOverflow"), (U64, "ExceedsOverflow")],
)
def test_an_overflow_that_is_not_there(amount: int, error: str) -> None:
    world = stage("staked")
    assert refused(world, client.withdraw_overflow(device(world, "worker"), amount)) == error


@pytest.mark.parametrize(
    ("amount", "bps", "error"),
    [
        (0, REWARD_BPS, "OfferInvalid"),
        (MINIMUM // 2 + 1, REWARD_BPS, "OfferInvalid"),
        (U64, REWARD_BPS, "Overflow"),
        (OFFER, 499, "RewardShareInvalid"),
        (OFFER, 10_001, "RewardShareInvalid"),
    ],
)
def test_an_offer_that_can_not_be(amount: int, bps: int, error: str) -> None:
    world = stage("staked")
    assert refused(world, client.open_offer(device(world, "worker"), amount, bps)) == error


def test_an_offer_whose_own_part_does_not_reach_the_rest() -> None:
    world = stages.initialized()
    one = stages.register(world, "worker")
    do(world, client.stake(one, MINIMUM - OFFER - 1))
    assert refused(world, client.open_offer(one, OFFER, REWARD_BPS)) == "OfferInvalid"


def test_one_offer_at_a_time() -> None:
    world = stage("staked")
    again = client.open_offer(device(world, "bob's worker"), OFFER, REWARD_BPS)
    assert refused(world, again) == "OfferOpen"
    assert refused(world, client.close_offer(device(world, "worker"))) == "NoOffer"


def test_nobody_co_stakes_its_own_device() -> None:
    world = stage("staked")
    own = client.take_offer(device(world, "bob's worker"), address("bob"), OFFER, REWARD_BPS)
    assert refused(world, own) == "OwnCoStake"


def test_a_third_offer() -> None:
    """A wallet holds two co-stakes, waiting and cooling ones included; taken out, there is room again."""
    world = stages.initialized()
    for worker in ("worker", "slashed worker", "empty worker"):
        one = stages.register(world, worker)
        do(world, client.stake(one, MINIMUM - OFFER), client.open_offer(one, OFFER, REWARD_BPS))
    first, second, third = (device(world, each) for each in ("worker", "slashed worker", "empty worker"))
    for each in (first, second):
        do(world, client.take_offer(each, CAROL, OFFER, REWARD_BPS))
    wanted = client.take_offer(third, CAROL, OFFER, REWARD_BPS)
    assert refused(world, wanted) == "TooManyCoStakes"
    do(world, client.leave_co_stake(first, CAROL))
    for days in (7, 14):
        assert refused(world, wanted) == "TooManyCoStakes"
        world.chain.advance(days * DAY)
    assert refused(world, wanted) == "TooManyCoStakes"
    do(world, client.withdraw_co_stake(first, CAROL))
    do(world, wanted)


@pytest.mark.parametrize(("amount", "bps"), [(OFFER + 1, REWARD_BPS), (OFFER, REWARD_BPS - 1)])
def test_other_terms_than_seen(amount: int, bps: int) -> None:
    """A supplier who changes its offer while a taker's transaction is under way catches nobody."""
    world = stages.staked()
    offering = device(world, "bob's worker")
    do(world, client.close_offer(offering), client.open_offer(offering, amount, bps))
    seen = client.take_offer(offering, CAROL, OFFER, REWARD_BPS)
    assert refused(world, seen) == "OfferChanged"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"cooldown": 0}, "ParamsInvalid"),
        ({"cooldown": 30 * DAY + 1}, "ParamsInvalid"),
        ({"co_stake_wait": 0}, "ParamsInvalid"),
        ({"challenge_window": 0}, "ParamsInvalid"),
        ({"challenge_window": 7 * DAY + 1}, "ParamsInvalid"),
        ({"appeal": 0}, "ParamsInvalid"),
        ({"notice": 0}, "ParamsInvalid"),
        ({"claim_limit": 10_000 * IO - 1}, "ParamsInvalid"),
        ({"max_slash_bps": 5_001}, "ParamsInvalid"),
        ({"max_slash_bps": 0}, "ParamsInvalid"),
        ({"wallet_share_bps": 99}, "ParamsInvalid"),
        ({"wallet_share_bps": 10_001}, "ParamsInvalid"),
        ({"threshold": 1}, "OperatorsInvalid"),
        ({"threshold": 4}, "OperatorsInvalid"),
        ({"operators": ()}, "OperatorsInvalid"),
        ({"operators": (ADMIN, ADMIN, ALICE)}, "OperatorsInvalid"),
        ({"operators": (ADMIN, stages.Pubkey.default(), ALICE)}, "OperatorsInvalid"),
    ],
)
def test_parameters_that_can_not_be(changed: dict[str, object], error: str) -> None:
    terms = replace(PARAMS, **changed)
    assert refused(stage("running"), client.propose_params(ADMIN, terms)) == error
    start = client.initialize(ADMIN, address("guardian"), terms)
    assert refused(stage("empty"), start) == error


def test_half_of_the_operators_are_not_enough() -> None:
    """Of four operators two and two could agree on two different blocks."""
    four = tuple(map(address, (*OPERATORS, "alice")))
    halves = client.propose_params(ADMIN, Params(four, 2))
    assert refused(stage("running"), halves) == "OperatorsInvalid"


@pytest.mark.parametrize(
    ("name", "multiplier", "pool", "kind"),
    [("", 1, 0, 0), ("X", 50_001, 0, 0), ("X", 1, 2, 0), ("X", 1, 0, 3)],
)
def test_a_class_that_can_not_be(name: str, multiplier: int, pool: int, kind: int) -> None:
    added = client.add_class(ADMIN, 9, name, multiplier, pool, kind, PRICES)
    assert refused(stage("running"), added) == "ClassInvalid"


def test_a_wallet_of_nobody() -> None:
    nobody = client.open_wallet(address("payer"), stages.Pubkey.default())
    assert refused(stage("running"), nobody) == "ZeroAddress"


def test_what_a_device_holds_can_not_be_closed() -> None:
    world = stage("running")
    for worker, error in (("leaving worker", "DeviceNotEmpty"), ("slashed worker", "SlashPending")):
        assert refused(world, client.close_device(device(world, worker))) == error


def terminated(world: World) -> World:
    do(world, client.terminate_device(device(world, "worker")))
    return world


def test_a_terminated_device_takes_nothing_more() -> None:
    world = terminated(stages.staked())
    gone = device(world, "worker")
    for call in (
        client.stake(gone, 1),
        client.open_offer(gone, OFFER, REWARD_BPS),
        client.terminate_device(gone),
        client.change_device(gone, tier=1, country="CH", ask_io=0, ask_usdc=0),
    ):
        assert refused(world, call) == "DeviceTerminated"
    assert gone.sufficient_since == 0
    # What it holds goes out as ever.
    do(world, client.withdraw_overflow(gone, 100 * IO), client.unstake(gone))
    world.chain.advance(14 * DAY)
    before = world.balance(ALICE)
    do(world, client.withdraw(device(world, "worker")))
    assert world.balance(ALICE) - before == MINIMUM
    do(world, client.close_device(device(world, "worker")))


@pytest.mark.parametrize(
    ("hour", "error"),
    [
        (stages.FINAL_HOURS - 1, "HourOutOfRange"),
        (stages.FINAL_HOURS + 48, "HourOutOfRange"),
        (2**32 - 1, "HourOutOfRange"),
        (stages.DUE, "AlreadyAgreed"),
    ],
)
def test_an_hour_that_can_not_be_attested(hour: int, error: str) -> None:
    said_then = replace(said(hour % 60), total=said(stages.FINAL_HOURS).total)
    assert refused(stage("running"), client.attest(address("operator 0"), hour, said_then)) == error


def test_the_deposit_comes_back() -> None:
    """A device costs its rent and the deposit while it lives; closed, the supplier has both again."""
    world = stages.initialized()
    alice = address("alice")
    before = world.account(alice).lamports
    one = stages.register(world, "worker")
    where = client.device_address(address("worker"))
    assert before - world.account(alice).lamports == world.account(where).lamports
    do(world, client.terminate_device(one))
    do(world, client.close_device(one))
    assert world.account(alice).lamports == before
    assert world.chain.get(where) is None
