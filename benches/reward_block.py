"""One hour of rewards, from account bytes to the published block, against row by row in plain Python.

``python benches/reward_block.py`` runs each size in processes of their own, the sides in turns, compares
what they published, and renews the table in docs/benchmarks.md. Ours has a part of the devices in memory at
a time; that all of them at once give the same bytes is compared, too.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import math
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from solders.pubkey import Pubkey

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY))

from keeper.clients import staking  # noqa: E402
from keeper.economy.classes import read_classes  # noqa: E402
from keeper.economy.staking import CoStakeState, minimum  # noqa: E402
from keeper.pow.record import HourRecord  # noqa: E402
from keeper.rewards.merge import HourWork  # noqa: E402
from keeper.rewards.publication import read_manifest  # noqa: E402
from keeper.rewards.publishing import PART, Part, publish, publish_parts  # noqa: E402
from keeper.rewards.rows import CLASS, OBSERVATION, Hour, device_rows  # noqa: E402
from keeper.rewards.tree import leaf  # noqa: E402
from keeper.tables import KEY, Rows, addresses  # noqa: E402
from tests.keeper.rewards.seen import work_of  # noqa: E402
from tests.model import rewards as model  # noqa: E402
from tests.model.schedule import node  # noqa: E402

DOCUMENT = REPOSITORY / "docs/benchmarks.md"
BEGIN, END = "<!-- reward_block.py: begin -->\n", "<!-- reward_block.py: end -->\n"
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
COMPARED = SIZES[:2]
"""Row by row, a million would take minutes."""
HELD = SIZES[:3]
"""Of ten million, all at once would take more memory than there is."""
ROUNDS = 3
MOST = {1_000_000: (5.0, 1_000_000_000), 10_000_000: (90.0, 4_000_000_000)}
"""Seconds and bytes that a number of devices may take."""
AT_ONCE = 50_000
"""Accounts that are made up at a time."""
START = 1_719_792_000
EMITTED = 448_028_673_835
"""The first hour's, base units."""


class Accounts(Sequence[bytes]):
    """Accounts of one size in a file, as a snapshot has them: what isn't looked at isn't in memory."""

    def __init__(self, path: Path, size: int) -> None:
        """Of ``size`` bytes each, in the file at ``path``."""
        self._file, self._size = path.open("rb"), size
        self._count = path.stat().st_size // size

    def __len__(self) -> int:
        """How many there are."""
        return self._count

    def __getitem__(self, at: Any) -> Any:
        """One, or a list of those in a slice."""
        first, last, _ = at.indices(self._count) if isinstance(at, slice) else (at, at + 1, 1)
        size, data = (
            self._size,
            os.pread(self._file.fileno(), (last - first) * self._size, first * self._size),
        )
        found = [data[start : start + size] for start in range(0, len(data), size)]
        return found if isinstance(at, slice) else found[0]


class Inputs(NamedTuple):
    """What an hour's block is made from: ``accounts`` are the devices' bytes, sorted by ``keys``."""

    keys: NDArray[np.bytes_]
    accounts: Sequence[bytes]
    seen: Rows
    is_hired: NDArray[np.bool_]
    classes: Rows

    @property
    def addresses(self) -> list[Pubkey]:
        """The keys as they are used one by one."""
        return addresses(self.keys)

    @property
    def hired(self) -> set[Pubkey]:
        """Which of them are hired."""
        return set(addresses(self.keys[self.is_hired]))

    def slice(self, at: int) -> Inputs:
        """Those of a part, which begins at a device."""
        part = slice(at, at + PART)
        return Inputs(
            self.keys[part], self.accounts[part], self.seen[part], self.is_hired[part], self.classes
        )

    def rows(self) -> Rows:
        """What the rule goes by."""
        return device_rows(self.addresses, self.accounts, self.seen, self.hired)


def inputs(count: int, file: Path) -> Inputs:
    """Make them up from a fixed seed, accounts in a file.

    A fifth is co-staked, a fifth hired, a tenth staked too little; suppliers have four devices on average.
    """
    rng = np.random.default_rng(count)
    table = [row for row in read_classes() if row.multiplier]
    classes = np.array([(row.id, row.multiplier, row.pool) for row in table], CLASS)
    people = np.frombuffer(rng.bytes(32 * max(1, count // 4)), "V32")
    with file.open("wb") as out:
        for at in range(0, count, AT_ONCE):
            out.write(devices(min(AT_ONCE, count - at), rng, classes, people).tobytes())
    column = np.sort(np.frombuffer(rng.bytes(32 * count), KEY))
    seen = np.zeros(count, OBSERVATION)
    seen["device"] = column
    seen["up_since"] = START - 86_400
    seen["online"] = rng.random(count) < 0.99
    seen["work"] = rng.choice([0, 1, 2], count, p=[0.02, 0.97, 0.01])
    seen["measured_tier"] = rng.integers(0, 5, count)
    accounts = Accounts(file, staking.PROGRAM.dtype("Device").itemsize)
    return Inputs(column, accounts, seen, rng.random(count) < 0.2, classes)


def devices(count: int, rng: np.random.Generator, classes: Rows, people: Rows) -> Rows:
    """Accounts of some devices."""
    accounts = np.zeros(count, staking.PROGRAM.dtype("Device"))
    accounts["discriminator"] = np.void(staking.PROGRAM.discriminator("Device"))
    accounts["version"] = staking.PROGRAM.constants["ACCOUNT_VERSION"]
    accounts["worker"] = np.frombuffer(rng.bytes(32 * count), "V32")
    accounts["supplier"] = accounts["payout"] = people[rng.integers(0, len(people), count)]
    chosen = rng.integers(0, len(classes), count)
    accounts["class"] = classes["id"][chosen]
    accounts["processors"] = rng.integers(1, 9, count)
    accounts["tier"] = rng.integers(1, 5, count)
    accounts["country"] = (67, 72)
    multipliers = np.maximum(classes["multiplier"][chosen].astype(np.uint64), np.uint64(100))
    least = multipliers * accounts["processors"].astype(np.uint64) * np.uint64(minimum(100, 1) // 100)
    shared = rng.random(count) < 0.2
    co = accounts["co"]
    co["amount"] = np.where(shared, least // np.uint64(2), 0)
    co["state"] = np.where(shared, CoStakeState.ACTIVE, CoStakeState.NONE)
    co["reward_bps"] = np.where(shared, 2_000, 0)
    helpers = people[rng.integers(0, len(people), count)].copy()
    helpers[~shared] = np.void(bytes(32))
    co["staker"] = helpers
    short = rng.random(count) < 0.1
    accounts["own"] = least - co["amount"] - short.astype(np.uint64)
    accounts["sufficient_since"] = np.where(short, 0, START - 86_400)
    accounts["registered_at"] = START - 90_000
    return accounts


def ours(folder: Path, count: int) -> float:
    """Publish, a part of the devices at a time; returns the seconds."""
    made = inputs(count, folder.with_name("accounts"))
    start = time.perf_counter()
    record, _, _, rule = _work(made.slice(count).rows())
    publish_parts(folder, Hour(0, START, EMITTED), record, _parts(made), made.classes, rule)
    return time.perf_counter() - start


def _parts(made: Inputs) -> Iterator[Part]:
    for at in range(0, len(made.keys), PART):
        rows = made.slice(at).rows()
        _, verdicts, observed, _ = _work(rows)
        yield Part(rows, verdicts, observed)


def at_once(folder: Path, count: int) -> float:
    """Publish what is in memory; returns the seconds."""
    made = inputs(count, folder.with_name("accounts"))
    start = time.perf_counter()
    rows = made.rows()
    publish(folder, Hour(0, START, EMITTED), HourWork(*_work(rows)), rows, made.classes)
    return time.perf_counter() - start


def _work(rows: Rows) -> tuple[HourRecord, Rows, Rows, int]:
    """What was seen, as an hour's work."""
    work = work_of(rows, 0, START)
    return work.record, work.verdicts, work.observed, work.rule


def row_by_row(folder: Path, count: int) -> float:
    """The reference model, an object a device, and the csv module; returns the seconds."""
    made = inputs(count, folder.with_name("accounts"))
    hired, seen = made.hired, made.seen
    start = time.perf_counter()
    table = {int(row["id"]): (int(row["multiplier"]), int(row["pool"])) for row in made.classes}
    machines = []
    for address, data, row in zip(made.addresses, made.accounts, seen.tolist(), strict=True):
        device = staking.parse_device(data)
        observed = dict(zip(seen.dtype.names, row, strict=True))
        machines.append(
            model.Machine(
                device=bytes(address),
                payout=bytes(device.payout),
                co_staker=bytes(device.co.staker),
                class_id=device.device_class,
                processors=device.processors,
                tier=device.tier,
                terminated=device.terminated,
                slash_pending=device.slash_pending,
                barred_until=device.barred_until,
                sufficient_since=device.sufficient_since,
                own=device.own,
                co_amount=device.co.amount,
                co_until=device.co.until,
                co_state=device.co.state,
                co_reward_bps=device.co.reward_bps,
                up_since=observed["up_since"],
                online=bool(observed["online"]),
                work=observed["work"],
                vram_failures=observed["vram_failures"],
                vram_failed_at=observed["vram_failed_at"],
                measured_tier=observed["measured_tier"],
                processors_shown=observed["processors_shown"],
                hired=address in hired,
            )
        )
    machines.sort(key=lambda each: each.device)
    results, wallets = model.reward(START, EMITTED, machines, table, {})
    folder.mkdir(parents=True)
    with (folder / "inputs.csv").open("w") as file:
        writer = csv.writer(file, lineterminator="\n")
        for each in machines:
            writer.writerow([*map(_text, vars(each).values())])
    with (folder / "rewards.csv").open("w") as file:
        writer = csv.writer(file, lineterminator="\n")
        for each in machines:
            row = results[each.device]
            writer.writerow([_text(each.device), row.status, row.score, row.reward, row.co_part])
    level = []
    with (folder / "wallets.csv").open("w") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["wallet", "lifetime", "earned"])
        for owner, lifetime in sorted(wallets.items()):
            writer.writerow([_text(owner), lifetime, lifetime])
            level.append(leaf(Pubkey(owner), lifetime))
    for name in ("inputs.csv", "rewards.csv"):
        hashlib.sha256((folder / name).read_bytes()).digest()
    while len(level) > 1:
        pairs = [node(a, b) for a, b in zip(level[::2], level[1::2], strict=False)]
        level = pairs + level[-1:] * (len(level) % 2)
    seconds = time.perf_counter() - start
    (folder / "root").write_text(level[0].hex())
    return seconds


def _text(value: object) -> object:
    if isinstance(value, bytes):
        return str(Pubkey(value))
    return int(value) if isinstance(value, bool) else value


SIDES = {"ours": ours, "at once": at_once, "row by row": row_by_row}


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one side in a process of its own."""

    seconds: float
    peak: int
    digest: str
    wallets: str
    root: str


def child(side: str, count: int) -> Run:
    """Run in a new process; returns what it measured of itself."""
    command = [sys.executable, __file__, "--side", side, "--count", str(count)]
    return Run(**json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))


def measure_here(side: str, count: int) -> Run:
    """Run in this process, in a folder that is removed again."""
    folder = Path(tempfile.mkdtemp())
    try:
        seconds = SIDES[side](folder / "rewards", count)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        place = folder / "rewards" / ("" if side == "row by row" else "0")
        digest = hashlib.sha256()
        for path in sorted(place.iterdir()):
            digest.update(path.name.encode() + path.read_bytes())
        wallets = hashlib.sha256((place / "wallets.csv").read_bytes()).hexdigest()
        is_plain = side == "row by row"
        root = (place / "root").read_text() if is_plain else read_manifest(folder / "rewards", 0).root
        return Run(seconds, peak, digest.hexdigest(), wallets, root)
    finally:
        shutil.rmtree(folder)


def measure() -> list[list[str]]:
    """The table's rows; exits when a target is missed or a figure differs."""
    rows, middles = [], {}
    for count in SIZES:
        mine, other = [], []
        for _ in range(ROUNDS):
            mine.append(child("ours", count))
            if count in COMPARED:
                other.append(child("row by row", count))
        whole = [child("at once", count)] if count in HELD else []
        if len({run.digest for run in (*mine, *whole)}) != 1:
            raise SystemExit(f"{count:,} devices: two runs published different bytes")
        if {(run.wallets, run.root) for run in other} - {(mine[0].wallets, mine[0].root)}:
            raise SystemExit(f"{count:,} devices: the two sides paid differently")
        seconds = middles[count] = statistics.median(run.seconds for run in mine)
        peak = max(run.peak for run in mine)
        ratios = sorted(b.seconds / a.seconds for a, b in zip(mine, other, strict=False))
        theirs = statistics.median(run.seconds for run in other) if other else None
        rows.append(
            [
                f"{count:,}",
                f"{seconds:.2f}",
                f"{peak / 1e6:,.0f}",
                f"{theirs:.2f}" if theirs else "-",
                f"**{statistics.median(ratios):.3g}**" if ratios else "-",
                f"{ratios[0]:.3g} to {ratios[-1]:.3g}" if ratios else "-",
            ]
        )
        print(" | ".join(rows[-1]), flush=True)
        most_seconds, most_bytes = MOST.get(count, (math.inf, math.inf))
        if seconds > most_seconds or peak > most_bytes:
            raise SystemExit(f"{count:,} devices took {seconds:.1f} s and {peak:,} bytes")
    for few, many in pairwise(SIZES[1:]):
        allowed = many * math.log(many) / (few * math.log(few))
        growth = middles[many] / middles[few]
        print(f"growth from {few:,} to {many:,}: {growth:.2f} times; n log n is {allowed:.2f}")
        if growth > allowed:
            raise SystemExit("that is more than n log n")
    return rows


def report(rows: list[list[str]]) -> str:
    """The section of docs/benchmarks.md."""
    head = ["devices", "ours, s", "peak, MB", "row by row, s", "times as fast", "lowest to highest round"]
    lines = [head, ["---:"] * len(head), *rows]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, numpy {version('numpy')}"
    return (
        f"{table}\n\nMedian of {ROUNDS} rounds, the two sides in turns, each in its own process; {machine}.\n"
    )


def main() -> None:
    """Measure and renew the section between the marks, or run one side for the parent."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--count", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        run = measure_here(options.side, options.count)
        print(json.dumps({name: getattr(run, name) for name in Run.__slots__}))
        return
    text = DOCUMENT.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    DOCUMENT.write_text(f"{before}{BEGIN}{report(measure())}{END}{after}")


if __name__ == "__main__":
    main()
