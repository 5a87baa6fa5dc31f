"""How a device stands: a line for each thing that keeps it from earning or from being leased."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from rich.table import Table

from keeper.clients import staking
from keeper.clients.orders import Lease
from keeper.clients.staking import NOBODY
from keeper.economy.calendar import HOUR, duration, moment
from keeper.economy.classes import Pool
from keeper.economy.money import show
from keeper.economy.orders import Currency, LeaseStatus
from keeper.economy.supply import io
from keeper.terminal.stakes import own_words
from keeper.terminal.tables import plain
from keeper.wallet.stakes import Staked


class Check(NamedTuple):
    """One condition: whether it holds, what is there, and what to do where it doesn't."""

    name: str
    holds: bool
    found: str
    todo: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """A device with what its standing depends on; ``lease`` is the one that it has now."""

    staked: Staked
    lease: Lease | None

    def checks(self) -> list[Check]:
        """What the chain alone says: rules D5, D7, D8 and R7 of the protocol.

        That it was up, online and proved its work is seen by operators hour by hour, and published by them.
        """
        at = self.staked
        device, of_class, now = at.device, at.of_class, at.now
        multiplier = of_class.multiplier_at(now)
        missing = at.minimum - at.counted
        return [
            Check(
                "its class is rewarded",
                multiplier > 0,
                f"{of_class.name}, multiplier {multiplier / 100:g}, {Pool(of_class.pool).name.lower()} pool",
                "devices of it are leased, and earn no block rewards",
            ),
            Check(
                "its class is open",
                of_class.is_open(now),
                "open" if of_class.is_open(now) else f"from {moment(of_class.opens_at)} on",
                "wait",
            ),
            Check(
                "it isn't terminated",
                not device.terminated,
                "terminated" if device.terminated else "registered " + moment(device.registered_at),
                "take the stakes out, then ionet device close",
            ),
            Check(
                "no slash is pending",
                not device.slash_pending,
                "pending" if device.slash_pending else "none",
                "ionet slash show says for what, ionet device appeal objects",
            ),
            Check(
                "enough is staked",
                missing <= 0,
                f"{io(at.counted, 2)} of {io(at.minimum, 2)} IO",
                self._to_stake(missing),
            ),
            Check(
                "it isn't barred",
                now >= device.barred_until,
                f"until {moment(device.barred_until)}, {device.strikes} strikes"
                if now < device.barred_until
                else f"{device.strikes} strikes",
                "wait; accept what is matched with it, and serve a whole hour at least",
            ),
            Check(
                "it is for lease",
                bool(device.ask_io or device.ask_usdc),
                f"asks {show(device.ask_io, Currency.IO)} IO, {show(device.ask_usdc, Currency.USDC)} USDC",
                "ionet device ask; it earns block rewards all the same",
            ),
            Check("it has no lease", device.lease == NOBODY, self._leased(), "nothing: it is at work"),
        ]

    def _to_stake(self, missing: int) -> str:
        device = self.staked.device
        if device.own_cooling:
            return f"after {moment(device.own_until)}: ionet stake withdraw, then ionet stake add"
        address = staking.device_address(device.worker)
        return f"ionet stake add {address} {io(max(0, missing)).replace(',', '')}"

    def _leased(self) -> str:
        if self.lease is None:
            return "free" if self.staked.device.lease == NOBODY else "leased"
        lease, now = self.lease, self.staked.now
        if lease.status == LeaseStatus.RUNNING:
            return f"leased for {duration(max(0, lease.stop - now))} more"
        return f"matched, to be accepted until {moment(lease.accept_until)}"


def checklist(found: Standing) -> Table:
    """A line for each check, with what to do."""
    device = found.staked.device
    table = plain(f"Device {staking.device_address(device.worker)}", "", "holds", "found", "what to do")
    for column in (1, 2, 3):
        table.columns[column].justify = "left"
    for each in found.checks():
        table.add_row(each.name, "yes" if each.holds else "no", each.found, "" if each.holds else each.todo)
    return table


def facts(found: Standing) -> Table:
    """Whose it is, what it is, its stakes and its record."""
    at = found.staked
    device = at.device
    table = plain("What is on record", "", "")
    rows = {
        "worker": str(device.worker),
        "supplier": str(device.supplier),
        "paid to": str(device.payout),
        "what": f"{device.processors} x {at.of_class.name}",
        "where": f"{device.country}, tier {device.tier}",
        "stake": own_words(at),
        "own stake, IO": io(device.own),
        "can be taken out at once, IO": io(at.overflow),
        "co-stake, IO": io(device.co.amount + device.leaving.amount),
        "terms since": moment(device.changed_at),
        "hours hired": f"{device.hired_seconds // HOUR:,}",
        "leases done": f"{device.leases_done:,}",
        "leases failed": f"{device.leases_failed:,}",
        "disputes": f"{device.disputes:,}",
        "its own key may end leases": "yes" if device.worker_may_end else "no",
    }
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def as_json(found: Standing) -> dict[str, Any]:
    """The same for programs: amounts in base units as text, times unix seconds."""
    at = found.staked
    device = at.device
    return {
        "device": str(staking.device_address(device.worker)),
        "worker": str(device.worker),
        "supplier": str(device.supplier),
        "payout": str(device.payout),
        "class": at.of_class.name,
        "processors": device.processors,
        "tier": device.tier,
        "country": device.country,
        "ask_io": str(device.ask_io),
        "ask_usdc": str(device.ask_usdc),
        "own": str(device.own),
        "counted": str(at.counted),
        "minimum": str(at.minimum),
        "lease": None if device.lease == NOBODY else str(device.lease),
        "barred_until": device.barred_until,
        "strikes": device.strikes,
        "hired_seconds": device.hired_seconds,
        "leases_done": device.leases_done,
        "leases_failed": device.leases_failed,
        "disputes": device.disputes,
        "checks": [{"name": each.name, "holds": each.holds, "found": each.found} for each in found.checks()],
    }
