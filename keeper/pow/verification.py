"""Openings verified in batches: in this process, in one for each core, or on Ray; the same codes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from importlib import import_module
from multiprocessing import get_context
from typing import Any, NamedTuple, Protocol

from keeper.errors import UserError, why
from keeper.pow.codes import Code
from keeper.pow.opening import Claim
from keeper.pow.profiles import Profile, Residency
from keeper.pow.quiet import one_thread
from keeper.pow.residency import PlotClaim, verify_plots
from keeper.pow.verify import verify_batch

BATCH = 64
"""Openings that a worker verifies at a time: what they share is made once for them, and 2 MB are sent."""


class Batch(NamedTuple):
    """Openings of one wave and profile."""

    wave_seed: bytes
    epoch_seed: bytes
    """Of a residency wave's plots; empty for a product."""
    work: Profile | Residency
    claims: Sequence[Claim] | Sequence[PlotClaim]


def verified(batch: Batch) -> list[int]:
    """The code of each of a batch's openings, as a number."""
    if isinstance(batch.work, Profile):
        return [int(code) for code in verify_batch(batch.wave_seed, batch.work, batch.claims)]  # type: ignore[arg-type]
    found = verify_plots(batch.wave_seed, batch.epoch_seed, batch.work, batch.claims)  # type: ignore[arg-type]
    return [int(code) for code in found]


class Verifier(Protocol):
    """Where batches are verified."""

    async def run(self, batches: Sequence[Batch]) -> list[list[Code]]:
        """The codes of each batch, in order."""
        ...

    def close(self) -> None:
        """End what was started."""
        ...


class Here:
    """In this process, which waits meanwhile: for tests."""

    async def run(self, batches: Sequence[Batch]) -> list[list[Code]]:
        """See :class:`Verifier`."""
        return [[Code(each) for each in verified(batch)] for batch in batches]

    def close(self) -> None:
        """See :class:`Verifier`."""


class Processes:
    """In a process for each core; they start with the first batch, and again after one of them died."""

    def __init__(self, number: int | None = None) -> None:
        """``number`` of processes [default: as many as cores]."""
        self._number = number or os.cpu_count() or 1
        self._pool: ProcessPoolExecutor | None = None

    async def run(self, batches: Sequence[Batch]) -> list[list[Code]]:
        """See :class:`Verifier`."""
        if self._pool is None:
            # Not forked: this process has threads and an event loop.
            self._pool = ProcessPoolExecutor(self._number, get_context("spawn"), one_thread)
        loop = asyncio.get_running_loop()
        try:
            found = await asyncio.gather(
                *(loop.run_in_executor(self._pool, verified, each) for each in batches)
            )
        except BrokenProcessPool:
            self.close()
            raise
        return [[Code(each) for each in codes] for codes in found]

    def close(self) -> None:
        """See :class:`Verifier`."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None


class RayUnusable(UserError):
    """There is no Ray, or no cluster at the address."""


class Cluster:
    """On a Ray cluster that exists and has this package in its environment."""

    def __init__(self, address: str) -> None:
        """Connect to the cluster at ``address``; raises RayUnusable."""
        try:
            ray = import_module("ray")  # 300 MB that only who has a cluster installs
        except ModuleNotFoundError as error:
            raise RayUnusable("--ray needs the extra 'ray': pip install 'ionet[ray]'") from error
        self._ray: Any = ray
        try:
            ray.init(address=address, log_to_driver=False, logging_level="error")
        except Exception as error:  # Ray's own kinds differ by version, and by what is wrong.
            raise RayUnusable(f"no Ray cluster at {address}: {why(error)}") from error
        self._task = ray.remote(num_cpus=1, max_retries=2)(verified)

    async def run(self, batches: Sequence[Batch]) -> list[list[Code]]:
        """See :class:`Verifier`."""
        references = [self._task.remote(each) for each in batches]
        found = await asyncio.to_thread(self._ray.get, references)
        return [[Code(each) for each in codes] for codes in found]

    def close(self) -> None:
        """See :class:`Verifier`."""
        self._ray.shutdown()
