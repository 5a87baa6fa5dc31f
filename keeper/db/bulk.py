"""Many rows into one table: SQLAlchemy's own way takes longer for each row than the database does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import AsyncConnection

Columns = Mapping[str, Sequence[Any]]
"""Rows by their columns: name -> a value for each row, all in the same order."""

_Processors = list[tuple[str, Callable[[Any], Any] | None]]


class Insertion:
    """Inserts into ``table``; with ``only_new``, rows whose key is there already are left out."""

    def __init__(self, table: sa.Table, *, only_new: bool = False) -> None:
        """Compile nothing yet: that is for a database's dialect."""
        self._table = table
        self._only_new = only_new
        self._compiled: dict[str, tuple[str, _Processors]] = {}

    async def run(self, connection: AsyncConnection, columns: Columns) -> None:
        """Insert rows, which have all of the table's columns."""
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
        names = [column.name for column in self._table.columns]
        mark = "?" if dialect.paramstyle == "qmark" else "%s"
        statement = (
            f"INSERT INTO {quote(self._table.name)} ({', '.join(map(quote, names))}) "
            f"VALUES ({', '.join([mark] * len(names))})"
        )
        if self._only_new:
            statement += " ON CONFLICT DO NOTHING"
        processors: _Processors = [
            (column.name, column.type.dialect_impl(dialect).bind_processor(dialect))
            for column in self._table.columns
        ]
        return statement, processors
