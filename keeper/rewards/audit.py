"""Whether an agreed hour follows from the chain and the files that it names; the first thing that doesn't.

An auditor trusts nobody: it reads the chain by its own node, takes files by hashes that are on chain, and
computes the hour again as an operator does (:func:`~keeper.rewards.merge.merge`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from solders.pubkey import Pubkey

from keeper.chain import ChainReader
from keeper.chain.records import Head
from keeper.pow.anchored import EVIDENCE_SECONDS, Posting, PostKind, first_postings
from keeper.pow.clock import OPEN_AFTER, HourPlan, Network, Ping, Wave, WaveKind
from keeper.pow.codes import HARD, Code
from keeper.pow.files import Evidence, FileError, whole_key
from keeper.pow.profiles import Profiles
from keeper.pow.profiles_by_hour import ByHour, require_known
from keeper.pow.record import Block, HourRecord
from keeper.rewards import publication, recomputed
from keeper.rewards.batches import verified
from keeper.rewards.due import Opening
from keeper.rewards.held import HeldFiles
from keeper.rewards.history import HourHistory
from keeper.rewards.merge import ChainHour, HourWork, evidence_of, judging, merge
from keeper.rewards.named import Get, named_files, restricted
from keeper.rewards.observed import observations
from keeper.rewards.publication import OBSERVED, VERDICTS, Manifest, PublicationError
from keeper.rewards.rows import class_rows, field_rows
from keeper.rewards.work import chain_hour, hour_of
from keeper.tables import Rows

BATCH = 64
"""Openings that are verified between two reports of progress."""
BLOCKS = "blockhash", "time", "kind", "spot", "opening", "epoch"
"""What of a wave follows from blocks."""
NOWHERE = "nowhere to be had"
"""What is found of a file that nobody has."""

Progress = Callable[[int, int], None]
"""Told how many openings of a wave are verified, and how many there are."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with an hour: ``check`` says in which step, ``stated`` and ``found`` are the two values.

    ``device``, ``wave`` and ``operator`` are set where it is about one.
    """

    check: str
    hour: int
    what: str
    stated: str
    found: str
    device: str | None = None
    wave: int | None = None
    operator: str | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """An hour as it was published: read, each file by its hash in the manifest."""

    manifest: Manifest
    record: HourRecord
    tables: Mapping[str, Rows]
    before: Rows
    """The ``observed.csv`` of the hour before."""


def read(folder: Path, number: int) -> Published:
    """Read an hour and check that its rewards follow from its inputs; raises PublicationError."""
    manifest = recomputed.verify(folder, number)
    tables = {name: publication.read_table(folder, manifest, name) for name in publication.KINDS}
    record = publication.read_record(folder, manifest)
    return Published(manifest, record, tables, publication.read_observed(folder, number))


@dataclass(frozen=True, slots=True)
class Audit:
    """What came of one: the first thing that is wrong, and how many openings were verified until then."""

    finding: Finding | None
    verified: int = 0


async def audit(
    chain: ChainReader,
    network: Network,
    history: HourHistory,
    published: Published,
    by_hour: ByHour,
    held: Mapping[bytes, bytes],
    get: Get,
    verify: Sampled,
    *,
    blocks: bool = True,
) -> Audit:
    """Check an hour against the chain and its files, from cheap to dear.

    Files are of ``held``, or what ``get`` finds. Without ``blocks`` these are taken from ``pow.json``: an
    older hour's, which a node may not have any more. Raises PublicationError while the chain doesn't have all
    of the hour, ProfilesUnknown for one that was proven with profiles of a later version.
    """
    record = published.record
    require_known(by_hour, record.profiles, record.hour)
    profiles = by_hour.at(network.start_of(record.hour))
    if blocks:
        hour = await chain_hour(chain, network, record.hour, history)
    else:
        hour = stated_hour(record, network, history)
    if hour is None:
        raise PublicationError(f"hour {record.hour}: the node doesn't have all of its blocks as final")
    if finding := check_record(published, hour, profiles) or check_postings(record, hour.postings):
        return Audit(finding)
    named, _ = await named_files(hour, profiles, record, held, get)
    only = restricted(hour, record)
    if finding := check_files(record, only, profiles, named):
        return Audit(finding)
    work = await asyncio.to_thread(merge, only, profiles, named, published.before, verify)
    finding = check_work(published, work, history) or check_left_out(record, hour, profiles, held)
    return Audit(finding, verify.verified)


def stated_hour(record: HourRecord, network: Network, history: HourHistory) -> ChainHour:
    """An hour of the chain by the blocks that ``pow.json`` states."""
    waves, openings, epochs = [], {}, {}
    for each in record.waves:
        blockhash = _raw(each.blockhash)
        seed = network.wave_seed(each.slot, blockhash)
        kind = WaveKind(each.kind)
        waves.append(Wave(record.hour, each.slot, blockhash, each.time, seed, kind, each.spot))
        openings[each.slot] = Head(each.opening.slot, _raw(each.opening.blockhash), each.time)
        if each.epoch is not None:
            epochs[each.slot] = Head(each.epoch.slot, _raw(each.epoch.blockhash), each.time)
    # Of pings the slot alone matters once they are answered.
    pings = tuple(Ping(record.hour, slot, record.start, b"") for slot in record.pings)
    plan = HourPlan(record.hour, tuple(waves), pings)
    return hour_of(network, plan, openings, epochs, history)


def check_record(published: Published, hour: ChainHour, profiles: Profiles) -> Finding | None:
    """Whether ``pow.json`` says of blocks and of the network what the chain says."""
    record, number, network = published.record, published.record.hour, hour.network
    if published.manifest.rule != profiles.rule:
        return Finding("record", number, "rule", str(published.manifest.rule), str(profiles.rule))
    for name, found in (
        ("genesis", str(Pubkey(network.genesis))),
        ("program", str(network.program)),
        ("profiles", profiles.hash.hex()),
        ("start", network.start_of(number)),
        ("pings", tuple(each.slot for each in hour.plan.pings)),
    ):
        if (stated := getattr(record, name)) != found:
            return Finding("record", number, name, str(stated), str(found))
    waves = [each.slot for each in hour.plan.waves]
    if (slots := [each.slot for each in record.waves]) != waves:
        return Finding("blocks", number, "waves", str(slots), str(waves))
    again = merge(hour, profiles, {}, published.before).record
    for wave, right in zip(record.waves, again.waves, strict=True):
        for name in BLOCKS:
            stated, true = getattr(wave, name), getattr(right, name)
            if stated != true:
                return Finding("blocks", number, name, _words(stated), _words(true), wave=wave.slot)
    if record.alpha != again.alpha:
        return Finding("record", number, "alpha", str(record.alpha), str(again.alpha))
    return None


def check_postings(record: HourRecord, postings: Sequence[Posting]) -> Finding | None:
    """Whether each file that is named is the first that its operator posted, and in time."""
    for kind, slot, operator, stated in _named(record):
        posting = first_postings(postings, record.hour, kind, slot).get(Pubkey.from_string(operator))
        found = "nothing" if posting is None else posting.hash.hex()
        if posting is not None and found == stated and not _in_time(posting, record):
            found = f"it at slot {posting.now_slot}, {posting.at - record.start} s into the hour: too late"
        if found != stated:
            what = f"{kind.name} file posted"
            return Finding("posting", record.hour, what, stated, found, None, slot or None, operator)
    return None


def check_files(
    record: HourRecord, hour: ChainHour, profiles: Profiles, named: Mapping[bytes, bytes]
) -> Finding | None:
    """Whether each file that is named can be had, and counts: in its form, rightly signed, whole."""
    judged = judging(hour, profiles, named)
    evidence = evidence_of(hour, judged, named)
    for kind, slot, operator, stated in _named(record):
        counts: Collection[Pubkey] = judged.files.get(slot, {}) if kind is PostKind.WAVE else evidence
        if Pubkey.from_string(operator) not in counts:
            there = bytes.fromhex(stated) in named
            found = "in another form, wrongly signed or not whole" if there else NOWHERE
            what = f"{kind.name} file"
            return Finding("file", record.hour, what, stated, found, None, slot or None, operator)
    return None


def differing(record: HourRecord, held: HeldFiles) -> Iterator[tuple[str, str, str]]:
    """The files of an hour's folder that aren't those which the hour names: name, SHA-256 stated and found.

    For people: they don't count, and whoever serves the right ones makes up for them.
    """
    stated: dict[str, str] = {}
    for kind, slot, operator, digest in _named(record):
        if kind is PostKind.WAVE:
            stated[f"wave-{slot}-{operator}.bin"] = digest
            continue
        stated[f"evidence-{operator}.bin"] = digest
        try:
            evidence = Evidence.read(held.get(bytes.fromhex(digest), b""))
        except FileError:
            continue
        stated[f"ping-{operator}.bin"] = evidence.pings.hex()
        stated[f"transfer-{operator}.bin"] = evidence.transfers.hex()
    for name, digest in stated.items():
        found = held.names.get(name, bytes.fromhex(digest)).hex()
        if found != digest:
            yield name, digest, found


def check_left_out(
    record: HourRecord, hour: ChainHour, profiles: Profiles, held: Mapping[bytes, bytes]
) -> Finding | None:
    """Whether a file that counts, and is held here, isn't named.

    Operators who hadn't got it in time are not to blame; those who had are.
    """
    judged = judging(hour, profiles, held)
    evidence = evidence_of(hour, judged, held)
    for wave in record.waves:
        for operator in judged.files[wave.slot]:
            if str(operator) not in record.included[str(wave.slot)]:
                return _left_out(record, "WAVE", str(operator), wave.slot)
    for operator in evidence:
        if str(operator) not in record.evidence:
            return _left_out(record, "EVIDENCE", str(operator), None)
    return None


def check_work(published: Published, work: HourWork, history: HourHistory) -> Finding | None:
    """Whether verdicts, observations, inputs and classes are those that come of the files."""
    record, number = published.record, published.record.hour
    for stated, true in zip(record.waves, work.record.waves, strict=True):
        if stated.void != true.void:
            return Finding("record", number, "void", str(stated.void), str(true.void), wave=stated.slot)
    given = field_rows(history.devices, observations(work.observed), history.hired)
    for check, name, table in (
        ("verdict", VERDICTS, work.verdicts),
        ("observed", OBSERVED, work.observed),
        ("inputs", "inputs.csv", given),
        ("classes", "classes.csv", class_rows(history.classes, record.start)),
    ):
        if finding := _first(check, number, published.tables[name], table):
            return finding
    if record != work.record:
        return Finding("record", number, "pow.json", record.encode().decode(), work.record.encode().decode())
    return None


class Sampled:
    """Verifies some openings, and takes the published verdict for the others."""

    def __init__(
        self,
        published: Published,
        device: Pubkey | None = None,
        sample: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        """One ``device``'s, or ``sample`` of each wave by their blobs' hashes, or all."""
        self._device, self._sample, self._progress = device, sample, progress
        verdicts = published.tables[VERDICTS]
        self._stated = {(int(row["wave"]), whole_key(row["device"])): int(row["code"]) for row in verdicts}
        self.verified = 0

    def __call__(self, openings: Sequence[Opening]) -> list[Code]:
        """See :data:`~keeper.rewards.merge.Verify`."""
        codes = [self._of_verdict(each) for each in openings]
        chosen = list(range(len(openings)))
        if self._device is not None:
            chosen = [at for at in chosen if openings[at].asked.device == self._device]
        if self._sample is not None:
            chosen = sorted(chosen, key=lambda at: openings[at].blob)[: self._sample]
        for start in range(0, len(chosen), BATCH):
            batch = chosen[start : start + BATCH]
            for at, code in zip(batch, verified([openings[at] for at in batch]), strict=True):
                codes[at] = code
            self.verified += len(batch)
            if self._progress:
                self._progress(start + len(batch), len(chosen))
        return codes

    def _of_verdict(self, opening: Opening) -> Code:
        code = self._stated.get((opening.wave.slot, bytes(opening.asked.device)))
        return Code(code) if code in HARD else Code.PASS


def _named(record: HourRecord) -> Iterator[tuple[PostKind, int, str, str]]:
    """The files that are named: kind, slot, operator, hash."""
    for slot, included in record.included.items():
        for operator, digest in included.items():
            yield PostKind.WAVE, int(slot), operator, digest
    for operator, digest in record.evidence.items():
        yield PostKind.EVIDENCE, 0, operator, digest


def _in_time(posting: Posting, record: HourRecord) -> bool:
    if posting.kind == PostKind.WAVE:
        return posting.now_slot < posting.slot + OPEN_AFTER
    return posting.at < record.start + EVIDENCE_SECONDS


def _left_out(record: HourRecord, kind: str, operator: str, wave: int | None) -> Finding:
    what = f"{kind} file"
    return Finding("left out", record.hour, what, "not named", "it counts", None, wave, operator)


def _first(check: str, hour: int, stated: Rows, found: Rows) -> Finding | None:
    """The first value in which two tables differ."""
    if len(stated) != len(found):
        return Finding(check, hour, "rows", str(len(stated)), str(len(found)))
    for row, right in zip(stated, found, strict=True):
        for name in stated.dtype.names or ():
            if row[name] != right[name]:
                names = stated.dtype.names or ()
                return Finding(
                    check,
                    hour,
                    name,
                    _value(name, row[name]),
                    _value(name, right[name]),
                    str(Pubkey(whole_key(right["device"]))) if "device" in names else None,
                    int(right["wave"]) if "wave" in names else None,
                )
    return None


def _value(name: str, value: Any) -> str:
    if name == "code" and int(value) in set(Code):
        return Code(int(value)).name
    return str(Pubkey(whole_key(value))) if isinstance(value, bytes) else str(value)


def _raw(blockhash: str) -> bytes:
    return bytes(Pubkey.from_string(blockhash))


def _words(value: object) -> str:
    return f"{value.blockhash} at slot {value.slot}" if isinstance(value, Block) else str(value)
