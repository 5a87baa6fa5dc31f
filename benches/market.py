"""A tick's batch: against orders one by one, and against OR-Tools' optimum.

``python benches/market.py`` takes some minutes and renews the tables in docs/benchmarks.md. The sides of
a row run by turns in a process of the row's own; times are the processor's, for others share it. The first
run makes OR-Tools' environment in ``benches/.venv-ortools``, by the hashes in ``benches/ortools.lock``.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import json
import platform
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from environments import HERE, python_of
from idl_codec import table, write_section
from numpy.typing import NDArray

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY))

from keeper.market.assignment import LIMITS, assign  # noqa: E402
from keeper.market.snapshot import DEVICE, ORDER, PAIR, PRICE, Snapshot, empty  # noqa: E402
from keeper.market.work import Limits  # noqa: E402
from keeper.tables import NOTHING, Rows  # noqa: E402

SECTION = "market.py"
SIZES = ((12_500, 1_250), (25_000, 2_500), (50_000, 5_000), (100_000, 10_000))
SEARCHED = (0, 250, LIMITS.searches, 2_500, 10**9)
LIFE = 100_000, 2_000
"""Devices and orders of a tick in life."""
ROUNDS = 5
TICK = 60_000_000
NOW = 30 * TICK
CLASSES, COUNTRIES, TIERS = 60, 40, 4
MOST_SECONDS, MOST_RATIO, MOST_MB, MOST_PRICE = 1.0, 0.6, 256, 1.05
"""What the largest row may take, of one by one and at all, and what the same places may cost of the least."""
OPTIMA = {"scarce": (150, 200, 12), "ample": (400, 200, 12), "scarce, larger": (1_500, 2_000, 2)}
"""Devices, orders of a place each, and seeds."""


# -- a market ------------------------------------------------------------------------------------


def market(devices: int, orders: int, seed: int, *, single: bool = False) -> Snapshot:
    """A market in which all devices are free, and orders want about as many; with ``single`` a place each.

    60 classes and 40 countries by Zipf, asks from half to 1.2 of the price, orders of 1 to 500 devices, half
    of them with two to four classes, a third with countries, 30 % gangs, 10 % colocated.
    """
    rng = np.random.default_rng([devices, orders, seed])
    prices = np.zeros(CLASSES, PRICE)
    prices["class"] = np.arange(CLASSES)
    prices["io"] = prices["usdc"] = rng.integers(10**7, 10**9, CLASSES)
    snapshot = Snapshot(
        TICK, 1, rng.bytes(32), _devices(rng, devices, prices), empty(ORDER), prices, empty(PAIR)
    )
    return replace(snapshot, orders=_orders(rng, orders, prices, single))


def _devices(rng: np.random.Generator, many: int, prices: Rows) -> Rows:
    rows = np.zeros(many, DEVICE)
    rows["device"], rows["worker"] = _keys(rng, many), _keys(rng, many)
    rows["supplier"] = rows["payout"] = _keys(rng, max(1, many // 10))[
        rng.integers(0, max(1, many // 10), many)
    ]
    rows["class"] = rng.choice(CLASSES, many, p=_zipf(CLASSES))
    rows["processors"] = rng.choice([1, 2, 4, 8], many, p=[0.4, 0.2, 0.2, 0.2])
    rows["tier"] = rng.integers(1, TIERS + 1, many)
    rows["country"] = _countries()[rng.choice(COUNTRIES, many, p=_zipf(COUNTRIES))]
    rows["ask_io"] = rows["ask_usdc"] = prices["io"][rows["class"]] * rng.uniform(0.5, 1.2, many)
    rows["changed_at"] = NOW - rng.integers(10_000, 10**6, many)
    rows["idle_since"] = NOW - rng.integers(0, 10**5, many)
    rows["weight"] = rng.integers(7_000, 10_001, many)
    return rows[np.argsort(rows["device"])]


def _orders(rng: np.random.Generator, many: int, prices: Rows, single: bool) -> Rows:
    rows = np.zeros(many, ORDER)
    rows["order"], rows["renter"] = _keys(rng, many), _keys(rng, many)
    rows["created_at"] = NOW - rng.integers(1, 1_200, many)
    rows["match_until"] = rows["created_at"] + 1_201
    rows["urgency"] = rng.choice(3, many, p=[0.8, 0.15, 0.05])
    rows["classes"] = NOTHING
    for row, several in zip(rows, rng.random(many) < 0.5, strict=True):
        named = rng.choice(CLASSES, rng.integers(2, 5) if several else 1, replace=False, p=_zipf(CLASSES))
        row["classes"][: len(named)] = named
        row["limit"] = prices["io"][named].max() * rng.uniform(0.8, 1.5)
        if rng.random() < 1 / 3:
            where = rng.choice(COUNTRIES, rng.integers(1, 6), replace=False, p=_zipf(COUNTRIES))
            row["countries"][: len(where)] = _countries()[where]
    rows["processors"] = rng.choice([1, 2, 4, 8], many, p=[0.4, 0.2, 0.2, 0.2])
    rows["min_tier"] = rng.choice([1, 2, 3, 4], many, p=[0.7, 0.15, 0.1, 0.05])
    rows["open"] = rows["minimum"] = 1
    if not single:
        rows["open"] = np.clip(np.exp(rng.exponential(1.25, many)), 1, 500)
        gang = rng.random(many) < 0.3
        rows["minimum"] = np.where(gang, np.maximum(rows["open"] * 3 // 4, 1), 1)
        rows["colocated"] = rng.random(many) < 0.1
    return rows[np.argsort(rows["order"])]


def _keys(rng: np.random.Generator, many: int) -> NDArray[np.bytes_]:
    return np.frombuffer(rng.bytes(32 * many), "S32")


def _countries() -> NDArray[np.bytes_]:
    return np.array([bytes([65 + number // 26, 65 + number % 26]) for number in range(COUNTRIES)])


def _zipf(many: int) -> NDArray[np.float64]:
    weights = 1 / np.arange(1, many + 1)
    return weights / weights.sum()


# -- one by one ----------------------------------------------------------------------------------


class OneByOne:
    """Orders as they come, each by whole columns: the cheapest class first, then the device's address."""

    def __init__(self, snapshot: Snapshot) -> None:
        """Sort devices into groups of a class and a number of processors."""
        self.snapshot = snapshot
        devices = snapshot.devices
        self.prices = dict(
            zip(snapshot.prices["class"].tolist(), snapshot.prices["io"].tolist(), strict=True)
        )
        number = devices["class"].astype(int) * 16 + devices["processors"]
        order = np.argsort(number, kind="stable")
        edges = np.flatnonzero(np.diff(number[order])) + 1
        self.groups = {int(number[each[0]]): each for each in np.split(order, edges)}
        names = ("country", "tier", "changed_at", "ask_io", "supplier")
        self.columns = {
            key: {name: devices[name][each] for name in names} for key, each in self.groups.items()
        }
        self.free = {key: np.ones(len(each), bool) for key, each in self.groups.items()}

    def run(self) -> tuple[int, int]:
        """Places filled, and gangs that came together."""
        filled = gangs = 0
        orders = self.snapshot.orders
        for row in orders[np.argsort(orders["created_at"], kind="stable")]:
            got = self.serve(row)
            filled += got
            gangs += row["minimum"] > 1 and got > 0
        return filled, int(gangs)

    def serve(self, row: Any) -> int:
        """Give an order the first that fit, of one country if colocated; how many, 0 for half a gang."""
        classes = sorted((self.prices[each], each) for each in row["classes"].tolist() if each >= 0)
        found: list[tuple[int, NDArray[np.intp]]] = []
        for price, number in classes:
            key = number * 16 + int(row["processors"])
            if price <= row["limit"] and key in self.groups:
                found.append((key, self.fitting(key, price, row).nonzero()[0]))
        if row["colocated"] and found:
            there = np.concatenate([self.columns[key]["country"][hit] for key, hit in found])
            names, counts = np.unique(there, return_counts=True)
            if len(names):
                most = names[np.argmax(counts)]
                found = [(key, hit[self.columns[key]["country"][hit] == most]) for key, hit in found]
        need, taken = int(row["open"]), []
        for key, hit in found:
            taken.append((key, hit[:need]))
            need -= len(taken[-1][1])
        got = int(row["open"]) - need
        if got < row["minimum"]:
            return 0
        for key, hit in taken:
            self.free[key][hit] = False
        return got

    def fitting(self, key: int, price: int, row: Any) -> NDArray[np.bool_]:
        """Which devices of a group an order can have."""
        columns = self.columns[key]
        fits = self.free[key] & (columns["ask_io"] > 0) & (columns["ask_io"] <= price)
        fits &= (columns["tier"] >= row["min_tier"]) & (columns["changed_at"] < row["created_at"])
        if row["countries"][0]:
            fits &= np.isin(columns["country"], row["countries"])
        return fits & (columns["supplier"] != row["renter"])


# -- measuring -----------------------------------------------------------------------------------


def timed(call: Any) -> tuple[float, Any]:
    """Processor seconds, and what came of it."""
    start = time.process_time()
    found = call()
    return time.process_time() - start, found


def limited(searches: int) -> Limits:
    """The rule's limits, or another number of searches and as many looks as they take."""
    return LIMITS if searches == LIMITS.searches else Limits(searches, 10**18)


def outcome(snapshot: Snapshot, matches: Rows) -> tuple[int, int]:
    """As :meth:`OneByOne.run` of a batch; stops where it broke a gang."""
    orders, counts = np.unique(matches["order"], return_counts=True)
    minimum = snapshot.orders["minimum"][np.searchsorted(snapshot.orders["order"], orders)]
    if (counts < minimum).any():
        raise SystemExit("a gang is broken")
    return len(matches), int((minimum > 1).sum())


def measure(devices: int, orders: int, searches: int) -> dict[str, Any]:
    """Both sides by turns; run in a process of its own, whose memory is the batch's and the market's."""
    snapshot = market(devices, orders, 1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds, matches = timed(lambda: assign(snapshot, limited(searches)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ours, other = [], []
    for _ in range(ROUNDS):
        seconds, again = timed(lambda: assign(snapshot, limited(searches)))
        if not (again == matches).all():
            raise SystemExit("the same rows gave other matches")
        ours.append(seconds)
        seconds, one_by_one = timed(lambda: OneByOne(snapshot).run())
        other.append(seconds)
    return {
        "seconds": min(ours),
        "ratios": sorted(a / b for a, b in zip(ours, other, strict=True)),
        "mb": [before / 1024, peak / 1024],
        "wanted": int(snapshot.orders["open"].sum()),
        "batch": outcome(snapshot, matches),
        "one by one": one_by_one,
    }


def child(*arguments: int) -> dict[str, Any]:
    """Measure in a process of its own."""
    command = [sys.executable, __file__, *map(str, arguments)]
    found = subprocess.run(command, check=True, capture_output=True, text=True)
    measured: dict[str, Any] = json.loads(found.stdout)
    return measured


def row(devices: int, orders: int, searches: int, measured: dict[str, Any]) -> list[str]:
    """The cells of a size."""
    filled = [f"{measured[side][0] / measured['wanted']:.1%}" for side in ("batch", "one by one")]
    gangs = [f"{measured[side][1]:,}" for side in ("batch", "one by one")]
    ratios = measured["ratios"]
    limit = "none" if searches == max(SEARCHED) else f"{searches:,}"
    return [
        f"{devices:,} x {orders:,}",
        limit,
        f"{measured['seconds']:.2f}",
        f"**{statistics.median(ratios):.2f}**",
        f"{ratios[0]:.2f} to {ratios[-1]:.2f}",
        f"{measured['mb'][1]:.0f}",
        " / ".join(filled),
        " / ".join(gangs),
    ]


def require(devices: int, measured: dict[str, Any]) -> None:
    """Stop where a size isn't what is promised."""
    ours, other = measured["batch"], measured["one by one"]
    if ours[0] < other[0]:
        raise SystemExit(f"one by one fills more: {measured}")
    slow = statistics.median(measured["ratios"]) > MOST_RATIO or measured["seconds"] > MOST_SECONDS
    if devices == max(SIZES)[0] and (slow or measured["mb"][1] > MOST_MB):
        raise SystemExit(f"more time or memory than there is: {measured}")


# -- the optimum ---------------------------------------------------------------------------------


def edges(snapshot: Snapshot) -> list[list[int]]:
    """Which device each order can have, at which price: places of both, and the price."""
    devices = snapshot.devices
    prices = dict(zip(snapshot.prices["class"].tolist(), snapshot.prices["io"].tolist(), strict=True))
    found: list[list[int]] = []
    for place, each in enumerate(snapshot.orders):
        for number in each["classes"][each["classes"] >= 0].tolist():
            price = prices[number]
            fits = (devices["class"] == number) & (devices["processors"] == each["processors"])
            fits &= (devices["tier"] >= each["min_tier"]) & (devices["ask_io"] <= price)
            if each["countries"][0]:
                fits &= np.isin(devices["country"], each["countries"])
            if price <= each["limit"]:
                found += [[place, device, price] for device in fits.nonzero()[0].tolist()]
    return found


def optimum(name: str) -> list[str]:
    """A row: what is filled, and what it costs, of the optimum."""
    devices, orders, seeds = OPTIMA[name]
    ours = plain = best = paid = least = 0
    with subprocess.Popen(
        [python_of("ortools"), HERE / "ortools_side.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as side:
        assert side.stdin and side.stdout
        for seed in range(seeds):
            snapshot = market(devices, orders, seed, single=True)
            matches = assign(snapshot, limited(max(SEARCHED)))
            counts = np.isin(snapshot.orders["order"], matches["order"]).astype(int).tolist()
            side.stdin.write(json.dumps([[1] * orders, edges(snapshot), counts]) + "\n")
            side.stdin.flush()
            most, _, cheapest = json.loads(side.stdout.readline())
            if most != len(matches):
                raise SystemExit(f"{name}, seed {seed}: {len(matches)} places, but {most} can be filled")
            ours, best, plain = ours + len(matches), best + most, plain + len(assign(snapshot, limited(0)))
            paid, least = paid + int(matches["price"].sum()), least + cheapest
        side.stdin.close()
    if paid > MOST_PRICE * least:
        raise SystemExit(f"{name}: {paid} is paid, {least} would do")
    size = f"{name}: {devices:,} x {orders:,}, {seeds} seeds"
    return [size, f"{best:,}", f"**{ours / best:.4f}**", f"{plain / best:.3f}", f"**{paid / least:.4f}**"]


def report() -> str:
    """The section of docs/benchmarks.md."""
    rows = []
    for devices, orders in SIZES:
        for searches in SEARCHED if devices == max(SIZES)[0] else (LIMITS.searches,):
            measured = child(devices, orders, searches)
            if searches == LIMITS.searches:
                require(devices, measured)
            rows.append(row(devices, orders, searches, measured))
    rows.append(row(*LIFE, max(SEARCHED), child(*LIFE, max(SEARCHED))))
    head = ["devices x orders", "searches", "CPU s", "of one by one", "lowest to highest round", "MB at most"]
    speed = table([*head, "places filled, batch / one by one", "gangs, batch / one by one"], rows)
    flows = [
        "single places",
        "most",
        "filled of it",
        "without exchanges",
        "price, of the least for the same orders",
    ]
    best = table(flows, [optimum(name) for name in OPTIMA])
    packages = f"one of {os.cpu_count()} cores, Python {platform.python_version()}, numpy {version('numpy')}"
    note = f"Least processor time of {ROUNDS} rounds, the sides in turns; {packages}."
    return f"{speed}\n\n{best}\n\n{note}\n"


def main() -> None:
    """Measure and renew the section between the marks; with a size, measure that alone."""
    if len(sys.argv) > 1:
        print(json.dumps(measure(*map(int, sys.argv[1:]))))
    else:
        write_section(SECTION, report())


if __name__ == "__main__":
    main()
