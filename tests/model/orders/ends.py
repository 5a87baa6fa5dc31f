"""How leases end, and whose the money is then, in the reference model."""

from __future__ import annotations

from tests.model.orders.base import OrdersLedger
from tests.model.orders.state import (
    ACCEPTED,
    BY_FAULT,
    BY_RENTER,
    BY_SUPPLIER,
    COMPLETED,
    DECLINED,
    DISPUTED,
    DONE,
    ENDED,
    FAILED,
    FAILING,
    LAPSED,
    MATCHED,
    NOTHING,
    RUNNING,
    UNFILLED,
    WITHDRAWN,
    Fault,
    Lease,
    Order,
    fee,
)
from tests.model.schedule import DAY, HOUR
from tests.model.state import CANCELLED, OPEN, Address, Event, require


class Ends(OrdersLedger):
    """Leases are named by their accounts' addresses."""

    def end_lease(self, caller: Address, address: Address) -> list[Event]:
        with self._touched(address) as (lease, order, events):
            by_renter = caller == order.renter
            by_supplier = caller == lease.supplier or self._may_end(caller, lease)
            require(lease.status != ENDED, "LeaseState")
            waits = lease.status != RUNNING
            over = self.now >= (lease.accept_until if waits else lease.stop)
            require(over or by_renter or by_supplier, "NotParty")
            before = lease.held
            served = self.now - lease.start
            blameless = order.is_hopeless(self.now) or (over and lease.status == ACCEPTED)
            if waits and by_renter and not over:
                lease.reason = WITHDRAWN
            elif waits:
                lease.reason = UNFILLED if blameless else LAPSED if over else DECLINED
            elif over:
                lease.reason, served = COMPLETED, lease.stop - lease.start
            elif by_renter:
                lease.reason, served = BY_RENTER, max(served, HOUR)
            else:
                lease.reason, served = BY_SUPPLIER, served // HOUR * HOUR
            if lease.status == ACCEPTED:
                order.served -= 1
            if not waits:
                self._cut(lease, order, lease.start + served)
            lease.status, lease.ended_at = ENDED, self.now
            released = before - lease.held
            free = self.free(lease.order) + released
            cancelled = []
            if lease.reason == WITHDRAWN and order.gathers and order.status == OPEN:
                # Without it the gang may never fill: what its other devices wait for is over, too.
                cancelled = [self._cancel(lease.order, free)]
                free -= cancelled[0][1]["charged"]
            unwanted = lease.reason == UNFILLED and order.status == CANCELLED
            charged = 0
            if lease.reason == WITHDRAWN or unwanted:
                charged = min(fee(order.hour, order.renter_fee_bps), free)
                self._charge(order, charged)
            freed = self._free(address, lease, order)
        return [*events, *cancelled, self._ended(address, released, charged), freed]

    def vote_fault(
        self,
        operator: Address,
        address: Address,
        evidence: bytes,
        hours: int,
        number: int,
        registered_at: int,
    ) -> list[Event]:
        self._config()
        with self._touched(address) as (lease, order, begun):
            operators = self._operators()
            require(operator in operators, "NotOperator")
            name = lease.number, lease.registered_at
            require((number, registered_at) == name, "WrongLease")
            require(lease.start > 0, "LeaseState")
            config = self.staking.config
            assert config is not None
            key = address, evidence, hours
            fault = self.faults.get(key) or Fault(address, evidence, hours, operator, config.revision, *name)
            same_lease = (fault.number, fault.registered_at) == name
            require(not (same_lease and fault.decided), "FaultDecided")
            standing = {slot for slot in fault.voters if config.stands(slot, fault.revision)}
            voters = standing if same_lease else set()
            slot = operators.index(operator)
            decided = len(voters | {slot}) >= config.params.threshold
            require(slot not in voters or decided, "AlreadyVoted")
            events = self._fault(address, lease, order, hours) if decided else []
            self.faults[key] = fault
            fault.voters, fault.decided = voters | {slot}, decided
            fault.revision, fault.number, fault.registered_at = config.revision, *name
        voted = {
            "lease": address,
            "evidence": evidence,
            "good_hours": hours,
            "number": number,
            "registered_at": registered_at,
            "operator": operator,
            "revision": config.revision,
            "votes": sum(1 << number for number in fault.voters),
            "decided": decided,
        }
        return [*begun, ("FaultVoted", voted), *events]

    def hold_lease(self, guardian: Address, address: Address, until: int) -> list[Event]:
        config = self._config()
        with self._touched(address) as (lease, _, begun):
            require(guardian == config.guardian, "NotGuardian")
            require(lease.status not in {MATCHED, ACCEPTED}, "LeaseState")
            require(lease.held > 0, "NothingUnpaid")
            first = not lease.hold_from
            if first:
                require(self.now < until <= self.now + 7 * DAY, "HoldInvalid")
                lease.hold_from = self.now
            else:
                require(self.now < lease.hold_until > until, "HoldInvalid")
            lease.hold_until = until
            events = self._record(lease, DISPUTED, 0) if first else []
        held = {"lease": address, "from": lease.hold_from, "until": until}
        return [*begun, ("LeaseHeld", held), *events]

    def close_lease(self, payer: Address, address: Address) -> list[Event]:
        lease, order = self._lease(address)
        require(payer == lease.payer, "NotRentPayer")
        require(lease.status == ENDED, "LeaseState")
        require(lease.held == 0, "LeaseNotPaid")
        del self.leases[address]
        if not self.leases_of(lease.order) and not order.filled_at:
            order.gang_until = 0
        charge = fee(lease.paid, order.params.supplier_fee_bps)
        self.earned[lease.payout, order.terms.currency] += lease.paid - charge
        fields = {"lease": address, "order": lease.order, "device": lease.device}
        return [("LeaseClosed", fields)]

    def close_fault(self, payer: Address, address: Address, evidence: bytes, hours: int) -> Event:
        key = address, evidence, hours
        require(key in self.faults, "AccountMissing")
        require(payer == self.faults[key].payer, "NotRentPayer")
        require(address not in self.leases, "LeaseExists")
        del self.faults[key]
        return "FaultClosed", {"lease": address, "evidence": evidence, "good_hours": hours}

    # -- shared ----------------------------------------------------------------------------------

    def _may_end(self, caller: Address, lease: Lease) -> bool:
        """Whether somebody is the worker, and speaks for the supplier.

        Its key lies on the rented machine: what it has accepted it ends by standing consent alone.
        """
        if caller != lease.worker:
            return False
        return lease.status == MATCHED or self._device(lease.device).worker_may_end == 1

    def _fault(self, address: Address, lease: Lease, order: Order, hours: int) -> list[Event]:
        """What follows from enough votes: it was served for so many hours and no longer."""
        good = lease.start + hours * HOUR
        require(good <= min(lease.stop, self.now), "FaultInvalid")
        stop = max(good, lease.due_until(order.params.settlement_lag, self.now))
        require(stop < lease.stop, "FaultInvalid")
        before, ran = lease.held, lease.status == RUNNING
        failed_before, back = lease.reason in FAILING, lease.stop - stop
        self._cut(lease, order, stop)
        lease.reason, lease.status = BY_FAULT, ENDED
        lease.ended_at = lease.ended_at or self.now
        released = before - lease.held
        if ran:
            counted = [self._free(address, lease, order)]
        else:
            counted = self._record(lease, NOTHING if failed_before else FAILED, back)
        vars(self.leases[address]).update(vars(lease))
        return [self._ended(address, released, 0), *counted]

    def _cut(self, lease: Lease, order: Order, stop: int) -> None:
        """Its hours end at ``stop``, though never before what was due."""
        due = lease.due_until(order.params.settlement_lag, self.now)
        lease.stop = min(max(stop, due), lease.stop)

    def _free(self, address: Address, lease: Lease, order: Order) -> Event:
        """Its device is free, with what became of it on its record; a place not served opens again."""
        by_renter = lease.reason in {WITHDRAWN, BY_RENTER}
        unserved = lease.served_nothing and not by_renter
        # Who didn't come to a cancelled order in time, or came in vain, counts as having waited all the time.
        waited = order.status == CANCELLED and lease.reason in {LAPSED, UNFILLED}
        order.taken -= lease.served_nothing and not waited
        if unserved and order.status == OPEN:
            self._reopen(order)
        # While matching is stopped a worker can't accept; everything else it can.
        stopped = self._config().matching_stopped_since(lease.matched_at)
        excused = lease.reason == UNFILLED or (stopped and lease.reason == LAPSED)
        strike = unserved and not excused
        outcome = NOTHING if not lease.start else FAILED if lease.reason in FAILING else DONE
        seconds = lease.stop - lease.start
        return self.staking.free_device(
            self._authority(), lease.device, address, seconds, outcome, int(strike)
        )

    def _reopen(self, order: Order) -> None:
        """A place is to be had again; those whose time was over, and whose money went back, aren't.

        Nor is any of a gang that could not have enough of them.
        """
        if self.now >= order.match_until:
            order.open = 0
        if order.gathers and order.open + 1 + order.taken < order.terms.min_devices:
            return
        order.open += 1
        order.match_until = max(order.match_until, self.now + order.params.match_window)

    def _ended(self, address: Address, released: int, charged: int) -> Event:
        lease = self.leases[address]
        order = self.orders[lease.order]
        names = ("order", "device", "reason", "stop", "held")
        fields = {name: getattr(lease, name) for name in names}
        more = {
            "released": released,
            "charged": charged,
            "open": order.open,
            "match_until": order.match_until,
        }
        return "LeaseEnded", {"lease": address, **fields, **more}

    def _record(self, lease: Lease, outcome: int, seconds_back: int) -> list[Event]:
        """What is found out later, on the record of the very device that served.

        Of a lease that had failed already, only that less was served.
        """
        if lease.device not in self.staking.devices:
            return []
        event = self.staking.record_lease(
            self._authority(), lease.device, lease.registered_at, lease.number, outcome, seconds_back
        )
        return [event] if event else []
