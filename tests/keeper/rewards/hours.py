"""Hours of waves on an embedded chain: operators' files are written, posted, and merged."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from solders.keypair import Keypair

from keeper.chain import Commitment
from keeper.clients import staking
from keeper.economy.supply import IO
from keeper.pow import files
from keeper.pow.anchored import PostKind
from keeper.pow.backend import NumpyBackend
from keeper.pow.clock import HourPlan, Network, Wave, WaveKind
from keeper.pow.files import KEY
from keeper.pow.messages import Commit, Signed, decode
from keeper.pow.profiles import Profile, Profiles, read_profiles
from keeper.pow.prove import Proof, prove
from keeper.pow.replay import clock_at, events, first_at, read_hour
from keeper.pow.residency import PlotProof, fill, reside
from keeper.pow.seeds import picks, plot_picks
from keeper.rewards.history import History
from keeper.rewards.merge import ChainHour, HourWork, merge
from keeper.rewards.observed import OBSERVED_TABLE
from keeper.rewards.work import chain_hour
from keeper.tables import Rows
from tests.keeper.operator.network import GENESIS, Device
from tests.programs.staking.world import APPLE_CLASS, GPU_CLASS, StakingWorld
from tests.programs.world import HOUR, START, key

T_MS = 8_000
DEADLINE, HIRED_DEADLINE = 11_900, 19_100
"""By the specification: 1.3 T + 1.5 s, 2.2 T + 1.5 s."""
FIRST = np.zeros(0, OBSERVED_TABLE)


def profiles_in(folder: Path, rule: int = 3, **changed: Any) -> Profiles:
    """Tiny products of two classes, in hours that follow a rule; ``changed`` are the first one's fields."""
    plot = {"m": 256, "K": 1024, "K_many": 1024, "rounds": 4, "passes": 2, "q": 2, "T_ms": T_MS}
    row = {"id": 0, "m": 64, "n": 512, "K": 1024, "q": 24, "T_ms": T_MS, "measured": True}
    first = {**row, "classes": [GPU_CLASS], "residency": {**plot, "measured": True}, **changed}
    second = {**row, "id": 1, "classes": [APPLE_CLASS], "measured": False, "residency": None}
    path = folder / "profiles.json"
    path.write_text(json.dumps({"rule": rule, "profiles": [first, second]}))
    return read_profiles(path)


class PowHours:
    """A world with devices that prove, and what its operators wrote and posted."""

    def __init__(self, folder: Path, world: StakingWorld, names: Sequence[str], profiles: Profiles) -> None:
        self.world, self.folder, self.profiles = world, folder, profiles
        world.chain._genesis = GENESIS  # Waves are where they were in the last run.
        self.network = Network(bytes(GENESIS), staking.PROGRAM.address, START)
        self.devices = [self.device(name) for name in names]
        self.files: dict[bytes, bytes] = {}
        self.names: dict[bytes, set[tuple[int, str]]] = {}
        """The hours and names that operators have a file under."""
        self.said: dict[tuple[int, int], list[tuple[Signed[Commit], int]]] = {}
        self.opened: dict[int, list[tuple[Any, ...]]] = {}
        self.proofs: dict[tuple[bytes, bytes], Proof[Any]] = {}
        self.plots: dict[tuple[bytes, bytes], PlotProof] = {}

    @property
    def everybody(self) -> range:
        """The operators, by number."""
        return range(len(self.world.operators))

    def device(self, name: str, **changed: int) -> Device:
        """Register and stake a device."""
        supplier = self.world.earner(f"supplier of {name}", 100_000 * IO)
        terms = {"processors": 1, **changed}
        registered = self.world.device(name, supplier, **terms)
        self.world.do(staking.stake(registered, 1_000 * IO), signers=[supplier])
        return Device(name, staking.device_address(key(name).pubkey()), terms["processors"])

    # -- a wave --------------------------------------------------------------------------------

    async def to_wave(self, hour: int, after: int = 0) -> Wave:
        """Let time pass until a wave of the hour begins, the first one after slot ``after``."""
        chain = self.world.chain
        chain.warp_to(max(chain.now(), START + HOUR * hour + 45))
        clock = await clock_at(chain, self.network, hour, Commitment.CONFIRMED)
        while True:
            async for event in events(chain, clock, Commitment.CONFIRMED):
                if isinstance(event, Wave) and event.hour == hour and event.slot > after:
                    return event
            assert not clock.is_over(hour)
            chain.advance(5)

    def says(
        self,
        wave: Wave,
        device: Device,
        ms: int | Sequence[int | None] = 7_000,
        *,
        root: bytes | None = None,
        signer: Keypair | None = None,
        **changed: Any,
    ) -> bytes:
        """A device commits: operators have it after ``ms``, each after its own where several are given."""
        root = self.prove(wave, device).root if root is None else root
        fields = {"profile": self.profile(device).id, **changed}
        signed = decode(Commit, device.commit(wave, root, signer, **fields))
        times = [ms] * len(self.everybody) if isinstance(ms, int) else ms
        for operator, its in enumerate(times):
            if its is not None:
                self.said.setdefault((wave.slot, operator), []).append((signed, its))
        return root

    def profile(self, device: Device) -> Profile:
        """What a device does, by its class."""
        found = self.profiles.of_class(self.world.read_device(device.name).device_class)
        assert found is not None
        return found

    def prove(self, wave: Wave, device: Device) -> Proof[Any]:
        """A device's product, made once."""
        name = wave.seed, bytes(device.account)
        if name not in self.proofs:
            terms = self.profile(device), device.processors
            self.proofs[name] = prove(NumpyBackend(), wave.seed, device.account, *terms)
        return self.proofs[name]

    async def resides(self, wave: Wave, device: Device, ms: int = 7_000) -> None:
        """A device commits to its passes over its plot, and will open them."""
        plot = self.profiles[0].residency
        day = await first_at(self.world.chain, wave.epoch_start, Commitment.FINALIZED)
        assert plot is not None
        assert day is not None
        epoch = self.network.epoch_seed(day.slot, day.blockhash)
        made = reside(fill(NumpyBackend(), epoch, device.account, plot, device.processors), wave.seed)
        self.plots[wave.seed, bytes(device.account)] = made
        self.says(wave, device, ms, root=made.root, kind=WaveKind.RESIDENCY)

    def post(self, operator: int, hour: int, kind: PostKind, slot: int, data: bytes) -> bytes:
        """An operator posts a file's hash, and has it."""
        signer, digest = self.world.operators[operator], sha256(data).digest()
        self.world.do(staking.post(signer.pubkey(), hour, kind, slot, digest), signers=[signer])
        name = f"wave-{slot}" if kind is PostKind.WAVE else "evidence"
        self.files[digest] = data
        self.names.setdefault(digest, set()).add((hour, f"{name}-{signer.pubkey()}.bin"))
        return digest

    def seal(self, wave: Wave, operators: Iterable[int] | None = None, seconds: int = 45) -> None:
        """So long after the wave's block operators post what they had of it."""
        self.world.chain.warp_to(wave.time + seconds)
        for operator in self.everybody if operators is None else operators:
            rows = files.wave_rows(self.said.get((wave.slot, operator), []))
            self.post(operator, wave.hour, PostKind.WAVE, wave.slot, files.write_wave(rows))

    async def opens(
        self, wave: Wave, device: Device, operators: Iterable[int] | None = None, blob: bytes | None = None
    ) -> bytes:
        """A device opens its product, or passes over its plot, once picks are drawn."""
        if blob is None:
            blob, root = await self.opening(wave, device)
        else:
            root = self.prove(wave, device).root
        digest = self.keep(blob)
        for operator in self.everybody if operators is None else operators:
            self.opened.setdefault(operator, []).append((wave.slot, device.account, root, digest, len(blob)))
        return digest

    async def opening(self, wave: Wave, device: Device) -> tuple[bytes, bytes]:
        """The right opening of a device, and its root."""
        chain = self.world.chain
        chain.warp_to(max(chain.now(), wave.time + 90))
        head = await chain.head(wave.open_from, Commitment.FINALIZED)
        assert head is not None
        seed = wave.open_seed(head)
        profile = self.profile(device)
        plotted = self.plots.get((wave.seed, bytes(device.account)))
        if plotted:
            plot = profile.residency
            assert plot is not None
            chosen = plot_picks(seed, device.account, plotted.root, plot, device.processors)
            return plotted.open(chosen), plotted.root
        proof = self.prove(wave, device)
        drawn = picks(seed, device.account, proof.root, profile, device.processors)
        return proof.open(drawn), proof.root

    def keep(self, blob: bytes) -> bytes:
        """A blob that operators hold."""
        digest = sha256(blob).digest()
        self.files[digest] = blob
        return digest

    # -- an hour -------------------------------------------------------------------------------

    async def end(
        self,
        hour: int,
        operators: Iterable[int] | None = None,
        silent: Sequence[Device] = (),
        seconds: int = HOUR + 60,
    ) -> HourPlan:
        """So long after the hour's start operators post evidence; all but ``silent`` answered pings."""
        chain = self.world.chain
        chain.warp_to(START + HOUR * hour + seconds)
        plan = await read_hour(chain, self.network, hour)
        assert plan is not None
        asked = np.sort(np.array([bytes(each.account) for each in self.devices], KEY))
        deaf = [bytes(each.account) for each in silent]
        said = np.tile(~np.isin(asked, deaf), (len(plan.pings), 1))
        pings = files.write_pings(asked, [each.slot for each in plan.pings], said)
        for operator in self.everybody if operators is None else operators:
            signer = self.world.operators[operator].pubkey()
            lines = files.Transfers(0, files.transfer_rows({})).write()
            for name, data in (("ping", pings), ("transfer", lines)):
                self.names.setdefault(self.keep(data), set()).add((hour, f"{name}-{signer}.bin"))
            rows = files.evidence_rows(self.opened.pop(operator, []))
            evidence = files.Evidence(sha256(pings).digest(), sha256(lines).digest(), rows)
            self.post(operator, hour, PostKind.EVIDENCE, 0, evidence.write())
        return plan

    async def chain_hour(self, history: History, hour: int) -> ChainHour:
        """All that the chain says of an hour at the time of its attestation."""
        chain = self.world.chain
        start = START + HOUR * hour
        chain.warp_to(max(chain.now(), start + 4_500))
        assert await history.knows(start + 3_900)
        found = await chain_hour(chain, self.network, hour, await history.hour(start))
        assert found is not None
        return found

    async def work(
        self, history: History, hour: int, before: Rows = FIRST, held: dict[bytes, bytes] | None = None
    ) -> HourWork:
        """What an hour comes to, by all files or those that are given."""
        found = await self.chain_hour(history, hour)
        return merge(found, self.profiles, self.files if held is None else held, before)

    def write(self, folder: Path, only: Iterable[bytes] | None = None) -> Path:
        """An operator's folder, with all files or some."""
        for digest, data in self.files.items():
            if only is not None and digest not in only:
                continue
            name = digest.hex()
            places = [folder / str(hour) / file for hour, file in self.names.get(digest, ())]
            for path in places or [folder / "openings" / name[:2] / name]:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
        return folder
