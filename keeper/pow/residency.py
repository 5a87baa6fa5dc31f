"""Residency waves: thin products over a plot that fills a processor's memory, pass after pass.

A pass's columns follow from the root of the pass before, so passes can't be made together; its rows are
the day's plot, whose bytes are dearer to make again or to fetch than to read. Whoever hasn't all of it in
fast memory when the wave begins is late.

Opening: for each processor the roots of its passes, then for each pick in order its leaf, the checks of
128 rows, and the siblings of that from the bottom up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, NamedTuple

import numpy as np
from solders.pubkey import Pubkey

from keeper.pow import tree
from keeper.pow.backend import Backend, Matrix
from keeper.pow.codes import Code
from keeper.pow.generator import Entries, generate
from keeper.pow.product import CHECK, SEGMENT, checks, key, product
from keeper.pow.profiles import LEAF_ROWS, Residency
from keeper.pow.seeds import PlotPick, device_root, plot_picks, plot_root, seed_pass, seed_plot

LEAF = CHECK * LEAF_ROWS
"""Bytes of a leaf."""
KEY_PROFILE = 0
"""The wave's key is that of this profile, whatever the device's own."""


class PlotClaim(NamedTuple):
    """An opening of a residency wave to verify, with the picks that the chain drew for the root."""

    device: Pubkey
    root: bytes
    procs: int
    picks: Sequence[PlotPick]
    blob: bytes


@dataclass(frozen=True, slots=True)
class Plot(Generic[Matrix]):
    """A day's plot of a device: for each processor its panels, where the processor has them."""

    device: Pubkey
    residency: Residency
    backends: Sequence[Backend[Matrix]]
    panels: Sequence[Sequence[Matrix]]


@dataclass(frozen=True, slots=True)
class Pass:
    """What a pass over a plot made."""

    checks: bytes
    levels: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class PlotProof:
    """What a device commits to in a residency wave, and what it needs to open it."""

    root: bytes
    parts: Sequence[Sequence[Pass]]

    def open(self, chosen: Sequence[PlotPick]) -> bytes:
        """The opening of the picks."""
        blob = [each.levels[-1] for part in self.parts for each in part]
        for pick in chosen:
            made, leaf = self.parts[pick.processor][pick.number], pick.row // LEAF_ROWS
            blob += [made.checks[LEAF * leaf : LEAF * (leaf + 1)], tree.multiproof(made.levels, [leaf])]
        return b"".join(blob)


# -- a device's side ---------------------------------------------------------------------------


def fill(
    backend: Backend[Matrix], epoch_seed: bytes, device: Pubkey, residency: Residency, procs: int
) -> Plot[Matrix]:
    """Make a day's plot, which takes its time."""
    backends = [backend.on(processor) for processor in range(procs)]
    panels = []
    for processor, each in enumerate(backends):
        seed, step = seed_plot(epoch_seed, device, processor), each.rows
        starts = range(0, residency.m, step)
        rows = [range(at, min(at + step, residency.m)) for at in starts]
        panels.append([each.generate(seed, some, residency.inner(procs), residency.rounds) for some in rows])
    return Plot(device, residency, backends, panels)


def reside(plot: Plot[Matrix], wave_seed: bytes) -> PlotProof:
    """Make a residency wave's passes over a plot, on all processors at once."""
    procs = len(plot.panels)
    with ThreadPoolExecutor(min(procs, plot.backends[0].processors)) as pool:
        parts = list(pool.map(lambda each: _passes(plot, wave_seed, each), range(procs)))
    return PlotProof(device_root([plot_root([each.levels[-1] for each in part]) for part in parts]), parts)


def _passes(plot: Plot[Matrix], wave_seed: bytes, processor: int) -> list[Pass]:
    backend, residency = plot.backends[processor], plot.residency
    q = backend.put(key(wave_seed, KEY_PROFILE))
    inner = residency.inner(len(plot.panels))
    made: list[Pass] = []
    before = bytes(tree.HASH)
    for number in range(residency.passes):
        seed = seed_pass(wave_seed, plot.device, processor, number, before)
        columns = backend.generate(seed, range(SEGMENT), inner)
        panels = [backend.checks(backend.product(rows, columns), q) for rows in plot.panels[processor]]
        found = np.concatenate(panels).astype("<i4", copy=False).tobytes()
        made.append(Pass(found, tree.levels(tree.leaves(found, LEAF))))
        before = made[-1].levels[-1]
    return made


# -- verification ------------------------------------------------------------------------------


def plot_claim(
    open_seed: bytes, residency: Residency, device: Pubkey, root: bytes, procs: int, blob: bytes
) -> PlotClaim:
    """A claim with its picks."""
    return PlotClaim(device, root, procs, plot_picks(open_seed, device, root, residency, procs), blob)


def plot_opening_length(residency: Residency, picks: int, procs: int) -> int:
    """The one length in bytes that an opening of so many picks has."""
    return tree.HASH * residency.passes * procs + picks * _opened_bytes(residency)


def bind_plot_opening(
    residency: Residency, blob: bytes, root: bytes, chosen: Sequence[PlotPick], procs: int
) -> tuple[list[list[bytes]], list[bytes]] | Code:
    """The roots of each processor's passes and each pick's check, or why they aren't under ``root``.

    Raises nothing whatever the bytes.
    """
    if len(blob) != plot_opening_length(residency, len(chosen), procs):
        return Code.OPEN_MALFORMED
    flat = [blob[at : at + tree.HASH] for at in range(0, tree.HASH * residency.passes * procs, tree.HASH)]
    roots = [flat[at : at + residency.passes] for at in range(0, len(flat), residency.passes)]
    size, found = _opened_bytes(residency), []
    for number, pick in enumerate(chosen):
        at = tree.HASH * len(flat) + size * number
        leaf, proof = blob[at : at + LEAF], blob[at + LEAF : at + size]
        known = {pick.row // LEAF_ROWS: tree.leaf(leaf)}
        if tree.root_of(known, proof, residency.leaves) != roots[pick.processor][pick.number]:
            return Code.OPEN_PATH
        start = CHECK * (pick.row % LEAF_ROWS)
        found.append(leaf[start : start + CHECK])
    if device_root([plot_root(each) for each in roots]) != root:
        return Code.OPEN_ROOT
    return roots, found


def verify_plots(
    wave_seed: bytes, epoch_seed: bytes, residency: Residency, items: Sequence[PlotClaim]
) -> list[Code]:
    """The code of each opening of a residency wave. Raises nothing for any bytes."""
    q = key(wave_seed, KEY_PROFILE)
    return [_verify(wave_seed, epoch_seed, residency, item, q) for item in items]


def _verify(wave_seed: bytes, epoch_seed: bytes, residency: Residency, item: PlotClaim, q: Entries) -> Code:
    bound = bind_plot_opening(residency, item.blob, item.root, item.picks, item.procs)
    if isinstance(bound, Code):
        return bound
    roots, committed = bound
    inner = residency.inner(item.procs)
    passes = defaultdict(list)
    for pick, check in zip(item.picks, committed, strict=True):
        passes[pick.processor, pick.number].append((pick.row, check))
    for (processor, number), opened in passes.items():
        before = roots[processor][number - 1] if number else bytes(tree.HASH)
        columns = generate(
            seed_pass(wave_seed, item.device, processor, number, before), range(SEGMENT), inner
        )
        seed = seed_plot(epoch_seed, item.device, processor)
        rows = generate(seed, [row for row, _ in opened], inner, residency.rounds)
        right = checks(product(rows, columns), q).astype("<i4", copy=False)
        if any(check != each.tobytes() for (_, check), each in zip(opened, right, strict=True)):
            return Code.WORK_WRONG
    return Code.PASS


def _opened_bytes(residency: Residency) -> int:
    """Bytes of a pick: its leaf and the siblings of that."""
    return LEAF + tree.HASH * (residency.leaves.bit_length() - 1)
