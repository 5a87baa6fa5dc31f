"""An hour's verdicts and observations, from the chain and from the files that its operators anchored.

A pure function: whoever holds the same files comes to the same rows. What isn't anchored in time, isn't held
whole or has one wrong signature in it counts for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import compress
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from solders.pubkey import Pubkey

from keeper.chain.program import Fields
from keeper.chain.records import Head
from keeper.clients.staking import Class
from keeper.pow.anchored import (
    Held,
    Posting,
    PostKind,
    Signatures,
    first_postings,
    included_evidence,
    included_waves,
)
from keeper.pow.clock import HourPlan, Network, Shares, Wave, WaveKind
from keeper.pow.codes import PASSES, SOFT, Code
from keeper.pow.connectivity import is_drawn, measured_tiers
from keeper.pow.files import whole_key
from keeper.pow.profiles import RULES, Profiles, deadline_ms, hired_deadline_ms
from keeper.pow.record import VERSION, Block, HourRecord, WaveRecord
from keeper.pow.seeds import is_opened
from keeper.pow.verdicts import TASK, VERDICT, best, wave_verdicts
from keeper.rewards.batches import verified
from keeper.rewards.counted import OWN_SHARES, SHOWN_FIRST, counted, opened_shares
from keeper.rewards.due import Opening, WaveDue, due_length
from keeper.rewards.observed import MEASURED, HourSeen, WaveSeen, observe
from keeper.rewards.observed import VERDICT as SEEN
from keeper.rewards.rows import OBSERVATION, RowsError, field_rows
from keeper.tables import Rows, addresses, keys

PLOT_SECONDS = 600
"""A device that was hired so shortly before a wave can't have its plot in memory."""

ALL_WITHIN = 115
"""Hundredths of T in which all of a device's processors have answered."""

Verify = Callable[[Sequence[Opening]], list[Code]]
"""Verifies openings; see :func:`verified`."""


@dataclass(frozen=True, slots=True)
class ChainHour:
    """What the chain says of an hour, by finalized blocks.

    ``openings`` and ``epochs`` are blocks by their waves' slots: the one that picks are drawn from, and for
    residency waves the first of the day. ``before`` and ``devices`` are the devices at the hour's start and
    end, ``running(since, at)`` those of which a lease ran. ``threshold`` operators agree.
    """

    network: Network
    plan: HourPlan
    openings: Mapping[int, Head]
    epochs: Mapping[int, Head]
    before: Mapping[Pubkey, Fields]
    devices: Mapping[Pubkey, Fields]
    classes: Mapping[int, Class]
    postings: Sequence[Posting]
    running: Callable[[int, int], set[Pubkey]]
    threshold: int


@dataclass(frozen=True, slots=True, eq=False)
class HourWork:
    """An hour's ``pow.json``, ``verdicts.csv`` and ``observed.csv``."""

    record: HourRecord
    verdicts: Rows
    observed: Rows
    rule: int = RULES[0]
    """That the hour follows."""


def merge(
    hour: ChainHour,
    profiles: Profiles,
    held: Mapping[bytes, bytes],
    before: Rows,
    verify: Verify | None = None,
    stated: Rows | None = None,
) -> HourWork:
    """What an hour comes to by the files of ``held`` (by SHA-256), after the observations of ``before``.

    ``before`` is the ``observed.csv`` of the hour before, empty for the first hour. With verdicts that are
    ``stated`` the observations are those that follow from them, whatever is found. Raises RowsError for
    stated ones of devices that the hour hasn't.
    """
    plan, network = hour.plan, hour.network
    start = network.start_of(plan.hour)
    devices, working, shares, tasks, files, dues = judged = judging(hour, profiles, held)
    evidence = evidence_of(hour, judged, held)
    waves, verdicts, seen = [], [np.zeros(0, VERDICT)], []
    included: dict[str, dict[str, str]] = {}
    for wave in plan.waves:
        at = wave.slot
        openings = _openings(dues[at], evidence.values(), held)
        codes = (verify or verified)(openings)
        found: dict[tuple[bytes, bytes], list[Code]] = {}
        for opening, code in zip(openings, codes, strict=True):
            found.setdefault((bytes(opening.asked.device), opening.asked.root), []).append(code)
        best_of = {root: best(each) for root, each in found.items()}
        # Without enough evidence nobody can be told to have opened nothing.
        counting = list(files[at].values()) if len(evidence) >= hour.threshold else []
        rows = wave_verdicts(at, tasks[at], counting, best_of, hour.threshold)
        verdicts.append(rows)
        if stated is not None:
            rows = stated[stated["wave"] == at]
            if not np.isin(rows["device"], tasks[at]["device"]).all():
                raise RowsError("a verdict is on a device that the hour hasn't")
        said = _seen(hour, profiles, wave, rows)
        seen.append(WaveSeen(wave.time, said, _owing(rows[np.isin(rows["device"], said["device"])], best_of)))
        included[str(at)] = _hashes(hour.postings, files[at], plan.hour, PostKind.WAVE, at)
        waves.append(_record(hour, wave, void=len(counting) < max(1, hour.threshold)))
    observed = observe(
        HourSeen(
            start=start,
            alpha=shares.product,
            tested=shares.residency if profiles.rule >= OWN_SHARES else None,
            shown_first=profiles.rule >= SHOWN_FIRST,
            devices=np.sort(keys(list(hour.devices))),
            counted=keys(devices),
            waves=seen,
            answers=[each.answered for each in evidence.values() if each.answered is not None],
            threshold=hour.threshold,
            measured=_measured(hour, working, list(evidence.values())),
        ),
        _carried(hour, before) if profiles.rule >= SHOWN_FIRST else before,
    )
    record = HourRecord(
        version=VERSION,
        hour=plan.hour,
        start=start,
        genesis=str(Pubkey(network.genesis)),
        program=str(network.program),
        profiles=profiles.hash.hex(),
        alpha=shares.product,
        waves=tuple(waves),
        pings=tuple(each.slot for each in plan.pings),
        included=included,
        evidence=_hashes(hour.postings, evidence, plan.hour, PostKind.EVIDENCE, 0),
    )
    return HourWork(record, np.concatenate(verdicts), observed, profiles.rule)


class Judging(NamedTuple):
    """By what an hour is judged: its devices, the shares that are opened, and of each wave, by its slot, what
    devices had to do, the WAVE files that count by operator, and the openings that are due."""

    counted: list[Pubkey]
    working: list[Pubkey]
    """Of these, those whose class has a profile."""
    shares: Shares
    tasks: dict[int, Rows]
    files: dict[int, dict[Pubkey, Rows]]
    dues: dict[int, WaveDue]


def judging(hour: ChainHour, profiles: Profiles, held: Mapping[bytes, bytes]) -> Judging:
    """By what an hour is judged, from the WAVE files among those that are held."""
    start = hour.network.start_of(hour.plan.hour)
    devices = counted_devices(hour, start)
    working = [each for each in devices if profiles.of_class(hour.before[each]["class"])]
    terms = (hour.before[each] for each in working)
    shares = opened_shares(profiles, ((each["class"], each["processors"]) for each in terms))
    found = Judging(devices, working, shares, {}, {}, {})
    signatures = Signatures()
    for wave in hour.plan.waves:
        at = wave.slot
        tasks = _tasks(hour, profiles, wave, working, shares)
        counting = included_waves(wave, tasks, len(hour.before), hour.postings, held, signatures)
        if wave.kind is WaveKind.RESIDENCY:
            tasks = _tasks(hour, profiles, wave, working, shares, _residents(counting.values()))
        found.tasks[at], found.files[at] = tasks, counting
        seed, epoch = wave.open_seed(hour.openings[at]), hour.epochs.get(at)
        plots = hour.network.epoch_seed(epoch.slot, epoch.blockhash) if epoch else None
        found.dues[at] = WaveDue(wave, seed, plots, profiles, tasks, found.files[at].values())
    return found


def evidence_of(hour: ChainHour, judged: Judging, held: Mapping[bytes, bytes]) -> dict[Pubkey, Held]:
    """The EVIDENCE files that count, by operator."""
    plan = hour.plan
    return included_evidence(
        plan.hour,
        hour.network.start_of(plan.hour),
        len(plan.waves),
        [each.slot for each in plan.pings],
        keys(judged.counted),
        len(hour.before),
        partial(due_length, judged.dues),
        hour.postings,
        held,
    )


def counted_devices(hour: ChainHour, start: int) -> list[Pubkey]:
    """The devices that an hour's waves and pings count for, sorted: staked enough at its start, and there."""
    rows = field_rows(hour.before, np.zeros(0, OBSERVATION))
    return addresses(rows["device"][counted(rows, hour.classes, start)])


# -- what each device has to do ------------------------------------------------------------------


def _residents(files: Collection[Rows]) -> set[Pubkey]:
    """The devices that committed to passes over their plots."""
    return {each for file in files for each in addresses(file["device"][file["kind"] == WaveKind.RESIDENCY])}


def _tasks(
    hour: ChainHour,
    profiles: Profiles,
    wave: Wave,
    working: Sequence[Pubkey],
    shares: Shares,
    residents: Collection[Pubkey] = (),
) -> Rows:
    """The tasks of a wave, in the order of ``working``.

    Who was hired a moment ago is spared the memory test. When a lease began and ended, only the chain knows
    to the second: of these devices ``residents`` may have done it all the same, and are judged by it.
    """
    hired = hour.running(wave.time, wave.time)
    recently = hour.running(wave.time - PLOT_SECONDS, wave.time)
    seed = wave.open_seed(hour.openings[wave.slot])
    rows = np.zeros(len(working), TASK)
    for at, address in enumerate(working):
        device = hour.before[address]
        profile = profiles.of_class(device["class"])
        assert profile is not None
        plot = profile.tested
        spared = address in recently and address not in residents
        resides = wave.kind is WaveKind.RESIDENCY and plot is not None and not spared
        T_ms = plot.T_ms if resides and plot else profile.T_ms
        kind = WaveKind.RESIDENCY if resides else WaveKind.PRODUCT
        drawn = is_opened(seed, address, shares.of(kind))
        deadline = deadline_ms(T_ms)
        rows[at] = (
            bytes(address),
            bytes(device["worker"]),
            profile.id,
            device["processors"],
            kind,
            deadline,
            hired_deadline_ms(T_ms) if address in hired else deadline,
            drawn,
        )
    return rows


def _openings(due: WaveDue, evidence: Collection[Held], held: Mapping[bytes, bytes]) -> list[Opening]:
    """All different openings that are held of what is due in a wave."""
    found: dict[tuple[bytes, bytes, bytes], Opening] = {}
    for each in evidence:
        for row in each.rows[each.rows["slot"] == due.wave.slot]:
            names = whole_key(row["device"]), whole_key(row["root"]), whole_key(row["blob"])
            if names not in found:
                found[names] = due.opening(*names, held)
    return list(found.values())


def _carried(hour: ChainHour, before: Rows) -> Rows:
    """The table of the hour before, without devices that were closed and registered anew in this one.

    They have the same addresses, as those follow from workers' keys, and may be of other classes: what a
    small one has shown says nothing of a large one.
    """
    names = hour.before.keys() & hour.devices.keys()
    is_new = [hour.before[each]["registered_at"] != hour.devices[each]["registered_at"] for each in names]
    anew = keys([each for each, new in zip(names, is_new, strict=True) if new])
    return before[~np.isin(before["device"], anew)] if len(anew) else before


# -- rows and records ------------------------------------------------------------------------------


def _seen(hour: ChainHour, profiles: Profiles, wave: Wave, verdicts: Rows) -> Rows:
    """What of a wave's verdicts counts: those of classes whose time was measured on a card."""
    recently = hour.running(wave.time - PLOT_SECONDS, wave.time) if profiles.rule >= OWN_SHARES else set()
    measured = {number for each in profiles.values() if each.measured for number in each.classes}
    names = addresses(verdicts["device"])
    counts = np.array([hour.before[each]["class"] in measured for each in names], bool)
    some = verdicts[counts]
    rows = np.zeros(len(some), SEEN)
    rows["device"], rows["code"] = some["device"], some["code"]
    rows["residency"] = some["kind"] == WaveKind.RESIDENCY
    for at, (name, row) in enumerate(zip(compress(names, counts), some, strict=True)):
        if name not in recently or row["kind"] != WaveKind.PRODUCT or row["code"] not in PASSES:
            continue
        device = hour.before[name]
        profile = profiles.of_class(device["class"])
        if profile is not None and profile.tested is not None:
            rows["shown"][at] = processors_shown(device["processors"], profile.T_ms, int(row["ms"]))
    return rows


def _owing(verdicts: Rows, openings: Mapping[tuple[bytes, bytes], Code]) -> NDArray[np.bytes_]:
    """The devices that were late with a root of theirs, and drawn, and opened nothing of it that was right.

    An honest one opens whatever it committed to, and operators take that however late its commit was.
    """
    late = verdicts[
        np.isin(verdicts["code"], list(SOFT)) & (verdicts["opened"] != 0) & (verdicts["root"] != b"")
    ]
    names = [(whole_key(each["device"]), whole_key(each["root"])) for each in late]
    owes = [openings.get(name) is not Code.PASS for name in names]
    found: NDArray[np.bytes_] = late["device"][np.array(owes, bool)]
    return found


def processors_shown(claimed: int, T_ms: int, ms: int) -> int:
    """How many of its processors a device has shown by a product of ``T_ms`` that came after ``ms``.

    Eight of them pass with six, as 8 T / 6 is less than the deadline, and the memory test alone tells that.
    Who was hired a moment ago is spared it, and who always is, if only by itself, always is: so in every wave
    until it is tested again, its time says for how many it is paid. One that has all answers within 1.15 T.
    """
    return max(1, min(claimed, claimed * T_ms * ALL_WITHIN // (100 * max(1, ms))))


def _measured(hour: ChainHour, working: Sequence[Pubkey], evidence: Sequence[Held]) -> Rows:
    """The tiers of the devices whose connection the hour's wave had measured."""
    first = [wave.seed for wave in hour.plan.waves if not wave.spot]
    drawn = [device for seed in first for device in working if is_drawn(seed, device)]
    tiers = measured_tiers(drawn, [each.transfers.by_device() for each in evidence], hour.threshold)
    return np.array([(bytes(device), tier) for device, tier in tiers.items()], MEASURED)


def _record(hour: ChainHour, wave: Wave, *, void: bool) -> WaveRecord:
    opening, epoch = hour.openings[wave.slot], hour.epochs.get(wave.slot)
    return WaveRecord(
        slot=wave.slot,
        blockhash=str(Pubkey(wave.blockhash)),
        time=wave.time,
        kind=wave.kind,
        spot=wave.spot,
        opening=_block(opening),
        epoch=_block(epoch) if epoch else None,
        void=void,
    )


def _block(head: Head) -> Block:
    return Block(head.slot, str(Pubkey(head.blockhash)))


def _hashes(
    postings: Sequence[Posting], operators: Collection[Pubkey], hour: int, kind: PostKind, slot: int
) -> dict[str, str]:
    """The hashes of what these operators anchored."""
    posted = first_postings(postings, hour, kind, slot)
    return {str(each): posted[each].hash.hex() for each in operators}
