"""One device with its lease: the steps of its state machine, and what each state has done.

Every step is on the disk before anything of it is done or sent. What is done in a state is done again after a
kill: a sandbox that was made for another process is gone with it, and messages that were sent are not sent
twice. The chain's word ends what is under way.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import replace
from typing import Any

from nacl.public import PrivateKey

from keeper.chain import Chain, ChainError, SigningFailed
from keeper.chain.fees import FeePolicy
from keeper.chain.program import UnexpectedData
from keeper.compute.boards import Boards
from keeper.compute.states import AgentEvent, AgentState
from keeper.economy.orders import LeaseStatus
from keeper.errors import UserError
from keeper.market.accepting import Hindrance
from keeper.worker.lease_book import KeptLease, LeaseBook, LeaseKey
from keeper.worker.readiness import PREPARING
from keeper.worker.serving import rules
from keeper.worker.serving.book import ServiceBook
from keeper.worker.serving.chain import end_lease, leave_market, may_end
from keeper.worker.serving.host import Host
from keeper.worker.serving.part import Part
from keeper.worker.serving.rules import Facts, Service
from keeper.worker.work import Device

EXAMINE_SECONDS = 60.0
"""A machine that lacks something is looked at again."""
RETRY_SECONDS = 60.0
"""Before a lease is tried to be ended again."""
BEING_MADE = Hindrance(PREPARING, "its sandbox is being made")


class Hired:
    """A device; :meth:`turn` and :meth:`answer` are called again and again, :meth:`beat` every 30 seconds."""

    def __init__(
        self,
        device: Device,
        host: Host,
        leases: LeaseBook,
        book: ServiceBook,
        chain: Chain,
        boards: Callable[[], Boards],
        fees: FeePolicy,
        log: Any,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``boards`` makes those of a lease; ``clock`` gives unix seconds."""
        self.device, self.host = device, host
        self.service = Service(device.address)
        self._leases, self._book, self._chain, self._fees, self._clock = leases, book, chain, fees, clock
        self._log = log.bind(device=str(device.address))
        self.part = Part(device, host, chain, boards, self._log, clock)
        self._task: asyncio.Task[None] | None = None
        """What is being done in the present state."""
        self._why: Hindrance | None = None
        self._clocked: LeaseKey | None = None
        """The newest lease before which the chain's clock was seen."""
        self._said: set[str] = set()

    # -- from outside ----------------------------------------------------------------------------

    async def begin(self) -> None:
        """Go on where the last process was, and delete what leases before have left. Raises StateError."""
        self.service = self._book.begin(self.device.address, self._clock())
        goes_on = self.service.agent.state in rules.SERVING
        try:
            await self.host.keep_only(self.service.lease_name if goes_on else "")
        except UserError as error:
            self._log.error("worker.leftovers", reason=str(error))

    def hindrance(self, kept: KeptLease) -> Hindrance | None:
        """Why a lease can't be accepted now; None once its sandbox is there and its KEY on the boards."""
        if self.facts.unfit:
            return Hindrance("unfit", f"{self.facts.unfit}: see ionet worker doctor")
        ours = self.service.lease == kept.key
        if ours and self.service.agent.state is AgentState.PREPARING:
            return self._why
        if ours and self.service.agent.state in rules.SERVING:
            return None
        return BEING_MADE

    async def turn(self) -> None:
        """See what has happened, follow it, and begin what is to be done then. Raises StateError."""
        if self._task is not None and self._task.done():
            task, self._task = self._task, None
            task.result()
        now = self._clock()
        kept = self._kept()
        await self._see_clock(kept)
        while (event := rules.due(self.service, kept, self.facts, now)) is not None:
            if rules.is_blamed(self.service, event):
                if self._task is not None:
                    return
                if await self._is_sound():
                    continue
            await self._follow(event, kept, now)
            kept = self._kept()
        if self.service.ends and rules.is_over(self._mine(), now + self.facts.skew):
            self._keep(replace(self.service, ends=False))
        if self._task is None and self._is_busy:
            self._task = asyncio.create_task(self._guarded())

    async def settle(self) -> None:
        """Wait until what is being done is over."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def beat(self) -> None:
        """Tell every operator that the device is there, while its lease runs."""
        try:
            heard = await self.part.beat(self.service)
        except SigningFailed as error:
            self._log.error("worker.signing_failed", reason=str(error))
            return
        self._warn("beat", heard == 0, lambda: self._log.warning("worker.beat_unheard"))

    async def answer(self) -> None:
        """Answer operators' probes of the sandbox."""
        await self.part.answer()

    def quiet(self) -> AbstractAsyncContextManager[None]:
        """Meanwhile the renter's processes stand still, for a while at most."""
        return self.part.quiet()

    async def close(self) -> None:
        """The process ends: nothing of a renter's runs on, and the next one goes on from the disk."""
        await self._halt()
        await self.part.hush()
        await self.host.close()

    @property
    def facts(self) -> Facts:
        """What is known of the sandbox and the node."""
        return self.part.facts

    # -- steps -----------------------------------------------------------------------------------

    @property
    def _is_busy(self) -> bool:
        state = self.service.agent.state
        return self.service.ends or state.has_sandbox or state in (AgentState.OFFLINE, AgentState.BLOCKED)

    def _mine(self) -> KeptLease | None:
        return self._leases.lease(self.service.lease) if self.service.lease else None

    def _kept(self) -> KeptLease | None:
        """The lease that is served, else the newest one of the device."""
        if self.service.agent.state.has_sandbox:
            return self._mine()
        return next(iter(self._leases.newest(self.device.address, 1)), None)

    def _keep(self, service: Service) -> None:
        self._book.keep(service)
        self.service = service

    async def _follow(self, event: AgentEvent, kept: KeptLease | None, now: float) -> None:
        before = self.service.agent.state
        private = bytes(PrivateKey.generate()) if event is AgentEvent.MATCHED else b""
        after = rules.follow(self.service, event, kept, now, private)
        if after.agent.state is AgentState.DRAINING:
            await self._halt()
            # What ends needs no note: on a full disk a renter's code would run on for nothing.
            with suppress(UserError):  # It is tried again there, and told.
                await self.part.undo()
        self._keep(after)
        state, tries = after.agent.state, after.agent.tries
        why = {"reason": self.facts.died} if event is AgentEvent.NODE_DIED else {}
        if event is AgentEvent.UNFIT:
            why = {"reason": self.facts.unfit}
        told = {"state": str(state), "was": str(before), "by": str(event), "tries": tries}
        self._log.info("worker.serving", **told, **why)
        if event is AgentEvent.MATCHED:
            self._why = BEING_MADE
        if event in (AgentEvent.NODE_DIED, AgentEvent.LATE) and state is not AgentState.DRAINING:
            await self._halt()
            await self.part.undo()
        self.part.anew()

    async def _see_clock(self, kept: KeptLease | None) -> None:
        """Before a lease is taken up, see how far the chain's clock is off: its times are by that one."""
        if kept is None or kept.key in (self.service.lease, self._clocked):
            return
        try:
            await self.part.see_clock()
        except (ChainError, UnexpectedData) as error:
            reason = str(error)
            self._warn("chain", True, lambda: self._log.warning("worker.cluster_unseen", reason=reason))
            return
        self._clocked = kept.key

    async def _is_sound(self) -> bool:
        """Whether the device starts a node when it is alone; then it tries on, in an empty folder."""
        reason = self.facts.died or "its node isn't alive"
        await self.part.undo()
        try:
            sound = await self.host.is_sound()
        except UserError as error:
            sound, reason = False, str(error)
        if not sound:
            self._log.error("worker.device_unsound", reason=reason)
            return False
        self._log.warning("worker.cluster_fails", reason=reason, do="the device is sound, and tries on")
        await self.host.clear()
        self._keep(rules.again(self.service, self._clock()))
        self.part.anew()
        return True

    async def _guarded(self) -> None:
        try:
            await self._act()
        except (ChainError, UnexpectedData) as error:
            reason = str(error)
            self._warn("chain", True, lambda: self._log.warning("worker.cluster_unseen", reason=reason))
        except (UserError, OSError) as error:
            await self._failed(str(error))
        else:
            self._said.discard("chain")

    async def _failed(self, reason: str) -> None:
        """A sandbox, a disk or a board has failed: in a state with a node that is the node's end."""
        if self.service.agent.state in rules.SERVING:
            self.facts.died = reason
        elif self.service.agent.state is AgentState.PREPARING:
            self._why = Hindrance("sandbox", reason)
            await self.part.undo()
        else:
            self._warn(reason, True, lambda: self._log.error("worker.not_cleared", reason=reason))

    async def _act(self) -> None:
        state = self.service.agent.state
        if state in (AgentState.OFFLINE, AgentState.BLOCKED):
            await self._examine()
        elif state is AgentState.PREPARING:
            self._why = await self.part.prepare(self.service)
        elif state in rules.SERVING:
            await self.part.serve(self.service)
        elif state is AgentState.DRAINING:
            await self._drain()
        elif self.service.ends and self.part.is_due("end", RETRY_SECONDS):
            await self._end()

    # -- before and after ------------------------------------------------------------------------

    async def _examine(self) -> None:
        if not self.part.is_due("examine", EXAMINE_SECONDS):
            return
        lacks = await self.host.lacks()
        self.facts.unfit, self.facts.looked = (lacks.reason if lacks else ""), True
        if lacks is None or self.service.agent.state is not AgentState.BLOCKED:
            return
        if await leave_market(self._chain, self.device, self._fees):
            do = "once it can serve, its supplier sets what it asks for: ionet device change"
            self._log.warning("worker.off_market", reason=lacks.reason, do=do)

    async def _drain(self) -> None:
        await self.part.undo()
        await self.host.end()
        if self.service.ends:
            await self.part.leave()
        await self.part.hush()
        self.facts.cleared = True

    async def _end(self) -> None:
        """End a lease that can't be served, where the supplier lets the worker do that."""
        kept = self._mine()
        if kept is None:
            return
        if await may_end(self._chain, self.device):
            await end_lease(self._chain, self.device, kept, self._fees)
            self._log.warning("worker.lease_given_up", order=str(kept.order))
        elif kept.status == LeaseStatus.RUNNING:
            do = f"its supplier ends it: ionet order end {kept.order}; else operators find it silent"
            self._warn("end", True, lambda: self._log.error("worker.lease_unserved", do=do))

    # -- small -----------------------------------------------------------------------------------

    async def _halt(self) -> None:
        """End what is being done."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _warn(self, what: str, on: bool, say: Callable[[], object]) -> None:
        """Say once what has begun; what has passed is forgotten."""
        if on and what not in self._said:
            say()
        (self._said.add if on else self._said.discard)(what)
