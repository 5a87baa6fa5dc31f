"""A device's connection, measured with one operator after the other when the hour's wave has drawn it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from keeper.pow.connectivity import TRANSFER, Direction, is_drawn
from keeper.pow.messages import TransferRequest
from keeper.worker.client import Operator, OperatorError, Refused, WaveAt
from keeper.worker.delivery import sign
from keeper.worker.work import Device

AFTER = 90.0
"""Seconds from a wave's block until it is over: a transfer would disturb it."""
UNTIL = 3_600.0
"""Seconds from a wave's block after which its hour is over in any case."""
PAUSE = 5.0
"""Seconds between two rounds, at least."""
LONGEST = 60.0
"""And at most: an operator that says to come again much later doesn't have the others wait for it."""
FAILURES = 3
"""So many times an operator may not answer as it should before it is let alone."""
DONE = frozenset({"already_measured"})


class Lines:
    """Transfers of a process's devices, one at a time: they share its line."""

    def __init__(
        self,
        operators: Sequence[Operator],
        log: Any,
        clock: Callable[[], float],
        size: int = TRANSFER,
        after: float = AFTER,
    ) -> None:
        """``size`` bytes each way; ``clock`` gives unix seconds; they begin ``after`` the wave's block."""
        self._operators, self._log, self._clock = operators, log, clock
        self._size, self._after = size, after
        self._turn = asyncio.Lock()

    async def measure(self, device: Device, wave: WaveAt, seed: bytes, at: float) -> None:
        """Let every operator measure a device that the wave of ``seed`` drew; others do nothing.

        ``at`` is when the wave began. Raises SigningFailed.
        """
        if wave.spot or not is_drawn(seed, device.address):
            return
        log = self._log.bind(device=str(device.address), slot=wave.slot)
        log.info("worker.drawn")
        await asyncio.sleep(max(0.0, at + self._after - self._clock()))
        left = {(each, direction): 0 for each in self._operators for direction in Direction}
        measured = 0
        while left and self._clock() < at + UNTIL:
            pause = PAUSE
            for (operator, direction), failures in list(left.items()):
                try:
                    async with self._turn:
                        await self._transfer(operator, direction, device, wave, seed)
                except OperatorError as error:
                    refused = isinstance(error, Refused)
                    if isinstance(error, Refused) and not error.is_final:
                        pause = max(pause, min(error.wait, LONGEST))
                        continue
                    if not refused and failures + 1 < FAILURES:
                        left[operator, direction] = failures + 1
                        continue
                    if not (isinstance(error, Refused) and error.code in DONE):
                        log.warning("worker.unmeasured", url=operator.url, reason=str(error))
                        del left[operator, direction]
                        continue
                measured += 1
                del left[operator, direction]
            if left:
                await asyncio.sleep(pause)
        log.info("worker.measured", transfers=measured, of=len(self._operators) * len(Direction))

    async def _transfer(
        self, operator: Operator, direction: Direction, device: Device, wave: WaveAt, seed: bytes
    ) -> None:
        identity = operator.identity or await operator.identify()
        request = TransferRequest(identity.operator, seed, device.address, direction)
        signature = (await sign(request, device.signer)).signature
        await operator.transfer(wave.slot, device.address, direction, signature, self._size)
