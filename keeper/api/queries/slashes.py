"""What operators voted to slash for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from keeper.api.index import Index
from keeper.api.paging import Page
from keeper.chain.program import Fields
from keeper.db.tables import ACCOUNTS

KIND = "Slash"


async def slashes(
    on: AsyncConnection, index: Index, page: Page, equal: Mapping[str, Any]
) -> list[tuple[str, Fields]]:
    """A page of proposals by address, of those whose fields are ``equal``, and one more if there is one.

    Operators alone make them: there are few, and an index of their fields isn't worth its writes.
    """
    table = ACCOUNTS.c
    query = sa.select(table.address, table.fields).filter_by(program="staking", kind=KIND)
    if (key := page.key(str)) is not None:
        query = query.where(table.address < key[0] if page.newest_first else table.address > key[0])
    for name, value in equal.items():
        field = table.fields[name]
        text = isinstance(value, str)
        query = query.where((field.as_string() if text else field.as_integer()) == value)
    query = query.order_by(table.address.desc() if page.newest_first else table.address)
    found = await on.execute(query.limit(page.limit + 1))
    return [(address, index.decoded("staking", KIND, fields)) for address, fields in found]
