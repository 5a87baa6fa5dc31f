"""Files of an hour: exact bytes, one form only, and what any changed byte does."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper import tables
from keeper.pow.clock import WaveKind
from keeper.pow.connectivity import TRANSFER, Transfer
from keeper.pow.files import (
    EVIDENCE,
    KEY,
    WAVE,
    Evidence,
    FileError,
    Transfers,
    evidence_limit,
    evidence_rows,
    pings_limit,
    placed,
    read_pings,
    read_wave,
    transfer_rows,
    transfers_limit,
    wave_commits,
    wave_limit,
    wave_rows,
    write_pings,
    write_wave,
)
from keeper.pow.messages import Commit, Signed, decode
from keeper.pow.record import Block, HourRecord, RecordError, WaveRecord
from keeper.pow.verdicts import VERDICT

WORKER = Keypair.from_seed(b"\x01" * 32)
SEED = b"\x0a" * 32
DEVICES = [Pubkey(bytes([number]) * 31 + bytes([last])) for number, last in ((1, 0), (2, 5), (9, 0))]
ROOTS = [bytes([number]) * 31 + b"\0" for number in (7, 8, 9)]


def commit(device: int = 0, root: int = 0, device_ms: int = 5) -> Signed[Commit]:
    return Commit(SEED, DEVICES[device], WaveKind.PRODUCT, 2, 3, device_ms, ROOTS[root]).sign(WORKER)


def wave_file() -> bytes:
    pairs = [(commit(2), 300), (commit(0, 1), 200), (commit(0), 100), (commit(1), 2**32 - 1)]
    return write_wave(wave_rows(pairs))


# -- WAVE --------------------------------------------------------------------------------------


def test_a_wave_file_byte_by_byte() -> None:
    assert (WAVE.itemsize, EVIDENCE.itemsize) == (140, 108)
    found = commit(1, 2, 0x01020304)
    body = (
        bytes(DEVICES[1]) + ROOTS[2] + bytes.fromhex("34120000 04030201 0300 02 00") + bytes(found.signature)
    )
    assert write_wave(wave_rows([(found, 0x1234)])) == b"IPW1" + b"\x01\0\0\0" + body
    assert write_wave(wave_rows([])) == b"IPW1" + bytes(4)
    assert wave_limit(2) == 8 + 2 * 140 * (1_024 + 2 * 2)


def test_a_wave_file_gives_the_commits_back() -> None:
    rows = read_wave(wave_file())
    found = [decode(Commit, each) for each in wave_commits(SEED, rows)]
    assert found == [commit(0), commit(0, 1), commit(1), commit(2)]
    assert all(each.is_by(WORKER.pubkey()) for each in found)
    assert rows["ms"].tolist() == [100, 200, 2**32 - 1, 300]


def test_the_earliest_of_a_root_and_two_roots_at_most() -> None:
    pairs = [(commit(0, 2), 1), (commit(0, 0), 9), (commit(0, 1), 8), (commit(0, 2), 7), (commit(0, 2, 6), 1)]
    for seed in range(5):
        rows = wave_rows(Random(seed).sample(pairs, len(pairs)))
        assert [(row["root"], row["ms"]) for row in rows] == [
            (ROOTS[1].rstrip(b"\0"), 8),
            (ROOTS[2].rstrip(b"\0"), 1),
        ]
        assert rows["device_ms"].tolist() == [5, rows["device_ms"][1]]
        assert write_wave(rows) == write_wave(wave_rows(pairs))


def swapped(data: bytes, first: int, second: int) -> bytes:
    """A file with two rows exchanged, or one in another's place."""
    rows = [data[8 + 140 * at : 148 + 140 * at] for at in range((len(data) - 8) // 140)]
    rows[first], rows[second] = rows[second], rows[first]
    return data[:8] + b"".join(rows)


WAVE_FILE = wave_file()
ROW = WAVE_FILE[8:148]
NOT_WAVE = {
    "nothing": (b"", "not a WAVE file"),
    "half a header": (b"IPW1\0\0", "of 0 rows has 6 bytes"),
    "another file": (b"IPE1" + WAVE_FILE[4:], "not a WAVE file"),
    "cut": (WAVE_FILE[:-1], "of 4 rows has 567 bytes"),
    "more": (WAVE_FILE + b"\0", "of 4 rows has 569 bytes"),
    "a row more": (WAVE_FILE + ROW, "of 4 rows"),
    "a huge number": (WAVE_FILE[:4] + b"\xff" * 4, "of 4294967295 rows has 8 bytes"),
    "a row twice": (b"IPW1\x02\0\0\0" + ROW + ROW, "aren't sorted, or one is there twice"),
    "devices not sorted": (swapped(WAVE_FILE, 2, 3), "aren't sorted"),
    "roots not sorted": (swapped(WAVE_FILE, 0, 1), "aren't sorted"),
    "three roots": (
        b"IPW1\x03\0\0\0" + b"".join(ROW[:32] + root + ROW[64:] for root in ROOTS),
        "more than 2 roots",
    ),
    "no processors": (b"IPW1\x01\0\0\0" + ROW[:74] + b"\0" + ROW[75:], "without processors"),
    "another kind": (b"IPW1\x01\0\0\0" + ROW[:75] + b"\x02" + ROW[76:], "no known kind"),
}


@pytest.mark.parametrize("name", NOT_WAVE)
def test_what_is_no_wave_file(name: str) -> None:
    data, words = NOT_WAVE[name]
    with pytest.raises(FileError, match=words):
        read_wave(data)


# -- PINGS -------------------------------------------------------------------------------------

SLOTS = [32, 640]


def asked(number: int) -> Any:
    """So many devices, sorted."""
    return np.array([bytes([each + 1] * 32) for each in range(number)], KEY)


def test_a_pings_file_byte_by_byte() -> None:
    answered = np.zeros((2, 9), bool)
    answered[0, [0, 3]], answered[1, 8] = True, True
    data = write_pings(asked(9), SLOTS, answered)
    devices = b"".join(bytes([each]) * 32 for each in range(1, 10))
    rows = bytes.fromhex("2000000000000000 0900 8002000000000000 0001")
    assert data == bytes.fromhex("09000000") + devices + rows
    devices, said = read_pings(data, SLOTS)
    assert (devices.tolist(), said.tolist()) == (asked(9).tolist(), answered.tolist())
    nobody = np.zeros((0, 9), bool)
    assert read_pings(write_pings(asked(9), [], nobody), [])[1].shape == (0, 9)
    assert read_pings(write_pings(asked(0), SLOTS, np.zeros((2, 0), bool)), SLOTS)[1].shape == (2, 0)


def test_the_most_bytes_of_a_pings_file() -> None:
    """Of as many devices as there are, twice, and some more."""
    most = 2 * 50 + 1_024
    devices = np.array([each.to_bytes(32, "big") for each in range(1, most + 1)], KEY)
    assert pings_limit(3, 50) == len(write_pings(devices, [1, 2, 3], np.ones((3, most), bool)))


@given(arrays(bool, st.tuples(st.integers(0, 3), st.integers(0, 20))))
def test_pings_round_trip(answered: Any) -> None:
    slots = list(range(0, 32 * len(answered), 32))
    devices = asked(answered.shape[1])
    found, said = read_pings(write_pings(devices, slots, answered), slots)
    assert (found.tolist(), said.tolist()) == (devices.tolist(), answered.tolist())


def test_what_is_no_pings_file() -> None:
    data = write_pings(asked(9), SLOTS, np.ones((2, 9), bool))
    for bad in (data[:-1], data + b"\0", b"", b"\x0a" + data[1:], b"\xff" * 4 + data[4:]):
        with pytest.raises(FileError, match="bytes"):
            read_pings(bad, SLOTS)
    with pytest.raises(FileError, match="isn't about the hour's pings"):
        read_pings(data, [32, 672])
    with pytest.raises(FileError, match="answers of no device"):
        read_pings(data[:-1] + b"\x03", SLOTS)
    for swapped in (asked(9)[::-1], asked(9)[[0, 0, 1, 2, 3, 4, 5, 6, 7]]):
        with pytest.raises(FileError, match="sorted"):
            read_pings(write_pings(swapped, SLOTS, np.ones((2, 9), bool)), SLOTS)


# -- EVIDENCE ----------------------------------------------------------------------------------


def evidence_file() -> bytes:
    blobs = [sha256(bytes([number])).digest() for number in range(3)]
    openings = [
        (9_000, DEVICES[0], ROOTS[0], blobs[0], 228),
        (500, DEVICES[2], ROOTS[1], blobs[1], 35_140),
        (500, DEVICES[2], ROOTS[0], blobs[2], 1),
    ]
    return Evidence(b"\x0e" * 31 + b"\0", b"\x0f" * 32, evidence_rows(openings)).write()


EVIDENCE_FILE = evidence_file()


def test_an_evidence_file_byte_by_byte() -> None:
    blob = sha256(b"x").digest()
    rows = evidence_rows([(0x0102, DEVICES[0], ROOTS[0], blob, 228)])
    data = Evidence(b"\x0e" * 32, b"\x0f" * 32, rows).write()
    row = bytes.fromhex("0201000000000000") + bytes(DEVICES[0]) + ROOTS[0] + blob + bytes.fromhex("e4000000")
    assert data == b"IPE1" + b"\x0e" * 32 + b"\x0f" * 32 + b"\x01\0\0\0" + row
    assert evidence_limit(1, 2) == 72 + 4 * 108 * (1_024 + 2 * 1)
    assert Evidence(bytes(32), bytes(32), evidence_rows([])).write() == b"IPE1" + bytes(68)


def test_evidence_is_sorted_by_slot_device_and_root() -> None:
    found = Evidence.read(EVIDENCE_FILE)
    assert (found.pings, found.transfers) == (b"\x0e" * 31 + b"\0", b"\x0f" * 32)
    assert found.rows["slot"].tolist() == [500, 500, 9_000]
    assert found.rows["length"].tolist() == [1, 35_140, 228]
    assert found.write() == EVIDENCE_FILE


OPENING = EVIDENCE_FILE[72:180]
NOT_EVIDENCE = {
    "nothing": (b"", "not a EVIDENCE file"),
    "a header": (EVIDENCE_FILE[:20], "of 0 rows has 4 bytes"),
    "a wave file": (WAVE_FILE, "not a EVIDENCE file"),
    "cut": (EVIDENCE_FILE[:-1], "of 3 rows"),
    "more": (EVIDENCE_FILE + b"\0", "of 3 rows"),
    "twice": (EVIDENCE_FILE[:68] + b"\x02\0\0\0" + OPENING + OPENING, "there twice"),
    "two blobs of a root": (
        EVIDENCE_FILE[:68] + b"\x02\0\0\0" + OPENING + OPENING[:72] + b"\xff" * 32 + OPENING[104:],
        "there twice",
    ),
    "not sorted": (
        EVIDENCE_FILE[:72] + EVIDENCE_FILE[180:288] + OPENING + EVIDENCE_FILE[288:],
        "aren't sorted",
    ),
    "no length": (EVIDENCE_FILE[:-4] + bytes(4), "no possible length"),
    "a huge length": (EVIDENCE_FILE[:-4] + b"\x01\0\0\x01", "no possible length"),
}


@pytest.mark.parametrize("name", NOT_EVIDENCE)
def test_what_is_no_evidence_file(name: str) -> None:
    data, words = NOT_EVIDENCE[name]
    with pytest.raises(FileError, match=words):
        Evidence.read(data)


# -- TRANSFERS ---------------------------------------------------------------------------------

MEASURED = {DEVICES[2]: Transfer(256_000_000, 0x0403, 7, 8), DEVICES[0]: Transfer(1, 2, 0, 0)}
TRANSFERS_FILE = Transfers(0x0201, transfer_rows(MEASURED)).write()
LINE = TRANSFERS_FILE[16:64]


def test_a_transfers_file_byte_by_byte() -> None:
    one = bytes(DEVICES[0]) + b"\1\0\0\0\2\0\0\0" + bytes(8)
    other = bytes(DEVICES[2]) + b"\0\x40\x42\x0f\3\4\0\0\7\0\0\0\x08\0\0\0"
    head = b"IPT1" + b"\2\0\0\0" + b"\1\2" + bytes(6)
    assert head + one + other == TRANSFERS_FILE
    assert transfers_limit(3) == 16 + (1_024 + 6) * 48
    found = Transfers.read(TRANSFERS_FILE)
    assert (found.carries, found.by_device(), found.write()) == (0x0201, MEASURED, TRANSFERS_FILE)
    nobody = Transfers(5, transfer_rows({})).write()
    assert Transfers.read(nobody).by_device() == {}


NO_TRANSFERS = {
    "nothing": (b"", "not a TRANSFERS file"),
    "a header": (b"IPT1" + bytes(4), "can carry"),
    "half a header": (b"IPT1" + bytes(9), "can carry"),
    "a wave file": (WAVE_FILE, "not a TRANSFERS file"),
    "cut": (TRANSFERS_FILE[:-1], "of 2 rows"),
    "more": (TRANSFERS_FILE + b"\0", "of 2 rows"),
    "twice": (TRANSFERS_FILE[:16] + LINE + LINE, "there twice"),
    "not sorted": (TRANSFERS_FILE[:16] + TRANSFERS_FILE[64:] + LINE, "aren't sorted"),
    "too much": (Transfers(0, transfer_rows({DEVICES[0]: Transfer(TRANSFER + 1, 1, 0, 0)})).write(), "more"),
}


@pytest.mark.parametrize("name", NO_TRANSFERS)
def test_what_is_no_transfers_file(name: str) -> None:
    data, words = NO_TRANSFERS[name]
    with pytest.raises(FileError, match=words):
        Transfers.read(data)


# -- of all ------------------------------------------------------------------------------------

PINGS_FILE = write_pings(asked(13), SLOTS, np.random.default_rng(1).random((2, 13)) < 0.5)


def rewritten_wave(data: bytes) -> bytes:
    return write_wave(read_wave(data))


def rewritten_evidence(data: bytes) -> bytes:
    return Evidence.read(data).write()


def rewritten_transfers(data: bytes) -> bytes:
    return Transfers.read(data).write()


def rewritten_pings(data: bytes) -> bytes:
    devices, answered = read_pings(data, SLOTS)
    return write_pings(devices, SLOTS, answered)


REWRITTEN: dict[str, tuple[bytes, Callable[[bytes], bytes]]] = {
    "wave": (WAVE_FILE, rewritten_wave),
    "evidence": (EVIDENCE_FILE, rewritten_evidence),
    "pings": (PINGS_FILE, rewritten_pings),
    "transfers": (TRANSFERS_FILE, rewritten_transfers),
}


@pytest.mark.parametrize("kind", REWRITTEN)
def test_a_changed_byte_is_refused_or_in_the_content(kind: str) -> None:
    """What is read is written again as it was: two files never have one content."""
    data, rewrite = REWRITTEN[kind]
    assert rewrite(data) == data
    taken = 0
    for at in range(len(data)):
        for bit in (1, 0x80):
            changed = data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]
            try:
                assert rewrite(changed) == changed
                taken += 1
            except FileError:
                pass
    assert 0 < taken < 2 * len(data)


@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"IPW1", b"IPE1", b"IPT1", b"IPW1\x01\0\0\0", b"IPW1\x02\0\0\0"]),
)
def test_hostile_bytes(data: bytes, head: bytes) -> None:
    for rewrite in (rewritten_wave, rewritten_evidence, rewritten_pings, rewritten_transfers):
        with suppress(FileError):
            assert rewrite(head + data) == head + data


def test_rows_of_an_hours_devices() -> None:
    rows = read_wave(WAVE_FILE)
    devices = np.frombuffer(bytes(DEVICES[0]) + b"\x05" * 32 + bytes(DEVICES[2]), "S32")
    at, mine = placed(devices, rows)
    assert at.tolist() == [0, 0, 2]
    assert mine["ms"].tolist() == [100, 200, 300]
    assert len(placed(devices[:0], rows)[1]) == 0


# -- pow.json and verdicts.csv -----------------------------------------------------------------


def key(number: int) -> str:
    return str(Pubkey(bytes([number]) * 32))


RECORD = HourRecord(
    version=1,
    hour=17,
    start=1_700_000_000,
    genesis=key(1),
    program=key(2),
    profiles="ab" * 32,
    alpha=65_536,
    waves=(
        WaveRecord(
            32, key(3), 1_700_000_100, WaveKind.RESIDENCY, False, Block(182, key(4)), Block(7, key(5)), False
        ),
        WaveRecord(640, key(6), 1_700_000_900, WaveKind.PRODUCT, True, Block(790, key(7)), None, True),
    ),
    pings=(64, 2_048),
    included={"32": {key(8): "cd" * 32}, "640": {}},
    evidence={key(8): "ef" * 32},
)


def test_a_record_round_trips_as_canonical_json() -> None:
    data = RECORD.encode()
    assert data.startswith(b'{"alpha":65536,"evidence":{"')
    assert json.loads(data)["waves"][0]["epoch"] == {"blockhash": key(5), "slot": 7}
    assert HourRecord.decode(data) == RECORD
    assert HourRecord.decode(data).encode() == data


def test_what_is_no_record() -> None:
    value = json.loads(RECORD.encode())
    waves = value["waves"]

    def changed(**fields: Any) -> bytes:
        return json.dumps({**value, **fields}, sort_keys=True, separators=(",", ":")).encode()

    bad = {
        b"": "no record",
        b"[]": "no record",
        changed(more=1): "not canonical",
        changed(version=2): "of version 2",
        changed(hour=-1): "hour",
        changed(hour=1.0): "hour",
        changed(hour="17"): "hour",
        changed(alpha=65_537): "alpha",
        changed(genesis="0" * 44): "genesis",
        changed(genesis="1" + key(1)): "genesis",
        changed(profiles="AB" * 32): "profiles",
        changed(waves=waves[::-1]): "order of their slots",
        changed(waves=waves[:1] * 2): "order of their slots",
        changed(waves=[{**waves[0], "kind": 2}, waves[1]]): "waves.0.kind",
        changed(waves=[{**waves[0], "spot": 1}, waves[1]]): "waves.0.spot",
        changed(pings=[64, 64]): "order of their slots",
        changed(included={"32": {}}): "other slots",
        changed(included={"032": {}, "640": {}}): "included",
        changed(evidence={"x": "ef" * 32}): "evidence",
        json.dumps(value).encode(): "not canonical",
        RECORD.encode() + b"\n": "not canonical",
        RECORD.encode().replace(b'"hour":17', b'"hour":17,"hour":17'): "not canonical",
    }
    for data, words in bad.items():
        with pytest.raises(RecordError, match=words):
            HourRecord.decode(data)


def test_any_changed_letter_of_a_record_is_refused_or_in_the_content() -> None:
    data = RECORD.encode()
    for at in range(len(data)):
        for letter in (b"0", b"1", b" ", b"z"):
            changed = data[:at] + letter + data[at + 1 :]
            try:
                found = HourRecord.decode(changed)
            except RecordError:
                continue
            assert found.encode() == changed
            assert (found == RECORD) == (changed == data)


def test_records_that_mean_the_same_are_the_same_bytes() -> None:
    other = replace(RECORD, included=dict(reversed(RECORD.included.items())))
    assert other.encode() == RECORD.encode()


def test_verdicts_are_a_table_like_an_hours_others() -> None:
    rows = np.array(
        [
            (bytes(DEVICES[0]), 32, 1, 5, 11_901, ROOTS[0], 1),
            (bytes(DEVICES[1]), 32, 0, 4, 2**32, b"", 0),
        ],
        VERDICT,
    )
    data = b"".join(tables.encode(rows))
    assert data.decode().splitlines() == [
        "device,wave,kind,code,ms,root,opened",
        f"{DEVICES[0]},32,1,5,11901,{Pubkey(ROOTS[0])},1",
        f"{DEVICES[1]},32,0,4,4294967296,,0",
    ]
    assert tables.decode(data, VERDICT, "verdicts.csv").tobytes() == rows.tobytes()
