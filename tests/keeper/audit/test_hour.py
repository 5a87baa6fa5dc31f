"""An hour held to the chain: an honest one gives no finding, each falsification is found as itself alone."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from keeper.audit.findings import Code
from keeper.audit.hour import CODES, Audited, Before, Given, audit
from keeper.audit.hours import Held
from keeper.audit.index import indexed
from keeper.audit.openings import Openings
from keeper.audit.published import digests, read
from keeper.audit.sources import Source
from keeper.economy import emission
from keeper.pow.record import NAME as RECORD
from keeper.rewards import publication
from keeper.rewards.history import History
from keeper.rewards.publication import FILES, KINDS, MANIFEST
from keeper.rewards.rows import Hour
from keeper.rewards.work import chain_hour
from tests.keeper.audit import lies
from tests.keeper.audit.life import Life
from tests.programs.world import HOUR, START, START_MONTH

NUMBER = 8
HONEST, LIAR = "operators", "a liar"


@pytest.fixture(scope="module")
def given(life: Life) -> Callable[[str], Given]:
    """What the hour is held to; whoever hashes to the one that is named is the liar."""

    async def made() -> Given:
        chain, network = life.hours.world.chain, life.hours.network
        async with indexed(Source("here", chain)) as index:
            history = History(chain, index.database, ledgers=index.ledgers, keeps=False)
            start = START + NUMBER * HOUR
            assert await history.knows(start + 3_900)
            past = await history.hour(start)
            of_chain = await chain_hour(chain, network, NUMBER, past)
        assert of_chain is not None
        hour = Hour(NUMBER, start, emission.cumulative(START_MONTH, NUMBER + 1))
        observed = publication.read_observed(life.rewards, NUMBER)
        wallets, previous = publication.hour_before(life.rewards, NUMBER)
        before = Before(observed, wallets, previous)
        profiles, held = life.hours.profiles, Held([life.evidence], NUMBER)
        verifier: list[Openings] = []

        def verify(stated: object) -> Openings:
            verifier[:] = verifier or [Openings(stated, 1.0, b"")]
            return verifier[0]

        return Given(hour, past, of_chain, profiles, held, verify, before, lambda each: None)

    found = asyncio.run(made())

    def given(liar: str) -> Given:
        signers = {life.manifests[NUMBER].hash: HONEST, liar: LIAR}
        names = {name: getattr(found, name) for name in Given.__dataclass_fields__}
        return Given(**{**names, "signer": lambda each: signers.get(each or "")})

    return given


@pytest.fixture
def place(life: Life, tmp_path: Path) -> Iterator[Path]:
    """A copy of the hour's folder, and the one before."""
    for number in (NUMBER - 1, NUMBER):
        shutil.copytree(life.rewards / str(number), tmp_path / str(number))
    yield tmp_path / str(NUMBER)


def audited(place: Path, given: Given) -> Audited:
    return audit(read(place, NUMBER, digests(place), given.profiles.rule), given)


def one(place: Path, given: Given) -> tuple[Code, str, str, str | None]:
    """The only finding: code, file, what of it, whose."""
    found = audited(place, given)
    (finding,) = found.findings
    assert found.unchecked == []
    assert Path(finding.where).parent == place
    return finding.code, Path(finding.where).name, finding.row, finding.signer


def test_an_honest_hour_gives_no_finding(life, given, place: Path) -> None:
    found = audited(place, given(""))
    assert (found.findings, found.unchecked) == ([], [])
    assert found.right == life.manifests[NUMBER].attestation
    assert found.after.hash == found.truth.hash == life.manifests[NUMBER].hash


@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize(("name", "column"), lies.COLUMNS)
def test_a_false_cell(given, place: Path, name: str, column: str, signed: bool) -> None:
    liar = lies.rewrite(place, name, lies.cell(column), signed=signed)
    code, file, row, signer = one(place, given(liar))
    assert (code, file, signer) == (CODES[name], name, LIAR if signed else None)
    assert row.startswith("row ")
    assert row.split(", ")[1] == column


@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize(("change", "what"), [(lies.without, "missing"), (lies.doubled, "additional")])
@pytest.mark.parametrize("name", KINDS)
def test_a_row_less_or_more(given, place: Path, name: str, change, what: str, signed: bool) -> None:
    liar = lies.rewrite(place, name, change, signed=signed)
    code, file, row, signer = one(place, given(liar))
    assert (code, file, signer) == (CODES[name], name, LIAR if signed else None)
    assert row.split(", ")[1] == what


@pytest.mark.parametrize("name", [MANIFEST, *FILES])
def test_a_file_less(given, place: Path, name: str) -> None:
    (place / name).unlink()
    assert one(place, given(""))[:3] == (Code.FILE_MISSING, name, "")


def test_a_file_more(given, place: Path) -> None:
    (place / "notes.csv").write_text("a\n")
    assert one(place, given("")) == (Code.FILE_UNFOUNDED, "notes.csv", "", None)


@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize("name", [MANIFEST, *FILES])
def test_a_file_that_is_none(given, place: Path, name: str, signed: bool) -> None:
    false = b"\xff" + (place / name).read_bytes()
    (place / name).write_bytes(false)
    liar = digests(place)[name]
    if signed and name != MANIFEST:
        liar = lies.sign(place, name, false, 1)
    found = one(place, given(liar))
    assert found == (Code.FILE_UNREADABLE, name, "", LIAR if signed or name == MANIFEST else None)


def test_every_field_of_a_manifest(given, place: Path) -> None:
    data = (place / MANIFEST).read_bytes()
    seen = set()
    for path in lies.paths(json.loads(data)):
        (place / MANIFEST).write_bytes(lies.put(data, path))
        code, file, row, signer = one(place, given(digests(place)[MANIFEST]))
        expected = Code.CHAIN_BROKEN if path == ("previous",) else Code.MANIFEST_DIFFERS
        assert (code, file, row, signer) == (expected, MANIFEST, ".".join(map(str, path)), LIAR)
        seen.add(path)
    assert len(seen) == 16 + 3 * len(FILES)


def test_every_field_of_a_record(given, place: Path) -> None:
    data = (place / RECORD).read_bytes()
    rows = len(json.loads(data)["waves"])
    named = 0
    for path in lies.paths(json.loads(data)):
        false = lies.put(data, path)
        (place / RECORD).write_bytes(false)
        liar = lies.sign(place, RECORD, false, rows)
        code, file, row, signer = one(place, given(liar))
        assert (file, signer) == (RECORD, LIAR)
        if code is Code.RECORD_DIFFERS:
            assert row == ".".join(map(str, path))
            named += 1
        else:
            # A slot twice or in no order, or another version: no record at all.
            assert code is Code.FILE_UNREADABLE
    assert named > 15
