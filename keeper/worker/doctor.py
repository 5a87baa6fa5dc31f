"""What a supplier should know before leaving a worker alone: each check with what to do about it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from solders.pubkey import Pubkey

from keeper.chain import ChainReader
from keeper.chain.framework import sol
from keeper.clients import staking
from keeper.compute import cgroups, proxy, runtime
from keeper.compute.egress import ANY, reachable
from keeper.compute.tools import lacking
from keeper.errors import UserError
from keeper.pow.backend import BackendRefused
from keeper.pow.profiles import Profile, deadline_ms, hired_deadline_ms
from keeper.pow.profiles_by_hour import ByHour, read_profiles_by_hour
from keeper.settings import Settings
from keeper.settings.findings import CheckState, Finding
from keeper.settings.keys import KeyRefused
from keeper.worker import assemble
from keeper.worker.client import Operator, OperatorError
from keeper.worker.hardware import GIB, Hardware
from keeper.worker.purse import ENOUGH, advice
from keeper.worker.serving.capacity import memory
from keeper.worker.serving.machine import INSTALL, own_networks
from keeper.worker.state import FILE, Enrolment, StateError, Store

OK, NOTE, WRONG = CheckState.OK, CheckState.NOTE, CheckState.WRONG
SKEW_SECONDS = 10
"""The state bears this machine's times, and a day's plot begins by them."""
CLOSE = 0.9
"""Of the deadline: beyond, a bad day is late."""


@dataclass(frozen=True, slots=True)
class Doctor:
    """Looks, and changes nothing."""

    settings: Settings
    key: Pubkey | KeyRefused
    hardware: Hardware

    async def examine(self) -> list[Finding]:
        """Run every check; one that can't be made says so."""
        findings = self._key()
        enrolment = None
        try:
            enrolment = self._enrolment()
            findings += self._state(enrolment)
        except (StateError, assemble.NotReady) as error:
            findings.append(Finding("state", WRONG, str(error)))
        findings += self._backend(enrolment.backend if enrolment else assemble.NUMPY)
        if enrolment is not None:
            findings += self._work(enrolment)
        checks: list[tuple[str, Callable[[], Awaitable[Iterable[Finding]]]]] = [
            ("operators", self._operators),
            ("chain", lambda: self._chain(enrolment)),
        ]
        for name, check in checks:
            try:
                findings += await check()
            except UserError as error:
                findings.append(Finding(name, WRONG, str(error)))
        findings += self._sandbox(enrolment)
        if self.settings.leases == "serve":
            findings += [_limits(self.settings.unconfined), *await self._egress()]
        return findings + [Finding("hardware", NOTE, each) for each in self.hardware.lines()]

    # -- this machine ----------------------------------------------------------------------------

    def _key(self) -> list[Finding]:
        if isinstance(self.key, KeyRefused):
            return [Finding("key", WRONG, str(self.key), "ionet worker enrol --new FILE makes one")]
        device = staking.device_address(self.key)
        return [Finding("key", OK, f"worker {self.key}"), Finding("device", OK, str(device))]

    def _enrolment(self) -> Enrolment | None:
        if isinstance(self.key, KeyRefused) or not (self.settings.worker / FILE).exists():
            return None
        store = Store(self.settings.worker, alone=False)
        try:
            return store.enrolment(staking.device_address(self.key))
        finally:
            store.close()

    def _state(self, enrolment: Enrolment | None) -> list[Finding]:
        if enrolment is None:
            found = f"the device is not enrolled in {self.settings.worker}"
            return [Finding("state", WRONG, found, f"run {assemble.ENROL}")]
        return [Finding("state", OK, f"{self.settings.worker}, profile {enrolment.profile}")]

    def _backend(self, name: str) -> list[Finding]:
        try:
            backend = assemble.exact_backend(name)
        except BackendRefused as error:
            return [Finding("self-test", WRONG, str(error), "no wave of it would pass")]
        return [Finding("self-test", OK, f"{backend.name} is exact")]

    def _work(self, enrolment: Enrolment) -> list[Finding]:
        profiles = read_profiles_by_hour(self.settings.profiles)
        try:
            profile, later = assemble.profiles_of(enrolment, profiles, int(time.time()))
        except assemble.NotReady as error:
            return [Finding("profile", WRONG, str(error))]
        do = f"run {assemble.ENROL} once more: whether it is fast enough for that one, nothing has shown"
        if profile.id != enrolment.profile:
            found = f"tested for profile {enrolment.profile}, and its class has {profile.id}"
            return [Finding("profile", NOTE, found, do), self._memory(enrolment, profile)]
        coming = [Finding("profile", NOTE, _change(since, each)) for since, each in later]
        return [_time(enrolment, profile), *coming, self._memory(enrolment, profile)]

    def _memory(self, enrolment: Enrolment, profile: Profile) -> Finding:
        need, free = memory(profile, enrolment.processors), self.hardware.available
        found = f"a wave takes about {need / GIB:.1f} GiB, {free / GIB:.1f} GiB are free"
        if need <= free:
            return Finding("memory", OK, found)
        return Finding("memory", WRONG, found, "end what else runs here, or a wave may fail")

    def _sandbox(self, enrolment: Enrolment | None) -> list[Finding]:
        """What a lease needs; without any of it a device proves and earns, and accepts none."""
        if self.settings.leases != "serve":
            return [Finding("sandbox", NOTE, "leases are accepted and not served", "IONET_LEASES=serve")]
        without = "no lease is accepted"
        findings = [Finding("sandbox", NOTE, f"{each.what}: {without}", each.do) for each in lacking()]
        if enrolment is not None and not assemble.is_processor(enrolment.class_id):
            findings.append(Finding("sandbox", NOTE, assemble.NO_CARDS))
        if not findings:
            can = "bubblewrap and WireGuard can make one for a renter's code"
            findings.append(Finding("sandbox", OK, can))
        place = self.settings.runtimes.expanduser()
        if (found := runtime.find(place)) is not None:
            return [*findings, Finding("runtime", OK, str(found.folder))]
        missing = f"renters' Ray isn't in {place}: {without}"
        return [*findings, Finding("runtime", NOTE, missing, INSTALL)]

    # -- elsewhere -------------------------------------------------------------------------------

    async def _operators(self) -> list[Finding]:
        async with assemble.operators_of(self.settings) as operators:
            profiles = read_profiles_by_hour(self.settings.profiles)
            findings = [await _operator(each, profiles) for each in operators]
        well = sum(each.state is not WRONG for each in findings)
        if 2 * well <= len(findings):
            needed = len(findings) // 2 + 1
            do = "a wave counts by the clocks of more than half of them: see to the lines above"
            findings.append(
                Finding("operators", WRONG, f"{well} of {len(findings)}, {needed} are needed", do)
            )
        return findings

    async def _egress(self) -> list[Finding]:
        """Whom a renter's code reaches from here, if its renter asks."""
        names = self.settings.egress
        if not names:
            said = "IONET_EGRESS is empty: a renter's code has no way out"
            return [Finding("egress", OK, said)]
        most = f"{self.settings.egress_limit} GiB a lease"
        said = f"a renter's code may reach {', '.join(names)} by https, {most}, from this machine's address"
        plain = [each for each in names if not each.startswith(ANY)]
        turn = asyncio.Semaphore(proxy.LOOKUPS)
        lost = [each for each in await asyncio.gather(*(_lost(name, turn) for name in plain)) if each]
        return [Finding("egress", OK, said), *lost]

    async def _chain(self, enrolment: Enrolment | None) -> list[Finding]:
        async with assemble.node(self.settings) as chain:
            if chain is None:
                said = "no IONET_CHAIN: waves are what most operators say, and no lease is accepted"
                return [Finding("chain", NOTE, said)]
            if isinstance(self.key, KeyRefused):
                return [Finding("chain", OK, await chain.version())]
            found = [Finding("chain", OK, await chain.version()), await self._clock(chain)]
            registered = await assemble.registration(chain, self.key)
            (own,) = await chain.accounts([self.key])
        found.append(_balance(self.key, own.lamports if own else 0))
        if registered is None:
            do = "its supplier runs the ionet device register that ionet worker enrol prints"
            return [*found, Finding("registration", WRONG, "the device is not on chain", do)]
        stated = f"{registered.processors} of class {registered.class_id}, payout {registered.payout}"
        if enrolment and (enrolment.class_id, enrolment.processors) != (
            registered.class_id,
            registered.processors,
        ):
            return [*found, Finding("registration", WRONG, stated, f"enrolled otherwise: {assemble.ENROL}")]
        return [*found, Finding("registration", OK, stated)]

    async def _clock(self, chain: ChainReader) -> Finding:
        skew = (await chain.clock()).unix_timestamp - int(time.time())
        found = f"the chain's differs from this machine's by {skew} s"
        if abs(skew) <= SKEW_SECONDS:
            return Finding("clock", OK, found)
        return Finding("clock", NOTE, found, "set this machine's, such as by NTP")


def _limits(unconfined: bool) -> Finding:
    """What holds a sandbox besides its own walls: docs/compute.md has it in full."""
    if (folder := cgroups.delegated()) is not None:
        of = "memory, processes and processors" if cgroups.shares(folder) else "memory and processes"
        return Finding("limits", OK, f"the kernel's, for {of}, below {folder}")
    if not unconfined:
        return Finding("limits", NOTE, f"{cgroups.MISSING}: no lease is accepted", cgroups.DO)
    said = "IONET_UNCONFINED: memory and disk are looked at each second, and the kernel adds no limit"
    return Finding("limits", NOTE, said, "run it by ops/ionet-worker.service, and the kernel limits more")


async def _lost(name: str, turn: asyncio.Semaphore) -> Finding | None:
    """Why a renter's code would not reach a name from here just now; None where it would."""
    try:
        async with turn, asyncio.timeout(proxy.LOOKUP_SECONDS):
            found = await asyncio.to_thread(proxy.look_up, f"{name}.")
    except (OSError, TimeoutError, UnicodeError):
        do = "see to this machine's DNS, or take it off IONET_EGRESS"
        return Finding("egress", NOTE, f"{name} isn't found from here just now", do)
    if reachable(found, own_networks()):
        return None
    said = f"{name} has no public address from here, only {', '.join(dict.fromkeys(found))}"
    return Finding(
        "egress", NOTE, said, "take it off IONET_EGRESS: the way out leads to public addresses alone"
    )


def _change(since: int, profile: Profile) -> str:
    return (
        f"from {datetime.fromtimestamp(since, UTC):%Y-%m-%d %H:%M} UTC on its class has profile {profile.id}"
    )


def _time(enrolment: Enrolment, profile: Profile) -> Finding:
    deadline, ms = deadline_ms(profile.T_ms), enrolment.ms
    found = f"the product took {ms:,} ms at enrolment, the deadline is {deadline:,} ms"
    if ms > deadline:
        hired = f"and {hired_deadline_ms(profile.T_ms):,} ms while it is hired, without pay"
        return Finding("time", WRONG, f"{found} {hired}", "a slower class, or nothing else on this machine")
    if ms > CLOSE * deadline:
        return Finding("time", NOTE, found, "little is left: keep everything else off during a wave")
    return Finding("time", OK, found)


def _balance(key: Pubkey, lamports: int) -> Finding:
    found = f"{sol(lamports)} SOL"
    if lamports >= ENOUGH:
        return Finding("balance", OK, found)
    do = f"to lease it out, {advice(key, lamports)}; proof of work itself costs none"
    return Finding("balance", NOTE, found, do)


async def _operator(operator: Operator, profiles: ByHour) -> Finding:
    begun = time.monotonic()
    try:
        identity = await operator.identify()
    except OperatorError as error:
        return Finding(f"operator {operator.url}", WRONG, str(error), "ask its operator, or name others")
    ms = int((time.monotonic() - begun) * 1000)
    found = f"{identity.operator}, answered in {ms} ms"
    if identity.program != staking.PROGRAM.address:
        return Finding(f"operator {operator.url}", WRONG, f"{found}, of another network", "name others")
    if identity.profiles != profiles.hash:
        do = "one of you has an old version of ionet: compare the profiles' hashes"
        return Finding(f"operator {operator.url}", NOTE, f"{found}, with other profiles", do)
    return Finding(f"operator {operator.url}", OK, found)
