"""``ionet slash show``: evidence on a real chain, from a folder and over HTTP."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from keeper.clients import staking
from keeper.operator.running import network_of
from keeper.pow.clock import Wave, WaveKind
from keeper.pow.messages import Commit
from keeper.pow.replay import read_hour
from keeper.rewards.offences import Act, Kind, Offence
from keeper.rewards.proofs import offence_path, write_offence
from tests.keeper.api.serving import serving
from tests.keeper.operator.network import Device, Net
from tests.programs.world import HOUR, START

BPS = 1_000


@dataclass
class Chained:
    """A saved chain with a device, a wave of hour 1, and a folder of evidence."""

    net: Net
    path: Path
    wave: Wave
    rewards: Path

    def conflict(self, device: Device, *roots: int, seed: bytes | None = None) -> Offence:
        commits = [
            Commit(seed or self.wave.seed, device.account, WaveKind.PRODUCT, 1, 0, 1, bytes([root]) * 32)
            for root in roots
        ]
        acts = tuple(Act(self.wave.slot, each.sign(device.worker), b"") for each in commits)
        return Offence(Kind.CONFLICT, device.worker.pubkey(), acts)

    def vote(self, device: Device, evidence: bytes, *operators: int) -> None:
        """Vote for evidence on chain, and save the chain."""
        account = self.net.world.read_device(device.name)
        for number in operators:
            operator = self.net.world.operators[number]
            self.net.world.do(
                staking.vote_slash(operator.pubkey(), account, evidence, BPS), signers=[operator]
            )
        self.net.world.chain.save(self.path)


@pytest.fixture
def chained(tmp_path: Path) -> Chained:
    net = Net(tmp_path)
    net.world.chain.warp_to(START + 2 * HOUR + 300)

    async def wave() -> Wave:
        plan = await read_hour(net.world.chain, await network_of(net.world.chain), 1)
        assert plan is not None
        return plan.waves[0]

    return Chained(net, tmp_path / "test.chain", asyncio.run(wave()), tmp_path / "rewards")


def test_a_conflict_is_proven_from_a_folder_and_from_a_service(ionet, chained) -> None:
    device = chained.net.devices[0]
    offence = chained.conflict(device, 1, 2)
    write_offence(chained.rewards, offence)
    chained.vote(device, offence.evidence, 0, 1)
    code, out, _ = ionet("slash", "show", device.account, "--chain", chained.path)
    assert code == 0
    words = " ".join(out.split())
    assert "Proven. The device's worker key signed two different roots for one wave" in words
    assert "status pending" in words
    assert "part of the stakes 10 %" in words
    assert f"root signed for the wave of slot {chained.wave.slot}" in words
    with serving(chained.rewards) as url:
        by_hash = "slash", "show", offence.evidence.hex(), "--chain", chained.path, "--from", url, "--json"
        code, out, _ = ionet(*by_hash)
    (found,) = json.loads(out)["slashes"]
    assert code == 0
    assert (found["proven"], found["kind"], found["status"]) == (True, "conflict", "pending")
    assert found["device"] == str(device.account)
    assert [each["root"] for each in found["acts"]] == ["01" * 32, "02" * 32]


def test_what_proves_nothing_says_why(ionet, chained) -> None:
    """No evidence, somebody else's, of another network, changed since: exit code 1 each time."""
    first, second = chained.net.devices
    theirs = chained.conflict(second, 1, 2)
    elsewhere = chained.conflict(first, 1, 2, seed=bytes(32))
    for offence in (theirs, elsewhere):
        write_offence(chained.rewards, offence)
    changed = chained.conflict(first, 3, 4)
    (chained.rewards / offence_path(changed.evidence)).write_bytes(theirs.encode())
    for evidence, words in (
        (theirs.evidence, f"the evidence is about device {second.account}, not this one"),
        (elsewhere.evidence, "isn't to a wave that this chain began"),
        (changed.evidence, "its hash is another"),
        (bytes(32), "--from names who serves it"),
    ):
        chained.vote(first, evidence, 0)
        code, out, _ = ionet("slash", "show", evidence.hex(), "--chain", chained.path)
        assert code == 1
        assert "Not proven: " in out
        assert words in " ".join(out.split())
    with serving(chained.rewards) as url:
        code, out, _ = ionet("slash", "show", "00" * 32, "--chain", chained.path, "--from", url, "--json")
    assert (code, json.loads(out)["slashes"][0]["proven"]) == (1, False)
    assert "status 404" in json.loads(out)["slashes"][0]["problem"]
