"""A worker's folder: one root a wave whatever is tried, one process, other chains and versions."""

from __future__ import annotations

import sqlite3
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from keeper.pow.clock import WaveKind
from keeper.worker.lease_book import LeaseBook
from keeper.worker.state import (
    BLOB_SECONDS,
    FILE,
    KEPT_SECONDS,
    NEW_SLOTS,
    SCHEMA,
    Enrolment,
    Kept,
    Received,
    State,
    StateError,
    Store,
)

DEVICE, OPERATOR = Pubkey(sha256(b"device").digest()), Pubkey(sha256(b"operator").digest())
SEED = sha256(b"wave").digest()
NOW = 1_800_000_000.0
LATER = "PRAGMA user_version = 4"


@pytest.fixture
def store(tmp_path: Path):
    made = Store(tmp_path)
    yield made
    made.close()


def begun(store: Store, seed: bytes = SEED, at: float = NOW, slot: int = 64) -> Kept:
    kept = store.begin(DEVICE, seed, slot, WaveKind.PRODUCT, False, 7, at)
    assert kept is not None
    return kept


def test_a_wave_is_begun_once_and_has_one_root(store: Store) -> None:
    assert begun(store).state is State.WORKING
    assert store.begin(DEVICE, SEED, 64, WaveKind.RESIDENCY, True, 8, NOW + 1) is None
    assert store.commit(DEVICE, SEED, b"one").state is State.SIGNED
    assert store.commit(DEVICE, SEED, b"one").body == b"one"
    with pytest.raises(StateError, match="has a root already: it stays the only one"):
        store.commit(DEVICE, SEED, b"two")
    assert store.wave(DEVICE, SEED).body == b"one"
    kept = store.wave(DEVICE, SEED)
    assert (kept.kind, kept.time, kept.began_at) == (WaveKind.PRODUCT, 7, NOW)


ACTS = st.sampled_from(
    ["begin", "commit", "receive", "receipted", "open", "finish", "fail", "forget", "reopen"]
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(ACTS, st.binary(min_size=1, max_size=2)), max_size=15))
def test_in_any_order_the_first_root_stays(acts: list[tuple[str, bytes]]) -> None:
    with TemporaryDirectory() as folder:
        store = Store(Path(folder))
        begun(store)
        root: bytes | None = None
        for act, data in acts:
            if act == "commit":
                try:
                    store.commit(DEVICE, SEED, data)
                    root = root or data
                except StateError:
                    assert root is not None
            elif act == "begin":
                assert store.begin(DEVICE, SEED, 64, WaveKind.PRODUCT, False, 7, NOW) is None
            elif act == "receive":
                store.receive(DEVICE, SEED, Received(OPERATOR, len(data), data))
            elif act == "receipted":
                store.receipted(DEVICE, SEED)
            elif act == "open":
                store.open(DEVICE, SEED, data)
            elif act in ("finish", "fail"):
                store.finish(DEVICE, SEED, data.hex() if act == "fail" else "")
            elif act == "forget":
                store.forget(NOW + BLOB_SECONDS)
            else:
                store.close()
                store = Store(Path(folder))
            kept = store.wave(DEVICE, SEED)
            assert kept.body == root
            assert (kept in store.unfinished(DEVICE)) != kept.is_over
        store.close()


def test_receipts_are_kept_once_and_for_400_days(store: Store) -> None:
    begun(store)
    begun(store, sha256(b"later").digest(), NOW + 10, slot=64 + NEW_SLOTS + 1)
    for ms in (7, 8):
        store.receive(DEVICE, SEED, Received(OPERATOR, ms, bytes([ms])))
    store.open(DEVICE, SEED, b"blob")
    store.took(DEVICE, SEED, OPERATOR)
    store.forget(NOW + BLOB_SECONDS + 1)
    assert store.wave(DEVICE, SEED).blob is None
    assert store.receipts(DEVICE, SEED) == [Received(OPERATOR, 7, b"\7")]
    store.forget(NOW + KEPT_SECONDS + 1)
    assert (store.receipts(DEVICE, SEED), store.takers(DEVICE, SEED)) == ([], set())
    assert [each.slot for each in store.newest(DEVICE, 9)] == [64 + NEW_SLOTS + 1]


def test_a_clock_that_was_wrong_forgets_no_root(store: Store) -> None:
    """A machine without a battery begins in 1970, and is right a moment later."""
    before, now = sha256(b"before").digest(), sha256(b"now").digest()
    begun(store, before, at=100.0, slot=10**6 - NEW_SLOTS)
    begun(store, now, at=100.0, slot=10**6)
    store.commit(DEVICE, now, b"one")
    store.forget(NOW)
    assert store.begin(DEVICE, now, 10**6, WaveKind.PRODUCT, False, 7, NOW) is None
    with pytest.raises(StateError, match="it stays the only one"):
        store.commit(DEVICE, now, b"two")
    assert len(store.newest(DEVICE, 9)) == 2


def test_what_a_device_is_enrolled_as_and_whose_waves_these_are(store: Store) -> None:
    assert (store.enrolment(DEVICE), store.genesis()) == (None, None)
    for processors in (1, 2):
        store.enrol(Enrolment(DEVICE, 10, 25, processors, "numpy", 8_000))
    assert store.enrolment(DEVICE) == Enrolment(DEVICE, 10, 25, 2, "numpy", 8_000)
    store.chain(bytes(32))
    store.chain(bytes(32))
    assert store.genesis() == bytes(32)
    with pytest.raises(StateError, match="has waves of another chain"):
        store.chain(SEED)


def test_one_process_at_a_time_works_and_others_may_look(store: Store, tmp_path: Path) -> None:
    begun(store)
    with pytest.raises(StateError, match="another worker is running"):
        Store(tmp_path)
    looking = Store(tmp_path, alone=False)
    assert [each.seed for each in looking.newest(DEVICE, 1)] == [SEED]
    looking.close()
    store.close()
    Store(tmp_path).close()


def test_a_folder_of_the_first_version_goes_on_with_leases(tmp_path: Path) -> None:
    """What it had stays, and the tables of leases come to it."""
    old = sqlite3.connect(tmp_path / FILE)
    old.executescript(SCHEMA + "PRAGMA user_version = 1;")
    old.close()
    old = sqlite3.connect(tmp_path / FILE)
    old.execute("INSERT INTO chain VALUES (?)", (SEED,))
    old.commit()
    old.close()
    for _ in range(2):
        store = Store(tmp_path)
        assert store.genesis() == SEED
        assert LeaseBook(store).newest(DEVICE, 1) == []
        store.close()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / FILE).write_bytes(b"garbage" * 1_000), "file is not a database"),
        (lambda folder: sqlite3.connect(folder / FILE).execute(LATER), "by a newer version of ionet"),
        (lambda folder: (folder / FILE).mkdir(), "unable to open database file"),
    ],
)
def test_a_folder_that_is_none(spoil, said: str, tmp_path: Path) -> None:
    spoil(tmp_path)
    with pytest.raises(StateError, match=said):
        Store(tmp_path)
