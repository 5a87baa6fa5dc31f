"""Leases from match to end in the reference model."""

from __future__ import annotations

from dataclasses import replace

from tests.model.orders.base import PAUSE_MATCHING, PAUSE_ORDERS, OrdersLedger
from tests.model.orders.state import (
    BY_FAULT,
    BY_RENTER,
    BY_SUPPLIER,
    COMPLETED,
    DECLINED,
    DISPUTED,
    DONE,
    ENDED,
    FAILED,
    FEES,
    IO,
    LAPSED,
    MATCHED,
    MAX_HOURS,
    RUNNING,
    WITHDRAWN,
    Fault,
    Lease,
    Order,
    fee,
)
from tests.model.schedule import DAY, HOUR
from tests.model.staking.state import Device
from tests.model.state import OPEN, U32, U64, Address, Event, Refused, require, wallet


class Leases(OrdersLedger):
    """Leases are named by their accounts' addresses."""

    # -- matching --------------------------------------------------------------------------------

    def match_device(
        self, matcher: Address, order_address: Address, address: Address, class_id: int, price: int
    ) -> list[Event]:
        self._config()
        order = self._order(order_address)
        require(class_id in self.staking.classes, "AccountMissing")
        device = self._device(address)
        lease_address = self.addresses.lease(order_address, address)
        require(lease_address not in self.leases, "AccountInUse")
        self._require_running(PAUSE_MATCHING)
        self._require_wanted(order, device, price)
        operates = matcher in self._operators()
        require(operates or matcher == device.supplier, "NotMatcher")
        require(order.status == OPEN, "OrderClosed")
        require(self.now < order.match_until, "MatchingOver")
        require(order.open > 0, "OrderFull")
        countries = order.terms.countries
        require(not countries or device.country in countries, "WrongCountry")
        alone = not self.leases_of(order_address)
        if order.terms.colocated:
            require(alone or order.country == device.country, "WrongCountry")
        leased = self.staking.lease_device(self._authority(), address, class_id, lease_address)
        if order.terms.colocated:
            order.country = device.country
        order.open -= 1
        lease = Lease(
            order=order_address,
            device=address,
            supplier=device.supplier,
            worker=device.worker,
            payout=device.payout,
            payer=matcher,
            rate=price * order.terms.processors,
            hours=order.terms.hours,
            matched_at=self.now,
            accept_until=self.now + order.params.accept_window,
            place=order.place,
            renter_fee_bps=order.renter_fee_bps,
        )
        self.leases[lease_address] = lease
        parties = ("order", "device", "supplier", "worker", "payout")
        names = (*parties, "rate", "hours", "held", "accept_until")
        fields = {name: getattr(lease, name) for name in names}
        fields |= {"lease": lease_address, "country": device.country, "matcher": matcher}
        return [("LeaseMatched", fields), leased]

    def accept_lease(self, worker: Address, address: Address) -> list[Event]:
        self._config()
        lease, order = self._lease(address)
        self._require_tokens(wallet(lease.payout), order.terms.currency)
        require(worker == lease.worker, "NotWorker")
        self._require_running(PAUSE_MATCHING)
        require(lease.status == MATCHED, "LeaseState")
        require(self.now < lease.accept_until, "AcceptanceOver")
        lease.status, lease.start = RUNNING, self.now
        lease.stop = self.now + lease.hours * HOUR
        order.served += 1
        accepted = {
            "lease": address,
            "order": lease.order,
            "start": lease.start,
            "stop": lease.stop,
            "held": lease.price,
            "released": lease.place - lease.price,
        }
        return [("LeaseAccepted", accepted)]

    # -- money -----------------------------------------------------------------------------------

    def extend_lease(self, renter: Address, address: Address, hours: int) -> list[Event]:
        self._config()
        lease, order = self._lease(address)
        require(renter == order.renter, "NotRenter")
        self._require_running(PAUSE_ORDERS)
        require(lease.status == RUNNING, "LeaseState")
        require(self.now < lease.stop, "LeaseOver")
        require(lease.hours + hours <= U32, "Overflow")
        require(hours > 0 and lease.hours + hours <= MAX_HOURS, "HoursInvalid")
        longer = replace(lease, hours=lease.hours + hours, stop=lease.stop + hours * HOUR)
        require(longer.price <= U64, "Overflow")
        amount = longer.price - lease.price
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
        return [("Extend", extended), ("Pay", paid)]

    def settle(self, address: Address) -> list[Event]:
        self._config()
        lease, order = self._lease(address)
        self._require_tokens(wallet(lease.payout), order.terms.currency)
        # Where to pay is recorded at the acceptance.
        require(lease.start > 0, "NotAssociatedAccount")
        until = lease.due_until(order.params.settlement_lag, self.now)
        amount = lease.worth(until) - lease.paid
        renter_fee = lease.chargeable(until) - lease.fees
        if not amount and not renter_fee:
            return []
        bps = order.params.supplier_fee_bps
        charge = fee(lease.paid + amount, bps) - fee(lease.paid, bps)
        lease.paid += amount
        lease.fees += renter_fee
        order.paid += amount
        order.fees += renter_fee
        working = self._pay(lease.order, wallet(lease.payout), amount - charge)
        earning = self._pay(lease.order, FEES, charge + renter_fee)
        worked = {
            "cluster_id": lease.order,
            "compute_minutes": (until - lease.start) // 60,
            "amount": amount,
            "transaction_id": working,
            "lease": address,
            "payout": lease.payout,
            "fee": charge,
            "renter_fee": renter_fee,
            "paid": lease.paid,
            "until": until,
        }
        earned = {"transaction_id": earning, "cluster_id": lease.order, "lease": address}
        return [("Worked", worked), ("Earn", {**earned, "amount": charge + renter_fee})]

    # -- ends ------------------------------------------------------------------------------------

    def end_lease(self, caller: Address, address: Address) -> list[Event]:
        lease, order = self._lease(address)
        self._device(lease.device)
        by_renter = caller == order.renter
        by_supplier = caller in {lease.supplier, lease.worker}
        require(lease.status != ENDED, "LeaseState")
        over = self.now >= (lease.accept_until if lease.status == MATCHED else lease.stop)
        require(over or by_renter or by_supplier, "NotParty")
        if lease.status == MATCHED:
            released = lease.place
            lease.reason = LAPSED if over else WITHDRAWN if by_renter else DECLINED
            order.open += lease.reason != WITHDRAWN
            lease.ended_at = self.now
        else:
            served = self.now - lease.start
            if over:
                reason, served = COMPLETED, lease.stop - lease.start
            elif by_renter:
                reason, served = BY_RENTER, max(served, HOUR)
            else:
                reason, served = BY_SUPPLIER, served // HOUR * HOUR
            released = self._cut(lease, order, lease.start + served, reason)
        lease.status = ENDED
        freed = self.staking.free_device(self._authority(), lease.device, address)
        return [self._ended(address, released), freed]

    def vote_fault(self, operator: Address, address: Address, evidence: bytes, hours: int) -> list[Event]:
        self._config()
        lease, order = self._lease(address)
        operators = self._operators()
        require(operator in operators, "NotOperator")
        require(lease.start > 0, "LeaseState")
        config = self.staking.config
        assert config is not None
        now_under = config.revision, lease.start
        key = address, evidence, hours
        fault = self.faults.get(key) or Fault(address, evidence, hours, operator, *now_under)
        same_lease = fault.lease_start == lease.start
        require(not (same_lease and fault.decided), "FaultDecided")
        voters = fault.voters if (fault.revision, fault.lease_start) == now_under else set()
        number = operators.index(operator)
        require(number not in voters, "AlreadyVoted")
        decided = len(voters) + 1 >= config.params.threshold
        events: list[Event] = []
        if decided:
            events = self._fault(address, lease, order, hours)
        self.faults[key] = fault
        fault.voters, fault.decided = voters | {number}, decided
        fault.revision, fault.lease_start = now_under
        voted = {
            "lease": address,
            "evidence": evidence,
            "good_hours": hours,
            "operator": operator,
            "revision": config.revision,
            "votes": sum(1 << number for number in fault.voters),
            "decided": decided,
        }
        return [("FaultVoted", voted), *events]

    def hold_lease(self, guardian: Address, address: Address, until: int) -> list[Event]:
        config = self._config()
        lease, _ = self._lease(address)
        require(guardian == config.guardian, "NotGuardian")
        require(lease.status != MATCHED, "LeaseState")
        require(lease.held > 0, "NothingUnpaid")
        events: list[Event] = []
        if not lease.hold_from:
            require(self.now < until <= self.now + 7 * DAY, "HoldInvalid")
            lease.hold_from = self.now
            events = self._record(lease, 0, DISPUTED)
        else:
            require(self.now < lease.hold_until > until, "HoldInvalid")
        lease.hold_until = until
        return [("LeaseHeld", {"lease": address, "from": lease.hold_from, "until": until}), *events]

    def close_lease(self, payer: Address, address: Address) -> list[Event]:
        self._config()
        lease, order = self._lease(address)
        require(payer == lease.payer, "NotRentPayer")
        require(lease.status == ENDED, "LeaseState")
        require(lease.held == 0, "LeaseNotPaid")
        del self.leases[address]
        charge, currency = fee(lease.paid, order.params.supplier_fee_bps), order.terms.currency
        self.past_fees[currency] += charge
        self.earned[lease.payout, currency] += lease.paid - charge
        failed = lease.reason in {BY_SUPPLIER, BY_FAULT}
        seconds = lease.stop - lease.start
        recorded = self._record(lease, seconds, FAILED if failed else DONE) if lease.start else []
        fields = {"lease": address, "order": lease.order, "device": lease.device}
        return [("LeaseClosed", {**fields, "seconds": seconds, "failed": failed}), *recorded]

    def close_fault(self, payer: Address, address: Address, evidence: bytes, hours: int) -> Event:
        key = address, evidence, hours
        require(key in self.faults, "AccountMissing")
        require(payer == self.faults[key].payer, "NotRentPayer")
        require(address not in self.leases, "LeaseExists")
        del self.faults[key]
        return "FaultClosed", {"lease": address, "evidence": evidence, "good_hours": hours}

    # -- shared ----------------------------------------------------------------------------------

    def _require_wanted(self, order: Order, device: Device, price: int) -> None:
        terms = order.terms
        require(device.class_id in terms.classes, "WrongClass")
        require(device.processors == terms.processors, "WrongProcessors")
        require(device.tier >= terms.min_tier, "TierTooLow")
        ask = device.ask_io if terms.currency == IO else device.ask_usdc
        require(ask > 0, "NotLet")
        require(ask == price, "PriceChanged")
        require(ask <= terms.price, "PriceTooHigh")
        require(order.renter not in {device.supplier, device.worker, device.payout}, "OwnDevice")

    def _fault(self, address: Address, lease: Lease, order: Order, hours: int) -> list[Event]:
        """What follows from enough votes: it was served for so many hours and no longer."""
        good = lease.start + hours * HOUR
        require(good <= min(lease.stop, self.now), "FaultInvalid")
        stop = max(good, lease.due_until(order.params.settlement_lag, self.now))
        require(stop < lease.stop, "FaultInvalid")
        ran = lease.status == RUNNING
        released = self._cut(lease, order, stop, BY_FAULT)
        lease.status = ENDED
        freed = [self.staking.free_device(self._authority(), lease.device, address)] if ran else []
        return [self._ended(address, released), *freed]

    def _cut(self, lease: Lease, order: Order, stop: int, reason: int) -> int:
        """Its hours end at ``stop``, though never before what was due; returns what the renter gets back."""
        before = lease.held
        due = lease.due_until(order.params.settlement_lag, self.now)
        lease.stop, lease.reason = min(max(stop, due), lease.stop), reason
        lease.ended_at = lease.ended_at or self.now
        return before - lease.held

    def _ended(self, address: Address, released: int) -> Event:
        names = ("order", "device", "reason", "stop", "held")
        fields = {name: getattr(self.leases[address], name) for name in names}
        return "LeaseEnded", {"lease": address, **fields, "released": released}

    def _record(self, lease: Lease, seconds: int, outcome: int) -> list[Event]:
        try:
            return [self.staking.record_lease(self._authority(), lease.device, seconds, outcome)]
        except Refused as refusal:
            assert refusal.name == "AccountMissing", "the device is gone"
            return []

    def _authority(self) -> Address:
        config = self.staking.config
        assert config is not None
        return config.lease_authority

    def _operators(self) -> tuple[Address, ...]:
        config = self.staking.config
        assert config is not None
        return config.params.operators
