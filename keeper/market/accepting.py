"""Whether a lease that waits for its worker can be accepted, and whether its terms are the supplier's own."""

from __future__ import annotations

from typing import NamedTuple

from solders.pubkey import Pubkey

from keeper.chain.framework import associated_token_address
from keeper.chain.records import Account
from keeper.chain.token import is_payable
from keeper.clients.orders import PAUSE_MATCHING, Config, Lease, Order
from keeper.clients.staking import Device
from keeper.economy.money import show
from keeper.market.matching import ask


class Hindrance(NamedTuple):
    """Why a lease isn't accepted: ``code`` for programs, ``reason`` for people, with what to do."""

    code: str
    reason: str


def payee(config: Config, order: Order, lease: Lease) -> Pubkey:
    """The token account that a lease is paid into."""
    return associated_token_address(lease.payout, config.mint(order.terms.currency))


def refused(
    config: Config, order: Order, lease: Lease, account: Account | None, now: int
) -> Hindrance | None:
    """Why a lease that waits can't be accepted at ``now``, or why that would be for nothing; None if it can.

    ``account`` is the :func:`payee`'s; that there is none is no reason, as the acceptance opens it.
    """
    if now >= lease.accept_until:
        return Hindrance("over", "the time to accept it is over: it lapses, and its place opens again")
    if order.is_stranded(now):
        return Hindrance("stranded", "too few devices can come to its order: nobody is paid, nor barred")
    if config.is_paused(PAUSE_MATCHING, now):
        return Hindrance("paused", "matching is paused by the guardian: nobody is barred for what lapses now")
    mint = config.mint(order.terms.currency)
    if account is not None and not is_payable(account, lease.payout, mint):
        blocked = payee(config, order, lease)
        return Hindrance("payout", f"{blocked} can't be paid: have it thawed or given back")
    return None


def unwanted(order: Order, lease: Lease, device: Device) -> Hindrance | None:
    """Why a lease's terms aren't those that its supplier asks for now; None if they are.

    The program has matched it at no less than the ask of then.
    """
    currency = order.terms.currency
    asked = ask(device, currency)
    if not asked:
        return Hindrance("off_market", f"since the match it was taken off the market in {currency.name}")
    if asked * order.terms.processors > lease.rate:
        price = show(lease.rate // order.terms.processors, currency)
        return Hindrance("ask", f"the price {price} {currency.name} is below the ask {show(asked, currency)}")
    return None
