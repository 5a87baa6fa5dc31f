"""Which files count: first postings, in time, whole, with every signature right, and nobody's word for it."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature

from keeper.pow.anchored import (
    Held,
    Posting,
    PostKind,
    Signatures,
    first_postings,
    included_evidence,
    included_waves,
)
from keeper.pow.clock import Wave, WaveKind
from keeper.pow.codes import Code
from keeper.pow.connectivity import Transfer
from keeper.pow.files import (
    KEY,
    Evidence,
    Rows,
    Transfers,
    evidence_rows,
    transfer_rows,
    wave_rows,
    write_pings,
    write_wave,
)
from keeper.pow.messages import Commit, Signed
from keeper.pow.verdicts import TASK, wave_verdicts

WAVE = Wave(17, 4_800, b"\x0b" * 32, 1_700_000_100, b"\x0a" * 32, WaveKind.PRODUCT, False)
WORKERS = sorted((Keypair.from_seed(bytes([number]) * 32) for number in range(3)), key=bytes)
DEVICES = [Pubkey(bytes([number]) * 31 + b"\0") for number in (1, 2, 3)]
OPERATORS = [Pubkey(bytes([number]) * 32) for number in (200, 201, 202)]
ROOT = b"\x0c" * 32
TASKS = np.array(
    [
        (bytes(device), bytes(worker.pubkey()), 3, 1, 0, 11_900, 11_900, 0)
        for device, worker in zip(DEVICES, WORKERS, strict=True)
    ],
    TASK,
)
START = 1_700_000_000


def commit(number: int, seed: bytes = WAVE.seed) -> Signed[Commit]:
    return Commit(seed, DEVICES[number], WaveKind.PRODUCT, 1, 3, 9, ROOT).sign(WORKERS[number])


def posted(data: bytes, operator: int = 0, kind: PostKind = PostKind.WAVE, slot: int = WAVE.slot) -> Posting:
    number = WAVE.hour
    return Posting(
        OPERATORS[operator], number, kind, slot, sha256(data).digest(), WAVE.slot + 149, START + 99
    )


def store(*files: bytes) -> dict[bytes, bytes]:
    return {sha256(each).digest(): each for each in files}


def included(postings: list[Posting], *files: bytes, tasks: Rows = TASKS) -> dict[Pubkey, Rows]:
    return included_waves(WAVE, tasks, len(tasks), postings, store(*files), Signatures())


GOOD = write_wave(wave_rows((commit(number), 8_000 + number) for number in range(3)))
LESS = write_wave(wave_rows([(commit(0), 8_000)]))


def test_files_that_count() -> None:
    found = included(
        [posted(GOOD), posted(LESS, 1), posted(write_wave(wave_rows([])), 2)], GOOD, LESS, b"IPW1" + bytes(4)
    )
    assert {operator: rows["ms"].tolist() for operator, rows in found.items()} == {
        OPERATORS[0]: [8_000, 8_001, 8_002],
        OPERATORS[1]: [8_000],
        OPERATORS[2]: [],
    }


def test_the_first_posting_counts() -> None:
    """Whatever comes later, an operator can't put another file in the place of one that was posted."""
    both = [posted(LESS), posted(GOOD)]
    assert included(both, GOOD, LESS)[OPERATORS[0]]["ms"].tolist() == [8_000]
    assert included(both, GOOD) == {}
    others = [
        replace(posted(LESS), number=18),
        replace(posted(LESS), kind=PostKind.EVIDENCE),
        replace(posted(LESS), slot=4_801),
        posted(LESS, 1),
        posted(GOOD),
    ]
    assert first_postings(others, 17, PostKind.WAVE, 4_800) == {
        OPERATORS[1]: others[3],
        OPERATORS[0]: others[4],
    }


@pytest.mark.parametrize(("now_slot", "counts"), [(4_949, True), (4_950, False), (10**9, False)])
def test_a_file_that_is_posted_late_counts_for_nothing(now_slot: int, counts: bool) -> None:
    """Picks are drawn from slot 4,950 on."""
    assert bool(included([replace(posted(GOOD), now_slot=now_slot)], GOOD)) is counts


def test_a_file_that_nobody_holds_or_that_is_another_counts_for_nothing() -> None:
    assert included([posted(GOOD)]) == {}
    name = sha256(GOOD).digest()
    assert included_waves(WAVE, TASKS, 3, [posted(GOOD)], {name: LESS}, Signatures()) == {}


def test_a_file_in_another_form_counts_for_nothing() -> None:
    for bad in (GOOD + b"\0", b"", b"IPE1" + GOOD[4:]):
        assert included([posted(bad)], bad) == {}


def test_one_wrong_signature_drops_the_file() -> None:
    right = commit(0)
    flipped = bytes(right.signature)[:-1] + bytes([bytes(right.signature)[-1] ^ 1])
    bad = {
        "flipped": replace(right, signature=Signature.from_bytes(flipped)),
        "none": replace(right, signature=Signature.default()),
        "another's": Signed(right.message, WORKERS[1].sign_message(right.message.signed_bytes())),
        "another wave's": Signed(right.message, commit(0, b"\x0d" * 32).signature),
        "another root's": replace(right, message=replace(right.message, root=b"\x0e" * 32)),
    }
    for name, wrong in bad.items():
        data = write_wave(wave_rows([(commit(1), 1), (commit(2), 1), (wrong, 1)]))
        assert included([posted(data), posted(GOOD, 1)], data, GOOD).keys() == {OPERATORS[1]}, name


def test_a_device_that_isnt_the_hours_is_nobodys_business() -> None:
    """Its row is left out, whoever signed it; an honest operator may have known a moment late."""
    (rows,) = included([posted(GOOD)], GOOD, tasks=TASKS[1:]).values()
    assert rows["ms"].tolist() == [8_001, 8_002]


def test_a_commit_to_other_work_harms_its_device_alone() -> None:
    """Else one device that signs nonsense would take an operator's whole file away."""
    nonsense = replace(commit(0).message, procs=8).sign(WORKERS[0])
    data = write_wave(wave_rows([(nonsense, 1), (commit(1), 2), (commit(2), 3)]))
    found = included([posted(data)], data)
    verdicts = wave_verdicts(WAVE.slot, TASKS, list(found.values()), {}, 1)
    assert verdicts["code"].tolist() == [Code.NO_COMMIT, Code.PASS_UNOPENED, Code.PASS_UNOPENED]


def test_a_file_larger_than_an_hour_can_have_isnt_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Devices of a moment late don't make it so."""
    assert included([posted(GOOD)], GOOD, tasks=TASKS[:1])
    monkeypatch.setattr("keeper.pow.files.MORE_DEVICES", 0)
    tight = len(GOOD) // 280  # Twice two roots of each device.
    assert included_waves(WAVE, TASKS, tight, [posted(GOOD)], store(GOOD), Signatures())
    assert included_waves(WAVE, TASKS, tight - 1, [posted(GOOD)], store(GOOD), Signatures()) == {}


def test_each_signature_is_verified_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many files it is in; a wrong one, too."""
    seen: list[bytes] = []

    class Counted:
        @staticmethod
        def from_bytes(data: bytes) -> Signature:
            seen.append(data)
            return Signature.from_bytes(data)

    monkeypatch.setattr("keeper.pow.anchored.Signature", Counted)
    wrong = write_wave(wave_rows([(replace(commit(0), signature=Signature.default()), 1)]))
    signatures = Signatures()
    postings = [posted(GOOD), posted(wrong, 1), posted(LESS, 2)]
    for _ in range(3):
        found = included_waves(WAVE, TASKS, 3, postings, store(GOOD, wrong, LESS), signatures)
        assert found.keys() == {OPERATORS[0], OPERATORS[2]}
    assert len(seen) == len(set(seen)) == 4


# -- evidence ----------------------------------------------------------------------------------

SLOTS = [4_832, 5_600]
ANSWERED = np.array([[True, False, True], [False, False, True]])
KEYS = np.array([bytes(each) for each in DEVICES[:3]], KEY)
PINGS = write_pings(KEYS, SLOTS, ANSWERED)
MEASURED = {DEVICES[1]: Transfer(1_000, 10, 500, 20)}
TRANSFERS = Transfers(10**9, transfer_rows(MEASURED)).write()
LINES = sha256(TRANSFERS).digest()
BLOB = b"an opening"
ROWS = evidence_rows([(WAVE.slot, DEVICES[1], ROOT, sha256(BLOB).digest(), len(BLOB))])
EVIDENCE = Evidence(sha256(PINGS).digest(), LINES, ROWS).write()
POSTED = posted(EVIDENCE, 0, PostKind.EVIDENCE, 0)


def held_evidence(posting: Posting, *files: bytes, waves: int = 1) -> int:
    """How many count."""
    return len(counted([posting], *files, waves=waves))


def due(slot: int, device: bytes, root: bytes) -> int | None:
    """One opening is due."""
    return len(BLOB) if (slot, device, root) == (WAVE.slot, bytes(DEVICES[1]), ROOT) else None


def counted(postings: list[Posting], *files: bytes, waves: int = 1) -> dict[Pubkey, Held]:
    return included_evidence(17, START, waves, SLOTS, KEYS, 3, due, postings, store(*files))


def test_evidence_that_counts() -> None:
    (held,) = counted([POSTED], EVIDENCE, PINGS, TRANSFERS, BLOB).values()
    assert held.answered is not None
    assert held.answered.tolist() == ANSWERED.tolist()
    assert (held.transfers.carries, held.transfers.by_device()) == (10**9, MEASURED)
    assert held.rows.tobytes() == ROWS.tobytes()
    last = replace(POSTED, at=START + 3_899)
    assert held_evidence(last, EVIDENCE, PINGS, TRANSFERS, BLOB) == 1


def test_devices_that_were_asked_and_are_not_in_the_hour() -> None:
    """And one that is, and wasn't asked: it hasn't answered."""
    others = np.sort(np.concatenate([KEYS[1:], np.array([b"\0" * 31 + b"\1", b"\xff" * 32], KEY)]))
    said = np.isin(others, [KEYS[1], b"\xff" * 32])[None, :].repeat(2, axis=0)
    pings = write_pings(others, SLOTS, said)
    evidence = Evidence(sha256(pings).digest(), LINES, ROWS).write()
    posting = posted(evidence, 0, PostKind.EVIDENCE, 0)
    (held,) = counted([posting], evidence, pings, TRANSFERS, BLOB).values()
    assert held.answered is not None
    assert held.answered.tolist() == [[False, True, False]] * 2


def test_who_asked_nobody_says_nothing_of_anybody() -> None:
    pings = write_pings(KEYS[:0], SLOTS, ANSWERED[:, :0])
    evidence = Evidence(sha256(pings).digest(), LINES, ROWS).write()
    posting = posted(evidence, 0, PostKind.EVIDENCE, 0)
    (held,) = counted([posting], evidence, pings, TRANSFERS, BLOB).values()
    assert (held.answered, len(held.rows)) == (None, 1)


def test_evidence_that_doesnt_count() -> None:
    """Late, incomplete, larger than the hour, or about other pings."""
    assert held_evidence(replace(POSTED, at=START + 3_900), EVIDENCE, PINGS, TRANSFERS, BLOB) == 0
    for missing in (EVIDENCE, PINGS, TRANSFERS, BLOB):
        assert held_evidence(POSTED, *{EVIDENCE, PINGS, TRANSFERS, BLOB} - {missing}) == 0
    assert held_evidence(POSTED, EVIDENCE, PINGS, TRANSFERS, BLOB, waves=0) == 0
    other = write_pings(KEYS, [4_832, 5_632], ANSWERED)
    for evidence, pings in (
        (Evidence(sha256(other).digest(), LINES, ROWS).write(), other),
        (EVIDENCE + b"\0", PINGS),
    ):
        assert held_evidence(posted(evidence, 0, PostKind.EVIDENCE, 0), evidence, pings, TRANSFERS, BLOB) == 0


@pytest.mark.parametrize("changed", ["slot", "device", "root", "length"])
def test_what_isnt_due_neednt_be_held(changed: str) -> None:
    """Others don't fetch it: who holds it by chance must come to the same as who doesn't."""
    other = ROWS.copy()
    other[changed] = {"slot": 9, "device": bytes(DEVICES[0]), "root": b"r" * 32, "length": 7}[changed]
    evidence = Evidence(sha256(PINGS).digest(), LINES, other).write()
    posting = posted(evidence, 0, PostKind.EVIDENCE, 0)
    for files in ((evidence, PINGS, TRANSFERS), (evidence, PINGS, TRANSFERS, BLOB)):
        (held,) = counted([posting], *files).values()
        assert len(held.rows) == 0
