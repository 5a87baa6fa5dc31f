"""Hours that are added, and hours that are paid, in the reference model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.model.orders.base import PAUSE_ORDERS, OrdersLedger
from tests.model.orders.state import (
    ACCEPTED,
    FEES,
    IO,
    MAX_EXTENSION,
    MAX_HOURS,
    PARKED,
    RUNNING,
    Lease,
    Order,
    Parked,
    fee,
)
from tests.model.schedule import HOUR
from tests.model.state import U32, U64, Address, Event, Tokens, require, wallet


class Service(OrdersLedger):
    """What a running lease costs more, and what of it is due."""

    def extend_lease(
        self, renter: Address, address: Address, hours: int, max_amount: int, expected: int
    ) -> list[Event]:
        self._config()
        with self._touched(address) as (lease, order, events):
            device = self._device(lease.device)
            require(renter == order.renter, "NotRenter")
            self._require_running(PAUSE_ORDERS)
            # Who asks for the same again, not knowing that it was done, means another number of hours by now.
            require(lease.hours == expected, "NotAsExpected")
            require(lease.status == RUNNING, "LeaseState")
            require(self.now < lease.stop, "LeaseOver")
            require(lease.hours + hours <= U32, "Overflow")
            require(hours > 0 and lease.hours + hours <= MAX_HOURS, "HoursInvalid")
            longer = replace(lease, hours=lease.hours + hours, stop=lease.stop + hours * HOUR)
            require(longer.price <= U64, "Overflow")
            require(longer.stop - self.now <= MAX_EXTENSION, "ExtensionTooLong")
            amount = longer.price - lease.price
            require(amount <= max_amount, "ExtensionAboveLimit")
            # The device's supplier agrees to more hours for as long as it would lease it at that rate.
            ask = device.ask_io if order.terms.currency == IO else device.ask_usdc
            require(ask > 0, "NotLet")
            require(ask * device.processors <= U64, "Overflow")
            require(ask * device.processors <= lease.rate, "AskTooHigh")
            self._put_down(lease.order, wallet(renter), amount)
            lease.hours, lease.stop = longer.hours, longer.stop
        extended = {
            "cluster_id": lease.order,
            "extended_minutes": hours * 60,
            "extended_amount": lease.rate * hours,
            "lease": address,
            "stop": lease.stop,
        }
        paid = {"transaction_id": self._number(order), "cluster_id": lease.order, "amount": amount}
        return [*events, ("Extend", extended), ("Pay", paid)]

    def settle(self, address: Address) -> list[Event]:
        """Pays what is due; a payee that can't be paid is the concern of :meth:`park_pay`."""
        self._config()
        with self._touched(address) as (lease, order, events):
            self._require_recorded(lease)
            require(lease.status != ACCEPTED, "LeaseState")
            payee = wallet(lease.payout)
            if not self.is_payable(payee, order.terms.currency):
                require(self._net(lease, order) == 0, "PayeeBlocked")
            settled = self._settle(address, lease, payee)
        return [*events, *settled]

    def park_pay(self, payer: Address, address: Address) -> list[Event]:
        """The same when the payee can't be paid: its part goes where it waits for it alone."""
        self._config()
        with self._touched(address) as (lease, order, events):
            currency = order.terms.currency
            self._require_recorded(lease)
            payee, net = wallet(lease.payout), self._net(lease, order)
            require(not self.is_payable(payee, currency), "PayeePayable")
            require(lease.status != ACCEPTED, "LeaseState")
            require(net > 0, "NothingDue")
            worked, *earned = self._settle(address, lease, PARKED)
            parked = self._park(lease.payout, currency, payee, payer, net)
        return [*events, worked, ("PayParked", {**parked, "lease": address}), *earned]

    def park_fees(self, payer: Address, address: Address) -> list[Event]:
        """An order's fees go where they wait for the network, so that the order can close."""
        self._config()
        order = self._order(address)
        currency = order.terms.currency
        require(not self.is_payable(FEES, currency), "FeesPayable")
        amount = order.fees_due
        require(amount > 0, "NothingDue")
        order.fees_due = 0
        number = self._pay(address, PARKED, amount)
        parked = self._park(self.addresses.tokens(FEES, currency), currency, FEES, payer, amount)
        del parked["wallet"]
        return [("FeesParked", {**parked, "cluster_id": address, "transaction_id": number})]

    def pay_parked(self, payer: Address, owner: Address, currency: int) -> list[Event]:
        """What waits for a payee that can be paid again, by anybody."""
        self._config()
        require((owner, currency) in self.parked, "AccountMissing")
        record = self.parked[owner, currency]
        require(payer == record.payer, "NotRentPayer")
        require(self.is_payable(record.destination, currency), "PayeeBlocked")
        del self.parked[owner, currency]
        purse = self.purse(currency)
        purse[PARKED] -= record.amount
        purse[record.destination] += record.amount
        return [("ParkedPaid", self._told(record, record.amount))]

    # -- shared ----------------------------------------------------------------------------------

    def _require_recorded(self, lease: Lease) -> None:
        """Where to pay is recorded at the acceptance."""
        require(lease.accepted_at > 0, "NotAssociatedAccount")

    def _net(self, lease: Lease, order: Order) -> int:
        """What the supplier gets of what is due now."""
        due = lease.worth(lease.due_until(order.params.settlement_lag, self.now))
        bps = order.params.supplier_fee_bps
        return due - lease.paid - (fee(due, bps) - fee(lease.paid, bps))

    def _settle(self, address: Address, lease: Lease, payee: Tokens) -> list[Event]:
        """What is due goes to ``payee``, and the fees to the network if it can take them."""
        order = self.orders[lease.order]
        until = lease.due_until(order.params.settlement_lag, self.now)
        amount = lease.worth(until) - lease.paid
        renter_fee = lease.chargeable(until) - lease.fees
        events: list[Event] = []
        if amount or renter_fee:
            bps = order.params.supplier_fee_bps
            charge = fee(lease.paid + amount, bps) - fee(lease.paid, bps)
            lease.paid += amount
            lease.fees += renter_fee
            order.paid += amount - charge
            self._charge(order, charge + renter_fee)
            worked = {
                "cluster_id": lease.order,
                "compute_minutes": (until - lease.start) // 60,
                "amount": amount,
                "transaction_id": self._pay(lease.order, payee, amount - charge),
                "lease": address,
                "payout": lease.payout,
                "fee": charge,
                "renter_fee": renter_fee,
                "paid": lease.paid,
                "until": until,
            }
            events.append(("Worked", worked))
        return [*events, *self._send_fees(lease.order)]

    def _park(self, owner: Address, currency: int, to: Tokens, payer: Address, amount: int) -> dict[str, Any]:
        record = self.parked.setdefault((owner, currency), Parked(owner, currency, to, payer))
        record.amount += amount
        return {**self._told(record, amount), "payer": record.payer}

    def _told(self, record: Parked, amount: int) -> dict[str, Any]:
        """What events say of a record."""
        return {
            "record": self.addresses.parked(record.wallet, record.currency),
            "wallet": record.wallet,
            "mint": self.mint(record.currency),
            "destination": self.addresses.tokens(record.destination, record.currency),
            "amount": amount,
        }
