"""A network's wave: how many honest devices fail by bad luck, and what an hour weighs.

``python benches/waves.py`` takes some seconds and renews the tables in docs/benchmarks.md. The verdicts are
those of the keeper's own code; times are drawn with a fixed seed, so that the tables are the same everywhere.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from idl_codec import table, write_section
from numpy.typing import NDArray
from solders.pubkey import Pubkey

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY))

from keeper.economy.classes import read_classes  # noqa: E402
from keeper.pow.clock import alpha  # noqa: E402
from keeper.pow.codes import PASSES  # noqa: E402
from keeper.pow.connectivity import DRAWN  # noqa: E402
from keeper.pow.files import (  # noqa: E402
    EVIDENCE,
    TRANSFERS,
    WAVE,
    Evidence,
    Transfers,
    write_pings,
    write_wave,
)
from keeper.pow.hashing import digest  # noqa: E402
from keeper.pow.opening import opening_length  # noqa: E402
from keeper.pow.profiles import Profile, deadline_ms, read_profiles  # noqa: E402
from keeper.pow.seeds import pick_count, picks  # noqa: E402
from keeper.pow.verdicts import TASK, wave_verdicts  # noqa: E402

SECTION = "waves.py"
DEVICES, OPERATORS = 100_000, 5
T_MS = (2_000, 4_000, 8_000)
PINGS = 6
SAMPLE = 2_000
"""Openings whose lengths are averaged."""
MOST_FAILURES = 0.001
"""Of honest devices in a wave of eight seconds, by the median of the operators."""
CARD = "RTX 4090"
WEIGHED = 10_000, 100_000, 1_000_000
"""Devices whose hours are weighed."""


def times(T_ms: int, operators: int, random: np.random.Generator) -> NDArray[np.uint32]:
    """Milliseconds that each operator sees honest devices take: uint32[operators, devices].

    A card is up to 4 % slower or faster than its kind, a run varies by 3 %; one in a hundred is disturbed by
    up to 30 %, one in a thousand stalls for some seconds. A commit takes 20 to 200 ms, one in a hundred
    is sent again after a second; an operator sees the wave's block up to 400 ms after others.
    """
    card = random.uniform(0.96, 1.04, DEVICES) * random.normal(1, 0.03, DEVICES)
    card *= 1 + np.where(random.random(DEVICES) < 0.01, random.uniform(0, 0.3, DEVICES), 0)
    stall = np.where(random.random(DEVICES) < 0.001, random.exponential(1_500, DEVICES), 0)
    way = random.uniform(20, 200, (operators, DEVICES))
    way += np.where(random.random((operators, DEVICES)) < 0.01, 1_000, 0)
    seen = random.uniform(-400, 400, (operators, 1))
    return np.maximum(T_ms * card + stall + way + seen, 0).astype(np.uint32)


def failed(T_ms: int, operators: int, deadline: int) -> float:
    """The share of honest devices that don't pass a wave with a deadline (ms)."""
    random = np.random.default_rng([T_ms, operators])
    tasks = np.zeros(DEVICES, TASK)
    raw = np.sort(np.frombuffer(random.bytes(32 * DEVICES), "S32"))
    tasks["device"], tasks["procs"] = raw, 1
    tasks["deadline"] = tasks["longest"] = deadline
    files = []
    for ms in times(T_ms, operators, random):
        rows = np.zeros(DEVICES, WAVE)
        rows["device"], rows["root"], rows["procs"], rows["ms"] = raw, raw, 1, ms
        files.append(rows)
    codes = wave_verdicts(32, tasks, files, {}, operators // 2 + 1)["code"]
    return float(np.mean(~np.isin(codes, list(PASSES))))


def weight(profile: Profile, devices: int) -> list[str]:
    """A row of bytes in an hour of so many devices with a processor each, by five operators."""
    share = alpha(devices * pick_count(profile.q, 1) * profile.K)
    opened = devices * share // 65_536
    seed, root = digest("bench", b"open"), bytes(32)
    lengths = [
        opening_length(profile, picks(seed, Pubkey(number.to_bytes(32, "big")), root, profile, 1), 1)
        for number in range(SAMPLE)
    ]
    opening = sum(lengths) // SAMPLE
    names = np.zeros(devices, "S32")
    pings = write_pings(names, range(PINGS), np.zeros((PINGS, devices), bool))
    files = len(write_wave(np.zeros(devices, WAVE))) + len(pings)
    files += len(Transfers(0, np.zeros(devices // DRAWN, TRANSFERS)).write())
    files += len(Evidence(bytes(32), bytes(32), np.zeros(opened, EVIDENCE)).write())
    once, copies = opened * opening, OPERATORS * opened * opening
    sizes = [OPERATORS * files, once, OPERATORS * files + once, OPERATORS * files + copies]
    columns = [f"{devices:,}", f"{100 * share / 65_536:.3g} %", f"{opening:,}"]
    return [*columns, *(f"{each / 1e6:,.0f}" for each in sizes), f"**{sizes[3] / sizes[2]:.2f}**"]


def report() -> str:
    """The section of docs/benchmarks.md."""
    rows = []
    for T_ms in T_MS:
        ours = failed(T_ms, OPERATORS, deadline_ms(T_ms))
        if T_ms == max(T_MS) and ours >= MOST_FAILURES:
            raise SystemExit(f"{ours:.3%} of honest devices fail")
        others = failed(T_ms, 1, deadline_ms(T_ms)), failed(T_ms, OPERATORS, T_ms * 13 // 10)
        ratios = [f"{each:.3%} (**{each / ours:.1f}**)" for each in others]
        rows.append([f"{T_ms / 1000:.0f} s", f"{deadline_ms(T_ms) / 1000:.1f} s", f"{ours:.3%}", *ratios])
    luck = ["a wave of", "deadline", "fail", "by one operator's clock (times)", "without the 1.5 s (times)"]
    (number,) = [row.id for row in read_classes() if row.name == CARD]
    profile = read_profiles().of_class(number)
    assert profile is not None
    head = ["devices", "opened", "an opening, bytes", f"{OPERATORS} operators' files, MB", "openings, MB"]
    head += ["an hour, MB", "with a copy each, MB", "times"]
    weights = table(head, [weight(profile, devices) for devices in WEIGHED])
    return f"{table(luck, rows)}\n\n{weights}\n"


def main() -> None:
    """Compute and renew the section between the marks."""
    write_section(SECTION, report())


if __name__ == "__main__":
    main()
