"""What devices compute: products and passes over plots, in threads, one piece of work at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from solders.pubkey import Pubkey

from keeper.chain import Signer
from keeper.pow.backend import Backend, self_test
from keeper.pow.clock import WaveKind
from keeper.pow.codes import Code
from keeper.pow.messages import Commit
from keeper.pow.opening import claim
from keeper.pow.profiles import Profile
from keeper.pow.prove import KEPT, prove
from keeper.pow.residency import Plot, fill, plot_claim, reside, verify_plots
from keeper.pow.seeds import picks, plot_picks
from keeper.pow.verify import verify_batch


@dataclass(frozen=True, slots=True)
class Device:
    """A device that this process works for: its account, what it is, and who signs for it.

    ``later`` are the profiles that its class has from unix times on, in their order.
    """

    address: Pubkey
    profile: Profile
    processors: int
    signer: Signer
    later: tuple[tuple[int, Profile], ...] = ()

    def at(self, time: int) -> Device:
        """The device as it works in the hour of a time."""
        found = [profile for since, profile in self.later if since <= time]
        return replace(self, profile=found[-1]) if found else self


class Proof(Protocol):
    """What a device commits to and opens; of products and of plots alike."""

    @property
    def root(self) -> bytes:
        """What is committed to."""

    def open(self, chosen: Any) -> bytes:
        """The opening of picks."""


class Works:
    """The devices' processors: they take turns, as a process has one set of them."""

    def __init__(self, backend: Backend[Any], devices: Sequence[Device]) -> None:
        """``backend`` has passed its self-test."""
        self.backend = backend
        self._kept = KEPT // len(devices)
        self._turn = asyncio.Lock()
        self._plots: dict[Pubkey, tuple[int, Plot[Any], bytes]] = {}
        self._filled = asyncio.Condition()

    async def prove(self, device: Device, seed: bytes, kind: WaveKind) -> Proof:
        """What a device makes in a wave; a residency wave takes the plot that must be there."""
        async with self._turn:
            if kind is WaveKind.RESIDENCY:
                return await asyncio.to_thread(reside, self._plots[device.address][1], seed)
            profile, procs = device.profile, device.processors
            return await asyncio.to_thread(
                prove, self.backend, seed, device.address, profile, procs, self._kept
            )

    async def timed(self, device: Device, seed: bytes, kind: WaveKind) -> tuple[Proof, int]:
        """The same, and how many milliseconds it took, the wait for its turn among them."""
        begun = time.monotonic()
        proof = await self.prove(device, seed, kind)
        return proof, int((time.monotonic() - begun) * 1000)

    async def check(self, device: Device, seed: bytes, commit: Commit, drawn: bytes, blob: bytes) -> Code:
        """What a verifier would find of an opening by the seed that ``drawn`` the picks.

        A wave that isn't opened costs an hour; wrong work that is shown is evidence for a slash. Of a plot
        that isn't there any more, nothing is found.
        """
        root, procs = commit.root, device.processors
        if commit.kind is WaveKind.RESIDENCY and device.profile.residency is not None:
            _, plot, epoch = self._plots.get(device.address, (0, None, b""))
            if plot is None:
                return Code.PASS
            shown = plot_claim(drawn, plot.residency, device.address, root, procs, blob)
            (code,) = await asyncio.to_thread(verify_plots, seed, epoch, plot.residency, [shown])
            return code
        claimed = claim(drawn, device.profile, device.address, root, procs, blob)
        (code,) = await asyncio.to_thread(verify_batch, seed, device.profile, [claimed])
        return code

    async def test(self, device: Device) -> None:
        """See that a device's processors are there and exact; raises BackendRefused, or as PyTorch does."""
        async with self._turn:
            for processor in range(min(device.processors, self.backend.processors)):
                await asyncio.to_thread(self_test, self.backend.on(processor))

    def has_plot(self, device: Device, day: int) -> bool:
        """Whether the plot of the day that starts at ``day``, unix seconds, is in memory, by its profile."""
        kept = self._plots.get(device.address)
        return kept is not None and kept[0] == day and kept[1].residency == device.profile.residency

    def drop(self, device: Device, day: int) -> None:
        """Keep a day's plot no longer."""
        if self._plots.get(device.address, (None,))[0] == day:
            del self._plots[device.address]

    async def plot(self, device: Device, day: int) -> None:
        """Wait for the plot of a day."""
        async with self._filled:
            await self._filled.wait_for(lambda: self.has_plot(device, day))

    async def fill(self, device: Device, epoch_seed: bytes, day: int) -> None:
        """Make a day's plot in place of the last one; products go on meanwhile. The profile has residency."""
        assert device.profile.residency is not None
        # Both at once have no room.
        self._plots.pop(device.address, None)
        made = await asyncio.to_thread(
            fill, self.backend, epoch_seed, device.address, device.profile.residency, device.processors
        )
        async with self._filled:
            self._plots[device.address] = day, made, epoch_seed
            self._filled.notify_all()


def opening(proof: Proof, device: Device, kind: WaveKind, open_seed: bytes) -> bytes:
    """What a device shows of a wave, by the picks that the chain drew for its root."""
    residency = device.profile.residency
    if kind is WaveKind.RESIDENCY and residency is not None:
        return proof.open(plot_picks(open_seed, device.address, proof.root, residency, device.processors))
    return proof.open(picks(open_seed, device.address, proof.root, device.profile, device.processors))
