"""docs/soak.md, from what the last run left in docs/soak.json."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tests.soak.year import YEAR as HOURS

DOCS = Path(__file__).parents[2] / "docs"
JSON, PAGE = DOCS / "soak.json", DOCS / "soak.md"
MEBIBYTE = 1 << 20
WHOLE = 100_000
"""Actions of a whole run."""

INTRODUCTION = """# Soak

<!-- Written by `make soak` (tests/soak): don't edit. -->

`make soak` plays random histories for long, and holds each step to what the protocol says. Three parts;
each can be run alone, `python -m tests.soak --part year`. A small one of each is in `make test`.
"""
ACTIONS = """## Everybody at once

One chain with the four real programs, and beside it the four reference models (`tests/model`) with one
purse and one clock. At each step somebody of one side does something: renters, suppliers, operators and
USDC's issuer; stakers and those who vote on hours, prices and slashes; bidders; beneficiaries, claimants
and whoever burns; or the keeper's own jobs, as they are in `keeper/jobs`, of which every instruction that
they send is followed in the models by its accounts alone. Arguments are mostly good and sometimes bad in
one way, and the clock jumps, with a taste for the seconds around deadlines.

After **every** action both sides agree on the refusal's name or the events, on every field of every
account, on every token balance of both currencies and on both supplies, and the models' invariants hold: no
vault owes more than it has, supply is genesis plus emission less burns, nobody's stake goes out under a
slash, no hour of claims passes its limit, no price moves by more than an eighth an hour. A network ends
with everything of orders' paid, closed and added up for everybody to the last base unit while all that can
be paused is, with every account made again from its events, and with `ionet audit chain`, which may find
nothing. What the keeper's jobs send and is refused, though it is still due, fails the run.

A step's draws follow from the seed and its number alone. A failure prints the seed and the last acts;
`python -m tests.soak --seed SEED --steps STEPS --shrink` says which of the steps it needs.
"""
YEAR = """## A year of hours

Reward hours as operators compute them (`keeper.rewards.observed` and `.rule`): devices come and go, are
hired, barred and slashed; waves take place, are void or don't; devices are late, silent, wrong, or sign two
roots; operators hear them or sleep. In every hour no more is paid than was emitted, who failed gets
nothing, lifetimes never fall, and what nobody got is rounding that the next hour has. Once a day every row,
wallet and the root are computed again by the reference model, and some devices' whole histories are gone
through by its own.
"""
KILLS = """## Kills

Real keeper processes that keep a day, killed with SIGKILL at random questions to the node, before answers
arrive, at statements and commits of the database and in the middle of files (`tests/keeper/faults`). In the
end accounts, events, rows, files and intents are those of the same day undisturbed, and every action landed
once.
"""


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    cells = ([f"{each:,}" if isinstance(each, int) else str(each) for each in row] for row in rows)
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in cells)])


def took(found: dict[str, Any]) -> str:
    """What a part cost, where that was measured."""
    if "processor_seconds" not in found:
        return ""
    mebibytes = found["bytes"] // MEBIBYTE
    seconds = found["processor_seconds"]
    return f"It took {seconds:,} s of processor time, and its largest process {mebibytes:,} MiB."


def of_actions(found: dict[str, Any]) -> str:
    """The first part's section."""
    last = found["seed"] + found["networks"] - 1
    of_whole = "" if found["actions"] >= WHOLE else f"; a whole run has {WHOLE:,}"
    summary = (
        f"**{found['actions']:,} actions** in {found['networks']:,} networks of {found['steps']} steps "
        f"(seeds {found['seed']} to {last}): {found['done']:,} done, {found['refused']:,} refused by "
        f"{len(found['refusals'])} names{of_whole}. The audit read {found['audited']:,} transactions. "
        f"{took(found)}"
    ).rstrip()
    rows = [
        (f"{program}.{name}", *counts)
        for program, names in found["instructions"].items()
        for name, counts in names.items()
    ]
    refusals = table(("refused by", "times"), found["refusals"].items())
    kept = table(("the keeper's jobs sent", "times"), found["keeper"].items())
    note = (
        "What begins a network is done once in each, before its first step; `lease_device`, `free_device` "
        "and `record_lease` are done by orders alone."
    )
    table_ = table(("instruction", "done", "refused", "by so many names"), rows)
    return "\n\n".join([ACTIONS.strip(), summary, table_, note, kept, refusals])


def of_year(found: dict[str, Any]) -> str:
    """The second's."""
    counts = table(("", ""), found["counts"].items())
    hours = found["counts"]["hours"]
    of_whole = "" if hours >= HOURS else f"; a whole run has {HOURS:,}"
    said = f"**{found['devices']:,} devices, {hours:,} hours**{of_whole}. Seed {found['seed']}."
    left = f"At its end {found['left_over']:,} base units are left over for the next hour."
    return "\n\n".join([YEAR.strip(), said, counts, f"{left} {took(found)}"])


def of_kills(found: dict[str, Any]) -> str:
    """The third's."""
    where = table(("killed in", "times"), found["where"].items())
    said = f"**{found['kills']:,} kills**, on {found['databases']} databases. {took(found)}"
    return "\n\n".join([KILLS.strip(), said, where])


def text(results: dict[str, Any]) -> str:
    """The page."""
    parts = {"actions": of_actions, "year": of_year, "kills": of_kills}
    sections = [make(results[name]) for name, make in parts.items() if name in results]
    return "\n\n".join([INTRODUCTION.strip(), *sections]) + "\n"


def write() -> None:
    """Write the page anew."""
    PAGE.write_text(text(json.loads(JSON.read_text())))
