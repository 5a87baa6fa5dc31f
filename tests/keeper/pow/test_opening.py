"""Openings from strangers: the one right form passes, whatever else gets its code, and nothing raises."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.pow import opening, seeds, tree
from keeper.pow.backend import NumpyBackend
from keeper.pow.codes import HARD, Code
from keeper.pow.opening import Bound, Claim, bind_opening, claim, opening_length
from keeper.pow.profiles import Profile
from keeper.pow.prove import prove
from keeper.pow.seeds import Pick
from keeper.pow.verify import verify_batch
from tests.keeper.pow.cheats import DEVICE, WAVE, opens
from tests.keeper.pow.independent import levels as plain_levels
from tests.keeper.pow.independent import multiproof as plain_proof

PROCS = 2
PROFILE = Profile(0, 16, 512, 1024, 6, T_ms=8000)
PROOF = prove(NumpyBackend(), WAVE, DEVICE, PROFILE, PROCS)
RIGHT = claim(opens(0), PROFILE, DEVICE, PROOF.root, PROCS, b"")
BLOB = PROOF.open(RIGHT.picks)
RIGHT = RIGHT._replace(blob=BLOB)
SETTINGS = settings(max_examples=60, deadline=None, derandomize=True)
picked = st.builds(Pick, st.integers(0, PROCS - 1), st.integers(0, PROFILE.m - 1), st.integers(0, 1))


def code_of(blob: bytes) -> Code:
    return verify_batch(WAVE, PROFILE, [RIGHT._replace(blob=blob)])[0]


def test_the_right_one_passes() -> None:
    assert code_of(BLOB) == Code.PASS
    bound = bind_opening(PROFILE, BLOB, PROOF.root, RIGHT.picks, PROCS)
    assert isinstance(bound, Bound) and bound.checks.keys() == set(RIGHT.picks)


def test_every_byte_counts() -> None:
    codes = {code_of(BLOB[:at] + bytes([BLOB[at] ^ 0x80]) + BLOB[at + 1 :]) for at in range(len(BLOB))}
    assert codes == {Code.OPEN_MALFORMED, Code.OPEN_PATH}


def test_every_other_length_is_malformed() -> None:
    for length in range(len(BLOB)):
        assert code_of(BLOB[:length]) == Code.OPEN_MALFORMED
    assert code_of(BLOB + BLOB) == Code.OPEN_MALFORMED


@SETTINGS
@given(st.binary(max_size=2 * len(BLOB)) | st.binary(min_size=len(BLOB), max_size=len(BLOB)))
def test_random_bytes_are_refused(blob: bytes) -> None:
    assert code_of(blob) in HARD - {Code.WORK_WRONG}


@SETTINGS
@given(st.data())
def test_changed_bytes_are_refused(data: st.DataObject) -> None:
    blob = bytearray(BLOB)
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(blob) - 1))
        end = data.draw(st.integers(at, min(len(blob), at + 64)))
        longer = data.draw(st.sampled_from([0, 8]))
        blob[at:end] = data.draw(st.binary(min_size=end - at, max_size=end - at + longer))
    code = code_of(bytes(blob))
    assert (code == Code.PASS) == (bytes(blob) == BLOB)


@SETTINGS
@given(st.lists(picked, min_size=1, max_size=40))
def test_any_picks_open_and_have_one_length(chosen: list[Pick]) -> None:
    blob = PROOF.open(chosen)
    assert len(blob) == opening_length(PROFILE, chosen, PROCS)
    assert verify_batch(WAVE, PROFILE, [Claim(DEVICE, PROOF.root, PROCS, chosen, blob)]) == [Code.PASS]


def test_no_hash_is_made_for_bytes_of_another_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """And no product for bytes that aren't bound: work for a stranger's bytes is bounded by the picks."""
    counted = 0

    def leaf(record: bytes) -> bytes:
        nonlocal counted
        counted += 1
        return bytes(32)

    monkeypatch.setattr(opening.tree, "leaf", leaf)
    monkeypatch.setattr("keeper.pow.verify.block_product", lambda a, b: pytest.fail("a product was made"))
    assert code_of(b"\xff" * 10**7) == Code.OPEN_MALFORMED
    assert (code_of(BLOB + b"\0"), counted) == (Code.OPEN_MALFORMED, 0)
    assert code_of(BLOB) == Code.OPEN_PATH
    assert 0 < counted <= len(RIGHT.picks)


def test_a_wrong_one_among_right_ones_is_named() -> None:
    bad = BLOB[:36] + bytes([BLOB[36] ^ 1]) + BLOB[37:]
    items = [RIGHT, RIGHT._replace(blob=bad), RIGHT, RIGHT._replace(root=bytes(32)), RIGHT._replace(blob=b"")]
    codes = [Code.PASS, Code.OPEN_PATH, Code.PASS, Code.OPEN_ROOT, Code.OPEN_MALFORMED]
    assert verify_batch(WAVE, PROFILE, items) == codes
    assert verify_batch(WAVE, PROFILE, []) == []


# -- the tree --------------------------------------------------------------------------------------

RECORDS = [bytes([each]) * 8 for each in range(8)]


def test_every_set_of_leaves_has_one_proof() -> None:
    """All 255 of eight leaves: the second reading's siblings, and back to the root."""
    bottom = tree.leaves(b"".join(RECORDS), 8)
    made, plain = tree.levels(bottom), plain_levels(RECORDS)
    assert made == [b"".join(each) for each in plain]
    for chosen in range(1, 256):
        rows = [row for row in range(8) if chosen >> row & 1]
        proof = tree.multiproof(made, rows)
        assert proof == b"".join(plain_proof(plain, rows))
        known = {row: tree.leaf(RECORDS[row]) for row in rows}
        assert tree.root_of(known, proof, 8) == made[-1]
        assert tree.root_of(known, proof + bytes(32), 8) is None
        assert not proof or tree.root_of(known, proof[:-1], 8) is None
        # A leaf at a wrong place, and a sibling in a wrong order.
        if len(rows) < 8:
            moved = {**known}
            moved[min(set(range(8)) - set(rows))] = moved.pop(rows[0])
            moved_proof = tree.multiproof(made, list(moved))
            assert tree.root_of(moved, moved_proof, 8) != made[-1]


def test_a_node_is_no_leaf() -> None:
    made = tree.levels(tree.leaves(b"".join(RECORDS), 8))
    assert tree.leaf(made[0][:64]) != made[1][:32]


def test_picks_of_the_largest_profile_are_a_bounded_opening() -> None:
    profile = Profile(0, 1 << 20, 1 << 16, 1024, 24, T_ms=8000)
    chosen = seeds.picks(opens(0), DEVICE, bytes(32), profile, 8)
    assert opening_length(profile, chosen, 8) < 80 * (profile.record + 21 * 32) + 8 * 36
