"""What wallets earned, by the indexes of published hours: no table is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from solders.pubkey import Pubkey

from keeper import disk
from keeper.errors import why
from keeper.rewards import wallet_index
from keeper.rewards.publication import (
    FolderUnusable,
    NothingEarned,
    PublicationError,
    claimable,
    read_manifest,
    read_tree,
)
from keeper.rewards.wallet_index import NAME, Claimable, NoIndex


class NotIndexed(PublicationError):
    """An hour without an index of its wallets, or with another manifest's: :func:`index` writes it."""


def indexed_claimable(folder: Path, hour: int, wallet: Pubkey) -> Claimable:
    """As :func:`~keeper.rewards.publication.claimable`, by the hour's index, whatever the number of wallets.

    Raises PublicationError; NothingEarned, NotIndexed.
    """
    manifest = read_manifest(folder, hour)
    path = folder / str(hour) / NAME
    try:
        found = wallet_index.look_up(path, hour, manifest.hash, manifest.root, wallet)
    except NoIndex as error:
        raise NotIndexed(f"hour {hour} isn't ready for proofs yet: {error}") from error
    except OSError as error:
        raise PublicationError(f"{path} can't be read: {why(error)}") from error
    if found is None:
        raise NothingEarned(f"{wallet} has earned nothing by emission hour {hour}")
    return found


def index(folder: Path, hour: int) -> bool:
    """Write an hour's index if it lacks, as of one that an earlier version published; returns whether it did.

    Raises PublicationError.
    """
    manifest = read_manifest(folder, hour)
    path = folder / str(hour) / NAME
    with suppress(NoIndex):
        wallet_index.check(path, manifest.hash, manifest.root)
        return False
    wallets, top = read_tree(folder, manifest)
    unfinished = path.with_name(f".{NAME}.part")
    try:
        wallet_index.write(unfinished, manifest.hash, wallets, top)
        unfinished.replace(path)
        disk.sync(path.parent)
    except OSError as error:
        raise FolderUnusable(f"{folder} can't be written: {why(error)}") from error
    return True


@dataclass(frozen=True, slots=True)
class Earned:
    """What an hour brought a wallet, and all that it has earned by then: base units; ``start`` unix time."""

    hour: int
    start: int
    earned: int
    lifetime: int


def earned(folder: Path, wallet: Pubkey, hours: Sequence[int]) -> Iterator[Earned]:
    """The hours, of these in order, in which a wallet earned something, newest first.

    An hour whose predecessor isn't published doesn't tell what came in it, and is left out. Raises
    PublicationError.
    """
    there, known = set(hours), dict[int, int]()

    def lifetime(hour: int) -> int:
        if hour not in known:
            known.clear()
            known[hour] = _lifetime(folder, hour, wallet) if hour >= 0 else 0
        return known[hour]

    for hour in reversed(hours):
        if hour == 0 or hour - 1 in there:
            by_then = lifetime(hour)
            if more := by_then - lifetime(hour - 1):
                yield Earned(hour, read_manifest(folder, hour).start, more, by_then)


def _lifetime(folder: Path, hour: int, wallet: Pubkey) -> int:
    """All that a wallet had earned by an hour; where there is no index, by reading all of it."""
    try:
        return indexed_claimable(folder, hour, wallet).lifetime
    except NotIndexed:
        with suppress(NothingEarned):
            return claimable(folder, hour, wallet).lifetime
    except NothingEarned:
        pass
    return 0
