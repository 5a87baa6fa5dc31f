"""Attacks on settlement: paid twice, too early, to the wrong account, or kept from being paid at all."""

from __future__ import annotations

import pytest

from keeper.chain import token
from keeper.chain.framework import SYSTEM_PROGRAM
from keeper.clients import buyback, staking, tokenomics
from keeper.clients import orders as client
from keeper.clients.orders import Params
from keeper.economy.orders import Currency
from tests.programs.world import DAY, HOUR, World, key
from tests.security.orders import stages
from tests.security.orders.stages import (
    ASK_USDC,
    FEE,
    ISSUER,
    LONG,
    OTHER_RUNNING,
    OTHER_WAITING,
    RATE,
    RUNNING,
    SURPLUS,
    USDC,
    USDC_FEES,
    USDC_MINT,
    WAITING,
    accept,
    device,
    end,
    extend,
    fee,
    io,
    lease,
    mint_usdc,
    moved,
    order,
    put,
    refund,
    settle,
    stage,
    usdc,
)
from tests.security.outcomes import refused
from tests.security.people import OTHER_MINT, address, do
from tests.security.tokens import close, create_mint, freeze, set_owner, thaw

ALICE, CAROL, MALLORY = (address(name) for name in ("alice", "carol", "mallory"))


def payment(amount: int) -> dict[str, int]:
    """What moves when so much of carol's money is due to alice: each of them pays a fee on it."""
    cut = fee(amount)
    return {"vault": -amount - cut, "alice": amount - cut, "fees": 2 * cut}


# -- time ----------------------------------------------------------------------------------------


def test_a_second_settlement_in_the_same_second_moves_nothing() -> None:
    world = stages.serving()
    assert moved(world, settle(world)) == payment(2 * RATE)
    before = order(world), lease(world)
    assert moved(world, settle(world)) == {}
    assert (order(world), lease(world)) == before


def test_twice_in_one_transaction() -> None:
    world = stages.serving()
    assert moved(world, settle(world), settle(world), settle(world)) == payment(2 * RATE)


@pytest.mark.parametrize(
    ("seconds", "due"),
    [
        (0, 0),
        (2 * HOUR, 0),
        (3 * HOUR - 1, 0),
        (3 * HOUR, RATE),
        (3 * HOUR + 1, RATE + RATE // HOUR),
        (12 * HOUR - 1, 10 * RATE - RATE // HOUR - 1),
        (12 * HOUR, 10 * RATE),
        (12 * HOUR + 1, 10 * RATE),
        (10_000 * DAY, 10 * RATE),
    ],
)
def test_each_second_is_due_two_hours_after_it(seconds: int, due: int) -> None:
    """Nothing before the first hour is whole, nothing beyond the last second."""
    world = stages.matching()
    world.chain.advance(seconds)
    assert moved(world, settle(world)) == (payment(due) if due else {})


def test_settling_often_pays_what_settling_once_pays() -> None:
    """No second divides the rate: what is rounded away in one settlement comes in the next."""
    assert RATE % HOUR
    often, once = stages.matching(), stages.matching()
    start = lease(often).start
    sums = dict.fromkeys(("vault", "alice", "fees"), 0)
    for seconds in [*range(3 * HOUR, 3 * HOUR + 20), 4 * HOUR + 1, 7 * HOUR + 13, 11 * HOUR, 12 * HOUR]:
        often.chain.warp_to(start + seconds)
        for name, change in moved(often, settle(often)).items():
            sums[name] += change
    once.chain.warp_to(start + 12 * HOUR)
    assert moved(once, settle(once)) == sums == payment(10 * RATE)


def test_nothing_is_due_for_a_lease_that_waits() -> None:
    """No account is recorded for its money yet; the address of zero that stands there is no account."""
    world = stage("matching")
    assert refused(world, settle(world, WAITING)) == "NotAssociatedAccount"
    recorded = put(settle(world, WAITING), payout_tokens=SYSTEM_PROGRAM)
    assert refused(world, recorded) == "ConstraintMut"


def test_after_the_end_only_what_was_earned_is_due() -> None:
    world = stages.serving()
    do(world, end(world, "carol"))
    assert moved(world, settle(world)) == payment(2 * RATE)
    world.chain.advance(2 * HOUR - 1)
    moved(world, settle(world))
    world.chain.advance(1)
    moved(world, settle(world))
    assert (lease(world).paid, lease(world).held) == (4 * RATE, 0)
    world.chain.advance(100 * DAY)
    assert moved(world, settle(world)) == {}
    gone = settle(world)
    do(world, client.close_lease(lease(world)))
    assert refused(world, gone) == "AccountDataTooSmall"


def test_when_the_renter_ends_what_is_paid_to_the_second_only_the_rest_of_the_fee_is_due() -> None:
    """Without a lag a lease may be paid up when it is ended: it is not closed before the rest is charged."""
    world = stages.ready(Params(settlement_lag=0))
    do(world, stages.create(devices=1))
    stages.run(world, RUNNING)
    world.chain.advance(4 * HOUR)
    assert moved(world, settle(world)) == payment(4 * RATE)
    do(world, end(world, "carol"))
    rest = FEE - fee(4 * RATE)
    assert (lease(world).held, order(world).held) == (rest, rest)
    assert refused(world, client.close_lease(lease(world))) == "LeaseNotPaid"
    assert moved(world, settle(world), settle(world)) == {"vault": -rest, "fees": rest}
    assert moved(world, settle(world)) == {}
    do(world, client.close_lease(lease(world)))
    assert (order(world).held, order(world).fees) == (0, FEE + fee(4 * RATE))
    assert moved(world, refund(world))["carol"] == SURPLUS + 6 * RATE


def test_a_clock_that_goes_back() -> None:
    """A leader's clock may step back a little: nothing is paid twice then, nor taken back."""
    world = stages.serving()
    do(world, settle(world))
    world.chain.advance(-HOUR)
    assert refused(world, settle(world)) == "InvariantViolated"
    world.chain.advance(HOUR + 1)
    second = RATE // HOUR
    assert moved(world, settle(world))["vault"] == -second - fee(second)
    world.chain.warp_to(-1)
    assert refused(world, settle(world)) == "InvalidClock"


# -- accounts ------------------------------------------------------------------------------------

SWAPS = {
    "settle to the other fee vault": (settle, "fees", USDC_FEES, "WrongAccount"),
    "settle to a fee vault of mallory's": (settle, "fees", io("mallory"), "WrongAccount"),
    "settle from mallory's vault": (
        settle,
        "vault",
        client.vault_address(client.order_address(MALLORY, 1)),
        "WrongAccount",
    ),
    "settle to alice's USDC": (settle, "payout_tokens", usdc("alice"), "NotAssociatedAccount"),
    "settle to mallory": (settle, "payout_tokens", io("mallory"), "NotAssociatedAccount"),
    "extend into mallory's vault": (
        extend,
        "vault",
        client.vault_address(client.order_address(MALLORY, 1)),
        "WrongAccount",
    ),
    "extend with carol's USDC": (extend, "renter_tokens", usdc("carol"), "Token.MintMismatch"),
    "extend with alice's IO": (extend, "renter_tokens", io("alice"), "Token.OwnerMismatch"),
    "refund to carol's USDC": (refund, "renter_tokens", usdc("carol"), "NotAssociatedAccount"),
    "refund to mallory": (refund, "renter_tokens", io("mallory"), "NotAssociatedAccount"),
}


@pytest.mark.parametrize("name", SWAPS)
def test_another_account_in_an_orders_place(name: str) -> None:
    build, slot, other, error = SWAPS[name]
    world = stage("serving")
    assert refused(world, put(build(world), **{slot: other})) == error


@pytest.mark.parametrize(
    ("build", "slot", "other", "error"),
    [
        (settle, "fees", buyback.IO_VAULT, "WrongAccount"),
        (settle, "payout_tokens", io("bob"), "NotAssociatedAccount"),
        (extend, "renter_tokens", io("mallory"), "Token.MintMismatch"),
    ],
)
def test_io_in_the_place_of_usdc(build, slot: str, other, error: str) -> None:
    world = stage("serving")
    call = build(world, worker=OTHER_RUNNING, renter="mallory")
    assert refused(world, put(call, **{slot: other})) == error


@pytest.mark.parametrize(
    ("slot", "other", "error"),
    [
        ("payout_tokens", usdc("bob"), "NotAssociatedAccount"),
        ("payout_tokens", io("mallory"), "NotAssociatedAccount"),
        ("order", client.order_address(MALLORY, 1), "WrongOrder"),
    ],
)
def test_accepting_with_anothers_account(slot: str, other, error: str) -> None:
    world = stage("matching")
    assert refused(world, put(accept(world, WAITING), **{slot: other})) == error


# -- accounts that are closed, handed over, or frozen --------------------------------------------


def empty_account(world: World, name: str) -> None:
    """Move somebody's IO to mallory and close the account."""
    held = world.tokens(io(name))
    do(world, token.transfer(io(name), io("mallory"), address(name), held))
    do(world, close(io(name), address(name), address(name)))


def test_a_closed_payout_account_waits_and_anybody_opens_it_again() -> None:
    world = stages.serving()
    empty_account(world, "alice")
    assert refused(world, settle(world)) == "PayeeBlocked"
    do(world, token.create_associated(MALLORY, ALICE, tokenomics.MINT))
    assert moved(world, settle(world)) == payment(2 * RATE)


def test_a_closed_payout_account_holds_up_nothing_where_nothing_is_due() -> None:
    world = stages.serving()
    assert moved(world, settle(world)) == payment(2 * RATE)
    empty_account(world, "alice")
    assert moved(world, settle(world)) == {}
    world.chain.advance(HOUR)
    assert refused(world, settle(world)) == "PayeeBlocked"


def test_a_closed_account_of_the_renter_waits_and_anybody_opens_it_again() -> None:
    world = stages.serving()
    empty_account(world, "carol")
    assert refused(world, refund(world)) == "AccountDataTooSmall"
    assert moved(world, settle(world)) == payment(2 * RATE)
    do(world, token.create_associated(MALLORY, CAROL, tokenomics.MINT))
    assert moved(world, refund(world))["carol"] > 0


def test_a_worker_can_not_accept_before_its_payout_can_be_paid() -> None:
    """Otherwise a lease's money could lie where nobody can fetch it."""
    world = stages.matching()
    empty_account(world, "bob")
    assert refused(world, accept(world, WAITING)) == "PayeeBlocked"


def test_an_account_handed_to_a_stranger_is_not_paid() -> None:
    """Its address stays, its owner doesn't: the money stays until its owner has it back; others are paid."""
    world = stages.matching()
    do(world, accept(world, WAITING))
    do(world, set_owner(io("alice"), ALICE, MALLORY), set_owner(io("carol"), CAROL, MALLORY))
    world.chain.advance(LONG)
    for call, error in ((settle(world), "PayeeBlocked"), (refund(world), "NotAssociatedAccount")):
        assert refused(world, call) == error
    assert moved(world, settle(world, WAITING))["bob"] == 2 * RATE - fee(2 * RATE)
    do(world, set_owner(io("alice"), MALLORY, ALICE))
    assert moved(world, settle(world)) == payment(2 * RATE)


def test_a_frozen_account_keeps_nobody_else_from_its_money() -> None:
    """The issuer of USDC freezes bob's account: alice, the renter and the network get theirs all the same."""
    world = stages.matching()
    do(world, accept(world, OTHER_WAITING, "mallory"))
    issuer = key(ISSUER)
    world.do(freeze(usdc("bob"), USDC_MINT, issuer.pubkey()), signers=[issuer])
    world.chain.advance(20 * HOUR)
    whole = 40 * ASK_USDC
    for worker in (OTHER_RUNNING, OTHER_WAITING):
        do(world, end(world, "elsewhere", worker, "mallory"))
    assert refused(world, settle(world, OTHER_RUNNING, "mallory")) == "PayeeBlocked"
    assert moved(world, settle(world, OTHER_WAITING, "mallory")) == {
        "vault usdc": -whole - fee(whole, 225),
        "alice usdc": whole - fee(whole),
        "fees usdc": fee(whole) + fee(whole, 225),
    }
    rest = 2 * (120 * USDC + fee(120 * USDC, 225)) - 2 * (whole + fee(whole, 225))
    assert moved(world, refund(world, "mallory")) == {"vault usdc": -rest, "mallory usdc": rest}
    do(world, client.close_lease(lease(world, OTHER_WAITING, "mallory")))
    assert device(world, OTHER_RUNNING).lease == staking.NOBODY, "nor is the device held"
    world.do(thaw(usdc("bob"), USDC_MINT, issuer.pubkey()), signers=[issuer])
    assert moved(world, settle(world, OTHER_RUNNING, "mallory"))["bob usdc"] == whole - fee(whole)


def test_a_frozen_renter_keeps_no_supplier_from_its_money() -> None:
    world = stages.serving()
    issuer = key(ISSUER)
    world.do(freeze(usdc("mallory"), USDC_MINT, issuer.pubkey()), signers=[issuer])
    assert moved(world, settle(world, OTHER_RUNNING, "mallory"))["bob usdc"] > 0
    assert refused(world, refund(world, "mallory")) == "Token.AccountFrozen"


# -- gifts ---------------------------------------------------------------------------------------


def test_a_gift_to_a_vault_changes_no_figure_and_is_the_renters_at_the_end() -> None:
    world, plain = stages.serving(), stages.serving()
    gift = 7 * USDC
    mint_usdc(world, order(world, "mallory").vault, gift)
    for step in (settle, refund):
        calls = [
            step(each, **({"worker": OTHER_RUNNING} if step is settle else {}), renter="mallory")
            for each in (world, plain)
        ]
        assert moved(world, calls[0]) == moved(plain, calls[1])
    assert order(world, "mallory") == order(plain, "mallory")
    for each in (world, plain):
        each.chain.advance(20 * HOUR)
        do(each, settle(each, OTHER_RUNNING, "mallory"), end(each, "bob", OTHER_RUNNING, "mallory"))
        for worker in (OTHER_RUNNING, OTHER_WAITING):
            do(each, client.close_lease(lease(each, worker, "mallory")))
    assert moved(plain, stages.close(plain, "mallory")) == {}
    assert moved(world, stages.close(world, "mallory")) == {"vault usdc": -gift, "mallory usdc": gift}
    assert world.chain.get(client.vault_address(client.order_address(MALLORY, 1))) is None


def test_another_mints_tokens_are_no_currency() -> None:
    """A mint of mallory's with IO's decimals, and one with USDC's."""
    world = stages.ready()
    six = key("mallory's mint with 6 decimals")
    create_mint(world, six, MALLORY, decimals=6)
    for mint, currency in (
        (OTHER_MINT.pubkey(), Currency.IO),
        (six.pubkey(), Currency.USDC),
        (USDC_MINT, Currency.IO),
        (tokenomics.MINT, Currency.USDC),
    ):
        world.do(token.create_associated(world.payer.pubkey(), MALLORY, mint))
        terms = stages.TERMS if currency == Currency.IO else stages.IN_USDC
        assert (
            refused(world, client.create_order(MALLORY, 1, terms, mint, max_deposit=stages.NO_LIMIT))
            == "WrongMint"
        )
