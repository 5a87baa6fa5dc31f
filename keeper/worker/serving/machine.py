"""This machine as a :class:`~keeper.worker.serving.host.Host`: bubblewrap, WireGuard through relays, Ray."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from secrets import token_bytes
from typing import Any

import psutil
from nacl.public import PrivateKey
from solders.pubkey import Pubkey

from keeper.chain import Signer
from keeper.compute import cgroups, runtime
from keeper.compute.bodies import Endpoint
from keeper.compute.client import Board
from keeper.compute.direct import Direct
from keeper.compute.egress import Network, networks
from keeper.compute.namespace import Namespaces, SandboxFailed
from keeper.compute.node import Alive, HeadSilent, Node, alive
from keeper.compute.overlay import LINE, Overlay
from keeper.compute.peers import Other, Peers
from keeper.compute.proxy import Meter, Proxy, listening
from keeper.compute.runtime import Runtime, RuntimeFailed
from keeper.compute.sandbox import Limits, Sandbox, clear
from keeper.compute.tools import lacking
from keeper.compute.ways import Ways
from keeper.market.accepting import Hindrance
from keeper.worker.serving.host import Size, Usage

SOUND_SECONDS = 180.0
"""For a node of the device's own to be alive: a tenth of it, where nothing else runs."""
POLL_SECONDS = 1.0
CHECK = "check"
ALONE = IPv4Address("10.0.0.1")
INSTALL = "ionet worker runtime"
"""The command that makes the runtime."""


@dataclass(frozen=True, slots=True)
class Share:
    """What a supplier lets a lease's sandbox have."""

    rate: int = LINE
    """Of the machine's line: bytes a second, each way."""
    allowed: tuple[str, ...] = ()
    """Hosts that a renter's code may reach where its renter asks for that; none: it has no way out."""
    most_out: int = 0
    """Bytes a lease, of that way."""
    endpoints: tuple[Endpoint, ...] = ()
    """Where other members reach the machine by UDP, which has that port free, without a relay."""
    unconfined: bool = False
    """Whether there may be one that the kernel doesn't limit: see :mod:`keeper.compute.cgroups`."""


ALL = Share()


class Machine:
    """One device's; ``folder`` is for leases' files alone, ``runtimes`` for what is installed."""

    def __init__(
        self,
        folder: Path,
        runtimes: Path,
        limits: Callable[[], Limits | None],
        boards: Sequence[Board],
        log: Any,
        *,
        unfit: str = "",
        user: int | None = None,
        python: str = sys.executable,
        share: Share = ALL,
    ) -> None:
        """``limits`` are asked for each sandbox; ``boards`` are those whose relays are used.

        ``share`` is what the supplier lets a sandbox have.

        ``unfit`` is what keeps the device from serving, whatever the machine has.

        ``user`` is who sandboxes are of where this is root, and ``python`` what that user can run.
        """
        self._folder, self._runtimes, self._find_limits = folder, runtimes, limits
        self._boards, self._log, self._user, self._python = boards, log, user, python
        self._unfit, self._share = unfit, share
        self._meters: dict[str, Meter] = {}
        """By lease, of which there is one: a node that begins anew has no more bytes for it."""
        self._way_out: AsyncExitStack | None = None
        self._asked = False
        self._limits: Limits | None = None
        self._cgroup: cgroups.Cgroup | None = None
        self._lease = ""
        self._spaces: Namespaces | None = None
        self._sandbox: Sandbox | None = None
        self._alone: Sandbox | None = None
        """While the device is tried by itself."""
        self._overlay: Overlay | None = None
        self._ways: Ways | None = None
        self._peers: Peers | None = None
        self._began = 0.0

    @property
    def address(self) -> IPv4Address | None:
        """See :class:`~keeper.worker.serving.host.Host`, also of what follows."""
        return self._overlay.address if self._overlay is not None else None

    @property
    def size(self) -> Size:
        """All processors that this process may use, and the memory of the present limits."""
        limits = self._limits or self._require_limits()
        return Size(len(os.sched_getaffinity(0)), limits.memory, limits.shared)

    @property
    def ended(self) -> str:
        """Why the sandbox isn't there; what it printed last says more."""
        if self._spaces is None or not self._spaces.over.done():
            return ""
        last = self._spaces.tail.rpartition("\n")[2]
        return f"{self._spaces.over.result()}{f'; it printed: {last}' if last else ''}"

    @property
    def lets_out(self) -> bool:
        """Whether the supplier has a list of names."""
        return bool(self._share.allowed)

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """What the supplier has set."""
        return self._share.endpoints

    async def lacks(self) -> Hindrance | None:
        """Programs, namespaces, the kernel's limits, memory, the runtime."""
        if self._unfit:
            return Hindrance("unfit", self._unfit)
        if lacks := await asyncio.to_thread(lacking, self._user):
            return Hindrance("unfit", "; ".join(f"{each.what} ({each.do})" for each in lacks))
        if cgroups.delegated() is None and not self._share.unconfined:
            return Hindrance("unfit", f"{cgroups.MISSING} ({cgroups.DO})")
        if self._find_limits() is None:
            return Hindrance(
                "unfit", "a sandbox needs 1 GiB beside proofs of work: there isn't so much memory"
            )
        if runtime.find(self._runtimes) is None:
            return Hindrance("unfit", f"renters' Ray isn't installed: {INSTALL}")
        return None

    async def keep_only(self, lease: str) -> None:
        """Delete what killed processes have left; their sandboxes are gone with them."""
        if self._folder.exists():
            for each in list(self._folder.iterdir()):
                if each.name != lease:
                    await asyncio.to_thread(clear, each)

    async def open(
        self, lease: str, order: Pubkey, signer: Signer, private: bytes, address: IPv4Address
    ) -> None:
        """Make namespaces, wg0, and the ways through relays; without a runtime nothing is begun."""
        self._runtime()
        self._limits = self._require_limits()
        self._prepare_folder()
        spaces = await Namespaces.open(user=self._user, python=self._python)
        self._spaces, self._lease = spaces, lease
        self._confine(spaces, self._limits)
        self._sandbox = Sandbox(spaces, self._folder / lease, self._user)
        overlay = Overlay(spaces, PrivateKey(private), address, rate=self._share.rate)
        await overlay.up()
        self._overlay = overlay
        direct = None
        if self._boards:
            port = self.endpoints[0].port if self.endpoints else 0
            direct = Direct(self._boards[0].network, order, signer, self._log, port)
        self._ways = Ways(self._boards, order, signer, self._deliver, self._log, direct=direct)
        self._peers = Peers(overlay, self._ways.send)
        self._ways.begin()

    async def meet(self, others: Mapping[Pubkey, Other]) -> None:
        """By :class:`~keeper.compute.peers.Peers`; a KEY that WireGuard doesn't take is told once."""
        peers, ways = self._peers, self._ways
        if peers is None or ways is None:
            return
        for member, reason in (await peers.meet(others)).items():
            self._log.warning("worker.key_unusable", member=str(member), reason=reason)
        ways.want(others)

    async def let_out(self, asked: bool) -> None:
        """By a proxy at a port inside; one that the renter's own code has taken is told once, and left."""
        if not self.lets_out or asked == self._asked or self._spaces is None or self._overlay is None:
            return
        self._asked = asked
        await self._shut()
        if not asked:
            return
        meter = self._meters.setdefault(self._lease, Meter(self._share.most_out))
        proxy = Proxy(self._share.allowed, meter, self._overlay.line, own_networks, self._log)
        try:
            sockets = await listening(self._spaces, self._overlay.address)
        except OSError as error:
            self._log.warning("worker.egress_failed", reason=str(error))
            return
        stack = AsyncExitStack()
        await stack.enter_async_context(proxy.open(*sockets))
        self._way_out = stack

    async def start(self, node: Node) -> None:
        """Run Ray; a folder that is full from what ran before is emptied first."""
        assert self._sandbox is not None and self._limits is not None
        if await asyncio.to_thread(_is_full, self._sandbox.folder, self._limits.data):
            self._log.warning("worker.data_deleted", why="it was full, and nothing starts with it")
            await self.clear()
        await self._sandbox.run(node.job(self._runtime(), self._limits))
        self._began = time.monotonic()

    async def alive(self, node: Node) -> list[Alive]:
        """Asked over the overlay, as every member asks."""
        if self._overlay is None:
            raise HeadSilent("there is no overlay to ask the head by")
        return await alive(self._overlay, node)

    async def probe(self, seed: bytes) -> bytes:
        """By the runtime's Python, whether a node runs there, waits for its head, or is tried alone.

        A renter can end its nodes, and another device's head let nobody in: neither is this device's fault.
        """
        sandbox = self._alone or self._sandbox
        if sandbox is None:
            raise SandboxFailed("there is no sandbox")
        return await sandbox.probe(self._runtime().python, seed)

    async def freeze(self) -> None:
        """By signals: WireGuard and this process go on."""
        if self._sandbox is not None:
            await self._sandbox.freeze()

    async def thaw(self) -> None:
        """What the renter had stopped goes on, too."""
        if self._sandbox is not None:
            await self._sandbox.thaw()

    async def close(self) -> None:
        """Kill all of it, whatever state it is in."""
        ways, self._ways = self._ways, None
        overlay, self._overlay = self._overlay, None
        spaces, self._spaces = self._spaces, None
        self._sandbox, self._peers, self._began, self._asked = None, None, 0.0, False
        try:
            await self._shut()
            if ways is not None:
                await ways.close()
            if overlay is not None:
                overlay.close()
        finally:
            if spaces is not None:
                await spaces.end()
            if self._cgroup is not None:
                self._cgroup.remove()
                self._cgroup = None

    async def end(self) -> None:
        """Kill all of it, and delete every lease's files."""
        await self.close()
        self._meters.clear()
        await self.keep_only("")

    async def clear(self) -> None:
        """Delete the present lease's files."""
        if self._lease:
            await asyncio.to_thread(clear, self._folder / self._lease)

    async def is_sound(self) -> bool:
        """Start a head that nobody else is in a cluster with, and see it alive."""
        limits = self._require_limits()
        self._prepare_folder()
        spaces = await Namespaces.open(user=self._user, python=self._python)
        made, overlay = Sandbox(spaces, self._folder / CHECK, self._user), None
        try:
            overlay = Overlay(spaces, PrivateKey.generate(), ALONE)
            await overlay.up()
            node = Node(ALONE, ALONE, token_bytes(32), 1, limits.shared)
            await made.run(node.job(self._runtime(), limits))
            self._alone = made
            until = time.monotonic() + SOUND_SECONDS
            while time.monotonic() < until and not spaces.over.done():
                with suppress(HeadSilent):
                    if any(each.address == ALONE for each in await alive(overlay, node)):
                        return True
                await asyncio.sleep(POLL_SECONDS)
            return False
        finally:
            self._alone = None
            if overlay is not None:
                overlay.close()
            await made.end()

    def used(self) -> Usage:
        """By the system's figures of the sandbox's processes; a few of ours are among them."""
        if self._spaces is None or not self._began:
            return Usage()
        cpu, memory = 0.0, 0
        for number in self._spaces.processes():
            with suppress(psutil.Error):
                process = psutil.Process(number)
                times = process.cpu_times()
                cpu += times.user + times.system + times.children_user + times.children_system
                memory += process.memory_info().rss
        carried = self._peers.carried if self._peers is not None else (0, 0)
        return Usage(int(time.monotonic() - self._began), int(1_000 * cpu), memory, *carried)

    # -- inside ----------------------------------------------------------------------------------

    async def _shut(self) -> None:
        """End the way out, and all that goes through it."""
        stack, self._way_out = self._way_out, None
        if stack is not None:
            await stack.aclose()

    def _confine(self, spaces: Namespaces, limits: Limits) -> None:
        """Put a sandbox's first processes, and so all that come, under the kernel's limits.

        Raises SandboxFailed where there are none, unless there needn't be any.
        """
        parent = cgroups.delegated()
        try:
            if parent is not None:
                self._cgroup = cgroups.Cgroup.make(parent, limits)
                self._cgroup.take(spaces.processes())
                return
            reason = cgroups.MISSING
        except OSError as error:
            reason = f"{cgroups.MISSING}: {error}"
            self._log.warning("worker.no_cgroup", reason=str(error))
        if not self._share.unconfined:
            raise SandboxFailed(f"{reason} ({cgroups.DO})")

    def _deliver(self, member: Pubkey, datagram: bytes) -> None:
        if self._peers is not None:
            self._peers.deliver(member, datagram)

    def _runtime(self) -> Runtime:
        found = runtime.find(self._runtimes)
        if found is None:
            raise RuntimeFailed(f"renters' Ray isn't installed any more: {INSTALL}")
        return found

    def _require_limits(self) -> Limits:
        found = self._find_limits()
        if found is None:
            raise SandboxFailed("too little memory is left for a sandbox beside proofs of work")
        return found

    def _prepare_folder(self) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._user:
                os.chown(self._folder, self._user, self._user)
        except OSError as error:
            raise SandboxFailed(f"{self._folder} can't be made ({error.strerror}): make room") from error


def own_networks() -> list[Network]:
    """The networks that this machine is on now."""
    found = [each for some in psutil.net_if_addrs().values() for each in some]
    internet = (socket.AF_INET, socket.AF_INET6)
    return networks((each.address, each.netmask) for each in found if each.family in internet)


def free_disk(folder: Path) -> int:
    """Bytes that are free where a folder is, or will be."""
    at = folder
    while not at.exists():
        at = at.parent
    return shutil.disk_usage(at).free


def _is_full(folder: Path, most: int) -> bool:
    """Whether a lease's files are so many that a sandbox with them would end at once."""
    if not folder.exists():
        return False
    command = ["du", "--summarize", "--one-file-system", "--block-size=1", str(folder)]
    counted = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
    return bool(counted) and int(counted[0]) > most
