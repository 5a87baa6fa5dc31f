"""Matching and accepting in the reference model: who may when, at which price, and gangs."""

from __future__ import annotations

from tests.model.orders.base import PAUSE_MATCHING, OrdersLedger
from tests.model.orders.state import (
    ACCEPTED,
    FIRST,
    IO,
    MATCHED,
    REACH,
    RUNNING,
    TICK,
    TURN,
    Lease,
    Order,
    with_fee,
)
from tests.model.schedule import HOUR
from tests.model.staking.state import PAID_IN_IO, PAID_IN_USDC, Class, Device
from tests.model.state import OPEN, Address, Event, require, wallet


class Matching(OrdersLedger):
    """Leases are named by their accounts' addresses."""

    def match_device(
        self,
        matcher: Address,
        order_address: Address,
        address: Address,
        class_id: int,
        tick: int,
        *,
        worker: bool,
    ) -> list[Event]:
        """``worker``: whether the device's worker signs, too."""
        self._config()
        order = self._order(order_address)
        require(class_id in self.staking.classes, "AccountMissing")
        device = self._device(address)
        lease_address = self.addresses.lease(order_address, address)
        require(lease_address not in self.leases, "AccountInUse")
        require(class_id == device.class_id, "WrongClass")
        self._require_running(PAUSE_MATCHING)
        by_operator = self._require_matcher(matcher, order_address, device, tick, worker)
        self._require_wanted(order, device)
        price = self._price(order, device, self.staking.classes[class_id])
        self._require_place(order_address, device)
        rate = price * order.terms.processors
        cost = with_fee(rate * order.terms.hours, order.renter_fee_bps)
        # What was above an earlier lease's price may have gone back before its place opened again. A gang has
        # money for everybody whom it can't do without, or nobody waits for it.
        lacks = order.terms.min_devices - order.taken if order.gathers else 1
        require(cost * max(1, lacks) <= self.free(order_address), "NotFunded")
        lease = Lease(
            order=order_address,
            device=address,
            supplier=device.supplier,
            worker=device.worker,
            payout=device.payout,
            payer=matcher,
            rate=rate,
            hours=order.terms.hours,
            matched_at=self.now,
            accept_until=self._accept_until(order, by_operator),
            number=device.leases + 1,
            registered_at=device.registered_at,
            renter_fee_bps=order.renter_fee_bps,
        )
        named = lease_address, order_address, order.created_at
        leased = self.staking.lease_device(self._authority(), address, class_id, *named)
        if order.terms.colocated:
            order.country = device.country
        if order.gathers:
            order.gang_until = lease.accept_until
        order.open -= 1
        order.taken += 1
        self.leases[lease_address] = lease
        parties = ("order", "device", "supplier", "worker", "payout")
        names = (*parties, "number", "registered_at", "rate", "hours", "held", "accept_until")
        fields = {name: getattr(lease, name) for name in names}
        fields |= {"lease": lease_address, "country": device.country, "matcher": matcher, "tick": tick}
        return [("LeaseMatched", fields), leased]

    def accept_lease(self, worker: Address, address: Address) -> list[Event]:
        self._config()
        lease, order = self._lease(address)
        payout, currency = wallet(lease.payout), order.terms.currency
        require(worker == lease.worker, "NotWorker")
        require(self.is_payable(payout, currency), "PayeeBlocked")
        self._require_running(PAUSE_MATCHING)
        require(lease.status == MATCHED, "LeaseState")
        require(self.now < lease.accept_until, "AcceptanceOver")
        order.served += 1
        lease.accepted_at = self.now
        if not order.filled_at and order.served >= order.terms.min_devices:
            order.filled_at = self.now
        lease.status = ACCEPTED
        if order.filled_at:
            lease.status, lease.start, lease.stop = RUNNING, self.now, self.now + lease.hours * HOUR
        accepted = {
            "lease": address,
            "order": lease.order,
            "accepted_at": lease.accepted_at,
            "start": lease.start,
            "stop": lease.stop,
            "filled_at": order.filled_at,
        }
        return [("LeaseAccepted", accepted)]

    # -- shared ----------------------------------------------------------------------------------

    def _require_matcher(
        self, matcher: Address, order_address: Address, device: Device, tick: int, worker: bool
    ) -> bool:
        """Whether an operator matches in its turn; else the supplier must, later, with its worker."""
        order, operators = self.orders[order_address], self._operators()
        if tick:
            require(matcher in operators, "NotMatcher")
            j = (operators.index(matcher) - tick) % len(operators)
            opens = TICK * tick + FIRST + TURN * j
            require(order.created_at < TICK * tick, "TickTooEarly")
            require(opens <= self.now <= TICK * tick + REACH, "NotYourTurn")
            return True
        require(matcher == device.supplier, "NotMatcher")
        require(worker, "WorkerMustSign")
        require(self.now >= order.exclusive_until, "ExclusiveTime")
        alone = not self.leases_of(order_address)
        require(order.terms.min_devices == 1 and not (order.terms.colocated and alone), "OperatorsOnly")
        return False

    def _price(self, order: Order, device: Device, row: Class) -> int:
        """The network's, whatever the device asks below it; the ask once the network's binds no more."""
        in_io = order.terms.currency == IO
        currency = PAID_IN_IO if in_io else PAID_IN_USDC
        ask = device.ask_io if in_io else device.ask_usdc
        price = row.price_of(currency, self.now)
        require(ask > 0, "NotLet")
        require(price > 0, "NotPriced")
        if row.is_stale(self.now):
            low, high = row.bounds_of(currency, self.now)
            require(low <= ask <= high, "AskOutOfBounds")
            price = ask
        require(ask <= price, "AskTooHigh")
        require(price <= order.terms.price, "PriceTooHigh")
        return price

    def _require_wanted(self, order: Order, device: Device) -> None:
        terms = order.terms
        require(device.class_id in terms.classes, "WrongClass")
        require(device.processors == terms.processors, "WrongProcessors")
        require(device.tier >= terms.min_tier, "TierTooLow")
        require(device.changed_at < order.created_at, "TermsTooYoung")
        require(order.renter not in {device.supplier, device.worker, device.payout}, "OwnDevice")

    def _require_place(self, address: Address, device: Device) -> None:
        order = self.orders[address]
        require(order.status == OPEN, "OrderClosed")
        require(self.now < order.match_until, "MatchingOver")
        require(order.open > 0, "OrderFull")
        countries = order.terms.countries
        require(not countries or device.country in countries, "WrongCountry")
        if order.terms.colocated and self.leases_of(address):
            require(order.country == device.country, "WrongCountry")

    def _accept_until(self, order: Order, by_operator: bool) -> int:
        """A supplier accepts at once, a gang's workers together, each in half of the time at least."""
        window = order.params.accept_window
        if not by_operator:
            return self.now + 1
        if not order.gathers:
            return self.now + window
        until = order.gang_until or self.now + window
        require(until > self.now and until - self.now >= window // 2, "GangOver")
        return until
