"""Proof of work on one core: verifying against computing again, and what else a wave costs.

``python benches/pow.py`` takes three minutes and renews the tables in docs/benchmarks.md. A row's two sides
run by turns in this process, whose BLAS has one thread; times are the processor's, for others share it.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import platform
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from idl_codec import table, write_section
from solders.pubkey import Pubkey

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY))

from keeper.economy import merkle  # noqa: E402
from keeper.pow import residency, seeds, tree  # noqa: E402
from keeper.pow.backend import NumpyBackend  # noqa: E402
from keeper.pow.codes import Code  # noqa: E402
from keeper.pow.generator import generate  # noqa: E402
from keeper.pow.hashing import digest  # noqa: E402
from keeper.pow.opening import Claim, claim, opening_length  # noqa: E402
from keeper.pow.product import product  # noqa: E402
from keeper.pow.profiles import LEAF_ROWS, Profile, Residency, read_profiles  # noqa: E402
from keeper.pow.prove import Proof, prove  # noqa: E402
from keeper.pow.verify import verify_batch  # noqa: E402

SECTION = "pow.py"
WAVE, OPEN = (digest("bench", each) for each in (b"wave", b"open"))
ROUNDS = {1024: 25, 2048: 9, 4096: 3, 8192: 1}
"""By the size of a product: others share the machine, and the small ones are over in milliseconds."""
BATCH, MANY = 64, 200
HOURLY = 12_500
"""Openings that an operator verifies in an hour at most."""
TARGETS = {1024: (7, 20), 2048: (20, 60), 4096: (60, 300), 8192: (250, 2000)}
"""How many times as fast verifying has to be at a size, alone and in a batch, however busy the machine is."""
MOST_OVERHEAD, LEAST_DEARER = 0.25, 10
ROW = 1024
"""Bytes of a record of a card's profile."""


class Turns(NamedTuple):
    """The least of each side in seconds, which is the least disturbed, and the rounds' ratios, ascending."""

    ours: float
    other: float
    ratios: list[float]

    @property
    def ratio(self) -> float:
        """How many times ours the other side took."""
        return self.other / self.ours


def by_turns(ours: Callable[[], object], other: Callable[[], object], rounds: int = 5) -> Turns:
    """Run both sides by turns; ours three times in a round, as the other takes many times as long."""
    times = [(min(_timed(ours) for _ in range(3)), _timed(other)) for _ in range(rounds)]
    mine, theirs = (min(side) for side in zip(*times, strict=True))
    return Turns(mine, theirs, sorted(b / a for a, b in times))


def _timed(action: Callable[[], object]) -> float:
    start = time.process_time()
    action()
    return time.process_time() - start


def device(number: int) -> Pubkey:
    """One of many."""
    return Pubkey(digest("bench", number.to_bytes(4, "little")))


def recompute(profile: Profile, who: Pubkey, rows: int | None = None) -> None:
    """What verifies without picks: both operands and the product, in panels."""
    bt = generate(seeds.seed_b(WAVE, profile.id), range(profile.n), profile.K)
    for at in range(0, rows or profile.m, 1024):
        panel = range(at, min(at + 1024, profile.m))
        product(generate(seeds.seed_a(WAVE, who, 0), panel, profile.K), bt)


# -- verifying -------------------------------------------------------------------------------------


def proven(profile: Profile, who: Pubkey) -> Claim:
    """A right opening."""
    proof: Proof[Any] = prove(NumpyBackend(), WAVE, who, profile, 1)
    made = claim(OPEN, profile, who, proof.root, 1, b"")
    return made._replace(blob=proof.open(made.picks))


def bound(profile: Profile, who: Pubkey) -> Claim:
    """An opening that is bound to its root, of records that nobody computed.

    Its verdict is WORK_WRONG, after all the work that PASS takes: nothing ends early.
    """
    rng = np.random.default_rng(who.__hash__() & 0xFFFF)
    chosen = seeds.picks(OPEN, who, bytes(32), profile, 1)
    rows = sorted({pick.row for pick in chosen})
    records = {row: rng.bytes(profile.record) for row in rows}
    siblings = len(tree.siblings(rows, profile.m))
    proof = rng.bytes(tree.HASH * siblings)
    top = tree.root_of({row: tree.leaf(each) for row, each in records.items()}, proof, profile.m)
    assert top is not None
    head = top + len(rows).to_bytes(2, "little") + siblings.to_bytes(2, "little")
    blob = head + b"".join(records.values()) + proof
    assert len(blob) == opening_length(profile, chosen, 1)
    return Claim(who, seeds.device_root([top]), 1, chosen, blob)


def expect(profile: Profile, claims: list[Claim], codes: list[Code]) -> None:
    """Verify; ends the run where a verdict is another."""
    if verify_batch(WAVE, profile, claims) != codes:
        raise SystemExit("a verdict is wrong")


def verification() -> list[list[str]]:
    """Against computing all of it again, at sizes m = n = K."""
    rows = []
    for size, (alone, together) in TARGETS.items():
        profile = Profile(0, size, size, size, 24, T_ms=8000)
        right = proven(profile, device(0))
        # The batch's other devices have records of their own, and all the work of a right one.
        others = [bound(profile, device(number)) for number in range(1, BATCH)]
        one = by_turns(
            partial(expect, profile, [right], [Code.PASS]),
            partial(recompute, profile, device(0)),
            ROUNDS[size],
        )
        codes = [Code.PASS] + [Code.WORK_WRONG] * len(others)
        each = min(_timed(partial(expect, profile, [right, *others], codes)) for _ in range(3)) / BATCH
        batch = one.other / each
        rows.append(
            [
                f"{size:,}",
                f"{1000 * one.ours:.1f}",
                f"{1000 * one.other:,.0f}",
                f"**{one.ratio:,.0f}**",
                f"{one.ratios[0]:,.0f} to {one.ratios[-1]:,.0f}",
                f"{1000 * each:.2f}",
                f"**{batch:,.0f}**",
            ]
        )
        print(" | ".join(rows[-1]), flush=True)
        if one.ratio < alone or batch < together:
            raise SystemExit(f"verifying at {size} isn't {alone} times as fast, {together} in a batch")
    return rows


def many() -> list[list[str]]:
    """Devices of a class, together against one by one."""
    rows = []
    table = read_profiles()
    for name, number in (("CPU", 7), ("T4", 49), ("RTX 4090", 25)):
        profile = table[number]
        claims = [bound(profile, device(each)) for each in range(MANY)]
        turns = by_turns(
            partial(expect, profile, claims, [Code.WORK_WRONG] * MANY),
            partial(expect, profile, claims[:1], [Code.WORK_WRONG]),
            1,
        )
        each = turns.ours / MANY
        size = f"2^{profile.m.bit_length() - 1} x 2^{profile.n.bit_length() - 1} x {profile.K:,}"
        numbers = [f"{len(claims[0].blob):,}", f"{1000 * turns.other:,.0f}", f"{1000 * each:.1f}"]
        rows.append([name, size, *numbers, f"**{turns.other / each:.1f}**", f"{1 / each:.0f}"])
        rows[-1].append(f"{HOURLY * each:,.0f}")
        print(" | ".join(rows[-1]), flush=True)
    return rows


# -- what else a wave costs ------------------------------------------------------------------------


def parts() -> list[list[str]]:
    """The generator, a device's overhead, trees, residency: each against something named."""
    rows = [*_generator(), _overhead(), *_trees(), *_residency()]
    for row in rows:
        print(" | ".join(row), flush=True)
    return rows


def _generator() -> list[list[str]]:
    count = 1 << 26
    found = []
    for kind in (np.random.PCG64, np.random.Philox):
        rng = np.random.Generator(kind(1))
        turns = by_turns(
            lambda: generate(WAVE, range(count >> 15), 1 << 15), lambda rng=rng: rng.bytes(count)
        )
        rate = [f"{count / each / 1e9:.2f} GB/s" for each in (turns.ours, turns.other)]
        found.append(["operands", rate[0], f"numpy's {kind.__name__}, {rate[1]}", *_ratio(turns)])
    return found


def _overhead() -> list[str]:
    profile = replace(read_profiles()[7], m=2048)
    turns = by_turns(
        lambda: recompute(profile, device(0)), lambda: prove(NumpyBackend(), WAVE, device(0), profile, 1), 3
    )
    if turns.ratio > 1 + MOST_OVERHEAD:
        raise SystemExit(f"a proof takes {turns.ratio:.2f} times its product")
    times = [f"{each:.2f} s" for each in (turns.ours, turns.other)]
    return [
        "operands and product, 2,048 rows of profile 7",
        times[0],
        f"all of the proof, {times[1]}",
        *_ratio(turns),
    ]


def _trees() -> list[list[str]]:
    count, panel = 1 << 19, 4096
    records = np.random.default_rng(0).bytes(panel * ROW)
    made = b"".join(tree.leaves(records, ROW) for _ in range(count // panel))
    separate = [made[at : at + tree.HASH] for at in range(0, len(made), tree.HASH)]
    hashing = min(
        _timed(lambda: [tree.leaves(records, ROW) for _ in range(count // panel)]) for _ in range(3)
    )
    turns = by_turns(lambda: tree.levels(made), lambda: merkle.Tree(separate), 3)
    times = [f"{each:.2f} s" for each in (turns.ours, turns.other)]
    return [
        ["tree of 2^19 leaves", times[0], f"`economy.merkle`, {times[1]}", *_ratio(turns)],
        ["leaves of 2^19 records of 1 KiB", f"{hashing:.2f} s", "", "", ""],
    ]


def _residency() -> list[list[str]]:
    found = []
    for rounds in (16, 1024):
        sizes = Residency(256, 8192, 8192, rounds=rounds, passes=1, q=8, T_ms=8000)
        plot = residency.fill(NumpyBackend(), WAVE, device(0), sizes, 1)
        for share, what in ((1, "no plot"), (2, "half a plot")):
            turns = by_turns(partial(residency.reside, plot, WAVE), partial(_without, plot, share), 3)
            times = [f"{1000 * each:,.0f} ms" for each in (turns.ours, turns.other)]
            name = f"a pass over a plot of {rounds:,} rounds"
            found.append([name, times[0], f"{what}, {times[1]}", *_ratio(turns)])
            if rounds == 1024 and turns.ratio < LEAST_DEARER:
                raise SystemExit("a plot isn't dear enough to make again")
    return found


def plots() -> list[list[str]]:
    """What a pick of a plot costs whoever verifies it, against a product's in a batch, at the same K."""
    rows = []
    for name, number in (("CPU", 7), ("T4", 49), ("RTX 4090", 25), ("H100 SXM", 18), ("H200", 17)):
        profile = read_profiles()[number]
        plot = profile.residency
        assert plot is not None
        claims = [bound(profile, device(each)) for each in range(BATCH)]
        asked = partial(expect, profile, claims, [Code.WORK_WRONG] * BATCH)
        shown = [plotted(plot, device(each)) for each in range(4)]
        turns = by_turns(partial(_verified, plot, shown), asked, 2)
        mine, other = turns.ours / len(shown), turns.other / (BATCH * profile.q)
        times = (mine / plot.K) / (other / profile.K)
        sizes = [f"{each.K:,}" for each in (profile, plot)]
        rows.append([name, *sizes, f"{1000 * other:.2f}", f"{1000 * mine:.2f}", f"**{times:.1f}**"])
        print(" | ".join(rows[-1]), flush=True)
    return rows


def plotted(plot: Residency, who: Pubkey) -> residency.PlotClaim:
    """An opening of one pick, bound to its root, of checks that nobody computed."""
    rng = np.random.default_rng(1)
    pick = seeds.plot_picks(OPEN, who, bytes(32), plot, 1)[0]
    size = residency.plot_opening_length(plot, 1, 1) - tree.HASH * plot.passes
    shown = rng.bytes(size)
    leaf, proof = shown[: residency.LEAF], shown[residency.LEAF :]
    roots = [rng.bytes(tree.HASH) for _ in range(plot.passes)]
    top = tree.root_of({pick.row // LEAF_ROWS: tree.leaf(leaf)}, proof, plot.leaves)
    assert top is not None
    roots[pick.number] = top
    root = seeds.device_root([seeds.plot_root(roots)])
    return residency.PlotClaim(who, root, 1, [pick], b"".join(roots) + shown)


def _verified(plot: Residency, claims: list[residency.PlotClaim]) -> None:
    if residency.verify_plots(WAVE, WAVE, plot, claims) != [Code.WORK_WRONG] * len(claims):
        raise SystemExit("a verdict on a plot is wrong")


def _without(plot: residency.Plot[Any], share: int) -> None:
    """A pass of whoever has to make one part in ``share`` of the plot's rows again."""
    part = replace(plot.residency, m=plot.residency.m // share)
    residency.fill(NumpyBackend(), WAVE, device(0), part, 1)
    residency.reside(plot, WAVE)


def _ratio(turns: Turns) -> list[str]:
    return [f"**{turns.ratio:.3g}**", f"{turns.ratios[0]:.3g} to {turns.ratios[-1]:.3g}"]


def report() -> str:
    """The section of docs/benchmarks.md."""
    single = ["verified, ms", "computed again, ms", "times as fast", "lowest to highest round"]
    alone = table(["m = n = K", *single, f"of {BATCH}, ms each", "times as fast"], verification())
    sizes = ["class", "m x n x K", "opening, bytes"]
    batch = table(
        [*sizes, "alone, ms", f"of {MANY}, ms each", "times as fast", "a second", f"{HOURLY:,}, s"], many()
    )
    rest = table(["what", "ours", "against", "times", "lowest to highest round"], parts())
    pick = [
        "K of the product",
        "K of the plot",
        "a product's pick, ms",
        "a plot's pick, ms",
        "times at the same K",
    ]
    dear = table(["class", *pick], plots())
    machine = f"one of {os.cpu_count()} cores, Python {platform.python_version()}, numpy {version('numpy')}"
    told = f"Least processor time of the rounds, the two sides in turns; {machine}."
    return f"{alone}\n\n{batch}\n\n{rest}\n\n{dear}\n\n{told}\n"


def main() -> None:
    """Measure and renew the section between the marks."""
    write_section(SECTION, report())


if __name__ == "__main__":
    main()
