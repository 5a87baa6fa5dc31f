"""``make soak``: the whole of it, or a part by its name, written to docs/soak.json and docs/soak.md.

A run that was stopped goes on where it was, as long as nothing that it depends on changed.
``python -m tests.soak --part actions --seed 7 --count 1`` plays one network again; ``--seed 7 --shrink`` says
which of its steps a failure needs.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

from keeper.clients.programs import PROGRAMS
from tests.soak.driver import INSTRUCTIONS, Network, shrunk
from tests.soak.page import JSON, WHOLE, write
from tests.soak.year import YEAR, played

REPOSITORY = Path(__file__).parents[2]
Tally = Counter[tuple[str, str, str | None]]
AHEAD = 8
"""Networks that are played beyond the one that is waited for."""
FOLLOWED_FROM = (
    *("programs/artifacts", "idl", "migrations/genesis", "keeper"),
    *("tests/model", "tests/programs", "tests/keeper/audit", "tests/soak"),
)
"""Folders that a network's history follows from."""
ABOUT_IT = {"__main__.py", "page.py", "test_soak.py", "year.py"}
"""Files of the soak that it doesn't follow from."""
LEAST = 10
"""How often each instruction succeeds at least, and is refused, in a whole run."""
AT_START = {
    *((name, "initialize") for name in PROGRAMS),
    *(("tokenomics", name) for name in ("add_allocation", "launch")),
}
"""Instructions that begin a network, and that one that is there refuses for ever."""


def version() -> str:
    """What a network's history follows from, as one hash: programs, keeper, models, who acts, who audits."""
    digest = sha256()
    for folder in FOLLOWED_FROM:
        for path in sorted((REPOSITORY / folder).rglob("*")):
            if path.suffix in {".so", ".py", ".json"} and path.name not in ABOUT_IT:
                digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def network(arguments: tuple[int, int, Path]) -> tuple[Tally, dict[str, int], int, float, int]:
    """Play one network by its seed and its steps, and audit it, unless a run that was stopped did.

    Returns what was tried, what the keeper's jobs sent, how many transactions the audit read, and what it
    took: seconds of processor time, and the most bytes of the process.
    """
    seed, steps, folder = arguments
    path = folder / f"{seed}-{steps}.json"
    if path.exists():
        rows, kept, audited, *took = json.loads(path.read_text())
        known = {(program, name, refusal): number for program, name, refusal, number in rows}
        return Counter(known), kept, audited, *took
    began = time.process_time()
    met: dict[str, Counter[str]] = {}
    one = Network(seed, met)
    one.run(steps)
    audited = one.audited()
    kept = {
        name.removeprefix("kept "): number
        for name, number in met["keeper"].items()
        if name.startswith("kept ")
    }
    rows = [[*key, number] for key, number in one.whole.tally.items()]
    part = path.with_suffix(".part")
    took = time.process_time() - began, largest()
    part.write_text(json.dumps([rows, kept, audited, *took]))
    part.replace(path)
    return one.whole.tally, kept, audited, *took


def processor_seconds() -> float:
    """Of this process and of those that it waited for."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in both)


def largest() -> int:
    """Bytes that the largest of those processes took."""
    both = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return max(both) * 1024


def actions(wanted: int, seed: int, steps: int, count: int | None) -> dict[str, Any]:
    """Networks from a seed on, until so many actions were tried; or ``count`` of them."""
    tally: Tally = Counter()
    kept: Counter[str] = Counter()
    networks = audited = 0
    seconds, most = 0.0, 0
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for each, its, transactions, took, size in _in_turn(pool, seed, steps, count or wanted):
            tally += each
            kept.update(its)
            networks, audited, seconds = networks + 1, audited + transactions, seconds + took
            most = max(most, size)
            print(f"{networks} networks, {tally.total():,} actions", end="\r", file=sys.stderr, flush=True)
            if (networks >= count) if count else (tally.total() >= wanted):
                break
        pool.shutdown(cancel_futures=True)
    table = {
        program: {name: _counts(tally, program, name) for name in names}
        for program, names in INSTRUCTIONS.items()
    }
    refusals: Counter[str] = Counter()
    for (_, _, name), number in tally.items():
        if name:
            refusals[name] += number
    if tally.total() >= WHOLE:
        lacking = [
            f"{program}.{name}: {succeeded} times done, {refused} refused"
            for program, names in table.items()
            for name, (succeeded, refused, _) in names.items()
            if refused < LEAST or (succeeded < LEAST and (program, name) not in AT_START)
        ]
        assert not lacking, lacking
    return {
        "seed": seed,
        "steps": steps,
        "networks": networks,
        "actions": tally.total(),
        "done": sum(number for (_, _, name), number in tally.items() if not name),
        "refused": refusals.total(),
        "refusals": dict(refusals.most_common()),
        "instructions": table,
        "keeper": dict(sorted(kept.items())),
        "audited": audited,
        "processor_seconds": round(seconds),
        "bytes": most,
    }


def _in_turn(pool: ProcessPoolExecutor, seed: int, steps: int, most: int) -> Iterator[Any]:
    """Networks in the order of their seeds, a few ahead of whoever takes them."""
    folder = REPOSITORY / "out/soak" / version()
    folder.mkdir(parents=True, exist_ok=True)
    ahead = [pool.submit(network, (seed + at, steps, folder)) for at in range(AHEAD)]
    for at in range(most):
        yield ahead.pop(0).result()
        ahead.append(pool.submit(network, (seed + at + AHEAD, steps, folder)))


def _counts(tally: Tally, program: str, name: str) -> tuple[int, int, int]:
    """How often an instruction succeeded, was refused, and by how many names."""
    refused = {each: n for (p, i, each), n in tally.items() if (p, i) == (program, name) and each}
    return tally[program, name, None], sum(refused.values()), len(refused)


def kills(number: int) -> dict[str, Any]:
    """A day of real keeper processes that are killed so often, as tests/keeper/faults has it."""
    test = "tests/keeper/faults/test_kills.py::test_killed_anywhere_in_a_day"
    command = [sys.executable, "-m", "pytest", "-q", "-rP", "-p", "no:cacheprovider", test]
    environment = {**os.environ, "IONET_TEST_KILLS": str(number)}
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    told = re.findall(r"(\d+) kills: (\{.*\})", done.stdout)
    assert done.returncode == 0 and told, done.stdout[-3_000:]
    where: Counter[str] = Counter()
    for _, each in told:
        where.update(json.loads(each.replace("'", '"')))
    return {
        "kills": sum(int(each) for each, _ in told),
        "databases": len(told),
        "where": dict(where.most_common()),
    }


def year(seed: int, devices: int, hours: int) -> dict[str, Any]:
    """So many hours of so many devices."""
    told = played(seed, devices, hours)
    return {"seed": seed, "devices": devices, "counts": dict(told.counts), "left_over": told.left_over}


def main() -> None:
    """Run parts, and write what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=("actions", "kills", "year"), action="append")
    parser.add_argument("--actions", type=int, default=WHOLE)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=200, help="of each network")
    parser.add_argument("--count", type=int, help="so many networks, and write nothing")
    parser.add_argument("--shrink", action="store_true", help="which steps of --seed a failure needs")
    parser.add_argument("--kills", type=int, default=200, help="on each database")
    parser.add_argument("--devices", type=int, default=10_000)
    parser.add_argument("--hours", type=int, default=YEAR)
    given = parser.parse_args()
    if given.shrink:
        print(shrunk(given.seed, given.steps))
        return
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "actions": lambda: actions(given.actions, given.seed, given.steps, given.count),
        "year": lambda: year(given.seed, given.devices, given.hours),
        "kills": lambda: kills(given.kills),
    }
    for name in given.part or parts:
        used = processor_seconds()
        found = parts[name]()
        found.setdefault("processor_seconds", round(processor_seconds() - used))
        found.setdefault("bytes", largest())
        if given.count:
            print(json.dumps(found, indent=1))
            continue
        results = json.loads(JSON.read_text()) if JSON.exists() else {}
        JSON.write_text(json.dumps({**results, name: found}, indent=1) + "\n")
        write()


if __name__ == "__main__":
    main()
