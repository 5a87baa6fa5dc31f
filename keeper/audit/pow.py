"""Operators' files of proofs of work, held to what was posted of them: hashes, forms, signatures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from solders.pubkey import Pubkey

from keeper.audit.beside import done
from keeper.audit.findings import Code, Finding, Part, Unchecked, Value
from keeper.audit.index import indexed
from keeper.audit.sources import Source, Told, untold
from keeper.clients import staking, tokenomics
from keeper.economy.calendar import month_start
from keeper.pow.anchored import Posting, PostKind, Signatures
from keeper.pow.clock import Network, Wave
from keeper.pow.files import Evidence, FileError, Rows, read_wave, wave_commits, whole_key
from keeper.pow.replay import read_hour
from keeper.rewards.held import HeldFiles
from keeper.rewards.history import POSTED, History, posting_of
from keeper.rewards.work import network_of

PART = "pow"
KINDS = PostKind.WAVE, PostKind.EVIDENCE


async def check(source: Source, told: Told = untold, *, only: int | None = None) -> Part:
    """Hold operators' files of all hours, or of one, to what was posted of them."""
    economy = await tokenomics.read_config(source.chain)
    if economy is None or not economy.launched:
        return Part(PART, unchecked=(Unchecked("files", "no network is launched on this chain"),))
    if not source.evidence:
        return Part(PART, unchecked=(Unchecked("files", "no folder of operators' files: --pow"),))
    network = await network_of(source.chain, month_start(economy.start_month))
    async with indexed(source) as index:
        history = History(source.chain, index.database, ledgers=index.ledgers)
        hours: defaultdict[int, list[Posting]] = defaultdict(list)
        for _, event in await index.events(staking.PROGRAM, {POSTED}):
            posting = posting_of(event)
            if posting.kind in KINDS and only in (None, posting.number):
                hours[posting.number].append(posting)
        findings: list[Finding] = []
        unchecked, counts = [], defaultdict[str, int](int)
        for at, number in enumerate(sorted(hours)):
            plan = await read_hour(source.chain, network, number)
            if plan is None or not await history.knows(network.start_of(number)):
                unchecked.append(Unchecked(f"files of hour {number}", "it isn't over, or not final yet"))
                continue
            past = await history.hour(network.start_of(number))
            waves = {each.slot: each for each in plan.waves}
            workers = {address: bytes(device["worker"]) for address, device in past.before.items()}
            files = Files(network, hours[number], waves, workers)
            there = [each for each in source.evidence if (each / str(number)).is_dir()]
            if not there:
                unchecked.append(Unchecked(f"files of hour {number}", "they aren't in any folder: --pow"))
            found, counted = await done(source.beside, files.run, number, there)
            findings += found
            for what, count in counted.items():
                counts[what] += count
            told("hours of files", at + 1, len(hours))
        return Part(PART, dict(counts), tuple(unchecked), tuple(findings))


@dataclass
class Files:
    """An hour's."""

    network: Network
    postings: Sequence[Posting]
    waves: Mapping[int, Wave]
    workers: Mapping[Pubkey, bytes]
    """The keys of the devices that were there at the hour's start."""
    findings: list[Finding] = field(default_factory=list)
    counts: defaultdict[str, int] = field(default_factory=partial(defaultdict, int))
    _roots: dict[tuple[int, bytes], tuple[bytes, str]] = field(default_factory=dict)
    _whole: set[bytes] = field(default_factory=set)
    """The openings that are held, each read once for all operators."""

    def run(self, number: int, folders: Sequence[Path]) -> tuple[Sequence[Finding], Mapping[str, int]]:
        """Hold all of them, which may be in another process; what isn't so, and how many were looked at."""
        first = dict(self._first())
        held = [(each, HeldFiles(each, number)) for each in folders]
        signatures = Signatures()
        known = set()
        for name, posting in first.items():
            if not held:
                break
            data = self._file(number, name, posting.hash, str(posting.operator), posting.slot, held)
            known.add(name)
            if data is None:
                # Which files it had the hashes of can't be said: nobody is blamed for theirs.
                if posting.kind == PostKind.EVIDENCE:
                    known |= {f"{each}-{posting.operator}.bin" for each in ("ping", "transfer")}
                continue
            if posting.kind == PostKind.WAVE:
                self._wave(number, name, posting, data, signatures, held)
            else:
                known |= self._evidence(number, name, posting, data, held)
        for folder, files in held:
            for name in sorted(files.names.keys() - known):
                where = str(folder / str(number) / name)
                self._tell(Code.EVIDENCE_UNFOUNDED, where, "", None, files.names[name].hex(), None)
        return self.findings, self.counts

    def _first(self) -> Iterator[tuple[str, Posting]]:
        """The first posting of each file, by its name; a second one of another hash is told."""
        seen: dict[tuple[Pubkey, int, int], Posting] = {}
        for each in self.postings:
            key = each.operator, each.kind, each.slot
            other = seen.setdefault(key, each)
            if other is each:
                name = f"wave-{each.slot}" if each.kind == PostKind.WAVE else "evidence"
                yield f"{name}-{each.operator}.bin", each
            elif other.hash != each.hash:
                row, values = f"{PostKind(each.kind).name} {each.slot}", (other.hash.hex(), each.hash.hex())
                operator = str(each.operator)
                self._tell(Code.POSTING_SECOND, operator, row, *values, operator, each.now_slot)

    def _file(
        self,
        number: int,
        name: str,
        digest: bytes,
        signer: str,
        slot: int | None,
        held: Sequence[tuple[Path, HeldFiles]],
    ) -> bytes | None:
        """A file by the hash that an operator posted; told where another lies in its place, or none."""
        self.counts["files"] += 1
        for folder, files in held:
            found = files.names.get(name)
            if found is not None and found != digest:
                where = str(folder / str(number) / name)
                self._tell(Code.EVIDENCE_BYTES, where, "", digest.hex(), found.hex(), None, slot)
        data = next((found for _, files in held if (found := files.get(digest)) is not None), None)
        if data is None and not any(name in files.names for _, files in held):
            where = str(held[0][0] / str(number) / name)
            self._tell(Code.EVIDENCE_MISSING, where, "", digest.hex(), None, signer, slot)
        return data

    def _wave(
        self,
        number: int,
        name: str,
        posting: Posting,
        data: bytes,
        signatures: Signatures,
        held: Sequence[tuple[Path, HeldFiles]],
    ) -> None:
        """A WAVE file's rows: each signed by its device's worker, and of one root."""
        where, operator = str(held[0][0] / str(number) / name), str(posting.operator)
        wave = self.waves.get(posting.slot)
        if wave is None:
            return  # Of a wave that never was: it counts for nothing.
        try:
            rows = read_wave(data)
        except FileError as error:
            self._tell(Code.EVIDENCE_UNREADABLE, where, "", None, str(error), operator, posting.slot)
            return
        self.counts["commits"] += len(rows)
        commits = wave_commits(wave.seed, rows)
        for at, (row, commit) in enumerate(zip(rows, commits, strict=True)):
            address = Pubkey(whole_key(row["device"]))
            key = self.workers.get(address)
            if key is None:
                continue  # Who is of the hour an honest operator may know a moment late.
            if not signatures.all_right([commit], [key]):
                values = f"a signature of {Pubkey(key)}", "another's"
                self._tell(
                    Code.EVIDENCE_UNSIGNED, where, _place(at, address), *values, operator, posting.slot
                )
                continue
            self._root(wave, at, address, row, where, key)

    def _root(self, wave: Wave, at: int, device: Pubkey, row: Rows, where: str, worker: bytes) -> None:
        """Two roots that one key signed for one wave; told once."""
        root = whole_key(row["root"])
        key = wave.slot, bytes(device)
        other, known = self._roots.setdefault(key, (root, where))
        if other != root and known:
            self._roots[key] = other, ""
            words, signer = f"{_place(at, device)}; the other in {known}", str(Pubkey(worker))
            self._tell(Code.ROOTS_CONFLICT, where, words, other.hex(), root.hex(), signer, wave.slot)

    def _evidence(
        self,
        number: int,
        name: str,
        posting: Posting,
        data: bytes,
        held: Sequence[tuple[Path, HeldFiles]],
    ) -> set[str]:
        """An EVIDENCE file: the files whose hashes it has, and the openings; returns the files' names."""
        where, operator = str(held[0][0] / str(number) / name), str(posting.operator)
        try:
            evidence = Evidence.read(data)
        except FileError as error:
            self._tell(Code.EVIDENCE_UNREADABLE, where, "", None, str(error), operator)
            return set()
        names = {f"ping-{operator}.bin": evidence.pings, f"transfer-{operator}.bin": evidence.transfers}
        for other, digest in names.items():
            self._file(number, other, digest, operator, None, held)
        for at, row in enumerate(evidence.rows):
            self._opening(where, at, row, operator, held)
        return set(names)

    def _opening(
        self, where: str, at: int, row: Rows, operator: str, held: Sequence[tuple[Path, HeldFiles]]
    ) -> None:
        """An opening that an operator says it holds."""
        self.counts["openings"] += 1
        digest = whole_key(row["blob"])
        if digest in self._whole or any(files.get(digest) is not None for _, files in held):
            self._whole.add(digest)
            return
        place = _place(at, Pubkey(whole_key(row["device"])))
        for _, files in held:
            for path, found in files.damaged.items():
                if path.name == digest.hex():
                    self._tell(Code.EVIDENCE_BYTES, str(path), "", digest.hex(), found.hex(), None)
                    return
        self._tell(Code.EVIDENCE_MISSING, where, place, digest.hex(), None, operator, int(row["slot"]))

    def _tell(
        self,
        code: Code,
        where: str,
        row: str,
        expected: Value,
        found: Value,
        signer: str | None,
        slot: int | None = None,
    ) -> None:
        finding = Finding(PART, code, where, row, slot, expected, found, signer)
        if finding not in self.findings:
            self.findings.append(finding)


def _place(at: int, device: Pubkey) -> str:
    return f"row {at + 1}, {device}"
