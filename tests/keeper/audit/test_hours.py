"""Hours on a chain: what was attested and claimed, hours that lack, and operators' files of their work."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from keeper.audit import hours, pow, votes
from keeper.audit.findings import Code, Finding
from keeper.audit.index import indexed
from keeper.audit.sources import Source
from keeper.audit.votes import Claim, Vote
from keeper.clients import staking
from keeper.demo import lie
from keeper.pow.anchored import Posting, PostKind
from keeper.pow.profiles_by_hour import BESIDE
from keeper.rewards import publication
from keeper.rewards.history import History
from keeper.rewards.work import WorkFolder
from tests.keeper.audit import lies
from tests.keeper.audit.life import HOURS, Life
from tests.programs.world import START_MONTH, key

LAST = HOURS - 1


@pytest.fixture
def evidence(life: Life, tmp_path: Path) -> Path:
    return Path(shutil.copytree(life.evidence, tmp_path / "pow"))


def told(findings: tuple[Finding, ...]) -> list[tuple[Code, str, str | None]]:
    return [(each.code, Path(each.where).name, each.signer) for each in findings]


async def test_honest_hours_give_no_finding(life) -> None:
    found = await hours.check(life.source())
    assert (found.findings, found.unchecked) == ((), ())
    assert found.checked == {
        "files": HOURS * 9,
        "hours": HOURS,
        "devices": HOURS * 4,
        "openings": HOURS * 3,
        "attestations": HOURS * 2,
        "claims": 1,
    }
    of_files = await pow.check(life.source())
    assert (of_files.findings, of_files.unchecked) == ((), ())
    assert of_files.checked["openings"] == HOURS * 9


async def test_a_share_of_openings(life) -> None:
    source = replace(life.source(), share=0.3)
    found = await hours.check(source, only={LAST})
    assert (found.findings, found.checked["openings"]) == ((), 1)


async def test_a_network_whose_table_only_the_auditor_names(life, evidence: Path, tmp_path: Path) -> None:
    table = Path(shutil.move(evidence / BESIDE, tmp_path / "own.json"))
    row = {"from": "1970-01-01T00:00:00Z", "file": table.name, "sha256": life.hours.profiles.hash.hex()}
    by_hour = tmp_path / "hours.json"
    by_hour.write_text(json.dumps({"tables": [row]}))
    source = Source("here", life.hours.world.chain, [life.rewards], [evidence], profiles=by_hour)
    found = await hours.check(source, only={LAST})
    assert (found.findings, found.unchecked, found.checked["openings"]) == ((), (), 3)
    without = await hours.check(replace(source, profiles=None), only={LAST})
    assert Code.RECORD_DIFFERS in {each.code for each in without.findings}


async def test_a_lie_is_not_handed_on_to_the_next_hour(life, tmp_path: Path) -> None:
    folder = life.copy(tmp_path / "copy")
    lies.rewrite(folder / "7", "wallets.csv", lies.cell("lifetime"), signed=True)
    found = await hours.check(Source("here", life.hours.world.chain, [folder], [life.evidence]), only={7, 8})
    assert told(found.findings) == [(Code.WALLET_DIFFERS, "wallets.csv", None)]


async def test_the_demos_liar_is_named_for_one_word(life, tmp_path: Path) -> None:
    chain, liar, folder = life.hours.world.chain, key("liar").pubkey(), tmp_path / "liar"
    work = WorkFolder(life.evidence, life.hours.profiles)
    async with indexed(Source("here", chain)) as index:
        history = History(chain, index.database, ledgers=index.ledgers, keeps=False)
        terms = liar, LAST, START_MONTH
        false = await lie.publish(chain, history, work, life.rewards, folder, *terms)
    assert false.total == life.manifests[LAST].total
    assert false.hash != life.manifests[LAST].hash
    found = await hours.check(Source("here", chain, [folder], [life.evidence]), only={LAST})
    (one,) = found.findings
    assert (one.code, Path(one.where), one.row.split(", ")[1], one.found) == (
        Code.INPUT_DIFFERS,
        folder / str(LAST) / "inputs.csv",
        "payout",
        str(liar),
    )


async def test_an_hour_between_others_that_lacks(life, tmp_path: Path) -> None:
    folder = life.copy(tmp_path / "copy")
    shutil.rmtree(folder / "4")
    found = await hours.check(life.source(folder), only={4})
    assert told(found.findings) == [(Code.FILE_MISSING, "4", None)]


async def test_an_hour_that_nobody_has_is_told_as_not_checked(life, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(life.rewards / "8", folder / "8")
    found = await hours.check(Source("here", life.hours.world.chain, [folder], [life.evidence]), only={2, 8})
    assert [each.what for each in found.unchecked] == ["hour 2", "hour 8"]
    assert found.findings == ()


async def test_without_operators_files_work_is_taken_as_stated(life, tmp_path: Path) -> None:
    folder = life.copy(tmp_path / "copy")
    lies.rewrite(folder / "8", "inputs.csv", lies.cell("own"), signed=True)
    found = await hours.check(Source("here", life.hours.world.chain, [folder]), only={8})
    assert [each.what for each in found.unchecked] == ["hour 8: pow.json, verdicts.csv and observed.csv"]
    assert told(found.findings) == [(Code.INPUT_DIFFERS, "inputs.csv", None)]


# -- votes -------------------------------------------------------------------------------------


def vote(life: Life, name: str, **changed: object) -> Vote:
    right = life.manifests[LAST].attestation
    return Vote(key(name).pubkey(), 5, replace(right, **changed))


@pytest.mark.parametrize(
    ("field", "value"), [("root", bytes(32)), ("total", 5), ("devices", 9), ("data_hash", bytes(32))]
)
def test_an_attestation_that_is_false(life, field: str, value: object) -> None:
    right = life.manifests[LAST].attestation
    liar = vote(life, "c", **{field: value})
    cast = [vote(life, "a"), vote(life, "b"), liar]
    (one,) = votes.attested(LAST, cast, {right.data_hash: right}, right)
    assert (one.code, one.row, one.slot, one.signer) == (
        Code.ATTESTATION_DIFFERS,
        field,
        5,
        str(liar.operator),
    )
    assert one.where == str(staking.block_address(LAST))
    (conflict,) = votes.conflicts(LAST, cast, right.data_hash)
    assert conflict.code is Code.ATTESTATION_CONFLICT
    assert conflict.signer == ", ".join(str(each.operator) for each in (liar, *cast[:2]))


def test_an_hour_that_is_final_without_enough_votes(life) -> None:
    right = life.manifests[LAST].attestation
    assert list(votes.finalised(LAST, right, 9, [vote(life, "a"), vote(life, "b")], 2)) == []
    (one,) = votes.finalised(LAST, right, 9, [vote(life, "a"), vote(life, "a")], 2)
    assert (one.code, one.signer, one.found) == (Code.BLOCK_UNAGREED, str(key("a").pubkey()), "that of 1")


def test_a_claim_of_more_than_a_leaf(life) -> None:
    wallets = publication.read_table(life.rewards, life.manifests[LAST], "wallets.csv")
    due = publication.claimable(life.rewards, LAST, key("supplier of worker b").pubkey())
    right = Claim(due.wallet, 3, due.lifetime)
    nobody = Claim(key("nobody").pubkey(), 3, 1)
    assert list(votes.claims(LAST, [right], wallets, "k")) == []
    found = list(votes.claims(LAST, [right, replace(right, claimed=due.lifetime + 1), nobody], wallets, "k"))
    assert [(each.code, each.expected, each.found) for each in found] == [
        (Code.CLAIM_UNFOUNDED, due.lifetime, due.lifetime + 1),
        (Code.CLAIM_UNFOUNDED, 0, 1),
    ]


# -- operators' files --------------------------------------------------------------------------


async def of_files(life: Life, evidence: Path) -> tuple[Finding, ...]:
    found = await pow.check(Source("here", life.hours.world.chain, (), [evidence]), only=LAST)
    assert found.unchecked == ()
    return found.findings


@pytest.mark.parametrize("kind", ["wave", "evidence", "ping", "transfer"])
async def test_a_file_that_is_another_or_gone(life, evidence: Path, kind: str) -> None:
    paths = sorted((evidence / str(LAST)).glob(f"{kind}-*.bin"))
    paths[0].write_bytes(paths[0].read_bytes() + b"\0")
    assert told(await of_files(life, evidence)) == [(Code.EVIDENCE_BYTES, paths[0].name, None)]
    for each in paths:
        each.unlink()
    # Where operators wrote the same, whoever has one has them all: here nobody has any.
    gone = [(Code.EVIDENCE_MISSING, each.name, each.stem.rpartition("-")[2]) for each in paths]
    assert sorted(told(await of_files(life, evidence)), key=str) == sorted(gone, key=str)


async def test_a_file_that_nobody_posted(life, evidence: Path) -> None:
    (evidence / str(LAST) / "wave-1-nobody.bin").write_bytes(b"x")
    assert told(await of_files(life, evidence)) == [(Code.EVIDENCE_UNFOUNDED, "wave-1-nobody.bin", None)]


async def test_an_opening_that_is_another_or_gone(life, evidence: Path) -> None:
    name = min(lies.opened(evidence / str(LAST)))
    path = evidence / "openings" / name[:2] / name
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert told(await of_files(life, evidence)) == [(Code.EVIDENCE_BYTES, path.name, None)]
    path.unlink()
    found = await of_files(life, evidence)
    assert {each.code for each in found} == {Code.EVIDENCE_MISSING}
    assert {each.signer for each in found} == {str(each.pubkey()) for each in life.hours.world.operators}


def test_two_postings_of_one_file(life) -> None:
    operator = life.hours.world.operators[0].pubkey()
    first = Posting(operator, LAST, PostKind.EVIDENCE, 0, bytes([7]) * 32, 5, 6)
    said = [first, replace(first, now_slot=7), replace(first, hash=bytes(32), now_slot=8)]
    files = pow.Files(life.hours.network, said, {}, {})
    files.run(LAST, [])
    assert [(each.code, each.where, each.slot, each.signer) for each in files.findings] == [
        (Code.POSTING_SECOND, str(operator), 8, str(operator))
    ]
