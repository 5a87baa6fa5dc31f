"""A database for visitors: it can't be written, and no question takes long."""

from collections.abc import AsyncIterator, Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from keeper.db import Database, DatabaseUnusable
from keeper.db.tables import CHAIN
from keeper.db.visitors import Visitors

ENDLESS = sa.text(
    "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers) SELECT count(*) FROM numbers"
)


@pytest.fixture
async def visitors(new_database: Callable[[], str]) -> AsyncIterator[Visitors]:
    found = Visitors(new_database(), seconds=0.2)
    yield found
    await found.close()


async def test_what_is_there_can_be_read(visitors: Visitors) -> None:
    async with visitors.reading() as connection:
        assert (await connection.execute(sa.select(CHAIN))).all() == []


async def test_nothing_can_be_written(visitors: Visitors) -> None:
    written = sa.insert(CHAIN).values(id=1, genesis_hash="a", place="b")
    for opened in (visitors.reading, visitors.transaction):
        with pytest.raises((DatabaseUnusable, DBAPIError)):
            async with opened() as connection:
                await connection.execute(written)
    other = Database(visitors.url.render_as_string(hide_password=False))
    async with other.reading() as connection:
        assert (await connection.execute(sa.select(CHAIN))).all() == []
    await other.close()


async def test_a_question_that_takes_long_is_ended(visitors: Visitors) -> None:
    with pytest.raises(DatabaseUnusable):
        async with visitors.reading() as connection:
            await connection.execute(ENDLESS)
    async with visitors.reading() as connection:
        assert (await connection.execute(sa.select(CHAIN))).all() == []
