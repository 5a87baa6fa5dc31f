"""The pages in this process, on the index of a network in life, beside the API on the same."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from keeper.api.service import application
from keeper.db.visitors import Visitors
from keeper.web.app import install
from tests.keeper.api.conftest import Client, life, world
from tests.keeper.api.life import Life

__all__ = ["life", "world"]


@pytest.fixture
async def site(life: tuple[Life, Path], tmp_path: Path) -> AsyncIterator[Client]:
    file = shutil.copy(life[1], tmp_path / "index.db")
    database = Visitors(f"sqlite:///{file}")
    app = application(database, rewards=life[0].folder)
    install(app)
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://site") as http:
        yield Client(http)
    await database.close()
