"""The rule of a tick once more, from its description alone, in plain Python without a thought of speed."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from keeper.market.snapshot import Snapshot
from keeper.tables import Rows
from tests.keeper.market.ticks import whole

MASK = 2**64 - 1
BONUS = 0, 120, 480
Row = dict[str, Any]
Kind = tuple[Any, ...]
KEPT = "kept"
"""Instead of an order: a gang that isn't whole has it."""


def mix(number: int) -> int:
    number = (number + 0x9E3779B97F4A7C15) & MASK
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & MASK
    return number ^ (number >> 31)


def table(rows: Rows) -> list[Row]:
    found = []
    for row in rows.tolist():
        values = dict(zip(rows.dtype.names or (), row, strict=True))
        for name in ("device", "order", "supplier", "worker", "payout", "renter"):
            if name in values:
                values[name] = whole(values[name])
        found.append(values)
    return found


@dataclass
class Tick:
    """A tick of a snapshot, whose time and seed may be others for golden vectors."""

    snapshot: Snapshot
    now: int
    seed: int
    searches: int = 1_000
    looks: int = 64_000_000
    first: int = 64_000_000
    holder: dict[bytes, Any] = field(default_factory=dict)
    dead: set[Kind] = field(default_factory=set)
    exchanged: int = 0

    def __post_init__(self) -> None:
        self.prices = {row["class"]: (row["io"], row["usdc"]) for row in table(self.snapshot.prices)}
        self.pairs = {(row["order"], row["device"]) for row in table(self.snapshot.pairs)}
        free = [row for row in table(self.snapshot.devices) if row["out"] == 0]
        self.devices = sorted(free, key=self.due)
        self.orders = sorted(table(self.snapshot.orders), key=self.urgent)
        self.people = {row[name] for row in free for name in ("supplier", "worker", "payout")}
        self.by_address = {row["device"]: row for row in free}

    # -- sequence ------------------------------------------------------------------------------

    def chance(self, address: bytes) -> int:
        return mix(int.from_bytes(address[:8], "little") ^ self.seed)

    def due(self, row: Row) -> tuple[Any, ...]:
        waited = max(self.now - max(row["idle_since"], row["changed_at"]), 0)
        rank = row["class"], row["processors"], -(waited * row["weight"] // 10_000), -waited
        return (*rank, self.chance(row["device"]), row["device"])

    def urgent(self, row: Row) -> tuple[Any, ...]:
        created = row["created_at"]
        return created - BONUS[row["urgency"]], created, self.chance(row["order"]), row["order"]

    # -- who can have what -----------------------------------------------------------------------

    def price(self, number: int, currency: int) -> int:
        return int(self.prices.get(number, (0, 0))[currency])

    def classes(self, order: Row) -> tuple[int, ...]:
        named = [each for each in order["classes"] if each >= 0]
        priced = sorted((self.price(each, order["currency"]), each) for each in named)
        return tuple(each for price, each in priced if 0 < price <= order["limit"])

    def let(self, device: Row, currency: int) -> bool:
        ask = device[("ask_io", "ask_usdc")[currency]]
        return 0 < ask <= self.price(device["class"], currency)

    def can(self, order: Row, device: Row) -> bool:
        """Apart from a country that a colocated order still chooses."""
        countries = [order["country"]] if order["country"] else [each for each in order["countries"] if each]
        return (
            device["class"] in self.classes(order)
            and device["processors"] == order["processors"]
            and device["tier"] >= order["min_tier"]
            and (not countries or device["country"] in countries)
            and self.let(device, order["currency"])
            and device["changed_at"] < order["created_at"]
            and order["renter"] not in (device["supplier"], device["worker"], device["payout"])
            and (order["order"], device["device"]) not in self.pairs
        )

    # -- the rule ----------------------------------------------------------------------------------

    def run(self) -> list[tuple[bytes, bytes, int]]:
        exchange = [order for order in self.orders if self.kind(order) is not None]
        self.left = {"first": 0, "searches": 0, "looks": 0}
        for number, order in enumerate(self.orders):
            self.share("first", number, len(self.orders), 0)
            if order in exchange:
                place = exchange.index(order)
                self.share("searches", place, len(exchange), self.seed % len(exchange))
                self.share("looks", place, len(exchange), 0)
            self.serve(order)
        for _ in range(2):
            for kind in self.kinds():
                self.cheapen(kind)
        found = []
        for device, order in self.holder.items():
            if order is not KEPT:
                price = self.price(self.by_address[device]["class"], order["currency"])
                found.append((order["order"], device, price))
        return sorted(found)

    def share(self, of: str, number: int, orders: int, drawn: int) -> None:
        """Equal parts, whole units: what came up to before an order, and with it."""
        total = getattr(self, of)
        self.left[of] += (total * (number + 1) + drawn) // orders - (total * number + drawn) // orders

    def pay(self, of: str, much: int) -> bool:
        if much > self.left[of]:
            return False
        self.left[of] -= much
        return True

    def racks(self, order: Row, devices: list[Row]) -> list[list[Row]]:
        """What an order looks at: by class, the cheapest first, in it by the countries that it names."""
        named = [order["country"]] if order["country"] else sorted(filter(None, order["countries"]))
        found = []
        for number in self.classes(order):
            of_class = [
                device
                for device in devices
                if device["class"] == number
                and device["processors"] == order["processors"]
                and device["tier"] >= order["min_tier"]
                and self.let(device, order["currency"])
            ]
            found.append(
                [[device for device in of_class if device["country"] == country] for country in named]
                if named
                else [of_class]
            )
        return found

    def look(self, order: Row, devices: list[Row], need: int, can: Any) -> list[Row]:
        """The first of these devices that an order can have, by what its looks reach."""
        found: list[Row] = []
        for of_class in self.racks(order, devices):
            more: list[Row] = []
            for rack in of_class:
                mine: list[Row] = []
                if len(found) == need or not rack or not self.pay("first", 1_000):
                    continue
                for device in rack:
                    if len(mine) == need - len(found) or not self.pay("first", 1):
                        break
                    if can(device):
                        mine.append(device)
                more += mine
            more.sort(key=devices.index)
            found += more[: need - len(found)]
        return found

    def fitting(self, order: Row, need: int) -> list[Row]:
        free = [device for device in self.devices if device["device"] not in self.holder]
        return self.look(order, free, need, lambda device: self.can(order, device))

    def serve(self, order: Row) -> None:
        chooses = order["colocated"] and not order["country"]
        taken = self.fitting(order, 10**9 if chooses else order["open"])
        if chooses:
            taken = self.together(order, taken)
        taken = taken[: order["open"]]
        before, dead, exchanged = dict(self.holder), set(self.dead), self.exchanged
        for device in taken:
            self.holder[device["device"]] = order
        has = len(taken)
        while has < order["open"] and (more := self.search(order, order["open"] - has)):
            has += more
            self.exchanged += more
        if has < order["minimum"]:
            self.holder, self.dead, self.exchanged = before, dead, exchanged
            # Without anything to keep, nobody looks at what will be free soon.
            is_old = self.now - order["created_at"] >= 300
            if is_old and taken and len(taken) + self.soon(order) >= order["minimum"]:
                self.keep(taken)

    def soon(self, order: Row) -> int:
        """How many that it could have are hired by others, for no longer than it waits."""
        last = max(each["match_until"] for each in self.orders)
        hired = [row for row in table(self.snapshot.devices) if row["out"] == 1 and row["hired_until"] < last]
        there = self.look(order, hired, 10**9, lambda row: row["changed_at"] < order["created_at"])
        return sum(row["hired_until"] < order["match_until"] and self.can(order, row) for row in there)

    def keep(self, devices: list[Row]) -> None:
        """Half of those that are alike, of what is free and what is kept already."""
        paid: dict[tuple[Any, ...], bool] = {}
        for device in sorted(devices, key=self.likeness):
            alike = [each for each in self.devices if self.likeness(each) == self.likeness(device)]
            if self.likeness(device) not in paid:
                stopped = False in paid.values()
                paid[self.likeness(device)] = not stopped and self.pay("first", 1_000 + len(alike))
            if not paid[self.likeness(device)]:
                continue
            holders = [self.holder.get(each["device"]) for each in alike]
            kept = sum(each is KEPT for each in holders)
            if 2 * (kept + 1) <= kept + holders.count(None):
                self.holder[device["device"]] = KEPT

    def likeness(self, device: Row) -> tuple[Any, ...]:
        named = tuple(device[name] for name in ("class", "processors", "tier", "country"))
        return (*named, *(self.let(device, currency) for currency in (0, 1)))

    def together(self, order: Row, devices: list[Row]) -> list[Row]:
        counts: dict[bytes, int] = {}
        for device in devices:
            counts[device["country"]] = counts.get(device["country"], 0) + 1
        if not counts or max(counts.values()) < order["minimum"]:
            return []
        enough = [(count, country) for country, count in counts.items() if count >= order["open"]]
        most = [(-count, country) for country, count in counts.items()]
        _, country = min(enough or most)
        return [device for device in devices if device["country"] == country]

    # -- exchanges ---------------------------------------------------------------------------------

    def kind(self, order: Row) -> Kind | None:
        """What orders have in common that exchange devices; None for one that doesn't."""
        classes = self.classes(order)
        paired = any(which == order["order"] for which, _ in self.pairs)
        if order["colocated"] or not classes or order["renter"] in self.people or paired:
            return None
        countries = tuple(sorted(filter(None, order["countries"])))
        return classes, order["processors"], order["min_tier"], countries, order["currency"]

    def kinds(self) -> list[Kind]:
        """By first appearance."""
        return list(dict.fromkeys(filter(None, map(self.kind, self.orders))))

    def reach(self, kind: Kind) -> list[Row]:
        """The devices that every order of a kind can have, taken or not."""
        alike = [order for order in self.orders if self.kind(order) == kind]
        oldest = min(alike, key=lambda order: order["created_at"])
        return [
            device
            for number in kind[0]
            for device in self.devices
            if device["class"] == number and self.can(oldest, device)
        ]

    def holders(self, kind: Kind) -> list[Any]:
        return [self.holder.get(device["device"]) for device in self.reach(kind)]

    def search(self, order: Row, need: int) -> int:
        source = self.kind(order)
        if source is None or source in self.dead or self.left["searches"] == 0:
            return 0
        if not self.reach(source):
            self.dead.add(source)
            return 0
        self.pay("searches", 1)
        came: dict[Kind, Kind | None] = {source: None}
        queue = [source]
        for kind in queue:
            holders = self.holders(kind)
            if not self.pay("looks", 1_000 + len(holders)):
                return 0
            if None in holders:
                return self.move(order, kind, need, came)
            theirs = [self.kind(each) for each in holders if each is not KEPT]
            for each in self.kinds():
                if each in theirs and each not in came and each not in self.dead:
                    came[each] = kind
                    queue.append(each)
        self.dead |= set(queue)
        return 0

    def move(self, order: Row, kind: Kind, need: int, came: dict[Kind, Kind | None]) -> int:
        way = [[each["device"] for each in self.reach(kind) if each["device"] not in self.holder][:need]]
        while (before := came[kind]) is not None:
            of_kind = [
                each["device"]
                for each, holder in zip(self.reach(before), self.holders(before), strict=True)
                if holder not in (None, KEPT) and self.kind(holder) == kind
            ]
            way.append(of_kind)
            kind = before
        much = min(map(len, way))
        for at in range(much):
            steps = [devices[at] for devices in way]
            for device, next_one in pairwise(steps):
                self.holder[device] = self.holder[next_one]
            self.holder[steps[-1]] = order
        return much

    def cheapen(self, kind: Kind) -> None:
        """Who has the dearest devices changes first, to the cheapest that are free."""
        place = {device["device"]: at for at, device in enumerate(self.devices)}

        def cost(address: bytes) -> int:
            return self.price(self.by_address[address]["class"], kind[4])

        mine = [
            address
            for address, holder in self.holder.items()
            if holder is not KEPT and self.kind(holder) == kind
        ]
        mine.sort(key=lambda address: (-cost(address), place[address]))
        free = [each["device"] for each in self.reach(kind) if each["device"] not in self.holder]
        for out, to in zip(mine, free, strict=False):
            if cost(to) >= cost(out):
                break
            self.holder[to] = self.holder.pop(out)
