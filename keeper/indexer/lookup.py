"""What is known of an address, a transaction, an order: read from the views, for commands and pages alike."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from keeper.chain import Event
from keeper.clients import tokenomics
from keeper.clients.programs import PROGRAMS
from keeper.db.events import ORDER, EventPlace, EventTables
from keeper.db.tables import COMPARISONS, HALTS, WATERMARKS
from keeper.db.types import WIDE, jsonable
from keeper.db.views import CALL_BITS, MENTION, TX, Views
from keeper.economy.orders import Currency
from keeper.errors import UserError

TABLES = {name: EventTables(program) for name, program in PROGRAMS.items()}
VIEWS = {kind: view for program in PROGRAMS.values() for kind, view in Views(program).by_kind.items()}
"""The views of accounts, by kind."""
LONGEST = 40
"""Letters that are repeated of what isn't a place."""
PLACE = ("slot", "position", "outer", "inner")
LATEST = 2**63 - 1
"""A slot above all others."""
PAGE = 200
"""The most events that are read at once."""


class CursorInvalid(UserError):
    """A place in a history that isn't one."""


class Cursor(NamedTuple):
    """Where an event is in everything's order: a page goes on below it."""

    slot: int
    position: int
    outer: int
    inner: int

    def __str__(self) -> str:
        """As :meth:`read` takes it."""
        return "-".join(map(str, self))

    @classmethod
    def read(cls, text: str) -> Cursor:
        """Read what a page before said; raises CursorInvalid."""
        if not re.fullmatch(r"\d{1,18}(-\d{1,18}){3}", text, re.ASCII):
            shown = text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
            raise CursorInvalid(f"{shown!r} is no place in a history: take it from the page before")
        return cls(*map(int, text.split("-")))


@dataclass(frozen=True, slots=True)
class Happened:
    """An event where it happened: its transaction's signature and fee (lamports; None if unknown)."""

    place: EventPlace
    program: str
    event: Event
    signature: str
    fee: int | None
    currency: Currency | None
    """What its amounts are in; None for those of no order that aren't IO."""

    @property
    def cursor(self) -> Cursor:
        """Where the page after it goes on."""
        return Cursor(*self.place[:4])

    def json(self) -> dict[str, Any]:
        """What it is, as JSON: integers of 64 bits as text, as JSON's readers may round them."""
        kinds = {each["name"]: each["type"] for each in PROGRAMS[self.program].event_fields[self.event.name]}
        return {
            "slot": self.place.slot,
            "time": self.place.time,
            "signature": self.signature,
            "program": self.program,
            "event": self.event.name,
            "currency": None if self.currency is None else self.currency.name,
            "fields": {
                name: str(value) if kinds[name] in WIDE else jsonable(value)
                for name, value in self.event.fields.items()
            },
        }


@dataclass(frozen=True, slots=True)
class AsOf:
    """How old figures are: they follow from all up to ``slot``, when the chain's clock showed ``time``.

    That was the newest ``at`` unix seconds of the machine that asked; the two clocks needn't agree.
    """

    slot: int
    time: int
    at: int
    behind: int = 0
    """Slots that were final then and aren't in it yet, while an index catches up."""

    def age(self) -> int:
        """Seconds since then, by this machine's clock."""
        return max(0, int(time.time()) - self.at)


async def as_of(connection: AsyncConnection) -> AsOf | None:
    """How far all programs' views are; None when one has none yet."""
    rows = (await connection.execute(sa.select(WATERMARKS))).all()
    if {row.program for row in rows} < PROGRAMS.keys() or min(row.folded_slot for row in rows) < 0:
        return None
    slot, at_time, at = (
        min(getattr(row, name) for row in rows) for name in ("folded_slot", "folded_time", "updated_at")
    )
    return AsOf(slot, at_time, at, max(0, *((row.target_slot or 0) - row.folded_slot for row in rows)))


async def halts(connection: AsyncConnection) -> dict[str, str]:
    """Why jobs that move money send nothing, by program; empty while they do."""
    rows = await connection.execute(sa.select(HALTS.c.program, HALTS.c.reason))
    return {row.program: row.reason for row in rows}


def comparisons(program: str) -> sa.Select[Any]:
    """A program's comparisons of accounts with the chain's, the newest first."""
    return sa.select(COMPARISONS).filter_by(program=program).order_by(COMPARISONS.c.id.desc())


async def history(
    connection: AsyncConnection,
    address: str,
    *,
    limit: int = 50,
    below: Cursor | None = None,
    above: Cursor | None = None,
    programs: Collection[str] = (),
    events: Collection[str] = (),
) -> list[Happened]:
    """The newest final events that name an address: below one place and above another, if these are given."""
    query = sa.select(MENTION).where(MENTION.c.address == address)
    place = sa.tuple_(*(MENTION.c[name] for name in PLACE))
    if below:
        query = query.where(place < sa.tuple_(*below))
    if above:
        query = query.where(place > sa.tuple_(*above))
    if programs:
        query = query.where(MENTION.c.program.in_(programs))
    if events:
        query = query.where(MENTION.c.event.in_(events))
    newest = query.order_by(*(MENTION.c[name].desc() for name in PLACE)).limit(limit)
    return await happened(connection, (await connection.execute(newest)).all())


async def latest(
    connection: AsyncConnection,
    *,
    limit: int,
    below: Cursor | None = None,
    above: Cursor | None = None,
    programs: Collection[str] = (),
    events: Collection[str] = (),
) -> list[Happened]:
    """The newest final events of all: each table's newest by its key, and of these the newest."""
    newest = []
    for program, tables in TABLES.items():
        # Above a program's final slot is what may yet be taken back.
        final = sa.select(WATERMARKS.c.folded_slot).filter_by(program=program).scalar_subquery()
        for name, each in tables.by_event.items():
            if (programs and program not in programs) or (events and name not in events):
                continue
            own = [each.table.c[column] for column in ORDER]
            query = sa.select(
                *(column.label(place) for column, place in zip(own, PLACE, strict=True)),
                sa.literal(program).label("program"),
                sa.literal(name).label("event"),
            ).where(own[0] <= final)
            if below:
                query = query.where(sa.tuple_(*own) < sa.tuple_(*below))
            if above:
                query = query.where(sa.tuple_(*own) > sa.tuple_(*above))
            newest.append(sa.select(query.order_by(*(one.desc() for one in own)).limit(limit).subquery()))
    if not newest:
        return []
    rows = sa.union_all(*newest).subquery()
    listed: sa.Select[Any] = sa.select(rows).order_by(*(rows.c[name].desc() for name in PLACE))
    return await happened(connection, (await connection.execute(listed.limit(limit))).all())


async def slot_from(connection: AsyncConnection, time: int) -> int:
    """The first slot of final transactions from a moment of the chain's clock on: unix seconds.

    Slots follow time, so it is found by halving what is left: thirty short questions.
    """
    low, high = 0, (await connection.execute(sa.select(sa.func.max(TX.c.slot)))).scalar() or 0
    if (at := await _time_from(connection, high)) is None or at < time:
        high += 1
    while low < high:
        middle = (low + high) // 2
        at = await _time_from(connection, middle)
        if at is None or at >= time:
            high = middle
        else:
            low = middle + 1
    return low


async def _time_from(connection: AsyncConnection, slot: int) -> int | None:
    """What the clock showed at the first final transaction from a slot on; None where there is none."""
    known = sa.select(TX.c.time).where(TX.c.slot >= slot, TX.c.time.is_not(None))
    found: int | None = (await connection.execute(known.order_by(TX.c.slot).limit(1))).scalar()
    return found


async def happened(connection: AsyncConnection, mentions: Sequence[sa.Row[Any]]) -> list[Happened]:
    """The events of some mentions, in their order."""
    # By slot and position: a slot may have thousands of transactions.
    places = sorted({(row.slot, row.position) for row in mentions})
    found: dict[tuple[str, int, int, int, int], tuple[EventPlace, Event]] = {}
    for name, event in dict.fromkeys((row.program, row.event) for row in mentions):
        table = TABLES[name].by_event[event]
        own = sa.tuple_(*(table.table.c[column] for column in ORDER[:2]))
        rows = await connection.execute(sa.select(table.table).where(own.in_(places)))
        for row in rows.mappings():
            read = table.read(row)
            found[name, *read[0][:4]] = read
    by_place = {
        (row.slot, row.position): row
        for row in await connection.execute(
            sa.select(TX).where(sa.tuple_(TX.c.slot, TX.c.position).in_(places))
        )
    }
    events = [
        (row.program, *found[row.program, row.slot, row.position, row.outer, row.inner]) for row in mentions
    ]
    money = await _Money.of(connection, [event for _, _, event in events])
    return [
        Happened(
            place,
            program,
            event,
            by_place[place.slot, place.position].signature,
            by_place[place.slot, place.position].fee,
            money.currency(program, place, event),
        )
        for program, place, event in events
    ]


@dataclass(frozen=True, slots=True)
class _Money:
    """What orders are paid in, by address and since when: a renter may use a number again."""

    currencies: Mapping[str, list[tuple[Cursor, Currency]]]
    order_of: Mapping[str, str]

    @classmethod
    async def of(cls, connection: AsyncConnection, events: Iterable[Event]) -> _Money:
        """Of all orders and leases that some events name."""
        fields = [event.fields for event in events]
        named = {str(each[name]) for each in fields for name in ("cluster_id", "order") if name in each}
        leases = {str(each["lease"]) for each in fields if "lease" in each}
        lease, order = VIEWS["Lease"].table, VIEWS["Order"].table
        pairs = sa.select(lease.c.address, lease.c.order).where(lease.c.address.in_(leases)).distinct()
        order_of = {row.address: row.order for row in await connection.execute(pairs)}
        lives = sa.select(order).where(order.c.address.in_({*named, *order_of.values()}))
        currencies: dict[str, list[tuple[Cursor, Currency]]] = {}
        for row in map(dict, (await connection.execute(lives)).mappings()):
            since = _cursor(row, "opened"), Currency(row["currency"])
            currencies.setdefault(row["address"], []).append(since)
        return cls(currencies, order_of)

    def currency(self, program: str, place: EventPlace, event: Event) -> Currency | None:
        """What an event's amounts are in."""
        fields = event.fields
        if program != "orders":
            return Currency.IO
        if "mint" in fields:
            return Currency.IO if fields["mint"] == tokenomics.MINT else Currency.USDC
        if "currency" in fields:
            return Currency(fields["currency"])
        for name in ("cluster_id", "order", "lease"):
            if name in fields:
                address = str(fields[name])
                since = self.currencies.get(self.order_of.get(address, address), [])
                known = [each for each in since if each[0] <= Cursor(*place[:4])]
                return max(known)[1] if known else None
        return None


@dataclass(frozen=True, slots=True)
class Receipt:
    """One life of an order: its row of ``view_order``, those of its leases, and what was paid, in order."""

    order: Mapping[str, Any]
    leases: Sequence[Mapping[str, Any]]
    payments: Sequence[Happened]

    def worked(self, lease: Mapping[str, Any]) -> list[Happened]:
        """The payments for one of its leases: an address may have been several."""
        begins, ends = _span(lease)
        return [
            each
            for each in self.payments
            if each.event.name == "Worked"
            and str(each.event.fields["lease"]) == lease["address"]
            and begins < each.cursor < ends
        ]


PAYMENTS = ("Pay", "Worked", "Refund", "Earn", "FeesParked")
"""Events that move money of the order that they name."""


async def receipts(connection: AsyncConnection, address: str) -> list[Receipt]:
    """What became of an order, newest first: of each one that there was at the address. Empty for none."""
    order, lease = VIEWS["Order"].table, VIEWS["Lease"].table
    newest = order.c.opened_slot.desc(), order.c.opened_position.desc(), order.c.opened_call.desc()
    lives = await connection.execute(sa.select(order).filter_by(address=address).order_by(*newest))
    found = []
    for life in map(dict, lives.mappings().all()):
        begins, ends = _span(life)
        rows = await connection.execute(
            sa.select(lease).filter_by(order=address).order_by(lease.c.matched_at, lease.c.address)
        )
        leases = [row for row in map(dict, rows.mappings()) if begins < _cursor(row, "opened") < ends]
        payments: list[Happened] = []
        below: Cursor | None = ends
        while below:
            page = await history(connection, address, limit=PAGE, below=below, above=begins, events=PAYMENTS)
            payments += page
            below = page[-1].cursor if len(page) == PAGE else None
        # What is set aside names its lease alone.
        for each in leases:
            payments += await history(
                connection, each["address"], limit=PAGE, below=ends, above=begins, events=("PayParked",)
            )
        found.append(Receipt(life, leases, sorted(payments, key=lambda each: each.place)))
    return found


def _span(row: Mapping[str, Any]) -> tuple[Cursor, Cursor]:
    """Where an account began, and where it ended."""
    ends = _cursor(row, "closed") if row["closed_slot"] is not None else Cursor(LATEST, 0, 0, 0)
    return _cursor(row, "opened"), ends


def _cursor(row: Mapping[str, Any], which: str) -> Cursor:
    call = row[f"{which}_call"]
    return Cursor(
        row[f"{which}_slot"], row[f"{which}_position"], call >> CALL_BITS, call & (1 << CALL_BITS) - 1
    )
