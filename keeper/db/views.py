"""What people and pages look up, made from final events, and made anew by ``ionet db rebuild``.

Accounts by typed columns (``view_device``, ``view_order``, ``view_lease``, ``view_wallet``), those that were
closed, too; which events name an address (``mention``); a transaction by its signature (``tx``); sums by day
and by hour. Each has one row for one thing, written in the transaction that raises its program's
``folded_slot``; of hours, in the one that takes the hour's files in (:mod:`keeper.rewards.hours`).

Amounts are :class:`~keeper.db.types.Wide`: they sort and add up exactly on both databases.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from solders.pubkey import Pubkey
from sqlalchemy.ext.asyncio import AsyncConnection

from keeper.chain import Program
from keeper.chain.program import Fields
from keeper.chain.types import IdlType
from keeper.db.bulk import Insertion, Update
from keeper.db.events import EventPlace
from keeper.db.shapes import NOBODY, SHAPES, Shape
from keeper.db.tables import EVENT_LAYOUTS, METADATA, SIGNATURES, WATERMARKS, key, number, text
from keeper.db.types import DIGITS, Wide, column_type, encoder

AMOUNT = Wide(DIGITS["u64"])
SUM = Wide(DIGITS["u128"])
"""Of a day's amounts, which may pass what one amount can be."""
LEFT_OUT = ("version", "bump")
"""Fields that say nothing about what an account is about; nor do those that begin with ``_``."""
CALL_BITS = 16
"""Where an event was sent within its transaction, as one number: outer << CALL_BITS | inner."""

MENTION = sa.Table(
    "mention",
    METADATA,
    key("address", sa.Text()),
    *(key(name, sa.BigInteger()) for name in ("slot", "position", "outer", "inner")),
    text("program"),
    text("event"),
    sqlite_with_rowid=False,
)
"""The final events that name an address in any field, however deep: an address' history, in its order."""

TX = sa.Table(
    "tx",
    METADATA,
    key("slot", sa.BigInteger()),
    key("position", sa.BigInteger()),
    sa.Column("signature", sa.Text, nullable=False, unique=True),
    # Neither is known of those that failed: they are listed, and never read. The fee isn't of those, either,
    # that were indexed before it was kept.
    number("time", null=True),
    number("fee", null=True),
    sa.Column("failed", sa.Boolean, nullable=False),
    sqlite_with_rowid=False,
)
"""Final transactions that name any of the programs; fees in lamports."""

DAY_TOTAL = sa.Table(
    "day_total",
    METADATA,
    key("program", sa.Text()),
    key("name", sa.Text()),
    key("day", sa.BigInteger()),
    sa.Column("amount", SUM, nullable=False),
    number("count"),
    sqlite_with_rowid=False,
)
"""What moved on a day (unix time // 86,400): sums of events' amounts, see :mod:`keeper.indexer.totals`."""

HOUR_TOTAL = sa.Table(
    "hour_total",
    METADATA,
    key("hour", sa.BigInteger()),
    # The manifest's hash, which the chain has, too.
    text("data_hash"),
    number("start"),
    number("rule"),
    *(number(name) for name in ("devices", "succeeded", "failed", "missed", "wallets")),
    *(sa.Column(name, AMOUNT, nullable=False) for name in ("emitted", "pot", "paid", "carried", "total")),
)
"""A final hour's rewards by its manifest, for ever: base units of IO."""

HOUR_DEVICE = sa.Table(
    "hour_device",
    METADATA,
    key("hour", sa.BigInteger()),
    key("device", sa.Text()),
    *(sa.Column(name, sa.Integer, nullable=False) for name in ("pool", "status", "reasons")),
    *(
        sa.Column(name, AMOUNT, nullable=False)
        for name in ("score", "normalised", "reward", "supplier", "co_staker")
    ),
    sqlite_with_rowid=False,
)
"""What each device got in an hour, by ``rewards.csv``, of the last hours; older ones are in their files.

By hour and then device, as an hour's rows come together: ask for a device with ``hour IN (...)``.
"""


class Place(NamedTuple):
    """Where something happened: slot, the transaction's position in it, and the call's in that."""

    slot: int
    position: int
    call: int

    @classmethod
    def of(cls, place: EventPlace) -> Place:
        """Where an event was sent."""
        return cls(place.slot, place.position, place.outer << CALL_BITS | place.inner)


@dataclass(frozen=True, slots=True)
class Life:
    """An account from its creation on: as of the end of a window of events, or of its closing.

    ``opened`` is None when that was before the window, ``closed`` and ``closed_at`` when it is still there.
    ``ending`` is the event that closed it.
    """

    kind: str
    address: Pubkey
    fields: Fields
    opened: Place | None
    closed: Place | None = None
    closed_at: int | None = None
    ending: Mapping[str, Any] | None = None


PREFIXES = {"terms": ""}
"""What stands before the fields of a struct in an account; otherwise its own name."""


class AccountView:
    """The table of one kind of account: a row for each life of an address."""

    def __init__(self, program: Program, kind: str, shape: Shape) -> None:
        """Describe it by the program's IDL; nothing is created yet."""
        self.kind = kind
        self.order = shape.order
        """The columns that lists of it are ordered by, which have an index."""
        self.name = f"view_{_snake(kind)}"
        self._shape = shape
        self._columns = list(_flat(program, program.account_fields[kind], ()))
        columns = [sa.Column(each.name, each.type, nullable=True) for each in self._columns]
        if shape.state:
            columns.append(sa.Column("state", sa.Text, nullable=False))
        for name, kind_ in (shape.endings or {}).values():
            columns.append(sa.Column(name, column_type(kind_), nullable=True))
        self.table = sa.Table(
            self.name,
            sa.MetaData(naming_convention=METADATA.naming_convention),
            key("address", sa.Text()),
            *(key(f"opened_{name}", sa.BigInteger()) for name in Place._fields),
            *(number(f"closed_{name}", null=True) for name in (*Place._fields, "at")),
            *columns,
            *self._indexes(),
            sqlite_with_rowid=False,
        )
        described = [[each.name, str(each.type)] for each in self.table.columns]
        self.layout = json.dumps([described, shape.order, shape.indexes, shape.there, shape.gone])
        self._insertion = Insertion(self.table)
        self._update = Update(
            self.table,
            [each.name for each in self.table.columns if not each.primary_key],
            "address",
            "closed_slot IS NULL",
        )

    def _indexes(self) -> Iterator[sa.Index]:
        shape, closed = self._shape, sa.column("closed_slot", sa.BigInteger)
        for kind, lists, where in (
            ("", shape.indexes, None),
            ("_there", shape.there, closed.is_(None)),
            ("_gone", shape.gone, closed.is_not(None)),
        ):
            for names in lists:
                name = "_".join(("ix", self.name, *names)) + kind
                yield sa.Index(name, *names, *shape.order, sqlite_where=where, postgresql_where=where)

    def row(self, fields: Fields) -> dict[str, Any]:
        """An account's own columns."""
        found = {each.name: each.read(fields) for each in self._columns}
        if self._shape.state:
            found["state"] = self._shape.state(fields)
        return found

    @property
    def descriptions(self) -> dict[str, str]:
        """What the IDL says of each column that is a field of the account."""
        return {each.name: each.docs for each in self._columns if each.docs}

    async def write(self, connection: AsyncConnection, lives: Iterable[Life]) -> None:
        """Bring rows up to these; an address' in their order."""
        old: list[dict[str, Any]] = []
        new: list[dict[str, Any]] = []
        for life in lives:
            row = self.row(life.fields)
            for field, (name, _) in (self._shape.endings or {}).items():
                row[name] = life.ending[field] if life.ending else None
            closed = life.closed or (None, None, None)
            row.update(zip((f"closed_{name}" for name in Place._fields), closed, strict=True))
            row.update(closed_at=life.closed_at, address=str(life.address))
            if life.opened is None:
                old.append(row)
            else:
                row.update(zip((f"opened_{name}" for name in Place._fields), life.opened, strict=True))
                new.append(row)
        # What was there is closed before an address' next life begins.
        for statement, rows in ((self._update, old), (self._insertion, new)):
            if rows:
                await statement.run(connection, {name: [row[name] for row in rows] for name in rows[0]})


class Views:
    """The tables of one program's accounts, and what else is made of its events."""

    def __init__(self, program: Program, sums: str = "") -> None:
        """Describe them; ``sums`` says what is summed up by day, so that another version begins anew."""
        self._program = program.name
        self.by_kind = {
            kind: AccountView(program, kind, shape) for kind, shape in SHAPES.get(program.name, {}).items()
        }
        self._layouts = {each.name: each.layout for each in self.by_kind.values()}
        self._layouts[f"{program.name}_day_total"] = sums

    async def prepare(self, connection: AsyncConnection) -> bool:
        """Create what is missing, and anew what another version made; returns whether that was anything.

        All are empty then.
        """
        own = sa.select(EVENT_LAYOUTS).filter_by(program=self._program)
        made = {row.table_name: row.layout for row in await connection.execute(own)}
        if all(made.get(name) == layout for name, layout in self._layouts.items()):
            return False
        for view in self.by_kind.values():
            await connection.run_sync(view.table.drop, checkfirst=True)
            await connection.run_sync(view.table.create)
        await self.forget(connection)
        rows = [
            {"table_name": name, "program": self._program, "layout": layout}
            for name, layout in self._layouts.items()
        ]
        names = EVENT_LAYOUTS.c.table_name
        await connection.execute(sa.delete(EVENT_LAYOUTS).where(names.in_(self._layouts)))
        await connection.execute(sa.insert(EVENT_LAYOUTS), rows)
        return True

    async def forget(self, connection: AsyncConnection) -> None:
        """Empty them; transactions stay, as those that were final are."""
        for view in self.by_kind.values():
            await connection.execute(sa.delete(view.table))
        await self._forget_events(connection)

    async def drop(self, connection: AsyncConnection) -> None:
        """Forget the program, whose events' tables are dropped, and these with them."""
        await self._forget_events(connection)
        programs = SIGNATURES.c.program.in_(sa.select(WATERMARKS.c.program))
        known = programs, SIGNATURES.c.slot == TX.c.slot, SIGNATURES.c.position == TX.c.position
        await connection.execute(sa.delete(TX).where(~sa.exists().where(*known)))

    async def _forget_events(self, connection: AsyncConnection) -> None:
        for table in (MENTION, DAY_TOTAL):
            await connection.execute(sa.delete(table).filter_by(program=self._program))


class _Column(NamedTuple):
    name: str
    type: sa.types.TypeEngine[Any]
    path: tuple[str, ...]
    encode: Callable[[Any], Any] | None
    docs: str

    def read(self, fields: Fields) -> Any:
        """The column's value in an account."""
        value: Any = fields
        for name in self.path:
            value = value[name]
        return self.encode(value) if self.encode else value


@lru_cache(maxsize=32_768)
def _address(key: Pubkey) -> str | None:
    """An address as its column has it, nothing for nobody's; an account's hardly ever change."""
    return None if key == NOBODY else str(key)


def _flat(
    program: Program, fields: Iterable[Mapping[str, Any]], path: tuple[str, ...], prefix: str = ""
) -> Iterable[_Column]:
    """The columns of a struct's fields, with those of the structs in it."""
    for field in fields:
        name, kind, docs = field["name"], field["type"], " ".join(map(str.strip, field.get("docs", [])))
        if name in LEFT_OUT or name.startswith("_"):
            continue
        if isinstance(kind, dict) and "defined" in kind:
            inner = program.definitions[kind["defined"]["name"]]["type"]["fields"]
            yield from _flat(program, inner, (*path, name), PREFIXES.get(name, f"{name}_"))
        elif _is_country(kind):
            yield _Column(prefix + name, sa.Text(), (*path, name), _country, docs)
        elif isinstance(kind, dict) and "array" in kind and _is_country(kind["array"][0]):
            yield _Column(
                prefix + name, sa.JSON(), (*path, name), lambda each: list(map(_country, each)), docs
            )
        else:
            encode = _address if kind == "pubkey" else encoder(kind)
            yield _Column(prefix + name, column_type(kind), (*path, name), encode, docs)


def _is_country(kind: IdlType) -> bool:
    return kind == {"array": ["u8", 2]}


def _country(letters: bytes) -> str:
    """Two letters, or nothing."""
    return letters.strip(b"\0").decode("ascii", "replace")


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
