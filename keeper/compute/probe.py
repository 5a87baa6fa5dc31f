"""A probe of a sandbox: a small product of integers that only a working machine answers in time.

An operator draws a seed; the answer is the SHA-256 of A times B (32 bytes): int8 numbers, 16 x 1,024 and
1,024 x 16, that SHAKE-128 makes of the seed, and sums as little-endian int32, row by row. Like a wave's
product it can't be known before, and anybody can compute it again. It takes a twentieth of a second in Python
alone: it shows that code runs in the sandbox, not how fast.

The agent has it run in the sandbox, where there is nothing of ours: the standard library is enough for this
file. ``python3 probe.py SEED`` prints the answer, both in hexadecimal.
"""

import sys
from hashlib import sha256, shake_128

SIDE, DEPTH = 16, 1_024
SEED = 32
"""Bytes, as the answer's."""


def factors(seed: bytes) -> tuple[bytes, bytes]:
    """A by rows and B by columns, a byte for each int8."""
    size = SIDE * DEPTH
    drawn = shake_128(b"ionet probe" + seed).digest(2 * size)
    return drawn[:size], drawn[size:]


def answer(seed: bytes) -> bytes:
    """The answer to a seed."""
    left, right = (memoryview(part).cast("b").tolist() for part in factors(seed))
    rows = [left[at : at + DEPTH] for at in range(0, len(left), DEPTH)]
    columns = [right[at : at + DEPTH] for at in range(0, len(right), DEPTH)]
    sums = (sum(a * b for a, b in zip(row, column, strict=True)) for row in rows for column in columns)
    return sha256(b"".join(each.to_bytes(4, "little", signed=True) for each in sums)).digest()


if __name__ == "__main__":
    print(answer(bytes.fromhex(sys.argv[1])).hex())
