"""All hours of a chain in turn: published files, what operators attested, and what was claimed."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from keeper.audit import votes
from keeper.audit.findings import Code, Finding, Part, Unchecked
from keeper.audit.hour import FIRST, PART, Audited, Before, Given, audit
from keeper.audit.index import Index, indexed
from keeper.audit.openings import Openings, through
from keeper.audit.published import PublishedHour, digests, read
from keeper.audit.sources import Source, Told, untold
from keeper.audit.votes import Claim, Vote
from keeper.chain import Commitment
from keeper.clients import staking, tokenomics
from keeper.clients.staking import Attestation
from keeper.economy import emission
from keeper.economy.calendar import month_start
from keeper.errors import why
from keeper.pow.anchored import EVIDENCE_SECONDS
from keeper.pow.clock import Network
from keeper.pow.profiles import Profiles, ProfilesError, read_profiles
from keeper.pow.profiles_by_hour import BESIDE, ByHour, read_profiles_by_hour
from keeper.pow.record import NAME, HourRecord, RecordError
from keeper.pow.replay import first_at
from keeper.rewards.batches import verified
from keeper.rewards.held import HeldFiles
from keeper.rewards.history import History
from keeper.rewards.publication import INPUTS, MANIFEST, OBSERVED, WALLETS, PublicationError
from keeper.rewards.rows import Hour, RowsError
from keeper.rewards.work import chain_hour, network_of
from keeper.tables import Rows

SAID = {"Attested", "BlockFinalised", "RewardClaimed"}


class Held(Mapping[bytes, bytes]):
    """Operators' files of an hour, of whichever folder has them."""

    def __init__(self, folders: Sequence[Path], hour: int) -> None:
        """Raises FolderUnreadable."""
        self._all = [HeldFiles(each, hour) for each in folders]

    def __getitem__(self, digest: bytes) -> bytes:
        """A file or an opening; raises KeyError where nobody has it."""
        for each in self._all:
            if (data := each.get(digest)) is not None:
                return data
        raise KeyError(digest)

    def __iter__(self) -> Iterator[bytes]:
        """The hashes of the hour's files."""
        return iter({digest for each in self._all for digest in each})

    def __len__(self) -> int:
        """How many files the hour has."""
        return len(set(self))


@dataclass
class _Said:
    """What the chain's events say of an hour."""

    votes: list[Vote] = field(default_factory=list)
    final: tuple[Attestation, int] | None = None
    claims: list[Claim] = field(default_factory=list)

    @property
    def agreed(self) -> bytes | None:
        """The hash that operators agreed on, or that most of them attested."""
        if self.final:
            return self.final[0].data_hash
        counted: defaultdict[bytes, set[str]] = defaultdict(set)
        for vote in self.votes:
            counted[vote.what.data_hash].add(str(vote.operator))
        return max(counted, key=lambda each: len(counted[each]), default=None)

    def signer(self, manifest: str | None) -> str | None:
        """Who attested a manifest, by its hash."""
        names = {str(each.operator) for each in self.votes if each.what.data_hash.hex() == manifest}
        return ", ".join(sorted(names)) or None


async def check(source: Source, told: Told = untold, *, only: Collection[int] | None = None) -> Part:
    """Hold every published hour to the chain and to operators' files, or those of ``only``.

    Needs the hour before of each that it looks at.
    """
    economy = await tokenomics.read_config(source.chain)
    if economy is None or not economy.launched:
        return Part(PART, unchecked=(Unchecked("hours", "no network is launched on this chain"),))
    if not source.rewards:
        return Part(PART, unchecked=(Unchecked("hours", "no folder of published hours: --rewards"),))
    async with indexed(source) as index:
        history = History(source.chain, index.database, ledgers=index.ledgers)
        walk = _Walk(
            source,
            await network_of(source.chain, month_start(economy.start_month)),
            history,
            await _said(index),
            read_profiles_by_hour(source.profiles),
            economy.start_month,
        )
        return await walk.run(told, only)


async def _said(index: Index) -> dict[int, _Said]:
    """What events say, by hour."""
    found: defaultdict[int, _Said] = defaultdict(_Said)
    for place, event in await index.events(staking.PROGRAM, SAID):
        fields = event.fields
        of_hour = found[int(fields["hour"])]
        if event.name == "RewardClaimed":
            of_hour.claims.append(Claim(fields["wallet"], place.slot, fields["claimed"]))
            continue
        what = Attestation(*(fields[name] for name in Attestation.__dataclass_fields__))
        if event.name == "Attested":
            of_hour.votes.append(Vote(fields["operator"], place.slot, what))
        else:
            of_hour.final = what, place.slot
    return dict(found)


@dataclass
class _Walk:
    """Goes from hour to hour; what is kept of one is what the next goes on from."""

    source: Source
    network: Network
    history: History
    said: Mapping[int, _Said]
    profiles: ByHour
    start_month: int
    findings: list[Finding] = field(default_factory=list)
    unchecked: list[Unchecked] = field(default_factory=list)
    counts: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    _before: tuple[int, Before] | None = None

    async def run(self, told: Told, only: Collection[int] | None) -> Part:
        """All hours, or those of ``only``."""
        there = self._published()
        hours = sorted(self.said.keys() | {hour for found in there.values() for hour in found})
        if only is not None:
            for missing in sorted(set(only) - set(hours)):
                self.unchecked.append(Unchecked(f"hour {missing}", "it was neither attested nor published"))
            hours = [each for each in hours if each in only]
        for at, number in enumerate(hours):
            await self._hour(number, there)
            told("hours", at + 1, len(hours))
        return Part(PART, dict(self.counts), tuple(self.unchecked), tuple(self.findings))

    def _published(self) -> dict[Path, set[int]]:
        """The hours that are in each folder; raises PublicationError."""
        found = {}
        for folder in self.source.rewards:
            try:
                names = [each.name for each in folder.iterdir() if each.is_dir()]
            except OSError as error:
                raise PublicationError(f"{folder} can't be read: {why(error)}") from error
            found[folder] = {int(name) for name in names if name.isdecimal()}
        return found

    # -- an hour -------------------------------------------------------------------------------

    async def _hour(self, number: int, there: Mapping[Path, set[int]]) -> None:
        said = self.said.get(number, _Said())
        places = self._places(number, there)
        if not places:
            self.unchecked.append(Unchecked(f"hour {number}", "its files aren't here: --rewards"))
            self._votes(number, said, [], 0)
            return
        start = self.network.start_of(number)
        before = self._hour_before(number)
        if before is None or not await self.history.knows(start + EVIDENCE_SECONDS):
            lacking = "the hour before isn't here" if before is None else "it isn't over, or not final yet"
            self.unchecked.append(Unchecked(f"hour {number}", lacking))
            return
        past = await self.history.hour(start)
        chain = await chain_hour(self.source.chain, self.network, number, past)
        if chain is None:
            self.unchecked.append(Unchecked(f"hour {number}", "the node doesn't have its blocks"))
            return
        salt = await self._salt(start) if self.source.share < 1 else b""
        held = await asyncio.to_thread(Held, self.source.evidence, number) if self.source.evidence else None
        verifiers: list[Openings] = []
        verifying = through(self.source.verifier) if self.source.verifier else verified

        def verify(verdicts: Rows) -> Openings:
            verifiers.append(Openings(verdicts, self.source.share, salt, verifying))
            return verifiers[-1]

        hour = Hour(number, start, emission.cumulative(self.start_month, number + 1))
        done: list[tuple[PublishedHour, Audited]] = []
        for place, names in places:
            record = await asyncio.to_thread(_record, place)
            profiles = self._profiles(start, record)
            published = await asyncio.to_thread(read, place, number, names, profiles.rule)
            given = Given(hour, past, chain, profiles, held, verify, before, said.signer)
            try:
                found = await asyncio.to_thread(audit, published, given)
            except RowsError as error:
                self.unchecked.append(Unchecked(f"hour {number} in {place.parent}", str(error)))
                continue
            done.append((published, found))
            self.findings += found.findings
            self.unchecked += found.unchecked
            self.counts["hours"] += 1
            self.counts["devices"] += len(published.tables.get(INPUTS, ()))
        self.counts["openings"] += sum(each.verified for each in verifiers)
        self._votes(number, said, done, past.threshold)
        self._keep(number, said, done)

    def _places(self, number: int, there: Mapping[Path, set[int]]) -> list[tuple[Path, dict[str, str]]]:
        """Where an hour is, each different one once."""
        found: dict[tuple[tuple[str, str], ...], tuple[Path, dict[str, str]]] = {}
        for folder, hours in there.items():
            place = folder / str(number)
            if number not in hours:
                if hours and min(hours) < number < max(hours):
                    self.findings.append(
                        Finding(PART, Code.FILE_MISSING, str(place), "", None, "an hour's files", None, None)
                    )
                continue
            names = digests(place)
            self.counts["files"] += len(names)
            found.setdefault(tuple(names.items()), (place, names))
        return list(found.values())

    def _hour_before(self, number: int) -> Before | None:
        """What an hour goes on from: as it was found right here, or else by the hash on chain."""
        if number == 0:
            return FIRST
        if self._before and self._before[0] == number - 1:
            return self._before[1]
        agreed = self.said.get(number - 1, _Said()).agreed
        for folder in self.source.rewards:
            place = folder / str(number - 1)
            if not place.is_dir():
                continue
            names = digests(place)
            if agreed is not None and names.get(MANIFEST) != agreed.hex():
                continue
            published = read(place, number - 1, names, None)
            if all(name in published.tables and published.is_named(name) for name in (OBSERVED, WALLETS)):
                return Before(published.tables[OBSERVED], published.tables[WALLETS], published.hash)
        return None

    def _profiles(self, start: int, record: HourRecord | None) -> Profiles:
        """The table that an hour was proven with; a network's own lies beside operators' files."""
        known = self.profiles.at(start)
        if record is not None and record.profiles == known.hash.hex():
            return known
        own = None
        for folder in self.source.evidence:
            if (folder / BESIDE).is_file():
                try:
                    own = read_profiles(folder / BESIDE)
                except ProfilesError:
                    continue
                break
        return own or known

    async def _salt(self, start: int) -> bytes:
        """The hash of a block after all evidence of an hour."""
        head = await first_at(self.source.chain, start + EVIDENCE_SECONDS, Commitment.FINALIZED)
        return head.blockhash if head else b""

    def _votes(
        self, number: int, said: _Said, done: Sequence[tuple[PublishedHour, Audited]], threshold: int
    ) -> None:
        """What was attested, became final, and was claimed."""
        sound: dict[bytes, Attestation] = {}
        rights = [found.right for _, found in done if found.right]
        for published, found in done:
            if not found.findings and published.manifest and published.hash:
                sound[bytes.fromhex(published.hash)] = published.manifest.attestation
        agreed = said.agreed
        right = next((each for each in rights if each.data_hash == agreed), next(iter(rights), None))
        if right is not None:
            sound.setdefault(right.data_hash, right)
        self.findings += votes.attested(number, said.votes, sound, right)
        self.findings += votes.conflicts(number, said.votes, agreed)
        if said.final and threshold:
            what, slot = said.final
            self.findings += votes.finalised(number, what, slot, said.votes, threshold)
        self.counts["attestations"] += len(said.votes)
        if agreed is not None and said.claims:
            tables = [
                each for _, found in done for each in (found.after, found.truth) if each.hash == agreed.hex()
            ]
            if tables:
                self.counts["claims"] += len(said.claims)
                signer = said.signer(agreed.hex())
                self.findings += votes.claims(number, said.claims, tables[0].wallets, signer)

    def _keep(self, number: int, said: _Said, done: Sequence[tuple[PublishedHour, Audited]]) -> None:
        """What the next hour goes on from: what operators agreed on, or else what is right."""
        agreed = said.agreed.hex() if said.agreed else None
        all_ = [each for _, found in done for each in (found.truth, found.after)]
        known = [each for each in all_ if each.hash == agreed]
        self._before = (number, (known or all_)[0]) if all_ else None


def _record(place: Path) -> HourRecord | None:
    try:
        return HourRecord.decode((place / NAME).read_bytes())
    except (OSError, RecordError):
        return None
