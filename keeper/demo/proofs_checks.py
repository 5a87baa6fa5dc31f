"""What an hour's files must say of every device: the codes of cheats and bad luck, and who was online."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from solders.pubkey import Pubkey

from keeper.demo.cheats import expected_code
from keeper.demo.checks import Checks
from keeper.demo.fleet import Fleet, Machine
from keeper.pow.clock import WaveKind
from keeper.pow.codes import Code
from keeper.rewards import publication, recomputed
from keeper.tables import Rows, addresses


class Checked(NamedTuple):
    """What came of looking at an hour's files."""

    passed: int
    """Comparisons that were made."""
    codes: Counter[tuple[int, Code]]
    """How often each machine, by its number, had each code."""


def check_hour(folder: Path, hour: int, asked: int, hired: Mapping[int, Collection[Pubkey]]) -> Checked:
    """Compute an hour again by its published files: who cheats or has bad luck has its code, nobody else.

    ``asked`` is the last hour up to this one that had pings, ``hired`` by the slots of the hour's waves.
    Raises DemoFailed, PublicationError.
    """
    manifest, checks, machines = recomputed.verify(folder, hour), Checks(), _machines()
    checks.count(1)
    names = publication.VERDICTS, publication.OBSERVED
    verdicts, observed = (publication.read_table(folder, manifest, each) for each in names)
    codes = check_verdicts(checks, hour, machines, verdicts, hired)
    check_online(checks, asked, machines, observed)
    return Checked(checks.passed, codes)


@cache
def _machines() -> list[Machine]:
    return Fleet().machines


def check_verdicts(
    checks: Checks,
    hour: int,
    machines: Sequence[Machine],
    verdicts: Rows,
    hired: Mapping[int, Collection[Pubkey]],
) -> Counter[tuple[int, Code]]:
    """Compare every verdict of an hour with what its machine has done; ``hired`` is by the waves' slots.

    Gives how often each machine, by its number, had each code.
    """
    luck, by_address = Fleet.luck(hour), {each.address: each for each in machines}
    found = Counter[tuple[int, Code]]()
    for address, row in zip(addresses(verdicts["device"]), verdicts, strict=True):
        machine, wave = by_address[address], int(row["wave"])
        expected = expected_code(
            machine,
            luck[machine.number],
            resides=row["kind"] == WaveKind.RESIDENCY,
            is_hired=address in hired[wave],
            is_drawn=bool(row["opened"]),
        )
        checks.equal(f"verdict on worker {machine.number} in hour {hour}", Code(row["code"]), expected)
        found[machine.number, expected] += 1
    return found


def check_online(checks: Checks, hour: int, machines: Sequence[Machine], observed: Rows) -> None:
    """Whoever was up and is staked enough to be asked has answered the hour's pings, and nobody else.

    Of an hour without pings ``hour`` is the last one that had some: nothing was seen since.
    """
    luck, by_address = Fleet.luck(hour), {each.address: each for each in machines}
    for address, is_online in zip(addresses(observed["device"]), observed["online"].tolist(), strict=True):
        machine = by_address[address]
        up = not (luck[machine.number].is_down or machine.is_short)
        checks.equal(f"worker {machine.number} online as of hour {hour}", bool(is_online), up)
