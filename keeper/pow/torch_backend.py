"""Products on what PyTorch drives: NVIDIA by CUDA, AMD by ROCm, Apple by MPS, any processor.

PyTorch isn't a dependency of the package, for its builds differ by driver: whoever has a card installs the
right one (https://pytorch.org/get-started/locally). It is imported when a backend is asked for.

There are several exact ways to a product, and which one a card offers, and whether it keeps FP32 sums, only
a try tells. So the fastest that passes :func:`keeper.pow.backend.self_test` is taken:

1. int8 in, int32 out (``torch._int_mm``): the INT8 units.
2. FP16 in, FP32 sums and FP32 out (``torch.mm`` with ``out_dtype``) over blocks of 1,024: tensor cores that
   have no INT8, as V100's. FP16 holds every entry; an FP16 result would round.
3. FP32 over blocks of 1,024, TF32 off.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from keeper.pow.backend import BackendRefused, self_test
from keeper.pow.generator import GAMMA, MULTIPLIERS, SHIFTS, WORD
from keeper.pow.product import BLOCK, Integers
from keeper.pow.profiles import PANEL

_WORDS = 1 << 22
"""Words that are made at a time: three of int64 are 100 MB."""
_MULTIPLE = 32
"""INT8 products want sizes that are multiples of this, and more rows than 16."""


class TorchBackend:
    """One card, by one way to products; matrices are tensors on it.

    A panel of 4,096 x 4,096 is 64 MiB of int32; its bytes as FP32, where there is no INT8, are 256 MiB.
    """

    rows = PANEL
    columns = PANEL

    def __init__(self, torch: Any, kind: str, index: int, way: str) -> None:
        """``kind`` is PyTorch's name of the device's kind, such as "cuda"; ``way`` a key of ``WAYS``."""
        self._torch, self._kind, self._index, self._way = torch, kind, index, way
        self._device = torch.device(kind, index) if kind == "cuda" else torch.device(kind)
        self._multiply = WAYS[way]
        self.name = f"torch {torch.__version__} {self._device} {way}"
        self.processors = torch.cuda.device_count() if kind == "cuda" else 1

    def on(self, processor: int) -> TorchBackend:
        """The card of that number."""
        return TorchBackend(self._torch, self._kind, processor % self.processors, self._way)

    def generate(self, seed: bytes, rows: Sequence[int], K: int, rounds: int = 0) -> Any:
        """As :func:`keeper.pow.generator.generate`, in wrapping int64."""
        torch = self._torch
        words = K // WORD
        s0, s1 = struct.unpack("<qq", seed[:16])
        numbers = torch.tensor(list(rows), dtype=torch.int64, device=self._device)
        keys = self._mix(self._mix((numbers + 1) * _signed(GAMMA) + s1) + s0)
        steps = torch.arange(1, words + 1, dtype=torch.int64, device=self._device) * _signed(GAMMA)
        out = torch.empty((len(numbers), words), dtype=torch.int64, device=self._device)
        height = max(1, _WORDS // words)
        for at in range(0, len(numbers), height):
            z = keys[at : at + height, None] + steps
            if not rounds:
                z = self._mix(z)
            for _ in range(rounds):
                z += _signed(GAMMA)
                z = self._mix(z)
            out[at : at + height] = z
        return out.view(torch.int8)

    def put(self, matrix: NDArray[Any]) -> Any:
        """Copy it to the card."""
        return self._torch.from_numpy(np.ascontiguousarray(matrix)).to(self._device)

    def product(self, a: Any, bt: Any) -> Any:
        """As :func:`keeper.pow.product.product`."""
        return self._multiply(self._torch, a, bt)

    def checks(self, c: Any, q: Any) -> Integers:
        """As :func:`keeper.pow.product.checks`: one thin product over the bytes of ``c``."""
        segments = c.contiguous().view(self._torch.int8).reshape(-1, BLOCK)
        found = self._multiply(self._torch, segments, q)
        return self.take(found.reshape(len(c), -1, len(q)))

    def take(self, matrix: Any) -> NDArray[Any]:
        """Copy it from the card."""
        found: NDArray[Any] = matrix.cpu().numpy()
        return found

    def _mix(self, z: Any) -> Any:
        """SplitMix64's finaliser on int64, in place; a shift drags the sign along, so it is masked."""
        for shift, multiplier in zip(SHIFTS, (*MULTIPLIERS, None), strict=True):
            high = z >> shift
            high &= (1 << (64 - shift)) - 1
            z ^= high
            if multiplier is not None:
                z *= _signed(multiplier)
        return z


def torch_backend() -> TorchBackend:
    """The fastest exact backend that PyTorch has here; raises BackendRefused where there is none."""
    try:
        import torch  # noqa: PLC0415
    except ImportError:
        raise BackendRefused("a card needs PyTorch: pip install torch, in the build for its driver") from None
    # FP32 by TF32 or BF16 parts isn't FP32.
    torch.set_float32_matmul_precision("highest")
    torch.backends.cuda.matmul.allow_tf32 = False
    if torch.cuda.is_available():
        kind, ways = "cuda", list(WAYS)
    elif torch.backends.mps.is_available():
        kind, ways = "mps", ["fp32"]
    else:
        kind, ways = "cpu", ["int8", "fp32"]
    return fastest(torch, kind, ways)


def fastest(torch: Any, kind: str, ways: Sequence[str]) -> TorchBackend:
    """The first of ``ways`` that works and is exact on a kind of device; raises BackendRefused."""
    why = f"{kind} has no exact product"
    for way in ways:
        backend = TorchBackend(torch, kind, 0, way)
        try:
            self_test(backend)
        except BackendRefused as error:
            why = str(error)
        except (RuntimeError, TypeError, AttributeError, NotImplementedError) as error:
            # How PyTorch says that a build or a card lacks an operation.
            why = f"{backend.name}: {error}"
        else:
            return backend
    raise BackendRefused(why)


def _int8(torch: Any, a: Any, bt: Any) -> Any:
    """By the INT8 units, which want full tiles: the rest is zeros, and cut off again."""
    found = torch._int_mm(_padded(torch, a), _padded(torch, bt).t())
    return found[: len(a), : len(bt)]


def _padded(torch: Any, matrix: Any) -> Any:
    short = -len(matrix) % _MULTIPLE
    return torch.nn.functional.pad(matrix, (0, 0, 0, short)) if short else matrix


def _fp16(torch: Any, a: Any, bt: Any) -> Any:
    return _blocks(
        torch, a, bt, torch.float16, lambda left, right: torch.mm(left, right, out_dtype=torch.float32)
    )


def _fp32(torch: Any, a: Any, bt: Any) -> Any:
    return _blocks(torch, a, bt, torch.float32, torch.mm)


def _blocks(torch: Any, a: Any, bt: Any, dtype: Any, multiply: Callable[[Any, Any], Any]) -> Any:
    """Exact in FP32 over 1,024 (see :mod:`keeper.pow.product`), added as int32."""
    total = torch.zeros((len(a), len(bt)), dtype=torch.int32, device=a.device)
    for k in range(0, a.shape[1], BLOCK):
        left, right = (each[:, k : k + BLOCK].to(dtype) for each in (a, bt))
        total += multiply(left, right.t()).to(torch.int32)
    return total


WAYS: dict[str, Callable[[Any, Any, Any], Any]] = {"int8": _int8, "fp16": _fp16, "fp32": _fp32}
"""Ways to an exact product, the fastest first."""


def _signed(value: int) -> int:
    """A u64 as the int64 of the same bits."""
    return value - (1 << 64) if value >> 63 else value
