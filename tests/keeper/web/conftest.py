"""The pages in this process, on the index of a network in life, beside the API on the same."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from keeper.web.app import install
from tests.keeper.api.conftest import Client, asking, life, world
from tests.keeper.api.life import Life

__all__ = ["life", "world"]


@pytest.fixture
async def site(life: tuple[Life, Path], tmp_path: Path) -> AsyncIterator[Client]:
    async with asking(shutil.copy(life[1], tmp_path / "index.db"), life[0].folder, install) as client:
        yield client
