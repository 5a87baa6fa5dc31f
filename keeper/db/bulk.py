"""Many rows into one table: SQLAlchemy's own way takes longer for each row than the database does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import AsyncConnection

Columns = Mapping[str, Sequence[Any]]
"""Rows by their columns: name -> a value for each row, all in the same order."""

_Processors = list[tuple[str, Callable[[Any], Any] | None]]


class _Statement(ABC):
    """A statement for many rows, compiled once for each kind of database."""

    def __init__(self, table: sa.Table, names: Sequence[str]) -> None:
        """Compile nothing yet: that is for a database's dialect. ``names`` are the columns that it has."""
        self._table = table
        self._names = names
        self._compiled: dict[str, tuple[str, _Processors]] = {}

    async def _run(self, connection: AsyncConnection, columns: Columns) -> None:
        dialect = connection.dialect
        if dialect.name not in self._compiled:
            self._compiled[dialect.name] = self._compile(dialect)
        statement, processors = self._compiled[dialect.name]
        processed = (
            map(process, columns[name]) if process else columns[name] for name, process in processors
        )
        rows = list(zip(*processed, strict=True))
        if rows:
            await connection.exec_driver_sql(statement, rows)

    def _compile(self, dialect: Dialect) -> tuple[str, _Processors]:
        quote = dialect.identifier_preparer.quote
        mark = "?" if dialect.paramstyle == "qmark" else "%s"
        processors: _Processors = [
            (name, self._table.c[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in self._names
        ]
        return self._text(quote, mark), processors

    @abstractmethod
    def _text(self, quote: Callable[[str], str], mark: str) -> str:
        """The statement, with ``mark`` for each value."""


class Insertion(_Statement):
    """Inserts into ``table``; with ``only_new``, rows whose key is there already are left out."""

    def __init__(self, table: sa.Table, *, only_new: bool = False) -> None:
        """See :class:`_Statement`."""
        super().__init__(table, [column.name for column in table.columns])
        self._only_new = only_new

    async def run(self, connection: AsyncConnection, columns: Columns) -> None:
        """Insert rows, which have all of the table's columns."""
        await self._run(connection, columns)

    def _text(self, quote: Callable[[str], str], mark: str) -> str:
        names, marks = ", ".join(map(quote, self._names)), ", ".join([mark] * len(self._names))
        only_new = " ON CONFLICT DO NOTHING" if self._only_new else ""
        return f"INSERT INTO {quote(self._table.name)} ({names}) VALUES ({marks}){only_new}"


class Update(_Statement):
    """Sets the columns ``names`` of rows that a condition finds, by the value of another column in it."""

    def __init__(self, table: sa.Table, names: Sequence[str], by: str, where: str = "") -> None:
        """Find rows by the column ``by`` and, if it is given, by a condition in SQL."""
        super().__init__(table, [*names, by])
        self._where = where

    async def run(self, connection: AsyncConnection, columns: Columns) -> None:
        """Update rows, each by its value of the column that finds it."""
        await self._run(connection, columns)

    def _text(self, quote: Callable[[str], str], mark: str) -> str:
        *names, by = map(quote, self._names)
        values = ", ".join(f"{name} = {mark}" for name in names)
        where = f" AND {self._where}" if self._where else ""
        return f"UPDATE {quote(self._table.name)} SET {values} WHERE {by} = {mark}{where}"
