"""PyTorch's backend gives numpy's bytes, where PyTorch is; where it isn't, it says so."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from keeper.pow import product, residency
from keeper.pow.backend import BackendRefused, NumpyBackend, self_test
from keeper.pow.generator import generate
from keeper.pow.hashing import digest
from keeper.pow.profiles import Residency
from keeper.pow.prove import prove
from keeper.pow.torch_backend import TorchBackend, fastest, torch_backend
from tests.keeper.pow.cheats import DEVICE, PROFILE, WAVE


def test_without_pytorch_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(BackendRefused, match="pip install torch"):
        torch_backend()


@pytest.fixture(params=["int8", "fp32"])
def backend(request: pytest.FixtureRequest) -> TorchBackend:
    torch: Any = pytest.importorskip("torch")
    return TorchBackend(torch, "cpu", 0, request.param)


def test_it_is_exact(backend: TorchBackend) -> None:
    self_test(backend)


@pytest.mark.parametrize("rounds", [0, 3])
def test_operands(backend: TorchBackend, rounds: int) -> None:
    seed = digest("test", b"torch")
    rows = [0, 1, 5, (1 << 20) - 1]
    made = backend.take(backend.generate(seed, rows, 2048, rounds))
    assert np.array_equal(made, generate(seed, rows, 2048, rounds)) and made.dtype == np.int8


def test_products_of_sizes_that_suit_no_unit(backend: TorchBackend) -> None:
    rng = np.random.default_rng(7)
    a, bt = (rng.integers(-128, 128, (rows, 2048), np.int8) for rows in (3, 256))
    c = backend.product(backend.put(a), backend.put(bt))
    q = product.key(WAVE, 0)
    assert np.array_equal(backend.take(c), product.product(a, bt))
    assert np.array_equal(backend.checks(c, backend.put(q)), product.checks(product.product(a, bt), q))


def test_proofs(backend: TorchBackend) -> None:
    sizes = Residency(256, 1024, 1024, rounds=4, passes=2, q=2, T_ms=8000)
    made = []
    for each in (backend, NumpyBackend()):
        plot = residency.fill(each, WAVE, DEVICE, sizes, 2)
        made.append((prove(each, WAVE, DEVICE, PROFILE, 2).root, residency.reside(plot, WAVE).root))
    assert made[0] == made[1]


def test_what_is_here_is_found() -> None:
    pytest.importorskip("torch")
    self_test(torch_backend())


def test_a_way_that_is_missing_or_rounds_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    torch: ModuleType = pytest.importorskip("torch")

    def half(_: Any, a: Any, bt: Any) -> Any:
        return (a.bfloat16() @ bt.bfloat16().t()).int()

    def missing(*_: Any) -> Any:
        raise RuntimeError("not implemented for this card")

    ways = {"missing": missing, "half": half}
    for name, way in ways.items():
        monkeypatch.setitem(sys.modules["keeper.pow.torch_backend"].WAYS, name, way)
    assert fastest(torch, "cpu", [*ways, "fp32"]).name.endswith("fp32")
    with pytest.raises(BackendRefused, match="cpu half isn't exact"):
        fastest(torch, "cpu", list(ways))
