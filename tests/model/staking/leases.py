"""What the orders program does to devices, in the reference model."""

from __future__ import annotations

from tests.model.staking.base import StakingLedger
from tests.model.state import U64, ZERO, Address, Event, require


class Leases(StakingLedger):
    """Each is signed by orders' own address alone."""

    def lease_device(self, authority: Address, address: Address, class_id: int, lease: Address) -> Event:
        config = self._config()
        self._class(class_id)
        device = self._device(address)
        require(authority == config.lease_authority, "NotOrders")
        minimum = self._minimum(device, class_id)
        require(not device.terminated, "DeviceTerminated")
        require(device.lease == ZERO, "DeviceLeased")
        require(not device.slash_pending, "SlashPending")
        require(lease != ZERO, "ZeroAddress")
        require(device.counted(self.now) >= minimum, "StakeInsufficient")
        device.lease = lease
        return "DeviceLeased", {"device": address, "lease": lease}

    def free_device(self, authority: Address, address: Address, lease: Address) -> Event:
        config = self._config()
        device = self._device(address)
        require(authority == config.lease_authority, "NotOrders")
        require(lease != ZERO and device.lease == lease, "WrongLease")
        device.lease = ZERO
        return "DeviceFreed", {"device": address, "lease": lease}

    def record_lease(self, authority: Address, address: Address, seconds: int, outcome: int) -> Event:
        config = self._config()
        device = self._device(address)
        require(authority == config.lease_authority, "NotOrders")
        counters = "leases_done", "leases_failed", "disputes"
        require(outcome in range(3), "OutcomeInvalid")
        require(device.hired_seconds + seconds <= U64, "Overflow")
        device.hired_seconds += seconds
        setattr(device, counters[outcome], getattr(device, counters[outcome]) + 1)
        counted = {name: getattr(device, name) for name in ("hired_seconds", *counters)}
        return "LeaseRecorded", {"device": address, "outcome": outcome, **counted}
