"""What the orders program does to devices, in the reference model."""

from __future__ import annotations

from tests.model.staking.base import StakingLedger
from tests.model.staking.state import (
    BAR,
    CLEAR,
    DISPUTED,
    DONE,
    FAILED,
    MAX_BAR,
    NEVER_SERVED,
    Device,
)
from tests.model.state import U64, ZERO, Address, Event, require

COUNTERS = {DONE: "leases_done", FAILED: "leases_failed", DISPUTED: "disputes"}
"""What each outcome is counted by; a lease that was never served is not counted."""


class Leases(StakingLedger):
    """Each is signed by orders' own address alone."""

    def lease_device(
        self,
        authority: Address,
        address: Address,
        class_id: int,
        lease: Address,
        order: Address,
        opened_at: int,
    ) -> Event:
        config = self._config()
        row = self._class(class_id)
        device = self._device(address)
        require(authority == config.lease_authority, "NotOrders")
        minimum = self._minimum(device, class_id)
        self._require_open(row)
        require(not device.terminated, "DeviceTerminated")
        require(device.lease == ZERO, "DeviceLeased")
        require(not device.slash_pending, "SlashPending")
        require(lease != ZERO, "ZeroAddress")
        require(device.counted(self.now) >= minimum, "StakeInsufficient")
        require(self.now >= device.barred_until, "DeviceBarred")
        # A renter may open another order where one was closed.
        require((order, opened_at) != (device.last_order, device.last_order_at), "OrderServed")
        device.lease, device.last_order, device.last_order_at = lease, order, opened_at
        device.leases += 1
        named = {"lease": lease, "order": order, "opened_at": opened_at, "number": device.leases}
        return "DeviceLeased", {"device": address, **named}

    def free_device(
        self, authority: Address, address: Address, lease: Address, seconds: int, outcome: int, strike: int
    ) -> Event:
        config = self._config()
        device = self._device(address)
        require(authority == config.lease_authority, "NotOrders")
        require(strike in (0, 1), "FlagInvalid")
        require(outcome in range(4), "OutcomeInvalid")
        require(lease != ZERO and device.lease == lease, "WrongLease")
        require(outcome != DISPUTED, "OutcomeInvalid")
        counted = outcome != NEVER_SERVED
        require(not counted or device.hired_seconds + seconds <= U64, "Overflow")
        device.lease = ZERO
        if counted:
            device.hired_seconds += seconds
            self._count(device, outcome, 1)
        if strike:
            self._strike(device)
        names = "hired_seconds", *COUNTERS.values(), "strikes", "barred_until"
        fields = {name: getattr(device, name) for name in names}
        return "DeviceFreed", {"device": address, "lease": lease, "outcome": outcome, **fields}

    def record_lease(
        self,
        authority: Address,
        address: Address,
        registered_at: int,
        number: int,
        outcome: int,
        seconds_back: int,
    ) -> Event | None:
        """What was found out about an ended lease: a fault takes what was counted as done back.

        Of one that had failed before, only seconds are taken back: it is still one failure.
        """
        config = self._config()
        device = self._device(address)
        require(authority == config.lease_authority, "NotOrders")
        require(outcome in range(4), "OutcomeInvalid")
        if device.registered_at != registered_at or device.leases < number:
            return None
        require(outcome != DONE, "OutcomeInvalid")
        if outcome == FAILED:
            require(device.leases_done > 0, "InvariantViolated")
            self._count(device, DONE, -1)
        if outcome != DISPUTED:
            device.hired_seconds -= min(seconds_back, device.hired_seconds)
        if outcome != NEVER_SERVED:
            self._count(device, outcome, 1)
        counted = {name: getattr(device, name) for name in ("hired_seconds", *COUNTERS.values())}
        return "LeaseRecorded", {"device": address, "outcome": outcome, **counted}

    def _count(self, device: Device, outcome: int, by: int) -> None:
        setattr(device, COUNTERS[outcome], getattr(device, COUNTERS[outcome]) + by)

    def _strike(self, device: Device) -> None:
        """Each bars for twice as long as the last one, unless enough was served in between."""
        if device.hired_seconds - device.served_at_strike >= CLEAR:
            device.strikes = 0
        device.strikes = min(device.strikes + 1, 255)
        device.barred_until = self.now + min(BAR * 2 ** (device.strikes - 1), MAX_BAR)
        device.served_at_strike = device.hired_seconds
