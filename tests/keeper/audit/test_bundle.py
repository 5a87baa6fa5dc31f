"""A bundle: the same bytes from the same, the same findings offline, and no trust in what it says."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from keeper.audit import parts
from keeper.audit.bundle import pack, source
from keeper.audit.bundle.answers import AnswersDamaged, NotHeld, Recording, Replayed
from keeper.audit.bundle.pack import CHAIN, MANIFEST, About, BundleError
from keeper.audit.findings import Code, Exit
from keeper.audit.sources import Source
from tests.keeper.audit import lies

ABOUT = About("here", "genesis", None, None, {"rewards/0": "out"})


async def test_the_same_findings_offline(life, tmp_path: Path) -> None:
    folder = life.copy(tmp_path / "copy")
    lies.rewrite(folder / "8", "inputs.csv", lies.cell("own"), signed=True)
    online = Source("here", life.hours.world.chain, [folder], [life.evidence])
    digest, _ = await source.write(online, tmp_path / "a.bundle", 7, 8)
    again, _ = await source.write(online, tmp_path / "b.bundle", 7, 8)
    assert digest == again
    assert (tmp_path / "a.bundle").read_bytes() == (tmp_path / "b.bundle").read_bytes()
    async with source.opened(tmp_path / "a.bundle") as found:
        offline = found.told(await parts.run(found.source))
    assert [(each.code, each.where, each.row.split(", ")[1]) for each in offline.findings] == [
        (Code.INPUT_DIFFERS, f"{folder}/8/inputs.csv", "own")
    ]
    assert offline.exit is Exit.FOUND


async def test_all_of_an_honest_life(life, tmp_path: Path) -> None:
    here = life.source()
    path = tmp_path / "all.bundle"
    await source.write(here, path)
    async with source.opened(path) as found:
        offline = found.told(await parts.run(found.source))
    online = await parts.run(here)
    assert offline == online
    assert offline.findings == ()


async def test_what_wasnt_asked_isnt_guessed(life) -> None:
    recording = Recording(life.hours.world.chain)
    await recording.genesis_hash()
    replayed = Replayed(recording.lines())
    assert await replayed.genesis_hash() == await life.hours.world.chain.genesis_hash()
    with pytest.raises(NotHeld):
        await replayed.head(5, "finalized")


@pytest.mark.parametrize("line", [b"x", b"[1]", b'{"a":1}', b"[" * 100_000])
def test_answers_that_are_none(line: bytes) -> None:
    with pytest.raises(AnswersDamaged):
        Replayed([line])


@pytest.mark.parametrize(
    "answer",
    [
        '{"is":"Popen","of":[]}',
        '{"is":"Account","of":[1]}',
        '{"a":1,"b":2}',
        '{"key":"x"}',
        "[" * 900 + "]" * 900,
    ],
)
async def test_an_answer_of_another_type(answer: str) -> None:
    replayed = Replayed([f'[["version",[],{{}}],{answer}]'.encode()])
    with pytest.raises(AnswersDamaged):
        await replayed.version()


# -- bytes -------------------------------------------------------------------------------------


def members(path: Path) -> list[tuple[tarfile.TarInfo, bytes]]:
    with tarfile.open(path) as tar:
        return [(each, tar.extractfile(each).read()) for each in tar]  # type: ignore[union-attr]


def packed(path: Path, found: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    with gzip.open(path, "wb") as raw, tarfile.open(fileobj=raw, mode="w") as tar:
        for info, data in found:
            info.size = len(data) if info.isreg() else 0
            tar.addfile(info, io.BytesIO(data))
    return path


def manifest(data: bytes, change: Callable[[dict], None]) -> bytes:
    whole = json.loads(data)
    change(whole)
    return json.dumps(whole, sort_keys=True, separators=(",", ":")).encode()


def another(name: str, data: bytes = b"x", kind: bytes = tarfile.REGTYPE) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, "/etc/passwd"
    return info, data


def named(name: str) -> Callable[[dict], None]:
    return lambda whole: whole["files"].update({name: {"bytes": 1, "sha256": "0" * 64}})


FALSE: dict[str, tuple[Callable[[list], list], str]] = {
    "a byte of a file": (lambda all_: [all_[0], (all_[1][0], b"y" + all_[1][1][1:])], "has SHA-256"),
    "a longer file": (lambda all_: [all_[0], (all_[1][0], all_[1][1] + b"y")], "bytes that are stated"),
    "a file less": (lambda all_: all_[:1], "lacks chain.jsonl"),
    "a file more": (lambda all_: [*all_, another("more")], "which its manifest doesn't name"),
    "a file twice": (lambda all_: [*all_, all_[1]], "which its manifest doesn't name"),
    "a link": (lambda all_: [all_[0], another(CHAIN, b"", tarfile.SYMTYPE)], "isn't a file"),
    "a hard link": (lambda all_: [all_[0], another(CHAIN, b"", tarfile.LNKTYPE)], "isn't a file"),
    "a device": (lambda all_: [all_[0], another(CHAIN, b"", tarfile.CHRTYPE)], "isn't a file"),
    "no manifest": (lambda all_: all_[1:], "doesn't begin with"),
    "another format": (
        lambda all_: [(all_[0][0], manifest(all_[0][1], lambda whole: whole.update(format=9))), *all_[1:]],
        "of format 9",
    ),
    "a length beyond all bounds": (
        lambda all_: [
            (
                all_[0][0],
                manifest(all_[0][1], lambda whole: whole["files"][CHAIN].update(bytes=float("inf"))),
            ),
            *all_[1:],
        ],
        "isn't a bundle's",
    ),
    "a bomb": (
        lambda all_: [
            (
                all_[0][0],
                manifest(all_[0][1], lambda whole: whole["files"][CHAIN].update(bytes=1 << 60)),
            ),
            *all_[1:],
        ],
        "more than any has",
    ),
    **{
        f"a path: {name}": (
            lambda all_, name=name: [(all_[0][0], manifest(all_[0][1], named(name))), *all_[1:]],
            "isn't a path within",
        )
        for name in ("../out", "/etc/out", "a/../../out", "a//b", "./a", "", "a\\..\\b")
    },
}


@pytest.mark.parametrize("name", FALSE)
def test_a_false_bundle_is_told(tmp_path: Path, name: str) -> None:
    change, said = FALSE[name]
    true = tmp_path / "true.bundle"
    pack.write(true, ABOUT, {CHAIN: b"x" * 20})
    false = packed(tmp_path / "false.bundle", change(members(true)))
    (tmp_path / "into").mkdir()
    with pytest.raises(BundleError, match=said):
        pack.read(false, tmp_path / "into")
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize("cut", [0, 1, 50, 200])
def test_a_cut_bundle_is_told(tmp_path: Path, cut: int) -> None:
    true = tmp_path / "true.bundle"
    pack.write(true, ABOUT, {CHAIN: bytes(range(256)) * 20})
    data = true.read_bytes()
    true.write_bytes(data[: min(cut, len(data) - 20)])
    (tmp_path / "into").mkdir()
    with pytest.raises(BundleError):
        pack.read(true, tmp_path / "into")


def test_a_bundle_is_read_as_it_was_written(tmp_path: Path) -> None:
    pack.write(tmp_path / "a", ABOUT, {CHAIN: b"x" * 20, "rewards/0/5/a.csv": b""})
    (tmp_path / "into").mkdir()
    assert pack.read(tmp_path / "a", tmp_path / "into") == ABOUT
    assert (tmp_path / "into" / CHAIN).read_bytes() == b"x" * 20
    assert members(tmp_path / "a")[0][0].name == MANIFEST
