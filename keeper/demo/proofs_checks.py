"""What an hour's files must say of every device: the codes of cheats and bad luck, and who was online."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from solders.pubkey import Pubkey

from keeper.demo.cheats import expected_code
from keeper.demo.checks import Checks
from keeper.demo.fleet import Fleet, Machine
from keeper.pow.clock import WaveKind
from keeper.pow.codes import Code
from keeper.tables import Rows, addresses


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
