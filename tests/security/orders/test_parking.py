"""Attacks on everybody's way to their money by way of one account: frozen, closed, handed over, or nobody's.

Nobody waits for another's account. What its payee can't take goes where it waits for that payee alone; the
order, its other leases, its renter and whoever paid rents have theirs at once. ``BEFORE`` is what was locked
on the programs of before, as it was measured there.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from keeper.chain import token
from keeper.clients import orders as client
from keeper.clients import staking, tokenomics
from keeper.economy.orders import Currency
from tests.programs.world import DAY, HOUR, World, finish, key
from tests.security.orders import stages
from tests.security.orders.stages import (
    ASK_USDC,
    LONG,
    OTHER_RUNNING,
    OTHER_WAITING,
    RATE,
    RUNNING,
    USDC_FEES,
    WAITING,
    accept,
    config,
    device,
    end,
    fee,
    freeze_usdc,
    io,
    lease,
    match,
    moved,
    order,
    park_fees,
    park_pay,
    parked,
    pay_parked,
    put,
    refund,
    settle,
    thaw_usdc,
    usdc,
)
from tests.security.outcomes import refused
from tests.security.people import OTHER_TOKENS, address, do
from tests.security.tokens import close, create_tokens, freeze_anyway, set_owner

ALICE, BOB, CAROL, MALLORY, PAYER = (address(name) for name in ("alice", "bob", "carol", "mallory", "payer"))
LOCKED_BEFORE = {"fee vault frozen": 40_900_000, "payee handed over": 1_604_000_000}
"""Base units of one lease, for as long as somebody else wished; a thousand days were tried. Rents, too."""
HOURLY = 4 * ASK_USDC


def waiting(world: World, currency: Currency = Currency.IO) -> int:
    """What lies in the parked vault of a currency."""
    return world.tokens(config(world).parked(currency))


# -- the fee vault -------------------------------------------------------------------------------


def test_a_frozen_fee_vault_keeps_no_supplier_from_its_money() -> None:
    """Before, one lease's 40.9 USDC were locked with it; every other lease's, too."""
    world = stages.serving()
    freeze_usdc(world, USDC_FEES)
    due = 2 * HOURLY
    assert moved(world, settle(world, OTHER_RUNNING, "mallory")) == {
        "vault usdc": -due + fee(due),
        "bob usdc": due - fee(due),
    }
    both = fee(due) + fee(due, 225)
    assert order(world, "mallory").fees_due == order(world, "mallory").fees == both
    # Each later settlement tries again, with all that is due.
    world.chain.advance(HOUR)
    moved(world, settle(world, OTHER_RUNNING, "mallory"))
    thaw_usdc(world, USDC_FEES)
    whole = fee(3 * HOURLY) + fee(3 * HOURLY, 225)
    assert moved(world, settle(world, OTHER_RUNNING, "mallory")) == {
        "vault usdc": -whole,
        "fees usdc": whole,
    }
    assert order(world, "mallory").fees_due == 0


def test_an_order_closes_while_the_fee_vault_is_frozen() -> None:
    """Its fees are set aside; they reach the vault when anybody sends them there, once that can be."""
    world = stages.serving()
    freeze_usdc(world, USDC_FEES)
    world.chain.advance(20 * HOUR)
    do(world, end(world, "elsewhere", OTHER_RUNNING, "mallory"), settle(world, OTHER_RUNNING, "mallory"))
    for worker in (OTHER_RUNNING, OTHER_WAITING):
        do(world, client.close_lease(lease(world, worker, "mallory")))
    assert refused(world, stages.close(world, "mallory")) == "FeesBlocked"
    whole = 10 * HOURLY
    fees = fee(whole) + fee(whole, 225)
    opened = order(world, "mallory")
    assert whole + fee(whole, 225) == LOCKED_BEFORE["fee vault frozen"], "all of it was stuck"
    do(world, park_fees(world, "mallory"), stages.close(world, "mallory"))
    assert world.chain.get(opened.address) is None
    assert waiting(world, Currency.USDC) == parked(world, USDC_FEES).amount == fees
    assert refused(world, pay_parked(world, USDC_FEES)) == "PayeeBlocked"
    thaw_usdc(world, USDC_FEES)
    before = world.tokens(USDC_FEES)
    do(world, pay_parked(world, USDC_FEES))
    assert world.tokens(USDC_FEES) - before == fees
    assert waiting(world, Currency.USDC) == 0


def test_fees_of_many_orders_wait_in_one_record() -> None:
    world = stages.ready()
    freeze_usdc(world, USDC_FEES)
    sums = 0
    for number, worker in ((1, RUNNING), (2, WAITING)):
        stages.open_order(world, "mallory", number, stages.IN_USDC, devices=1, hours=1)
        stages.run(world, worker, "mallory", number)
        world.chain.advance(4 * HOUR)
        do(world, settle(world, worker, "mallory", number), park_fees(world, "mallory", number))
        sums += fee(HOURLY) + fee(HOURLY, 225)
        assert parked(world, USDC_FEES).amount == waiting(world, Currency.USDC) == sums
    assert len(finish(client.read_parked(world.chain))) == 1


def test_fees_that_can_be_paid_are_not_set_aside() -> None:
    """Nor is what isn't due."""
    world = stages.serving()
    do(world, settle(world, OTHER_RUNNING, "mallory"))
    assert refused(world, park_fees(world, "mallory")) == "FeesPayable"
    freeze_usdc(world, USDC_FEES)
    assert refused(world, park_fees(world, "mallory")) == "NothingDue"


def test_io_goes_on_while_usdc_is_frozen() -> None:
    world = stages.serving()
    freeze_usdc(world, USDC_FEES)
    assert moved(world, settle(world))["fees"] == 2 * fee(2 * RATE)


# -- payees --------------------------------------------------------------------------------------


def hand_over(world: World) -> None:
    do(world, set_owner(io("alice"), ALICE, MALLORY))


def close_account(world: World) -> None:
    do(world, token.transfer(io("alice"), io("mallory"), ALICE, world.tokens(io("alice"))))
    do(world, close(io("alice"), ALICE, ALICE))


def freeze_account(world: World) -> None:
    freeze_anyway(world, io("alice"))


BLOCKS: dict[str, Callable[[World], None]] = {
    "handed over": hand_over,
    "closed": close_account,
    "frozen": freeze_account,
}


@pytest.mark.parametrize("how", BLOCKS)
def test_a_payee_that_can_not_be_paid_holds_up_nobody(how: str) -> None:
    """Lease, order and fault close, every rent goes back, the renter and the network have theirs."""
    world = stages.serving()
    BLOCKS[how](world)
    assert refused(world, settle(world)) == "PayeeBlocked"
    world.chain.advance(20 * HOUR)
    do(world, end(world, "mallory"))
    whole = 10 * RATE
    before = world.tokens(order(world).vault)
    do(world, park_pay(world))
    assert before - world.tokens(order(world).vault) == whole + fee(whole)
    assert waiting(world) == parked(world, io("alice")).amount == whole - fee(whole)
    assert (lease(world).held, lease(world).paid) == (0, whole)
    found = stages.fault(world, stages.where(RUNNING))
    operator = address("operator 0")
    lamports = world.account(operator).lamports
    for each in (lease(world), lease(world, WAITING)):
        do(world, client.close_lease(each))
    do(world, client.close_fault(found), stages.close(world))
    assert world.account(operator).lamports > lamports
    for gone in (found.lease, found.address, client.order_address(CAROL, 1)):
        assert world.chain.get(gone) is None


@pytest.mark.parametrize("how", BLOCKS)
def test_its_money_waits_for_it_alone(how: str) -> None:
    """Whoever calls, it goes to the payee's own account and nowhere else, when that is the payee's again."""
    world = stages.serving()
    BLOCKS[how](world)
    assert 2 * RATE + fee(2 * RATE) == LOCKED_BEFORE["payee handed over"], "that was stuck"
    do(world, park_pay(world))
    amount = 2 * RATE - fee(2 * RATE)
    assert refused(world, pay_parked(world, io("alice"))) == "PayeeBlocked"
    for other in (io("mallory"), io("bob"), usdc("alice"), OTHER_TOKENS.pubkey()):
        assert refused(world, put(pay_parked(world, io("alice")), destination=other)) == "WrongAccount"
    if how == "handed over":
        do(world, set_owner(io("alice"), MALLORY, ALICE))
    elif how == "closed":
        do(world, token.create_associated(MALLORY, ALICE, tokenomics.MINT))
    else:
        freeze_anyway(world, io("alice"), let_go=True)
    rent, payer = world.account(client.parked_address(io("alice"))).lamports, world.account(BOB).lamports
    paying = pay_parked(world, io("alice"))
    assert moved(world, paying) == {"alice": amount, "parked": -amount}
    assert world.account(BOB).lamports - payer == rent, "the record's rent is its payer's"
    assert refused(world, paying) == "AccountDataTooSmall"
    assert moved(world, settle(world)) == {}


def test_an_address_that_somebody_else_prepared_is_no_payee() -> None:
    """A token account of another mint's, or of an owner of one's own, at no associated address."""
    world = stages.matching()
    create_tokens(world, key("spare"), tokenomics.MINT, BOB)
    call = put(accept(world, WAITING), payout_tokens=key("spare").pubkey())
    assert refused(world, call) == "NotAssociatedAccount"


def test_parked_twice_it_adds_up() -> None:
    world = stages.serving()
    hand_over(world)
    do(world, park_pay(world))
    assert refused(world, park_pay(world)) == "NothingDue"
    world.chain.advance(HOUR)
    do(world, park_pay(world, payer="carol"))
    found = parked(world, io("alice"))
    assert (found.amount, found.payer) == (3 * RATE - fee(3 * RATE), BOB)


def test_leases_of_one_payee_share_its_record() -> None:
    world = stages.matching()
    do(world, accept(world, WAITING))
    world.chain.advance(LONG)
    do(world, set_owner(io("alice"), ALICE, MALLORY), set_owner(io("bob"), BOB, MALLORY))
    for worker in (RUNNING, WAITING):
        do(world, park_pay(world, worker))
    amounts = [parked(world, io(name)).amount for name in ("alice", "bob")]
    assert amounts == [2 * RATE - fee(2 * RATE)] * 2
    assert waiting(world) == sum(amounts)


def test_who_can_be_paid_is_paid() -> None:
    """Nobody sets another's money aside who would have had it at once."""
    world = stages.serving()
    for payer in ("carol", "mallory", "admin", "guardian"):
        assert refused(world, park_pay(world, payer=payer)) == "PayeePayable"


def test_parking_pays_no_earlier_than_settling() -> None:
    """The lag and the guardian's hold bind it, too: nothing leaves that a fault could still take."""
    world = stages.matching()
    hand_over(world)
    for seconds in (0, 3 * HOUR - 1):
        world.chain.warp_to(lease(world).start + seconds)
        assert refused(world, park_pay(world)) == "NothingDue"
    world.chain.advance(1)
    do(world, stages.hold(world, DAY), park_pay(world))
    assert parked(world, io("alice")).amount == RATE - fee(RATE)
    world.chain.advance(DAY - 1)
    assert refused(world, park_pay(world)) == "NothingDue"


def test_a_waiting_lease_has_nothing_to_set_aside() -> None:
    world = stages.matching()
    assert refused(world, park_pay(world, WAITING)) == "NotAssociatedAccount"


def test_both_vaults_blocked_at_once() -> None:
    """Payee and network: the supplier's part and the fees wait, the renter has the rest."""
    world = stages.serving()
    freeze_usdc(world, usdc("bob"))
    freeze_usdc(world, USDC_FEES)
    world.chain.advance(20 * HOUR)
    do(world, end(world, "elsewhere", OTHER_RUNNING, "mallory"))
    do(world, park_pay(world, OTHER_RUNNING, "mallory"), park_fees(world, "mallory"))
    for worker in (OTHER_RUNNING, OTHER_WAITING):
        do(world, client.close_lease(lease(world, worker, "mallory")))
    rest = moved(world, stages.close(world, "mallory"))["mallory usdc"]
    whole = 10 * HOURLY
    assert waiting(world, Currency.USDC) == whole + fee(whole, 225)
    assert rest == 2 * (30 * HOURLY + fee(30 * HOURLY, 225)) - whole - fee(whole, 225)
    for account in (usdc("bob"), USDC_FEES):
        thaw_usdc(world, account)
        do(world, pay_parked(world, account))
    assert waiting(world, Currency.USDC) == 0


def test_a_frozen_payee_can_not_be_accepted_for() -> None:
    """Before, a lease could begin whose money nobody could take."""
    world = stages.matching()
    freeze_usdc(world, usdc("alice"))
    assert refused(world, accept(world, OTHER_WAITING, "mallory")) == "PayeeBlocked"
    thaw_usdc(world, usdc("alice"))
    do(world, accept(world, OTHER_WAITING, "mallory"))


def test_a_fault_is_on_the_record_whoever_can_be_paid() -> None:
    """Before, a payee that handed its account over kept its record clean for ever."""
    world = stages.serving()
    hand_over(world)
    do(world, stages.vote(world, 1))
    assert device(world, RUNNING).leases_failed == 1
    assert device(world, RUNNING).lease == staking.NOBODY


# -- the renter ----------------------------------------------------------------------------------


def test_a_renter_that_can_not_be_paid_waits_alone() -> None:
    """Suppliers, the network and whoever paid rents don't; its own rest stays in its own order."""
    world = stages.serving()
    do(world, set_owner(io("carol"), CAROL, MALLORY))
    world.chain.advance(20 * HOUR)
    do(world, end(world, "mallory"))
    assert moved(world, settle(world))["alice"] == 10 * RATE - fee(10 * RATE)
    for each in (lease(world), lease(world, WAITING)):
        do(world, client.close_lease(each))
    for call in (refund(world), stages.close(world)):
        assert refused(world, call) == "NotAssociatedAccount"
    do(world, set_owner(io("carol"), MALLORY, CAROL))
    do(world, stages.close(world))


# -- the parked vaults ---------------------------------------------------------------------------


@pytest.mark.parametrize("slot", ["parked_vault", "record", "fees", "vault"])
def test_nothing_else_stands_for_the_parked_vault(slot: str) -> None:
    world = stages.serving()
    hand_over(world)
    others = {
        "parked_vault": (io("mallory"), config(world).parked(Currency.USDC), USDC_FEES),
        "record": (client.parked_address(io("mallory")), client.parked_address(usdc("alice"))),
        "fees": (io("mallory"), USDC_FEES),
        "vault": (order(world, "mallory").vault, io("mallory")),
    }
    error = "InvalidSeeds" if slot == "record" else "WrongAccount"
    for other in others[slot]:
        assert refused(world, put(park_pay(world), **{slot: other})) == error


def test_usdc_is_not_paid_out_of_the_vault_for_io() -> None:
    world = stages.serving()
    freeze_usdc(world, usdc("bob"))
    do(world, park_pay(world, OTHER_RUNNING, "mallory"))
    thaw_usdc(world, usdc("bob"))
    call = put(pay_parked(world, usdc("bob")), parked_vault=config(world).parked(Currency.IO))
    assert refused(world, call) == "WrongAccount"


def test_gifts_to_the_parked_vaults_are_nobodys() -> None:
    world = stages.serving()
    hand_over(world)
    do(world, token.transfer(io("mallory"), config(world).parked(Currency.IO), MALLORY, 7))
    do(world, park_pay(world), set_owner(io("alice"), MALLORY, ALICE))
    assert moved(world, pay_parked(world, io("alice")))["alice"] == 2 * RATE - fee(2 * RATE)
    assert waiting(world) == 7


def test_a_record_is_paid_by_anybody_and_its_rent_goes_to_its_payer() -> None:
    world = stages.serving()
    hand_over(world)
    do(world, park_pay(world), set_owner(io("alice"), MALLORY, ALICE))
    assert refused(world, put(pay_parked(world, io("alice")), payer=CAROL)) == "NotRentPayer"
    do(world, pay_parked(world, io("alice")))


def test_a_match_needs_nobodys_account() -> None:
    """A payee that is frozen meanwhile keeps no operator from matching; the worker can decline."""
    world = stages.opened()
    freeze_account(world)
    do(world, match(world, RUNNING))
    assert refused(world, accept(world, RUNNING)) == "PayeeBlocked"
    do(world, end(world, RUNNING))
    assert device(world, RUNNING).strikes == 1
