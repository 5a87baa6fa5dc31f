"""A bundle written from a source, and a source made of a bundle."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from keeper.audit import parts
from keeper.audit.bundle import pack
from keeper.audit.bundle.answers import Recording, Replayed, as_reader
from keeper.audit.bundle.pack import CHAIN, About
from keeper.audit.findings import Part, Report
from keeper.audit.sources import Source, Told, untold

FOLDERS = ("rewards", "evidence", "market")
"""What a source has folders of, and what these are called in a bundle."""
BY_HOUR = ("rewards", "evidence")
"""Those that have a folder for each hour."""


async def write(
    source: Source, path: Path, first: int | None = None, last: int | None = None, told: Told = untold
) -> tuple[str, Report]:
    """Audit a source, and write all that it takes to do so again; returns its SHA-256, and the report.

    With a range, of published hours only those from ``first`` (and the one before, from which it goes on) to
    ``last`` are in it; the chain's history is always whole, as every state follows from all of it. Openings
    aren't verified here, as whoever reads does. Raises BundleError, and as parts do.
    """
    files = dict(_files(source, first, last))
    recording = Recording(source.chain)
    report = await parts.run(replace(source, chain=as_reader(recording), share=0), (), told)
    names = {
        f"{kind}/{number}": str(folder)
        for kind in FOLDERS
        for number, folder in enumerate(getattr(source, kind))
    }
    about = About(source.name, await source.chain.genesis_hash(), first, last, names)
    return pack.write(path, about, {**files, CHAIN: b"".join(recording.lines())}), report


@dataclass(frozen=True, slots=True)
class Bundle:
    """An opened bundle: a source, and how its folders were called where it was written."""

    source: Source
    about: About
    _folder: Path

    def told(self, report: Report) -> Report:
        """A report with files by the names that they had."""
        names = {f"{self._folder / name}": there for name, there in self.about.names.items()}
        return replace(report, parts=tuple(_renamed(part, names) for part in report.parts))


@asynccontextmanager
async def opened(path: Path, share: float = 1.0, profiles: Path | None = None) -> AsyncIterator[Bundle]:
    """What a bundle holds, as a source; raises BundleError, AnswersDamaged.

    ``profiles`` are the reader's own: what a bundle says of them nobody has to believe.
    """
    with TemporaryDirectory(prefix="ionet-bundle-") as place:
        folder = Path(place)
        about = pack.read(path, folder)
        if not (folder / CHAIN).is_file():
            raise pack.BundleError(f"{path} holds no answers of a chain: {CHAIN} isn't among its files")
        with (folder / CHAIN).open("rb") as lines:
            chain = as_reader(Replayed(lines))
        rewards, evidence, market = (
            [folder / name for name in about.names if name.startswith(f"{kind}/")] for kind in FOLDERS
        )
        source = Source(about.source, chain, rewards, evidence, market, share=share, profiles=profiles)
        yield Bundle(source, about, folder)


def _files(source: Source, first: int | None, last: int | None) -> Iterator[tuple[str, Path]]:
    """All files of a source's folders, by their names in a bundle."""
    for kind in FOLDERS:
        folders: Sequence[Path] = getattr(source, kind)
        for number, folder in enumerate(folders):
            for path in sorted(folder.rglob("*")):
                name = path.relative_to(folder)
                is_within = kind not in BY_HOUR or _is_within(name.parts[0], first, last)
                if is_within and path.is_file() and not path.is_symlink():
                    yield f"{kind}/{number}/{name.as_posix()}", path


def _is_within(name: str, first: int | None, last: int | None) -> bool:
    if not name.isdecimal():
        return True
    hour = int(name)
    return (first is None or hour >= first - 1) and (last is None or hour <= last)


def _renamed(part: Part, names: Mapping[str, str]) -> Part:
    def name(text: str) -> str:
        for here, there in names.items():
            text = text.replace(here, there)
        return text

    findings = tuple(replace(each, where=name(each.where)) for each in part.findings)
    unchecked = tuple(replace(each, what=name(each.what), why=name(each.why)) for each in part.unchecked)
    return replace(part, findings=findings, unchecked=unchecked, told=tuple(map(name, part.told)))
