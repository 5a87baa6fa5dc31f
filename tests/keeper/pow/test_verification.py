"""The same codes wherever openings are verified."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from solders.pubkey import Pubkey

from keeper.pow.backend import NumpyBackend
from keeper.pow.codes import Code
from keeper.pow.opening import claim
from keeper.pow.prove import prove
from keeper.pow.residency import fill, plot_claim, reside
from keeper.pow.seeds import picks, plot_picks
from keeper.pow.verification import Batch, Cluster, Here, Processes, RayUnusable
from tests.keeper.operator.network import small_profiles

WAVE, OPEN, EPOCH = (bytes([number]) * 32 for number in (1, 2, 3))
HERE_IS_RAY = find_spec("ray") is not None


@pytest.fixture(scope="module")
def batches(tmp_path_factory: pytest.TempPathFactory) -> list[Batch]:
    """Right, malformed, forked and wrong openings of a product and of a residency wave."""
    profile = small_profiles(tmp_path_factory.mktemp("profiles"))[0]
    residency = profile.residency
    assert residency is not None
    backend = NumpyBackend()
    products, plots = [], []
    for number in range(4):
        device = Pubkey.from_bytes(bytes([10 + number]) * 32)
        proof = prove(backend, WAVE, device, profile, 1)
        blob = proof.open(picks(OPEN, device, proof.root, profile, 1))
        blobs = [blob, blob[:-1], blob[:40] + bytes([blob[40] ^ 1]) + blob[41:]]
        products += [claim(OPEN, profile, device, proof.root, 1, each) for each in blobs]
        # A product of another wave, committed to in this one.
        old = prove(backend, EPOCH, device, profile, 1)
        opened = old.open(picks(OPEN, device, old.root, profile, 1))
        products.append(claim(OPEN, profile, device, old.root, 1, opened))
        kept = reside(fill(backend, EPOCH, device, residency, 1), WAVE)
        shown = kept.open(plot_picks(OPEN, device, kept.root, residency, 1))
        plots += [plot_claim(OPEN, residency, device, kept.root, 1, each) for each in (shown, shown[:-1])]
    return [Batch(WAVE, b"", profile, products), Batch(WAVE, EPOCH, residency, plots)]


PRODUCTS = [Code.PASS, Code.OPEN_MALFORMED, Code.OPEN_PATH, Code.WORK_WRONG] * 4
PLOTS = [Code.PASS, Code.OPEN_MALFORMED] * 4


async def test_here(batches: list[Batch]) -> None:
    assert await Here().run(batches) == [PRODUCTS, PLOTS]
    assert await Here().run([]) == []


async def test_in_processes(batches: list[Batch]) -> None:
    processes = Processes(2)
    try:
        assert await processes.run(batches) == [PRODUCTS, PLOTS]
    finally:
        processes.close()


def test_without_ray_one_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(RayUnusable, match=r"ionet\[ray\]"):
        Cluster("127.0.0.1:6379")


CLUSTER = """
import json, ray
ray.init(num_cpus=2, include_dashboard=False)
print(json.dumps(ray.get_runtime_context().gcs_address), flush=True)
input()
"""


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A Ray cluster of this machine alone, whose workers find this checkout."""
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    child = subprocess.Popen(
        [sys.executable, "-c", CLUSTER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=tmp_path,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        yield json.loads(next(line for line in child.stdout if line.startswith('"')))
    finally:
        child.stdin.close()
        child.wait(30)


@pytest.mark.skipif(not HERE_IS_RAY, reason="Ray is not installed: pip install 'ionet[ray]'")
async def test_on_a_ray_cluster(batches: list[Batch], cluster: str) -> None:
    remote = Cluster(cluster)
    try:
        assert await remote.run(batches) == [PRODUCTS, PLOTS]
    finally:
        remote.close()
