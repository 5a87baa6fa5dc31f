"""Classes and their prices in the reference model: what they begin with, what changes them, who votes."""

from __future__ import annotations

from hashlib import sha256

from tests.model import schedule
from tests.model.schedule import HOUR
from tests.model.staking.base import StakingLedger
from tests.model.staking.state import (
    CURRENCIES,
    MAX_PRICE,
    MAX_STEP,
    NOTHING,
    PRICE_NOTICE,
    Bounds,
    Class,
    Prices,
    PriceTable,
)
from tests.model.state import U64, Address, Event, require


class Classes(StakingLedger):
    """An hour's steps are known by the hour that they were measured in, unix time over 3,600."""

    # -- the admin's and the guardian's ------------------------------------------------------------

    def add_class(self, admin: Address, row: Class, prices: Prices) -> Event:
        """``row`` with the multiplier that it is to have."""
        config = self._config()
        require(row.id not in self.classes, "AccountInUse")
        require(admin == config.admin, "NotAdmin")
        at = self.now + config.params.notice
        require(at <= U64, "Overflow")
        named = row.name[0] != 0
        require(named and row.pool < 2 and row.kind < 3 and row.multiplier <= 50_000, "ClassInvalid")
        row.pending_multiplier, row.multiplier, row.pending_at, row.opens_at = row.multiplier, 0, at, at
        for name in Prices.__dataclass_fields__:
            setattr(row, name, getattr(prices, name))
        self._require_prices(row)
        self.classes[row.id] = row
        return "ClassAdded", {
            "id": row.id,
            "name": row.name,
            "multiplier": row.pending_multiplier,
            "pool": row.pool,
            "kind": row.kind,
            "prices": vars(prices),
            "opens_at": at,
        }

    def change_class(self, admin: Address, number: int, multiplier: int) -> Event:
        config = self._config()
        row = self._class(number)
        require(admin == config.admin, "NotAdmin")
        at = self.now + config.params.notice
        require(at <= U64, "Overflow")
        require(row.opens_at != U64, "ClassNotOpen")
        require(multiplier <= 50_000, "ClassInvalid")
        row.multiplier = row.multiplier_at(self.now)
        row.pending_multiplier, row.pending_at = multiplier, at
        return "ClassChanged", {"id": number, "from": row.multiplier, "to": multiplier, "at": at}

    def change_bounds(self, admin: Address, number: int, bounds: Bounds) -> Event:
        config = self._config()
        row = self._class(number)
        require(admin == config.admin, "NotAdmin")
        at = self.now + config.params.notice
        require(at <= U64, "Overflow")
        require(row.opens_at != U64, "ClassNotOpen")
        for currency in CURRENCIES:
            # A currency begins at its lowest price, and ends with bounds of 0.
            low, high = getattr(bounds, f"low_{currency}"), getattr(bounds, f"high_{currency}")
            require(1 <= low <= high <= MAX_PRICE or low == high == 0, "PricesInvalid")
        row.fold(self.now)
        for name in Bounds.__dataclass_fields__:
            setattr(row, f"next_{name}", getattr(bounds, name))
        row.bounds_at = at
        return "BoundsChanged", {
            "id": number,
            "bounds": vars(bounds),
            "at": at,
            "price_io": row.price_io,
            "price_usdc": row.price_usdc,
            "now": self.now,
        }

    def cancel_class(self, guardian: Address, number: int) -> Event:
        config = self._config()
        row = self._class(number)
        require(guardian == config.guardian, "NotGuardian")
        multiplier, bounds = row.pending_at > self.now, row.bounds_at > self.now
        opening = self.now < row.opens_at < U64
        require(multiplier or bounds or opening, "NothingProposed")
        if multiplier:
            row.pending_multiplier = row.pending_at = 0
        if bounds:
            row.bounds_at = 0
            for name in Bounds.__dataclass_fields__:
                setattr(row, f"next_{name}", 0)
        if opening:
            row.opens_at = U64
        return "ClassCancelled", {
            "id": number,
            "pending_at": row.pending_at,
            "bounds_at": row.bounds_at,
            "opens_at": row.opens_at,
        }

    def cancel_price(self, guardian: Address, number: int) -> Event:
        config = self._config()
        row = self._class(number)
        require(guardian == config.guardian, "NotGuardian")
        require(row.step_at > self.now and any((row.next_io, row.next_usdc)), "NothingProposed")
        row.next_io = row.next_usdc = 0
        return "PriceCancelled", {"class": number, "hour": row.price_hour}

    # -- the operators' ----------------------------------------------------------------------------

    def vote_prices(self, operator: Address, hour: int, root: bytes) -> Event:
        config = self._config()
        slot = self._operator(operator)
        self._require_window(hour)
        require(root != NOTHING, "PricesInvalid")
        table = self.prices.get(hour) or PriceTable(hour, operator, config.revision)
        require(not table.agreed, "AlreadyAgreed")
        self.prices[hour] = table
        table.said = {**self._standing(table.said, table.revision), slot: root}
        table.revision = config.revision
        if self._is_quorum(table.said, root):
            table.agreed, table.root = True, root
        return "PricesVoted", {
            "hour": hour,
            "operator": operator,
            "root": root,
            "agreed": table.agreed,
            "revision": config.revision,
        }

    def apply_price(self, number: int, hour: int, steps: tuple[int, int], proof: bytes) -> Event:
        row, table = self._class(number), self._table(hour)
        self._require_window(hour)
        require(table.agreed, "NotAgreed")
        require(schedule.proves(table.root, price_leaf(hour, number, steps), proof), "InvalidProof")
        self._require_open(row)
        require(hour > row.price_hour, "StepApplied")
        require(all(abs(step) <= MAX_STEP for step in steps), "StepTooLarge")
        row.fold(self.now)
        row.next_io, row.next_usdc = steps
        row.price_hour = hour
        return "PriceApplied", {
            "class": number,
            "hour": hour,
            "step_io": steps[0],
            "step_usdc": steps[1],
            "price_io": row.price_io,
            "price_usdc": row.price_usdc,
            "at": self.now,
        }

    def close_prices(self, payer: Address, hour: int) -> Event:
        table = self._table(hour)
        require(payer == table.payer, "NotRentPayer")
        require(self.now >= (hour + 2) * HOUR, "PricesStillOpen")
        del self.prices[hour]
        return "PricesClosed", {"hour": hour}

    # -- shared ------------------------------------------------------------------------------------

    def _table(self, hour: int) -> PriceTable:
        require(hour in self.prices, "AccountMissing")
        return self.prices[hour]

    def _require_window(self, hour: int) -> None:
        """An hour's steps are voted and applied in the hour after it, long enough before they hold."""
        holds = (hour + 2) * HOUR
        require(holds - HOUR <= self.now < holds - PRICE_NOTICE, "PriceWindow")

    def _require_prices(self, row: Class) -> None:
        for currency in CURRENCIES:
            price, (low, high) = row.price_of(currency, self.now), row.bounds_of(currency, self.now)
            require(1 <= low <= price <= high <= MAX_PRICE or not (low or price or high), "PricesInvalid")


def price_leaf(hour: int, number: int, steps: tuple[int, int]) -> bytes:
    """A class's steps in a table: tag 0, "price", hour (u32), class (u16), step in IO and in USDC (i16)."""
    numbers = hour.to_bytes(4, "little") + number.to_bytes(2, "little")
    moves = b"".join(step.to_bytes(2, "little", signed=True) for step in steps)
    return sha256(b"\x00price" + numbers + moves).digest()
