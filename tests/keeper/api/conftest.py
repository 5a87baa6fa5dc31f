"""The API in this process, on the index of a network in life."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from keeper.api.service import PREFIX, application
from keeper.db.visitors import Visitors
from tests.keeper.api.life import Life, index

NOW = 2_000_000_000
"""What the API's own clock says; the index says when it was made by this machine's."""


@pytest.fixture(scope="session")
def life(tmp_path_factory: pytest.TempPathFactory) -> tuple[Life, Path]:
    """The network, and the file with its index."""
    folder = tmp_path_factory.mktemp("life")
    world, file = Life.lived(folder / "rewards"), folder / "index.db"
    asyncio.run(index(world, f"sqlite:///{file}"))
    return world, file


@pytest.fixture
def world(life: tuple[Life, Path]) -> Life:
    return life[0]


class Client:
    """Asks the API."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self.http = http

    async def ask(self, path: str, **parameters: object) -> httpx2.Response:
        """The whole answer."""
        return await self.http.get(f"{PREFIX}{path}", params=parameters or None)

    async def data(self, path: str, **parameters: object) -> Any:
        """What it says, which must be an answer."""
        found = await self.ask(path, **parameters)
        assert found.status_code == 200, found.text
        return found.json()["data"]


@asynccontextmanager
async def asking(
    file: Path | str, rewards: Path, add: Callable[[FastAPI], None] = lambda _: None
) -> AsyncIterator[Client]:
    """Who asks the API on an index, with what ``add`` puts beside it."""
    database = Visitors(f"sqlite:///{file}")
    app = application(database, rewards=rewards)
    add(app)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://site") as http:
        yield Client(http)
    await database.close()


@pytest.fixture
async def api(life: tuple[Life, Path], tmp_path: Path) -> AsyncIterator[Client]:
    async with asking(shutil.copy(life[1], tmp_path / "index.db"), life[0].folder) as client:
        yield client
