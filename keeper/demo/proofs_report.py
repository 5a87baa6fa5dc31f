"""The demo's tables about proofs of work: verdicts, and what cheating brought."""

from __future__ import annotations

from collections import Counter

import numpy as np

from keeper.demo.cheats import CHEATS
from keeper.demo.fleet import Machine
from keeper.demo.proofs import PROCESSES
from keeper.demo.sheet import Picture, Section, Sheet
from keeper.demo.staking import HOURS, UP_HOURS, Stakers
from keeper.demo.words import CODES
from keeper.economy.supply import IO, io
from keeper.pow.codes import PASSES, Code
from keeper.tables import Rows, keys
from keeper.web import figures

CHECK = (
    "pow verify --hour 5 --dir OUT/rewards/operator-1 --pow OUT/pow/operator-1 --chain OUT/network.chain",
    "rewards show --hour 5 --dir OUT/rewards/operator-1",
)


def section(stakers: Stakers, hours: list[Rows]) -> Section:
    """Everything that people should see of them."""
    about = (
        "A device proves that it is there, and of its class: at moments that only the chain's newest block "
        "draws, called waves, all devices multiply matrices and send a fingerprint of the result in time. "
        "Some are drawn to show a part of it, which operators compute again. What comes of it for a device "
        "is its verdict in that wave. Between waves there are pings, small questions that whoever is up "
        "answers."
    )
    parts: list[Sheet | str] = [
        _verdicts(stakers),
        _cheats(stakers, np.concatenate(hours)),
        _summary(stakers),
    ]
    return Section("proofs", "Who proved it, and who cheated", about, parts, [_caught(stakers)], CHECK)


def _caught(stakers: Stakers) -> Picture:
    """What each cheat earned, beside an honest device of its class."""
    results = np.concatenate(stakers.results())
    title = "IO earned by cheats, and by an honest device of the same class"
    table, rows = Sheet(title, ("device", "cheat IO", "honest IO")), []
    for number in CHEATS:
        machine = stakers.fleet.machines[number]
        earned = [_earned(results, each) for each in (machine, twin(stakers, machine))]
        table.add_row(str(number), *(io(each, 2) for each in earned))
        rows.append(earned)
    names = ("cheats", "honest devices")
    series = [(name, [row[at] / IO for row in rows]) for at, name in enumerate(names)]
    svg = figures.bars(title, [str(number) for number in CHEATS], series)
    return Picture(svg, names, "IO, by the cheats' numbers", table)


def _verdicts(stakers: Stakers) -> Sheet:
    table = Sheet("Verdicts on devices in waves", ("verdict", "on honest", "on cheats", "means"), left=(0, 3))
    counts = Counter[tuple[Code, bool]]()
    for (number, code), count in stakers.codes.items():
        counts[code, number in CHEATS] += count
    for code in Code:
        honest, cheats = counts[code, False], counts[code, True]
        if honest or cheats:
            table.add_row(code.name, f"{honest:,}", f"{cheats:,}", CODES[code])
    return table


def _cheats(stakers: Stakers, results: Rows) -> Sheet:
    """Each cheat beside an honest device of its class."""
    columns = ("device", "code", "times", "passed", "IO", "honest IO", "what it does")
    table = Sheet(f"{len(CHEATS)} devices cheat", columns, left=(0, 1, 6))
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
    hours = stakers.http_hours
    first = (
        "In the first hour"
        if hours == 1
        else f"In the first {hours} hours"
        if hours < HOURS
        else "All the time"
    )
    then = "; then they are two, from which the same services get the same messages through pipes"
    return (
        f"{first} {PROCESSES} worker processes hold the devices' keys and speak to operators over "
        f"HTTP{then if hours < HOURS else ''}: "
        f"{stakers.waves} waves, {stakers.plots} of them about memory, and {stakers.pings} pings. Products "
        "and openings are real, though small; how long each took is by the demo's own clock. Every verdict "
        f"is the one that its device's doings must have; \"honest IO\" is what an honest device of a cheat's "
        f"class has. Nobody earns in the first {UP_HOURS} hours: only "
        "pings show how long a device has been up."
    )
