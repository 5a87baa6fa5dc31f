"""A renter's connection over real boards, a real relay and WireGuard, to a real cluster."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import httpx2 as httpx

from keeper.compute import runtime
from keeper.compute.node import JOBS
from keeper.renter.connection import Connection
from keeper.renter.door import Status, ask_status
from keeper.renter.place import Place
from tests.keeper.compute.test_cluster import installed
from tests.keeper.renter.hired import LOG, hired, served

__all__ = ["installed"]


async def connect(here, place: Place, told: list[Status]) -> asyncio.Task[None]:
    boards = here.boards()
    made = Connection(place, here.world.chain, boards, here.renter, LOG, {}, told.append)
    task = asyncio.create_task(made.run())
    while not (told and told[-1].connected):
        assert not task.done(), task
        await asyncio.sleep(0.1)
    return task


async def test_first(installed: runtime.Runtime, tmp_path: Path) -> None:
    async with hired(tmp_path) as here, served(here, installed, "one", "two"):
        place = Place(here.order.address, tmp_path / "clusters")
        told: list[Status] = []
        task = await connect(here, place, told)
        print(told)
        found = await asyncio.to_thread(ask_status, place)
        port = found.ports[JOBS]
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {place.token()}"}) as http:
            answer = await http.get(f"http://127.0.0.1:{port}/api/version")
        print(answer.text)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
