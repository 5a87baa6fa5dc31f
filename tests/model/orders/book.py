"""Opening, cancelling, refunding and closing orders in the reference model."""

from __future__ import annotations

from tests.model.orders.base import PAUSE_ORDERS, OrdersLedger
from tests.model.orders.state import (
    FEES,
    IO,
    MAX_HOURS,
    NEVER,
    SERVED,
    UNSERVED,
    USDC,
    Order,
    Terms,
    order_vault,
)
from tests.model.state import CANCELLED, OPEN, U64, Address, Event, require, wallet


def check(terms: Terms) -> None:
    """Bounds of what can be asked for."""
    require(terms.currency in {IO, USDC}, "CurrencyInvalid")
    require(1 <= terms.devices <= 10_000, "DevicesInvalid")
    require(1 <= terms.min_devices <= terms.devices, "DevicesInvalid")
    require(1 <= terms.processors <= 8, "ProcessorsInvalid")
    require(1 <= terms.hours <= MAX_HOURS, "HoursInvalid")
    require(1 <= terms.min_tier <= 4, "TierInvalid")
    require(terms.urgency in range(3) and terms.colocated in range(2), "WishInvalid")
    require(terms.price > 0, "PriceInvalid")
    named = len(set(terms.classes)) == len(terms.classes)
    require(named and 1 <= len(terms.classes) <= 8, "ClassesInvalid")
    letters = all(65 <= letter <= 90 for country in terms.countries for letter in country)
    require(letters and len(set(terms.countries)) == len(terms.countries), "CountriesInvalid")


class Book(OrdersLedger):
    """Orders are named by their accounts' addresses."""

    def create_order(
        self, renter: Address, number: int, terms: Terms, class_id: int, mint: Address, max_deposit: int
    ) -> list[Event]:
        config = self._config()
        require(class_id in self.staking.classes, "AccountMissing")
        address = self.addresses.order(renter, number)
        require(address not in self.orders, "AccountInUse")
        self._require_running(PAUSE_ORDERS)
        check(terms)
        until = self.now + config.params.match_window
        order = Order(number, renter, terms, config.params, self.now, terms.devices, until)
        amount = order.place * terms.devices
        require(amount <= U64, "Overflow")
        require(amount <= max_deposit, "DepositAboveLimit")
        require(mint == self.mint(terms.currency), "WrongMint")
        require(class_id == terms.classes[0], "ClassesInvalid")
        self._require_spendable(wallet(renter), terms.currency, amount)
        self.orders[address] = order
        self.purse(terms.currency)[order_vault(address)] = 0
        self._put_down(address, wallet(renter), amount)
        booked = {
            "customer_id": renter,
            "cluster_id": address,
            "currency": terms.currency,
            "hardware_type": self.staking.classes[class_id].kind,
            "hardware_quantity": terms.devices * terms.processors,
            "total_cost": amount,
            "compute_minutes_hired": terms.devices * terms.hours * 60,
            "compute_minutes_worked": 0,
            "worked_amount": 0,
            "paid": amount,
            "id": number,
            "at": self.now,
            "exclusive_until": order.exclusive_until,
            "match_until": order.match_until,
            "accept_window": config.params.accept_window,
            "settlement_lag": config.params.settlement_lag,
            "renter_fee_bps": order.renter_fee_bps,
            "supplier_fee_bps": config.params.supplier_fee_bps,
            "terms": terms.fields(),
        }
        paid = {"transaction_id": self._number(order), "cluster_id": address, "amount": amount}
        return [("BookProduct", booked), ("Pay", paid)]

    def cancel_order(self, renter: Address, address: Address) -> Event:
        order = self._order(address)
        require(renter == order.renter, "NotRenter")
        require(order.status == OPEN, "OrderClosed")
        require(order.open > 0, "NothingToCancel")
        return self._cancel(address, self.free(address))

    def refund(self, address: Address) -> Event:
        self._config()
        order = self._order(address)
        renters, currency = wallet(order.renter), order.terms.currency
        self._require_renters(renters, currency)
        amount = self.free(address) - self.kept(address)
        require(amount > 0, "NothingToRefund")
        require((renters, currency) not in self.frozen, "AccountFrozen")
        order.refunded += amount
        number = self._pay(address, renters, amount)
        return "Refund", {"transaction_id": number, "cluster_id": address, "amount": amount}

    def close_order(self, renter: Address, address: Address) -> list[Event]:
        self._config()
        order = self._order(address)
        currency = order.terms.currency
        require(renter == order.renter, "NotRenter")
        self._require_renters(wallet(renter), currency)
        require(not self.leases_of(address) and not order.takes_devices(self.now), "OrderBusy")
        require(not order.fees_due or self.is_payable(FEES, currency), "FeesBlocked")
        amount = self.free(address) - self.kept(address)
        rest = amount + order.donated
        require((wallet(renter), currency) not in self.frozen, "AccountFrozen")
        events = self._send_fees(address)
        order.refunded += amount
        number = self._pay(address, wallet(renter), rest)
        del self.orders[address]
        assert self.purse(currency).pop(order_vault(address)) == 0
        self.past_fees[currency] += order.fees
        self.spent[renter, currency] += order.paid + order.fees - order.donated
        assert order.deposit == order.paid + order.fees + order.refunded
        unserved = NEVER if order.status == CANCELLED else UNSERVED
        refund = {"transaction_id": number, "cluster_id": address, "amount": amount}
        sums = {name: getattr(order, name) for name in ("deposit", "paid", "fees", "refunded")}
        reason = SERVED if order.served else unserved
        closed = {"order": address, "reason": reason, **sums, "surplus": order.donated}
        return [*events, *([("Refund", refund)] if amount else []), ("OrderClosed", closed)]
