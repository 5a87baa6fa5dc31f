"""What was verified before: kept by wave, device, root and blob, whole records alone."""

from hashlib import sha256
from pathlib import Path

from keeper.pow.codes import Code
from keeper.pow.codes_file import add_codes, opening_key, read_codes

KEYS = [opening_key(b"w" * 32, bytes([n]) * 32, b"r" * 32, sha256(b"blob").digest()) for n in range(4)]


def test_codes_are_added_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "codes"
    assert read_codes(path) == {}
    add_codes(path, [(KEYS[0], Code.PASS), (KEYS[1], Code.WORK_WRONG)])
    add_codes(path, [(KEYS[2], Code.PASS)])
    assert read_codes(path) == {KEYS[0]: Code.PASS, KEYS[1]: Code.WORK_WRONG, KEYS[2]: Code.PASS}


def test_half_a_record_costs_itself_alone(tmp_path: Path) -> None:
    """What a full disk or a power cut left: it is passed over, and the next one takes its place."""
    path = tmp_path / "codes"
    add_codes(path, [(KEYS[0], Code.PASS), (KEYS[1], Code.WORK_WRONG)])
    whole = path.read_bytes()
    for cut in range(34, 66):
        path.write_bytes(whole[:cut])
        assert read_codes(path) == {KEYS[0]: Code.PASS}
        add_codes(path, [(KEYS[2], Code.PASS)])
        assert read_codes(path) == {KEYS[0]: Code.PASS, KEYS[2]: Code.PASS}
    path.write_bytes(whole[:-1] + b"\xff")
    assert read_codes(path) == {KEYS[0]: Code.PASS}, "a code that there isn't"


def test_a_key_is_about_all_of_an_opening() -> None:
    parts = [b"w" * 32, b"d" * 32, b"r" * 32, b"b" * 32]
    keys = {opening_key(*parts)}
    for at in range(4):
        keys.add(opening_key(*parts[:at], b"x" * 32, *parts[at + 1 :]))
    assert len(keys) == 5
