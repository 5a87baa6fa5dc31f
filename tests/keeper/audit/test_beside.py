"""Parts of an audit side by side, one of them in a process of its own: what it finds is the same."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from keeper.audit import parts
from keeper.audit.beside import ProcessEnded, beside, done
from keeper.audit.findings import Code
from keeper.audit.sources import Source, Told
from keeper.errors import UserError
from tests.keeper.audit.life import Life

ALL = "chain", "hours", "pow", "market"


def source_of(life: Life, folder: Path) -> Source:
    """All of it, with a wave's file that is another, and one that nobody posted."""
    evidence = folder / "pow"
    shutil.copytree(life.evidence, evidence)
    wave = min(evidence.glob("*/wave-*.bin"))
    wave.write_bytes(wave.read_bytes() + b"\0")
    (wave.parent / "wave-1-nobody.bin").write_bytes(b"x")
    return replace(life.source(), evidence=[evidence])


async def test_with_a_process_of_its_own_a_part_finds_the_same(life: Life, tmp_path: Path) -> None:
    source, steps = source_of(life, tmp_path), list[str]()

    def told(step: str, done: int, all_: int, /) -> None:
        steps.append(step)

    alone = await parts.run(source, ALL)
    with beside() as pool:
        together = await parts.run(replace(source, beside=pool), ALL, told)
        processes = set(pool._processes)
    assert together == alone
    assert len(processes) == 1 and os.getpid() not in processes
    assert {"hours", "hours of files"} <= set(steps)
    (_, hours, of_files, _) = alone.parts
    assert {each.code for each in of_files.findings} == {Code.EVIDENCE_BYTES, Code.EVIDENCE_UNFOUNDED}
    assert hours.checked["hours"] and of_files.checked["commits"]


async def test_a_process_that_is_ended_is_told() -> None:
    with beside() as pool:
        assert await done(pool, os.getpid) != os.getpid() == await done(None, os.getpid)
        with pytest.raises(ProcessEnded, match="audit again"):
            await done(pool, os._exit, 1)


async def test_when_a_part_fails_the_other_ends(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refused(UserError):
        pass

    async def refuse(source: Source, told: Told) -> None:
        raise Refused("no")

    own = parts.loaded
    monkeypatch.setattr(parts, "loaded", lambda name: refuse if name == "pow" else own(name))
    with beside() as pool, pytest.raises(Refused, match="no"):
        await parts.run(replace(life.source(), beside=pool), ALL)
