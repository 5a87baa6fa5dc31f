"""An auditor: an honest hour gives no finding, and each falsification is named as itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from solders.pubkey import Pubkey

from keeper.db import Database
from keeper.economy import emission
from keeper.pow.codes import Code
from keeper.pow.profiles import RULES
from keeper.pow.record import Block, HourRecord
from keeper.rewards import audit, publication, publishing
from keeper.rewards.history import History, HourHistory
from keeper.rewards.merge import HourWork
from keeper.rewards.named import nothing
from keeper.rewards.observed import observations
from keeper.rewards.rows import Hour, class_rows, field_rows
from keeper.tables import Rows
from tests.keeper.rewards.hours import DEADLINE, PowHours, profiles_in
from tests.keeper.runtime.conftest import database
from tests.programs.staking.world import StakingWorld
from tests.programs.world import HOUR, START, START_MONTH

__all__ = ["database"]

NUMBER = 0
"""Hour 0 has no hour before: an auditor needs nothing else."""


@dataclass
class Case:
    """An hour that was published as it should be."""

    hours: PowHours
    past: HourHistory
    work: HourWork
    folder: Path

    def publish(
        self,
        record: HourRecord | None = None,
        verdicts: Rows | None = None,
        observed: Rows | None = None,
        rows: Rows | None = None,
        classes: Rows | None = None,
    ) -> audit.Published:
        """Publish it with something else in it; the rest follows, so that hashes and rewards are right."""
        seen = self.work.observed if observed is None else observed
        given = field_rows(self.past.devices, observations(seen), self.past.hired)
        work = HourWork(
            record or self.work.record,
            self.work.verdicts if verdicts is None else verdicts,
            seen,
            self.work.rule,
        )
        hour = Hour(NUMBER, START, emission.cumulative(START_MONTH, NUMBER + 1))
        of_classes = class_rows(self.past.classes, START) if classes is None else classes
        publishing.publish(self.folder, hour, work, given if rows is None else rows, of_classes)
        return audit.read(self.folder, NUMBER)

    async def audit(
        self, published: audit.Published, held: dict[bytes, bytes] | None = None, **options: Any
    ) -> audit.Audit:
        """What an auditor finds who holds all files, or some."""
        chosen = {name: options.pop(name) for name in ("device", "sample") if name in options}
        hours = self.hours
        given = hours.files if held is None else held
        return await audit.audit(
            hours.world.chain,
            hours.network,
            self.past,
            published,
            hours.profiles,
            given,
            nothing,
            audit.Sampled(published, **chosen),
            **options,
        )

    def record(self, **changed: Any) -> HourRecord:
        """Its ``pow.json`` with other fields; a wave's are ``wave_...``."""
        wave = {
            name.removeprefix("wave_"): changed.pop(name) for name in list(changed) if name[:5] == "wave_"
        }
        waves = self.work.record.waves
        if wave:
            changed["waves"] = (replace(waves[0], **wave), *waves[1:])
        return replace(self.work.record, **changed)

    @property
    def slot(self) -> str:
        """The wave's, as a name."""
        return str(self.work.record.waves[0].slot)


@pytest.fixture
async def case(tmp_path: Path, database: Database) -> Case:
    """Three devices, one of which is late; the third operator heard of a wave by itself alone."""
    world = StakingWorld.ready(now=START - HOUR)
    hours = PowHours(
        tmp_path, world, ("worker a", "worker b", "worker late"), profiles_in(tmp_path, max(RULES))
    )
    history = History(world.chain, database)
    await history.prepare()
    wave = await hours.to_wave(NUMBER)
    for number, device in enumerate(hours.devices):
        late = number == 2
        base = DEADLINE + 1 if late else 7_000
        hours.says(wave, device, [base, base + 1, base + 2])
    hours.seal(wave)
    for device in hours.devices:
        await hours.opens(wave, device)
    await hours.end(NUMBER)
    found = await hours.work(history, NUMBER)
    return Case(hours, await history.hour(START), found, tmp_path / "published")


async def test_an_honest_hour_gives_no_finding(case: Case) -> None:
    published = case.publish()
    result = await case.audit(published)
    assert result == audit.Audit(None, 3)
    # Of a device alone, of a sample, and by the blocks that are stated.
    first = case.hours.devices[0].account
    assert await case.audit(published, device=first) == audit.Audit(None, 1)
    assert await case.audit(published, sample=2) == audit.Audit(None, 2)
    assert await case.audit(published, sample=0) == audit.Audit(None, 0)
    assert await case.audit(published, blocks=False) == audit.Audit(None, 3)


OTHER = str(Pubkey(b"\x11" * 32))

RECORDS: dict[str, tuple[Callable[[Case], dict[str, Any]], tuple[str, str]]] = {
    "genesis": (lambda case: {"genesis": OTHER}, ("record", "genesis")),
    "program": (lambda case: {"program": OTHER}, ("record", "program")),
    "alpha": (lambda case: {"alpha": 9}, ("record", "alpha")),
    "pings": (lambda case: {"pings": case.work.record.pings[1:]}, ("record", "pings")),
    "another fork": (lambda case: {"wave_blockhash": OTHER}, ("blocks", "blockhash")),
    "time": (lambda case: {"wave_time": START + 5}, ("blocks", "time")),
    "kind": (lambda case: {"wave_kind": 1}, ("blocks", "kind")),
    "spot": (lambda case: {"wave_spot": True}, ("blocks", "spot")),
    "opening": (
        lambda case: {"wave_opening": Block(case.work.record.waves[0].opening.slot, OTHER)},
        ("blocks", "opening"),
    ),
    "later opening": (
        lambda case: {
            "wave_opening": replace(
                case.work.record.waves[0].opening, slot=case.work.record.waves[0].opening.slot + 32
            )
        },
        ("blocks", "opening"),
    ),
    "epoch": (lambda case: {"wave_epoch": Block(1, OTHER)}, ("blocks", "epoch")),
    "void": (lambda case: {"wave_void": True}, ("record", "void")),
    "no wave": (
        lambda case: {
            "waves": case.work.record.waves[1:],
            "included": {slot: each for slot, each in case.work.record.included.items() if slot != case.slot},
        },
        ("blocks", "waves"),
    ),
    "another wave file": (
        lambda case: {"included": swapped(case.work.record.included, case.slot)},
        ("posting", "WAVE file posted"),
    ),
    "another evidence": (
        lambda case: {"evidence": dict.fromkeys(case.work.record.evidence, "cd" * 32)},
        ("posting", "EVIDENCE file posted"),
    ),
    "a stranger's file": (
        lambda case: {"evidence": {**case.work.record.evidence, OTHER: "cd" * 32}},
        ("posting", "EVIDENCE file posted"),
    ),
    "a wave file left out": (
        lambda case: {"included": without(case.work.record.included, case.slot)},
        ("verdict", "ms"),
    ),
    "evidence left out": (
        lambda case: {"evidence": dict(list(case.work.record.evidence.items())[1:])},
        ("left out", "EVIDENCE file"),
    ),
}


def swapped(included: dict[str, dict[str, str]], slot: str) -> dict[str, dict[str, str]]:
    """Two operators' files in each other's place."""
    names, hashes = list(included[slot]), list(included[slot].values())
    return {**included, slot: dict(zip(names, hashes[1:] + hashes[:1], strict=True))}


def without(included: dict[str, dict[str, str]], slot: str) -> dict[str, dict[str, str]]:
    """Without the file whose times count: the median is another."""
    return {**included, slot: dict(list(included[slot].items())[2:] + list(included[slot].items())[:1])}


async def test_a_false_record(case: Case) -> None:
    found = {}
    for name, (change, _) in RECORDS.items():
        finding = (await case.audit(case.publish(record=case.record(**change(case))))).finding
        assert finding is not None, name
        assert (finding.hour, finding.stated != finding.found) == (NUMBER, True)
        found[name] = finding.check, finding.what
    assert found == {name: expected for name, (_, expected) in RECORDS.items()}


async def test_a_false_verdict(case: Case) -> None:
    for column in publication.VERDICT.names or ():
        verdicts = case.work.verdicts.copy()
        late = int(np.flatnonzero(verdicts["code"] == Code.LATE)[0])
        false = {"device": b"\x12" * 32, "root": b"\x12" * 32, "code": Code.PASS, "opened": 0}
        verdicts[column][late] = false.get(column, 1)
        finding = (await case.audit(case.publish(verdicts=verdicts))).finding
        assert finding is not None, column
        assert (finding.check, finding.what) == ("verdict", column)
        assert finding.device == str(case.hours.devices[2].account)
        assert finding.wave == int(case.slot)
        if column == "code":
            assert (finding.stated, finding.found) == ("PASS", "LATE")


async def test_a_false_observation(case: Case) -> None:
    late = bytes(case.hours.devices[2].account)
    for column in (publication.OBSERVED_TABLE.names or ())[1:]:
        observed = case.work.observed.copy()
        at = int(np.flatnonzero(observed["device"] == np.bytes_(late))[0])
        observed[column][at] = 0 if observed[column][at] else 1
        finding = (await case.audit(case.publish(observed=observed))).finding
        assert finding is not None, column
        assert (finding.check, finding.what) == ("observed", column)
        assert finding.device == str(case.hours.devices[2].account)


async def test_a_false_input_or_class(case: Case) -> None:
    """What the chain says of a device, and of its class."""
    rows = field_rows(case.past.devices, observations(case.work.observed), case.past.hired)
    rows["processors"][0] += 1
    finding = (await case.audit(case.publish(rows=rows))).finding
    assert finding is not None
    assert (finding.check, finding.what) == ("inputs", "processors")
    classes = class_rows(case.past.classes, START)
    classes["multiplier"][0] += 1
    finding = (await case.audit(case.publish(classes=classes))).finding
    assert finding is not None
    assert (finding.check, finding.what) == ("classes", "multiplier")


async def test_a_device_too_few(case: Case) -> None:
    every = len(case.work.verdicts)
    finding = (await case.audit(case.publish(verdicts=case.work.verdicts[1:]))).finding
    assert finding is not None
    told = finding.check, finding.what, finding.stated, finding.found
    assert told == ("verdict", "rows", str(every - 1), str(every))


async def test_files_that_cant_be_had_or_dont_count(case: Case) -> None:
    published = case.publish()
    record = case.work.record
    operator, digest = next(iter(record.included[case.slot].items()))
    held = dict(case.hours.files)
    del held[bytes.fromhex(digest)]
    finding = (await case.audit(published, held)).finding
    assert finding is not None
    assert (finding.check, finding.what, finding.found) == ("file", "WAVE file", "nowhere to be had")
    assert (finding.operator, finding.wave) == (operator, int(case.slot))
    # Openings: all evidence needs each.
    blobs = [each for each in case.hours.files if each not in case.hours.names]
    assert len(blobs) == 3
    held = {name: data for name, data in case.hours.files.items() if name != blobs[0]}
    finding = (await case.audit(published, held)).finding
    assert finding is not None
    assert (finding.check, finding.what) == ("file", "EVIDENCE file")
    # Two openings in each other's place aren't what their names say.
    held = {**case.hours.files, blobs[0]: case.hours.files[blobs[1]], blobs[1]: case.hours.files[blobs[0]]}
    finding = (await case.audit(published, held)).finding
    assert finding is not None
    assert (finding.check, finding.what) == ("file", "EVIDENCE file")


async def test_a_file_that_was_changed_afterwards(case: Case) -> None:
    for name in ("pow.json", *publication.KINDS, "manifest.json"):
        case.publish()
        path = case.folder / str(NUMBER) / name
        path.write_bytes(path.read_bytes()[:-1] + b"7")
        with pytest.raises(publication.PublicationError, match=name.replace(".", r"\.")):
            audit.read(case.folder, NUMBER)
