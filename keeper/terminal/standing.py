"""How a device stands: what keeps it from earning, what keeps it from being leased, and what is on record."""

from __future__ import annotations

from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

from keeper.clients import staking
from keeper.clients.orders import Lease
from keeper.clients.staking import NOBODY
from keeper.economy.calendar import HOUR, duration, moment
from keeper.economy.money import show
from keeper.economy.orders import Currency, LeaseStatus
from keeper.economy.supply import io
from keeper.rewards.nomination import UNSEEN, Line, Seen, State, checklist
from keeper.terminal import records
from keeper.terminal.answers import leasing
from keeper.terminal.records import Record
from keeper.terminal.stakes import own_words
from keeper.terminal.tables import plain
from keeper.wallet.stakes import Staked

_STYLES = {State.PASS: "green", State.FAIL: "bold red", State.UNKNOWN: "yellow"}


@dataclass(frozen=True, slots=True)
class Standing:
    """A device with what its standing depends on; ``lease`` is the one that it has now, ``seen`` its hour."""

    staked: Staked
    lease: Lease | None
    seen: Seen | None = None

    def to_earn(self) -> list[Line]:
        """What it needs to be nominated for rewards: see :func:`~keeper.rewards.nomination.checklist`."""
        at = self.staked
        return checklist(at.device, at.of_class, at.now, self.seen)

    def to_be_leased(self) -> list[Line]:
        """What it needs beside, to be matched with an order: D5, D7, D8 and O4 of the protocol."""
        device, of_class = self.staked.device, self.staked.of_class
        is_open = of_class.is_open(self.staked.now)
        asks = f"asks {show(device.ask_io, Currency.IO)} IO, {show(device.ask_usdc, Currency.USDC)} USDC"
        return [
            _line(
                "its class is open",
                is_open,
                f"{'since' if is_open else 'from'} {moment(of_class.opens_at)}",
                "wait until then",
            ),
            _line(
                "it is for lease",
                bool(device.ask_io or device.ask_usdc),
                asks,
                "ionet device ask; it earns block rewards all the same",
            ),
            _line("it has no lease", device.lease == NOBODY, self._leased(), "nothing: it is at work"),
        ]

    def _leased(self) -> str:
        if self.lease is None:
            return "free" if self.staked.device.lease == NOBODY else "leased"
        lease, now = self.lease, self.staked.now
        if lease.status == LeaseStatus.RUNNING:
            return f"leased for {duration(max(0, lease.stop - now))} more"
        return f"matched, to be accepted until {moment(lease.accept_until)}"


def _line(name: str, holds: bool, found: str, todo: str) -> Line:
    return Line(name, State.PASS, found) if holds else Line(name, State.FAIL, found, todo)


def to_earn(found: Standing) -> Table:
    """The nomination's checklist."""
    address = staking.device_address(found.staked.device.worker)
    table = _lines(f"To earn rewards: {address}", found.to_earn())
    alone = f"by the chain alone. What operators see isn't on it: {UNSEEN}"
    table.caption = f"{moment(found.staked.now)}, {f'by {found.seen.when}' if found.seen else alone}."
    return table


def to_be_leased(found: Standing) -> Table:
    """What it needs to be leased; a slash, a bar or too small a stake stands in its way as well."""
    table = _lines("To be leased", found.to_be_leased())
    table.caption = "A pending slash, a bar, or too small a stake stands in its way as well."
    return table


def _lines(title: str, found: list[Line]) -> Table:
    table = plain(title, "", "", "found", "what to do")
    for column in (1, 2, 3):
        table.columns[column].justify = "left"
    for each in found:
        todo = "see below" if each.todo == UNSEEN else each.todo
        table.add_row(each.name, Text(str(each.state), _STYLES[each.state]), each.found, todo)
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


def as_json(found: Standing, record: Record | None) -> leasing.Standing:
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
        "hour": found.seen.hour if found.seen else None,
        "to_earn": [_line_json(each) for each in found.to_earn()],
        "to_be_leased": [_line_json(each) for each in found.to_be_leased()],
        "record": records.as_json(record),
    }


def _line_json(line: Line) -> leasing.Line:
    return {"name": line.name, "state": str(line.state), "found": line.found, "todo": line.todo}
