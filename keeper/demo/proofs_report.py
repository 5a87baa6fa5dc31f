"""The demo's tables about proofs of work: verdicts, and what cheating brought."""

from __future__ import annotations

from collections import Counter

import numpy as np
from rich.table import Table

from keeper.demo.cheats import CHEATS
from keeper.demo.fleet import Machine
from keeper.demo.proofs import PROCESSES
from keeper.demo.staking import UP_HOURS, Stakers
from keeper.economy.supply import io
from keeper.pow.codes import PASSES, Code
from keeper.tables import Rows, keys
from keeper.terminal.tables import plain


def tables(stakers: Stakers, hours: list[Rows]) -> list[Table | str]:
    """Everything that people should see of them."""
    return [_verdicts(stakers), _cheats(stakers, np.concatenate(hours)), _summary(stakers)]


def _verdicts(stakers: Stakers) -> Table:
    table = plain("Verdicts on devices in waves", "verdict", "on honest ones", "on cheats")
    counts = Counter[tuple[Code, bool]]()
    for (number, code), count in stakers.codes.items():
        counts[code, number in CHEATS] += count
    for code in Code:
        honest, cheats = counts[code, False], counts[code, True]
        if honest or cheats:
            table.add_row(code.name, f"{honest:,}", f"{cheats:,}")
    return table


def _cheats(stakers: Stakers, results: Rows) -> Table:
    """Each cheat beside an honest device of its class."""
    columns = ("device", "code", "times", "passed", "IO", "honest IO", "what it does")
    table = plain(f"{len(CHEATS)} devices cheat", *columns)
    table.columns[1].justify = table.columns[6].justify = "left"
    table.columns[1].no_wrap = True
    for number, cheat in CHEATS.items():
        machine = stakers.fleet.machines[number]
        mine = {code: count for (of, code), count in stakers.codes.items() if of == number}
        passed = sum(count for code, count in mine.items() if code in PASSES - {Code.PASS_SLOW})
        table.add_row(
            f"{number}",
            cheat.code.name,
            f"{mine.get(cheat.code, 0)}",
            f"{passed}",
            io(_earned(results, machine), 2),
            io(_earned(results, twin(stakers, machine)), 2),
            f"{machine.kind.name}: {cheat.what}",
        )
    return table


def twin(stakers: Stakers, machine: Machine) -> Machine:
    """An honest device of a cheat's class, enough staked, with as many processors as near as there is."""
    alike = [
        each
        for each in stakers.fleet.machines
        if each.kind == machine.kind and each.number not in CHEATS and not each.is_short
    ]
    return min(alike, key=lambda each: (abs(each.processors - machine.processors), each.number))


def _earned(results: Rows, machine: Machine) -> int:
    return int(results["reward"][results["device"] == keys([machine.address])[0]].sum())


def _summary(stakers: Stakers) -> str:
    return (
        f"In the first hour {PROCESSES} worker processes hold the devices' keys and speak to operators over "
        "HTTP; then they are two, from which the same services get the same messages through pipes: "
        f"{stakers.waves} waves, {stakers.plots} of them about memory, and {stakers.pings} pings. Products "
        "and openings are real, though small; how long each took is by the demo's own clock. Every verdict "
        f"is the one that its device's doings must have; \"honest IO\" is what an honest device of a cheat's "
        f"class has. Nobody earns in the first {UP_HOURS} hours: only "
        "pings show how long a device has been up."
    )
