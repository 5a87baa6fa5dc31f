"""What fuzzing kept, again; and the same with bytes changed, cut and repeated, alike in every run."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from random import Random

import pytest

from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"
MOST_BYTES = 300_000
CHANGED = 40
"""Changed copies of each target's inputs."""
TELLING = (
    b"\xff\xff\xff\xff",
    bytes(4),
    b"1e999",
    b"[" * 2_000,
    b"-1",
    b"\n",
    b",",
    b'"',
    b"\xf0\x9f\x92\xa9",
)
"""What parsers stumble over."""


def kept(name: str) -> list[bytes]:
    """A target's inputs."""
    return [each.read_bytes() for each in sorted((CORPUS / name).iterdir())]


def changed(random: Random, data: bytes) -> bytes:
    """The same with one to four of its places otherwise."""
    whole = bytearray(data)
    for _ in range(random.randint(1, 4)):
        at = random.randint(0, len(whole))
        match random.randrange(5):
            case 0 if whole:
                whole[at % len(whole)] ^= 1 << random.randrange(8)
            case 1:
                del whole[at : at + random.randint(1, 40)]
            case 2:
                whole[at:at] = random.choice(TELLING)
            case 3:
                whole[at:at] = whole[: random.randint(0, 80)]
            case _:
                whole[at : at + 4] = random.randbytes(4)
    return bytes(whole)


@pytest.mark.parametrize("name", TARGETS)
def test_a_parser_raises_its_own_errors_alone(name: str) -> None:
    target, random = TARGETS[name], Random(name)
    inputs = kept(name)
    assert inputs, "python -m tests.fuzz --keep"
    for data in (*inputs, b"", b"\0", b"[" * 100_000, b"9" * 10_000):
        target(data)
    for _ in range(CHANGED):
        target(changed(random, random.choice(inputs)))


@pytest.mark.parametrize("name", sorted(set(TARGETS) - {"answer", "log_lines"}))
def test_something_of_each_is_understood(name: str) -> None:
    """Otherwise its rules were never reached."""
    assert any(TARGETS[name](data) for data in kept(name))


def test_the_corpus_is_small_and_named_by_its_bytes() -> None:
    files = [each for each in CORPUS.rglob("*") if each.is_file()]
    assert {each.parent.name for each in files} == set(TARGETS)
    assert sum(each.stat().st_size for each in files) < MOST_BYTES
    for each in files:
        assert each.name == sha256(each.read_bytes()).hexdigest()[:16]
