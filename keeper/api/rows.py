"""Lists of the index's tables: models of their rows, and pages by a key that an index has.

A page is read from where the last one ended, however long the list: no row is counted or skipped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from pydantic import Field, create_model
from sqlalchemy.ext.asyncio import AsyncConnection

from keeper.api.answers import Reading
from keeper.api.fields import Amount, Form
from keeper.api.paging import Page
from keeper.db.types import Wide
from keeper.db.views import AccountView


def view_model(view: AccountView, more: type[Form]) -> type[Form]:
    """A model of a view's rows: the columns by their names there, with the IDL's descriptions."""
    described = view.descriptions
    columns: dict[str, Any] = {
        each.name: (_type(each), Field(description=described.get(each.name, _PLACES.get(each.name))))
        for each in view.table.columns
        if each.name not in _HIDDEN
    }
    name = f"{view.kind}Row"
    return create_model(name, __base__=more, __doc__=more.__doc__, **columns)


_HIDDEN = ("opened_position", "opened_call", "closed_position", "closed_call")
_PLACES = {
    "address": "the account's address",
    "opened_slot": "the slot in which it was created",
    "closed_slot": "the slot in which it was closed; null while it is there",
    "closed_at": "when it was closed, unix seconds",
    "state": "where it stands, in a word",
}


def _type(column: sa.Column[Any]) -> Any:
    if isinstance(column.type, Wide):
        kind: Any = Amount
    elif isinstance(column.type, sa.JSON):
        kind = list[Any]
    elif isinstance(column.type, sa.Boolean):
        kind = bool
    else:
        kind = int if isinstance(column.type, sa.Integer) else str
    return kind | None if column.nullable else kind


async def read_page(
    on: AsyncConnection,
    table: sa.FromClause,
    page: Page,
    key: Sequence[str],
    where: Iterable[sa.ColumnElement[bool]] = (),
) -> list[Mapping[str, Any]]:
    """A page's rows in the order of ``key``, and one more if there is one; what they satisfy is ``where``."""
    columns = [table.c[name] for name in key]
    query = sa.select(table).where(*where).limit(page.limit + 1)
    after = page.key(*(str if isinstance(each.type, sa.Text) else int for each in columns))
    if after is not None:
        place, seen = sa.tuple_(*columns), sa.tuple_(*map(sa.literal, after))
        query = query.where(place < seen if page.newest_first else place > seen)
    query = query.order_by(*(each.desc() if page.newest_first else each for each in columns))
    return [dict(row) for row in (await on.execute(query)).mappings()]


async def answer(
    asked: Reading,
    on: AsyncConnection,
    view: AccountView,
    page: Page,
    model: type[Form],
    where: Iterable[sa.ColumnElement[bool]],
    first: Sequence[str] = (),
) -> Any:
    """A page of a view's rows, in its own order, or by other columns first."""
    key = *first, *view.order
    found = await read_page(on, view.table, page, key, where)
    return asked.page(page, [model(**row) for row in found], keys(found, key))


def keys(rows: Iterable[Mapping[str, Any]], key: Sequence[str]) -> list[tuple[Any, ...]]:
    """Each row's place in the list."""
    return [tuple(row[name] for name in key) for row in rows]
