"""A second reading of the messages' layout and of the liveness rule, in plain bytes and numbers.

``python -m tests.keeper.compute.independent`` writes tests/vectors/compute.json, which the keeper must give.
"""

from __future__ import annotations

import json
from hashlib import sha256, shake_128
from pathlib import Path
from typing import Any

import numpy as np
from solders.keypair import Keypair

VECTORS = Path(__file__).parents[2] / "vectors/compute.json"
GENESIS, PROGRAM, ORDER, DEVICE, OPERATOR = (sha256(each).digest() for each in b"g p o d w".split())
KEY = Keypair.from_seed(sha256(b"worker").digest())
NODE, PUBLIC, RUNTIME = bytes(range(28)), bytes(range(32)), bytes(range(32, 64))
MEMBERS, HERE = bytes(range(64, 96)), bytes(10) + b"\xff\xff\x0a\x00\x00\x01"
NONCE, BOX = bytes(range(16)), bytes(156)


def le(value: int, size: int) -> bytes:
    return value.to_bytes(size, "little")


def probed(seed: bytes) -> bytes:
    """The answer to a probe, with numpy: it is written without."""
    drawn = np.frombuffer(shake_128(b"ionet probe" + seed).digest(32_768), np.int8).reshape(2, 16, 1_024)
    left, right = drawn.astype(np.int64)
    return sha256(np.einsum("ij,kj->ik", left, right).astype("<i4").tobytes()).digest()


BODIES = {
    1: PUBLIC + le(7, 8) + RUNTIME + le(1, 1) + HERE + le(51_820, 2) + le(0, 4),
    2: MEMBERS + le(1, 1) + DEVICE + BOX,
    3: NODE + le(16, 2) + le(2, 2) + le(64 << 30, 8),
    4: OPERATOR + NONCE + le(2, 1) + NODE + le(7, 8) + le(3_600, 4)
    + le(1_000, 8) + le(2_000, 8) + le(3_000, 8) + le(4_000, 8),
    5: le(2, 1) + DEVICE + le(1, 1) + le(100, 8) + OPERATOR + le(0, 1) + le(200, 8),
    6: DEVICE + le(1_800_000_000, 8) + le(1, 1),
    7: le(3, 1),
    8: OPERATOR + RUNTIME + probed(RUNTIME) + le(7, 8),
}  # fmt: skip


def message(kind: int, epoch: int, seq: int, ms: int) -> bytes:
    body = BODIES[kind]
    sender = bytes(KEY.pubkey())
    head = b"\xffionet compute" + le(1, 1) + le(kind, 1) + GENESIS + PROGRAM + ORDER + sender
    data = head + le(epoch, 4) + le(seq, 8) + le(ms, 8) + le(len(body), 4) + body
    return data + bytes(KEY.sign_message(data))


def good(rows: list[list[int | None]], start: int, k: int, at: int, leased: int) -> list[int] | None:
    """[good hours, last good second] by each operator's [last beat, devices heard, reached since].

    None for no fault.
    """

    def patience(row: list[int | None]) -> int:
        return 180 if row[1] is not None and row[1] * 2 >= leased > 0 else 5_400

    silent = [row for row in rows if at - max(start, row[0] or 0) >= patience(row)]
    sure = [row for row in silent if patience(row) == 180 or (row[2:] and at - (row[2] or at) >= 5_400)]
    if len(sure) < k:
        return None
    seconds = sorted((max(start, row[0] or 0) for row in rows), reverse=True)
    return [(seconds[k - 1] - start) // 3_600, seconds[k - 1]]


START, AT = 1_800_000_000, 1_800_018_000
CASES: list[tuple[str, list[list[int | None]], int, int]] = [
    ("all silent since the fourth hour", [[START + 14_400 + each, 90] for each in (0, 5, 9)], 2, 100),
    ("all silent a second before the fourth hour", [[START + 14_399, 90]] * 3, 2, 100),
    ("one operator hears it", [[START + 14_400, 90], [AT - 10, 90], [START + 14_400, 90]], 2, 100),
    ("most operators hear it", [[START + 14_400, 90], [AT - 10, 90], [AT - 40, 90]], 2, 100),
    ("179 seconds", [[AT - 179, 90]] * 3, 2, 100),
    ("180 seconds", [[AT - 180, 90]] * 3, 2, 100),
    ("the network failed", [[START + 14_400, 49]] * 3, 2, 100),
    ("half is enough", [[START + 14_400, 50]] * 3, 2, 100),
    ("one operator is blind and one hears it", [[START, 0], [AT - 10, 90], [START + 9_000, 90]], 2, 100),
    (
        "one is blind and two don't hear it",
        [[START, 0], [AT - 300, 90], [START + 9_000, 90]],
        2,
        100,
    ),
    ("never a beat", [[None, 90]] * 3, 2, 100),
    ("most are off and others reach it", [[START + 7_300, 20, START]] * 3, 2, 100),
    ("most are off for 90 minutes", [[AT - 5_400, 20, START]] * 3, 2, 100),
    ("most are off for a second less", [[AT - 5_399, 20, START]] * 3, 2, 100),
    ("it was reached for a second less", [[START + 7_300, 20, AT - 5_399]] * 3, 2, 100),
    ("the only device is off", [[START + 7_300, 0, AT - 5_400]] * 3, 2, 1),
    ("one alone was reached", [[START + 7_300, 20, START], [START, 0], [START, 0]], 2, 100),
]


def vectors() -> dict[str, Any]:
    messages = {str(kind): message(kind, 42, kind + 10, 1_800_000_000_123).hex() for kind in BODIES}
    silence = [
        {"name": name, "rows": rows, "k": k, "leased": leased, "found": good(rows, START, k, AT, leased)}
        for name, rows, k, leased in CASES
    ]
    device = "CpTgEHcUxnMKzKv9m4nf3fM3Uomjgr8fEpFrj5K1qaYo"
    verdict = {
        "device": device,
        "good_hours": 4,
        "number": 7,
        "reason": "silent",
        "registered_at": START - 86_400,
        "rule": 2,
    }
    evidence = sha256(json.dumps(verdict, separators=(",", ":")).encode()).hexdigest()
    return {
        "messages": messages,
        "silence": {"start": START, "at": AT, "cases": silence},
        "evidence": evidence,
        "probes": {seed.hex(): probed(seed).hex() for seed in (bytes(32), b"\xff" * 32, RUNTIME)},
    }


if __name__ == "__main__":
    VECTORS.write_text(json.dumps(vectors(), indent=1) + "\n")
