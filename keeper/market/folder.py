"""An operator's folder of the market: ticks' files and hours' steps, as they are published.

``<folder>/<T // 2880>/<T>/`` has the files of tick T (:mod:`keeper.market.files`), and
``<folder>/prices/<hour>.csv`` the steps of an hour (unix time over 3,600), whose root operators vote for.
``<folder>/others/<operator>/`` is such a folder with ticks of another operator that show what it did, and
``<folder>/replayed`` says up to which tick all were computed again.
Whatever appears is whole: it is written beside its place, through to the disk, and then moved there. A folder
that was fetched from somebody else is read in the same way; nothing in it has to be trusted.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from solders.pubkey import Pubkey

from keeper import disk
from keeper.economy.classes import MAX_STEP
from keeper.errors import UserError, why
from keeper.market import files
from keeper.market.files import KINDS, TICKS_A_DAY, TICKS_AN_HOUR, Batch, Files
from keeper.market.manifest import NAME, Manifest
from keeper.market.steps import StepTable

PRICES, OTHERS, REPLAYED = "prices", "others", "replayed"
KEEP_DAYS = 7
"""So long a tick's files are kept, whole days (UTC) after its own: to look into what an operator did."""
KEEP_HOURS = 24 * 30
"""So long an hour's steps are: for as long as anybody is shown past ones."""
HEADER = b"class,io,usdc\n"


class FolderUnusable(UserError):
    """A folder of the market that can't be read or written."""


class TickMissing(UserError):
    """A tick that isn't in the folder: no batch was written for it, or its files were never fetched."""


class StepsMissing(UserError):
    """An hour whose steps aren't in the folder."""


class StepsInvalid(UserError):
    """Bytes that aren't a table of steps, or steps that no table has."""


@dataclass(frozen=True, slots=True)
class MarketFolder:
    """What an operator publishes of the market."""

    path: Path

    # -- ticks ---------------------------------------------------------------------------------

    def ticks(self, first: int, last: int) -> list[int]:
        """The ticks from ``first`` to ``last`` that have files, in order; raises FolderUnusable."""
        among = range(first // TICKS_A_DAY, last // TICKS_A_DAY + 1)
        days = [each for each in self._numbers(self.path) if int(each.name) in among]
        found = (int(each.name) for day in days for each in self._numbers(day))
        return sorted(tick for tick in found if first <= tick <= last)

    def has(self, tick: int) -> bool:
        """Whether a tick has files."""
        return (self._tick(tick) / NAME).is_file()

    def files(self, tick: int) -> Files:
        """A tick's files as they are, by name. Raises TickMissing, FolderUnusable."""
        place, found = self._tick(tick), {}
        if not self.has(tick):
            raise TickMissing(f"tick {tick} isn't in {self.path}: no matches, or its files weren't fetched")
        for name in (*KINDS, NAME):
            try:
                found[name] = (place / name).read_bytes()
            except FileNotFoundError:
                continue  # Whoever reads them says which one is missing.
            except OSError as error:
                raise FolderUnusable(f"{place / name} can't be read: {why(error)}") from error
        return found

    def read(self, tick: int) -> Batch:
        """A tick's files, read, with those that they go on from.

        Raises as :meth:`files` and :func:`keeper.market.files.read`.
        """
        found, base = self._with_base(tick)
        return files.read(found, base)

    def replay(self, tick: int) -> Batch:
        """Compute a tick again from its own files and compare every byte.

        Raises as :meth:`read`, and ReplayDiffers.
        """
        found, base = self._with_base(tick)
        return files.replay(found, base)

    def operator(self, tick: int) -> Pubkey | None:
        """Whose a tick's files say they are; None where they don't say so."""
        try:
            return Pubkey.from_string(Manifest.decode((self._tick(tick) / NAME).read_bytes()).operator)
        except (OSError, UserError):
            return None

    def base(self, tick: int, known: Batch | None = None) -> Batch | None:
        """The first tick before this one in its hour that has files: it has all devices. None if none has.

        It isn't read again where it is ``known``.
        """
        first = tick // TICKS_AN_HOUR * TICKS_AN_HOUR
        written = self.ticks(first, tick - 1)
        if written and known and known.manifest.tick == written[0]:
            return known
        return files.read(self.files(written[0])) if written else None

    def write(self, tick: int, content: Files) -> None:
        """Publish a tick's files; raises FolderUnusable."""
        self._put(self._tick(tick), content)

    def drop(self, tick: int) -> None:
        """Take a tick's files back; raises FolderUnusable."""
        self._remove(self._tick(tick))

    def _remove(self, place: Path) -> None:
        try:
            shutil.rmtree(place)
        except OSError as error:
            raise FolderUnusable(f"{place} can't be removed: {why(error)}") from error

    def _numbers(self, place: Path) -> list[Path]:
        """What in a folder is named by a number."""
        try:
            return [each for each in place.glob("[0-9]*") if each.stem.isdecimal()]
        except OSError as error:
            raise FolderUnusable(f"{place} can't be read: {why(error)}") from error

    def _tick(self, tick: int) -> Path:
        return self.path / files.folder(tick)

    def _with_base(self, tick: int) -> tuple[Files, Batch | None]:
        found = self.files(tick)
        base = Manifest.decode(found[NAME]).base
        return found, files.read(self.files(base.tick)) if base else None

    def clean(self, hour: int) -> int:
        """Remove what is older in an hour (unix time over 3,600) than is kept; returns how many ticks.

        An hour's first tick stays as long as those that go on from it. Raises FolderUnusable.
        """
        removed = 0
        for day in self._numbers(self.path):
            if int(day.name) >= hour * TICKS_AN_HOUR // TICKS_A_DAY - KEEP_DAYS:
                continue
            for tick in self._numbers(day):
                if (tick / NAME).is_file():
                    self._remove(tick)
                    removed += 1
            with suppress(OSError):
                day.rmdir()  # Whatever else is in it is somebody else's.
        for steps in self._numbers(self.path / PRICES):
            if steps.suffix == ".csv" and int(steps.stem) < hour - KEEP_HOURS:
                steps.unlink(missing_ok=True)
        return removed

    # -- what others did ---------------------------------------------------------------------------

    def replayed(self) -> int | None:
        """The last tick that was computed again; None where none was, or nobody can tell any more."""
        try:
            return int((self.path / REPLAYED).read_bytes())
        except (OSError, ValueError):
            return None

    def note_replayed(self, tick: int) -> None:
        """All ticks up to this one were; raises FolderUnusable."""
        self._replace(self.path / REPLAYED, f"{tick}\n".encode())

    def keep(self, operator: Pubkey, tick: int, found: MarketFolder, most: int) -> None:
        """Keep a tick of another operator, with what it goes on from, unless ``most`` of its are kept.

        ``found`` is the folder that they are in. Raises FolderUnusable, TickMissing.
        """
        kept = MarketFolder(self.path / OTHERS / str(operator))
        if sum(1 for day in kept._numbers(kept.path) for _ in kept._numbers(day)) >= most:
            return
        base = Manifest.decode(found.files(tick)[NAME]).base
        for each in (tick, base.tick) if base else (tick,):
            if not kept.has(each):
                kept.write(each, found.files(each))

    # -- steps ---------------------------------------------------------------------------------

    def has_steps(self, hour: int) -> bool:
        """Whether an hour's steps are here."""
        return self._steps(hour).is_file()

    def steps(self, hour: int) -> StepTable:
        """An hour's steps. Raises StepsMissing, StepsInvalid, FolderUnusable."""
        path = self._steps(hour)
        try:
            data = path.read_bytes()
        except FileNotFoundError as error:
            raise StepsMissing(f"{path} is missing: the hour's steps aren't in {self.path}") from error
        except OSError as error:
            raise FolderUnusable(f"{path} can't be read: {why(error)}") from error
        return decode_steps(hour, data)

    def write_steps(self, table: StepTable) -> None:
        """Publish an hour's steps; raises FolderUnusable."""
        self._replace(self._steps(table.hour), encode_steps(table))

    def _steps(self, hour: int) -> Path:
        return self.path / PRICES / f"{hour}.csv"

    # -- inside --------------------------------------------------------------------------------

    def _replace(self, path: Path, data: bytes) -> None:
        part = path.with_name(f".{path.name}.part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            disk.write(part, [data])
            part.replace(path)
            disk.sync(path.parent)
        except OSError as error:
            raise FolderUnusable(f"{path} can't be written: {why(error)}") from error

    def _put(self, whole: Path, content: Mapping[str, bytes]) -> None:
        try:
            with disk.whole(whole) as part:
                for name, data in content.items():
                    disk.write(part / name, [data])
                disk.sync(part)
        except OSError as error:
            raise FolderUnusable(f"{whole} can't be written: {why(error)}") from error


def encode_steps(table: StepTable) -> bytes:
    """An hour's steps as a file: ``class,io,usdc``, steps in basis points, sorted by class."""
    rows = (f"{number},{io},{usdc}\n" for number, (io, usdc) in sorted(table.steps.items()))
    return HEADER + "".join(rows).encode()


def decode_steps(hour: int, data: bytes) -> StepTable:
    """Read what :func:`encode_steps` wrote; raises StepsInvalid.

    Whether it is the table that was voted for is what its root says.
    """
    name = f"{hour}.csv"
    try:
        rows = [tuple(map(int, line.split(b","))) for line in data.removeprefix(HEADER).splitlines()]
        table = StepTable(hour, {number: (io, usdc) for number, io, usdc in rows})
    except ValueError as error:
        raise StepsInvalid(f"{name} is no table of steps: {error}") from error
    if not rows or encode_steps(table) != data:
        raise StepsInvalid(f"{name} is empty, or writes steps in another way than the one that there is")
    if not all(0 <= number < 1 << 16 for number in table.steps) or any(
        abs(step) > MAX_STEP for each in table.steps.values() for step in each
    ):
        raise StepsInvalid(f"{name} has a class or a step that there can't be")
    return table
