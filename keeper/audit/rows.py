"""An index's rows against the chain: events one by one, and the accounts that it made of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from solders.pubkey import Pubkey

from keeper.audit.decoded import Happened
from keeper.audit.findings import Code, Finding, Unchecked
from keeper.audit.ledger import Ledger, said
from keeper.chain import Event
from keeper.clients.programs import PROGRAMS
from keeper.db import Database
from keeper.db.events import EventTables
from keeper.db.tables import SIGNATURES, WATERMARKS
from keeper.db.types import account_decoders
from keeper.indexer.watermark import ACCOUNTS_OF, BEFORE_ALL, WITH_VIEWS, Watermark

Key = tuple[int, int, str]
"""Slot, place in the order of the program's events of that slot, name of the event."""


class Rows:
    """A database that is held to a ledger."""

    def __init__(self, database: Database, part: str) -> None:
        """Read from ``database``; findings are of ``part``."""
        self.checked = 0
        self.findings: list[Finding] = []
        self.unchecked: list[Unchecked] = []
        self._database, self._part = database, part

    async def compare(self, ledger: Ledger) -> None:
        """Compare all that the database has of each program with the chain's events, as far as it goes."""
        for name in PROGRAMS:
            mark = await self._mark(name)
            if mark is None:
                self.unchecked.append(Unchecked(f"{name} in {self._database.name}", "it isn't indexed there"))
                continue
            events = [each for each in ledger.events if each.program.name == name]
            await self._events(name, mark, events)
            await self._transactions(name, mark, events)
            await self._accounts(name, mark, ledger)

    async def _mark(self, name: str) -> Watermark | None:
        async with self._database.reading() as connection:
            row = (await connection.execute(sa.select(WATERMARKS).filter_by(program=name))).first()
        return None if row is None else Watermark(**row._mapping)

    async def _events(self, name: str, mark: Watermark, events: Sequence[Happened]) -> None:
        tables = EventTables(PROGRAMS[name])
        try:
            async with self._database.reading() as connection:
                found = await tables.read(connection, BEFORE_ALL, mark.final_slot)
        except (ValueError, TypeError, LookupError) as error:
            self._unreadable(f"{self._database.name}, {name}", "events", error)
            return
        right = _keyed(
            (each.executed.record.slot, each.event)
            for each in events
            if each.executed.record.slot <= mark.final_slot
        )
        there = _keyed((place.slot, event) for place, event in found)
        signers = {each.executed.record.slot: each.executed.signers for each in events}
        for key in sorted({*right, *there}):
            self.checked += 1
            slot, _, event = key
            where, row = f"{self._database.name}, {name}", f"{event} in slot {slot}"
            if key not in there:
                self._found(Code.ROW_MISSING, where, row, slot, _said(right[key]), None, signers.get(slot))
            elif key not in right:
                self._found(Code.ROW_UNFOUNDED, where, row, slot, None, _said(there[key]), None)
            else:
                for field, value in right[key].items():
                    if there[key][field] != value:
                        self._found(
                            Code.ROW_DIFFERS,
                            where,
                            f"{row}, {field}",
                            slot,
                            said(value),
                            said(there[key][field]),
                            None,
                        )

    async def _transactions(self, name: str, mark: Watermark, events: Sequence[Happened]) -> None:
        """Whether each transaction with an event has its row."""
        query = sa.select(SIGNATURES.c.signature).filter_by(program=name)
        async with self._database.reading() as connection:
            there = set(await connection.scalars(query))
        right = {
            each.executed.name: each.executed
            for each in events
            if each.executed.record.slot <= mark.final_slot
        }
        for signature, executed in right.items():
            self.checked += 1
            if signature not in there:
                where = f"{self._database.name}, {name}"
                slot = executed.record.slot
                self._found(Code.ROW_MISSING, where, "transaction", slot, signature, None, executed.signers)

    async def _accounts(self, name: str, mark: Watermark, ledger: Ledger) -> None:
        """Whether the accounts that it made are those of the same events."""
        table, decoders = ACCOUNTS_OF[WITH_VIEWS], account_decoders(PROGRAMS[name])
        if name in ledger.stopped:
            return
        book = ledger.book_at(name, mark.folded_slot)
        right = {address: (kind, fields) for kind, address, fields in book}
        async with self._database.reading() as connection:
            found = (await connection.execute(sa.select(table).filter_by(program=name))).all()
        there = {Pubkey.from_string(row.address): (row.kind, decoders[row.kind](row.fields)) for row in found}
        where = f"{self._database.name}, {name} accounts"
        for address in sorted({*right, *there}, key=bytes):
            self.checked += 1
            if address not in there:
                self._found(Code.ROW_MISSING, where, str(address), None, right[address][0], None, None)
                continue
            kind, stated = there[address]
            if address not in right or right[address][0] != kind:
                self._found(Code.ROW_UNFOUNDED, where, str(address), None, None, kind, None)
                continue
            for field, value in right[address][1].items():
                if stated[field] != value:
                    row = f"{kind} {address}, {field}"
                    self._found(Code.ROW_DIFFERS, where, row, None, said(value), said(stated[field]), None)

    def _unreadable(self, where: str, row: str, error: Exception) -> None:
        said = str(error) or type(error).__name__
        self._found(Code.ROW_UNREADABLE, where, row, None, "what an index writes", said, None)

    def _found(
        self,
        code: Code,
        where: str,
        row: str,
        slot: int | None,
        expected: str | int | None,
        found: str | int | None,
        signer: str | None,
    ) -> None:
        self.findings.append(Finding(self._part, code, where, row, slot, expected, found, signer))


def _keyed(events: Iterator[tuple[int, Event]]) -> dict[Key, dict[str, Any]]:
    """Events by slot, number of those of their name in it, and name."""
    counts: dict[tuple[int, str], int] = {}
    found: dict[Key, dict[str, Any]] = {}
    for slot, event in events:
        number = counts.get((slot, event.name), 0)
        counts[slot, event.name] = number + 1
        found[slot, number, event.name] = event.fields
    return found


def _said(fields: dict[str, Any]) -> str:
    return ", ".join(f"{name} {said(value)}" for name, value in fields.items())
