"""``make soak``: the whole of it, or a part by its name, written to docs/soak.json and docs/soak.md.

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
from pathlib import Path
from typing import Any

from keeper.clients.programs import PROGRAMS
from tests.soak.driver import INSTRUCTIONS, Network, shrunk
from tests.soak.page import JSON, write
from tests.soak.year import YEAR, played

REPOSITORY = Path(__file__).parents[2]
Tally = Counter[tuple[str, str, str | None]]
LEAST = 10
"""How often each instruction succeeds at least, and is refused, in a whole run."""
AT_START = {
    *((name, "initialize") for name in PROGRAMS),
    *(("tokenomics", name) for name in ("add_allocation", "launch")),
}
"""Instructions that begin a network, and that one that is there refuses for ever."""


def network(arguments: tuple[int, int]) -> tuple[Tally, dict[str, Counter[str]], int]:
    """Play one network by its seed and its steps, and audit it."""
    seed, steps = arguments
    met: dict[str, Counter[str]] = {}
    one = Network(seed, met)
    one.run(steps)
    return one.whole.tally, met, one.audited()


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
    met: dict[str, Counter[str]] = {}
    networks = audited = 0
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for each, its, transactions in _in_turn(pool, seed, steps, count or wanted):
            tally += each
            for side, counts in its.items():
                met.setdefault(side, Counter()).update(counts)
            networks, audited = networks + 1, audited + transactions
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
    if not count:
        lacking = [
            f"{program}.{name}: {succeeded} times done, {refused} refused"
            for program, names in table.items()
            for name, (succeeded, refused, _) in names.items()
            if refused < LEAST or (succeeded < LEAST and (program, name) not in AT_START)
        ]
        assert not lacking, lacking
    kept = {
        name.removeprefix("kept "): n
        for name, n in met.get("keeper", Counter()).items()
        if name.startswith("kept ")
    }
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
    }


def _in_turn(pool: ProcessPoolExecutor, seed: int, steps: int, most: int) -> Iterator[Any]:
    """Networks in the order of their seeds, a few ahead of whoever takes them."""
    ahead = [pool.submit(network, (seed + at, steps)) for at in range(8)]
    for at in range(most):
        yield ahead.pop(0).result()
        ahead.append(pool.submit(network, (seed + at + 8, steps)))


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
    parser.add_argument("--actions", type=int, default=100_000)
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
        began, used = time.monotonic(), processor_seconds()
        found = parts[name]()
        found["seconds"] = round(time.monotonic() - began)
        found["processor_seconds"] = round(processor_seconds() - used)
        found["bytes"] = largest()
        if given.count:
            print(json.dumps(found, indent=1))
            continue
        results = json.loads(JSON.read_text()) if JSON.exists() else {}
        JSON.write_text(json.dumps({**results, name: found}, indent=1) + "\n")
        write()


if __name__ == "__main__":
    main()
