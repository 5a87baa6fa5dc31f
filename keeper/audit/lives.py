"""An order's life from its events: its leases, whose its money is, and how it ended."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from solders.pubkey import Pubkey

from keeper.audit.decoded import Happened
from keeper.audit.findings import Share
from keeper.chain.program import Fields
from keeper.economy.calendar import duration, moment
from keeper.economy.money import show
from keeper.economy.orders import ENDED, CloseReason, Currency, EndReason
from keeper.market.matching import SUPPLIERS_TICK

CLOSED = {
    CloseReason.SERVED: "served",
    CloseReason.UNSERVED: "not served in time",
    CloseReason.CANCELLED: "cancelled before it was served",
}
"""Why an order was closed."""


@dataclass
class LeaseLife:
    """A lease: its match, when it ran, what was paid for it, and how it ended."""

    address: Pubkey
    matched: Happened
    start: int = 0
    stop: int = 0
    reason: EndReason = EndReason.NONE
    paid: int = 0
    """Of its principal, with the supplier's fee."""
    fees: int = 0
    """The supplier's and the renter's."""
    votes: list[Happened] = field(default_factory=list)
    """That it wasn't served."""

    @property
    def event(self) -> Fields:
        """Its match."""
        return self.matched.event.fields

    def told(self, currency: Currency) -> str:
        """What became of it, in a sentence."""
        event = self.event
        by = f"matched by {event['matcher']} in tick {event['tick']}"
        if event["tick"] == SUPPLIERS_TICK:
            by = f"taken by its supplier {event['matcher']}"
        ran = f", ran {duration(self.stop - self.start)} from {moment(self.start)}" if self.start else ""
        end = ENDED.get(self.reason, "not ended")
        sums = f"paid {show(self.paid, currency)} {currency.name}, fees {show(self.fees, currency)}"
        return (
            f"lease {self.address} of device {event['device']}, {by} at "
            f"{show(event['rate'], currency)} {currency.name} an hour{ran}: {end}; {sums}"
        )


@dataclass
class OrderLife:
    """One life of an order: a renter may use its number again, once it is closed."""

    opened: Happened
    leases: dict[Pubkey, LeaseLife] = field(default_factory=dict)
    """Those that are there, by address: one may be leased again."""
    gone: list[LeaseLife] = field(default_factory=list)
    closed: Happened | None = None
    names: set[str] = field(default_factory=set)
    """Transactions with an event of it."""
    _put_in: int = 0
    _got: defaultdict[tuple[str, Pubkey], int] = field(default_factory=lambda: defaultdict(int))

    @property
    def currency(self) -> Currency:
        """What it is paid in."""
        return Currency(self.opened.event.fields["terms"]["currency"])

    def all_leases(self) -> list[LeaseLife]:
        """In the order of their matches."""
        found = [*self.gone, *self.leases.values()]
        return sorted(found, key=lambda each: (each.matched.executed.record.slot, each.event["number"]))

    def see(self, each: Happened, fees: Pubkey) -> None:
        """Go on by an event of it; what the network gets is put to the name of ``fees``."""
        self.names.add(each.executed.name)
        name, event = each.event.name, each.event.fields
        renter = self.opened.event.fields["customer_id"]
        lease = self.leases.get(event["lease"]) if "lease" in event else None
        if name == "Pay":
            self._put_in += event["amount"]
        elif name == "Refund":
            self._got["renter", renter] += event["amount"]
        elif name == "OrderClosed":
            self._got["renter", renter] += event["surplus"]
            self.closed = each
        elif name in ("Earn", "FeesParked"):
            self._got["network", fees] += event["amount"]
        elif name == "LeaseMatched":
            self.leases[event["lease"]] = LeaseLife(event["lease"], each)
        elif lease is not None:
            self._of_lease(name, event, lease, each)

    def _of_lease(self, name: str, event: Fields, lease: LeaseLife, each: Happened) -> None:
        if name == "Worked":
            self._got["supplier", event["payout"]] += event["amount"] - event["fee"]
            lease.paid += event["amount"]
            lease.fees += event["fee"] + event["renter_fee"]
        elif name in ("LeaseAccepted", "LeaseStarted"):
            lease.start, lease.stop = event["start"], event["stop"]
        elif name == "Extend":
            lease.stop = event["stop"]
        elif name == "LeaseEnded":
            lease.reason, lease.stop = EndReason(event["reason"]), event["stop"]
        elif name == "FaultVoted":
            lease.votes.append(each)
        elif name == "LeaseClosed":
            self.gone.append(self.leases.pop(lease.address))

    def shares(self) -> list[Share]:
        """Whose the money is: what was put in is what everybody got, and what is in the vault still."""
        renter = self.opened.event.fields["customer_id"]
        unit = self.currency.name
        got = dict(self._got)
        found = [Share("renter", str(renter), unit, self._put_in, got.pop(("renter", renter), 0))]
        for (role, who), amount in sorted(
            got.items(), key=lambda each: (each[0][0] != "supplier", bytes(each[0][1]))
        ):
            found.append(Share(role, str(who), unit, 0, amount))
        if self.closed is None:
            vault = self._put_in - sum(self._got.values())
            found.append(Share("vault", str(self.opened.event.fields["cluster_id"]), unit, 0, vault))
        return found

    def told(self) -> list[str]:
        """What became of it and of each lease, in sentences."""
        opened = self.opened
        since = f"opened {moment(opened.executed.record.time)}"
        if self.closed is None:
            how = "it is there still"
        else:
            reason = CLOSED[CloseReason(self.closed.event.fields["reason"])]
            how = f"closed {moment(self.closed.executed.record.time)}, {reason}"
        first = f"{since} by {opened.event.fields['customer_id']}; {how}"
        return [first, *(each.told(self.currency) for each in self.all_leases())]


def lives_of(order: Pubkey, events: Iterable[Happened]) -> list[OrderLife]:
    """All lives of an order, the oldest first; none where there never was one."""
    found: list[OrderLife] = []
    fees: dict[Currency, Pubkey] = {}
    for each in events:
        if each.program.name != "orders":
            continue
        name, event = each.event.name, each.event.fields
        if name == "Initialized":
            fees = {Currency.IO: event["io_fees"], Currency.USDC: event["usdc_fees"]}
        if name == "BookProduct" and event["cluster_id"] == order:
            found.append(OrderLife(each))
        if not found or found[-1].closed is not None:
            continue
        life = found[-1]
        if order in (event.get("cluster_id"), event.get("order")) or event.get("lease") in life.leases:
            life.see(each, fees[life.currency])
    return found
