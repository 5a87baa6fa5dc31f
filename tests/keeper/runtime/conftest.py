"""Databases for keepers: what they do with one is the same on both kinds, tests/keeper/db sees to that."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from keeper.db import Database


@pytest.fixture
async def database(empty_sqlite: Path, tmp_path: Path) -> AsyncIterator[Database]:
    shutil.copy(empty_sqlite, tmp_path / "keeper.db")
    found = Database(f"sqlite:///{tmp_path}/keeper.db")
    yield found
    await found.close()
