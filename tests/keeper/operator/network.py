"""A network on an embedded chain with devices that prove, and operators that are stepped by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
from solders.hash import Hash
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.chain import Chain, Commitment, Head
from keeper.clients import staking
from keeper.economy.supply import IO
from keeper.jobs.port import Direct
from keeper.operator.limits import Limits
from keeper.operator.operator import Operator
from keeper.operator.running import network_of
from keeper.operator.waves import Held
from keeper.pow.backend import NumpyBackend
from keeper.pow.clock import Wave, WaveKind
from keeper.pow.connectivity import TRANSFER
from keeper.pow.messages import Commit, Opening, Pong
from keeper.pow.profiles import Profiles, read_profiles
from keeper.pow.prove import Proof, prove
from keeper.pow.seeds import picks
from keeper.pow.verification import Here, Verifier
from keeper.rewards.peers import Peers
from tests.programs.staking.world import GPU_CLASS, StakingWorld
from tests.programs.world import HOUR, START, key

GENESIS = Hash(bytes(range(32)))
ADDRESS = "192.0.2.1"
"""Where honest devices are, in tests without sockets."""


def small_profiles(folder: Path) -> Profiles:
    """A table whose products take milliseconds; the GPU class makes them."""
    row = {
        "id": 0,
        "m": 64,
        "n": 512,
        "K": 1024,
        "q": 24,
        "T_ms": 8000,
        "measured": True,
        "classes": [GPU_CLASS],
    }
    residency = {"m": 256, "K": 1024, "K_many": 1024, "rounds": 4, "passes": 2, "q": 2}
    row["residency"] = {**residency, "T_ms": 8000, "measured": True}
    path = folder / "profiles.json"
    path.write_text(json.dumps({"profiles": [row]}))
    return read_profiles(path)


@dataclass
class Device:
    """A device that works."""

    name: str
    account: Pubkey
    processors: int
    proofs: dict[bytes, Proof[Any]] = field(default_factory=dict)

    @property
    def worker(self) -> Keypair:
        """Its key."""
        return key(self.name)

    def prove(self, wave: Wave, profiles: Profiles) -> Proof[Any]:
        """Its product of a wave, made once."""
        if wave.seed not in self.proofs:
            backend = NumpyBackend()
            self.proofs[wave.seed] = prove(backend, wave.seed, self.account, profiles[0], self.processors)
        return self.proofs[wave.seed]

    def commit(self, wave: Wave, root: bytes, signer: Keypair | None = None, **changed: Any) -> bytes:
        """A signed commit to a product."""
        fields = {"kind": WaveKind.PRODUCT, "procs": self.processors, "profile": 0, "device_ms": 7_000}
        return (
            Commit(wave.seed, self.account, root=root, **{**fields, **changed})
            .sign(signer or self.worker)
            .encode()
        )

    def pong(self, seed: bytes) -> bytes:
        """A signed answer to a ping."""
        return Pong(seed, self.account).sign(self.worker).encode()

    def opening(self, held: Held, profiles: Profiles) -> bytes:
        """The right opening of a wave whose picks are drawn."""
        assert held.opening is not None
        proof = self.proofs[held.wave.seed]
        seed = held.wave.open_seed(held.opening)
        chosen = picks(seed, self.account, proof.root, profiles[0], self.processors)
        return Opening(held.wave.seed, self.account, proof.root, proof.open(chosen)).encode()


class Forked:
    """A chain whose confirmed blocks from some slots on are others than the final ones will be."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self.orphans: dict[int, Head] = {}
        self.final_slot: int | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)

    async def head(self, slot: int, commitment: Commitment) -> Head | None:
        if commitment is Commitment.FINALIZED:
            if self.final_slot is not None and slot > self.final_slot:
                return None
        elif orphan := self.orphans.get(slot):
            return orphan if orphan.slot <= await self._chain.slot(commitment) else None
        return await self._chain.head(slot, commitment)


class Net:
    """The network: its clock is the chain's, and moves in :meth:`go` alone."""

    def __init__(
        self,
        folder: Path,
        devices: Sequence[str] = ("worker a", "worker b"),
        world: StakingWorld | None = None,
    ) -> None:
        self.folder = folder
        self.profiles = small_profiles(folder)
        self.world = world or StakingWorld.ready()
        self.world.chain._genesis = GENESIS  # Waves are where they were in the last run.
        self.devices = [self.device(name) for name in devices]
        self.world.chain.warp_to(START + HOUR)
        self.extra_seconds = 0.0

    def device(self, name: str, *, stake: int = 1_000, processors: int = 1) -> Device:
        """Register a device and stake on it."""
        supplier = self.world.earner(f"supplier of {name}", 10_000 * IO)
        registered = self.world.device(name, supplier, processors=processors)
        if stake:
            self.world.do(staking.stake(registered, stake * IO), signers=[supplier])
        return Device(name, staking.device_address(key(name).pubkey()), processors)

    def monotonic(self) -> float:
        """Seconds, by the chain's clock."""
        return self.world.chain.now() + self.extra_seconds

    async def operator(
        self,
        number: int,
        *,
        chain: Any = None,
        peers: Sequence[str] = (),
        verifier: Verifier | None = None,
        limits: Limits | None = None,
        folder: Path | None = None,
        transfer: int = TRANSFER,
    ) -> Operator:
        """An operator with a folder of its own; called again, one that was restarted."""
        signer = self.world.operators[number]
        port = Direct(chain or self.world.chain, signer, structlog.get_logger())
        return Operator(
            port,
            signer,
            await network_of(port.chain),
            self.profiles,
            folder or self.folder / f"operator{number}",
            verifier or Here(),
            Peers(peers, clock=self.monotonic),
            limits=limits,
            transfer=transfer,
            monotonic=self.monotonic,
        )

    async def go(self, seconds: int, *operators: Operator) -> None:
        """Let time pass, five seconds at a time."""
        for _ in range(0, seconds, 5):
            self.world.chain.advance(5)
            for operator in operators:
                await operator.step()

    async def until_wave(self, *operators: Operator) -> Held:
        """Let time pass until the hour's wave has begun for all of them."""
        for operator in operators:
            await operator.step()
        while not (
            found := [
                each
                for each in operators[0].desk.intake.waves.values()
                if each.wave.hour == 1 and not each.wave.spot
            ]
        ):
            await self.go(5, *operators)
        return found[0]


def held(operator: Operator, wave: Wave) -> Held:
    """An operator's own record of a wave."""
    return operator.desk.intake.waves[wave.seed]


def say(operator: Operator, data: bytes, address: str = ADDRESS) -> Any:
    """Hand a commit in, without a socket."""
    return operator.desk.intake.commit(data, address, operator.desk.monotonic())
