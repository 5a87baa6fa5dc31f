"""The leases of a process's devices, served: each device's state machine, its beats, its quiet in a wave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from keeper.compute.liveness import BEAT_SECONDS
from keeper.market.accepting import Hindrance
from keeper.worker.lease_book import KeptLease
from keeper.worker.serving.hired import Hired
from keeper.worker.state import StateError
from keeper.worker.work import Device

TURN_SECONDS = 1.0
"""From one look at what has happened to a device to the next."""


class Serving:
    """Runs beside what accepts leases, and what it hasn't prepared isn't accepted."""

    def __init__(self, hired: Sequence[Hired], log: Any) -> None:
        """One for each device."""
        self.hired = {each.device.address: each for each in hired}
        self._log = log

    async def run(self) -> None:
        """Serve until this is cancelled; then nothing of a renter's runs on."""
        try:
            for each in self.hired.values():
                await each.begin()
            loops = [loop(each) for each in self.hired.values() for loop in (self._turn, self._answer)]
            await asyncio.gather(*loops, self._beat())
        finally:
            await asyncio.gather(*(each.close() for each in self.hired.values()), return_exceptions=True)

    def hindrance(self, device: Device, kept: KeptLease) -> Hindrance | None:
        """Why a device can't serve a lease whose hours would begin now; None when it can."""
        return self.hired[device.address].hindrance(kept)

    @asynccontextmanager
    async def quiet(self, device: Device) -> AsyncIterator[None]:
        """Meanwhile a renter's processes on the device stand still, for a while at most."""
        async with self.hired[device.address].quiet():
            yield

    async def _turn(self, hired: Hired) -> None:
        while True:
            try:
                await hired.turn()
            except StateError as error:
                self._log.error("worker.state_failed", reason=str(error))
            await asyncio.sleep(TURN_SECONDS)

    async def _answer(self, hired: Hired) -> None:
        """Beside all else: what a device does takes long, and an operator waits for two minutes."""
        while True:
            await hired.answer()
            await asyncio.sleep(TURN_SECONDS)

    async def _beat(self) -> None:
        """Each at its own pace: what one operator takes long for holds up no other device's."""
        while True:
            beating = [asyncio.create_task(each.beat()) for each in self.hired.values()]
            await asyncio.sleep(BEAT_SECONDS)
            for each in beating:
                if each.done():
                    each.result()
                else:
                    each.cancel()
