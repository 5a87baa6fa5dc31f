"""The toolchain's self-test: the probe program against Python's integers, in the VM."""

import hashlib
import math
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.litesvm import LiteSVM
from solders.message import Message
from solders.pubkey import Pubkey
from solders.transaction import Transaction
from solders.transaction_metadata import TransactionMetadata

PROBE = Path(__file__).parents[2] / "programs/artifacts/probe.so"
PROGRAM = Pubkey.from_string("Fg6PaFpoGXkYsidMpWTK6W2BeZ7FEfcYkg476zPFsLnS")
DISCRIMINATOR = hashlib.sha256(b"global:run").digest()[:8]
MASK64 = 2**64 - 1
MASK128 = 2**128 - 1
EDGES = [0, 1, 2, 3, MASK128, MASK128 - 1, 1 << 127, 1 << 64, MASK64, 1 << 63, (1 << 127) - 1, 10**18]
VM = ThreadPoolExecutor(1)
"""Where programs run, as in keeper.chain.embedded: numpy's floats are of no use on that thread afterwards."""
RUNS_EACH = 1_050
"""Runs of each of the 20 operations: 21,000 in all."""


def signed(x: int, bits: int) -> int:
    x &= (1 << bits) - 1
    return x - (1 << bits) if x >> (bits - 1) else x


def quotient(a: int, b: int) -> int:
    """Rounded towards zero, as Rust does."""
    q = abs(a) // abs(b)
    return -q if (a < 0) != (b < 0) else q


def signed_division(a: int, b: int, remainder: bool) -> int:
    a, b = signed(a, 128), signed(b, 128)
    if b == 0 or (a == -(2**127) and b == -1):
        return 9
    q = quotient(a, b)
    return a - b * q if remainder else q


def eight_arguments(a: int, b: int) -> int:
    args = [a, b, a ^ 1, b ^ 2, a ^ 3, b ^ 4, a ^ 5, b ^ 6]
    x = ((args[0] * 3 + args[1]) * 5 + (args[2] ^ args[3])) * 7 + args[4] - args[5]
    rotated = ((args[7] << 13) | (args[7] >> 51)) & MASK64
    return (x * 11) & MASK64 ^ args[6] ^ rotated


def words(a: int, b: int) -> int:
    product = (a & 0xFFFFFFFF) * (b & 0xFFFFFFFF) & 0xFFFFFFFF
    return product >> 3 ^ ((signed(a, 32) >> (b & 31)) & MASK128)


def sort(seed: int) -> int:
    x, values = seed | 1, []
    for _ in range(40):
        x ^= x << 13 & MASK64
        x ^= x >> 7
        x ^= x << 17 & MASK64
        values.append(x)
    total = 0
    for value in sorted(values):
        total = total * 31 + value & MASK128
    return total


def text(a: int, b: int) -> int:
    total = 0
    for byte in f"{a}:{b:x}:{a & MASK64:>12}|{signed(b, 64)}".encode():
        total = total * 131 + byte & MASK128
    return total


def bit_counts(a: int, b: int) -> int:
    trailing = (b & -b).bit_length() - 1 if b else 128
    return 128 - a.bit_length() + (trailing << 8) + (a.bit_count() << 16)


def comparisons(a: int, b: int) -> int:
    signed_less = signed(a, 128) < signed(b, 128)
    return (a < b) | signed_less << 1 | (a == b) << 2 | (signed(a, 64) < signed(b, 64)) << 3


def low(f: Callable[[int, int], int]) -> Callable[[int, int], int]:
    return lambda a, b: f(a & MASK64, b & MASK64)


EXPECTED: dict[str, Callable[[int, int], int]] = {
    "u128 multiply, wrapping": lambda a, b: a * b & MASK128,
    "u128 divide": lambda a, b: a // b if b else 7,
    "u128 remainder": lambda a, b: a % b if b else 7,
    "u64 multiply, checked": low(lambda a, b: a * b if a * b <= MASK64 else MASK128),
    "u128 shift left": lambda a, b: a << (b & 127) & MASK128,
    "u128 shift right": lambda a, b: a >> (b & 127),
    "u128 multiply, checked": lambda a, b: a * b if a * b <= MASK128 else MASK128 - 1,
    "i128 divide": lambda a, b: signed_division(a, b, remainder=False) & MASK128,
    "i128 remainder": lambda a, b: signed_division(a, b, remainder=True) & MASK128,
    "i128 shift right": lambda a, b: signed(a, 128) >> (b & 127) & MASK128,
    "five wide arguments": lambda a, b: (a + b) * (a & MASK64) + (b & MASK64 ^ a & MASK64 ^ 5) & MASK128,
    "eight arguments": low(eight_arguments),
    "u64 divide": low(lambda a, b: (a * 10_000 if a * 10_000 <= MASK64 else 5) // (b | 1)),
    "u64 remainder": low(lambda a, b: a % (b | 1)),
    "32-bit words": low(words),
    "sort": low(lambda a, _: sort(a)),
    "format": text,
    "bit counts": bit_counts,
    "comparisons": comparisons,
    "u128 square root": lambda a, _: math.isqrt(a),
}


@pytest.mark.parametrize("operation", range(len(EXPECTED)), ids=list(EXPECTED))
def test_operator_equals_python(operation: int) -> None:
    VM.submit(_compare, operation).result()


def _compare(operation: int) -> None:
    rng = random.Random(operation)
    svm = LiteSVM().with_sigverify(False).with_blockhash_check(False).with_transaction_history(0)
    svm.add_program(PROGRAM, PROBE.read_bytes())
    payer = Keypair.from_seed(bytes(32))
    svm.airdrop(payer.pubkey(), 10**12)
    metas = [AccountMeta(payer.pubkey(), is_signer=True, is_writable=True)]
    expected = list(EXPECTED.values())[operation]

    def operand() -> int:
        return rng.choice(EDGES) if rng.random() < 0.1 else rng.getrandbits(rng.randint(1, 128))

    for _ in range(RUNS_EACH):
        a, b = operand(), operand()
        data = DISCRIMINATOR + bytes([operation]) + a.to_bytes(16, "little") + b.to_bytes(16, "little")
        message = Message([Instruction(PROGRAM, data, metas)], payer.pubkey())
        result = svm.send_transaction(Transaction([payer], message, svm.latest_blockhash()))
        assert isinstance(result, TransactionMetadata), (a, b, result.err(), result.meta().logs())
        assert int.from_bytes(bytes(result.return_data().data), "little") == expected(a, b), (a, b)
