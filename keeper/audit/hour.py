"""One published hour held to the chain and to the operators' files, stage by stage.

Each file is computed again from what is before it, as it was stated and as it is right: a file that follows
from either is no lie of its own. So who states a false stake, and lets all that comes after follow from it,
is named for the stake alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from keeper.audit.cells import Cell, differing
from keeper.audit.findings import Code, Finding, Unchecked, Value
from keeper.audit.published import KEYS, PublishedHour
from keeper.clients.staking import Attestation
from keeper.pow.profiles import Profiles
from keeper.pow.record import NAME as RECORD
from keeper.pow.record import HourRecord
from keeper.rewards import audit as evidence
from keeper.rewards.differences import flat
from keeper.rewards.history import HourHistory
from keeper.rewards.merge import ChainHour, Verify, merge
from keeper.rewards.named import restricted
from keeper.rewards.observed import OBSERVED_TABLE, observations
from keeper.rewards.publication import (
    CLASSES,
    INPUTS,
    KINDS,
    MANIFEST,
    OBSERVED,
    REWARDS,
    VERDICTS,
    WALLETS,
    File,
    Manifest,
    encode_table,
    manifest_of,
)
from keeper.rewards.recomputed import described
from keeper.rewards.rows import Hour, RowsError, class_rows, field_rows
from keeper.rewards.rule import WALLET, BlockResult, reward, wallets_of
from keeper.rewards.tree import root
from keeper.tables import Rows

PART = "hours"
CODES = {
    VERDICTS: Code.VERDICT_DIFFERS,
    OBSERVED: Code.OBSERVED_DIFFERS,
    INPUTS: Code.INPUT_DIFFERS,
    CLASSES: Code.CLASS_DIFFERS,
    REWARDS: Code.REWARD_DIFFERS,
    WALLETS: Code.WALLET_DIFFERS,
}


@dataclass(frozen=True, slots=True)
class Before:
    """What an hour goes on from: the observations and wallets of the one before, and its manifest's hash."""

    observed: Rows
    wallets: Rows
    hash: str | None


FIRST = Before(np.zeros(0, OBSERVED_TABLE), np.zeros(0, WALLET), None)
"""What the first hour goes on from."""


@dataclass(frozen=True, slots=True)
class Given:
    """What an hour is held to.

    ``chain`` is what blocks and events say of it, ``held`` the operators' files by their hashes; without
    these, verdicts and observations are taken as they are stated.
    """

    hour: Hour
    history: HourHistory
    chain: ChainHour
    profiles: Profiles
    held: Mapping[bytes, bytes] | None
    verify: Callable[[Rows], Verify]
    """Verifies openings, with the verdicts that are stated for those that it leaves out."""
    before: Before
    signer: Callable[[str | None], str | None]
    """Who signed for a manifest, by its hash."""


@dataclass
class Audited:
    """What came of an hour in a folder.

    ``right`` is what operators have to attest, None where that can't be said; ``after`` is what the next
    hour goes on from, as the files state it, and ``truth`` as it is right.
    """

    findings: list[Finding] = field(default_factory=list)
    unchecked: list[Unchecked] = field(default_factory=list)
    right: Attestation | None = None
    after: Before = FIRST
    truth: Before = FIRST


def audit(published: PublishedHour, given: Given) -> Audited:
    """Hold an hour's folder to the chain and to the files."""
    return _Hour(published, given).run()


class _Hour:
    """The stages, one after the other; ``stated`` and ``true`` are what later ones may go by."""

    def __init__(self, published: PublishedHour, given: Given) -> None:
        self.published, self.given = published, given
        self.found = Audited()
        self.stated: dict[str, Rows] = {}
        self.true: dict[str, Rows] = {}
        self.signer = given.signer(published.hash)
        self.records: list[HourRecord | None] = [None, None]
        """``pow.json`` as it is stated and as it is right."""

    def run(self) -> Audited:
        """All of it."""
        self._files()
        self._work()
        self._tables()
        self._manifest()
        return self.found

    # -- stages --------------------------------------------------------------------------------

    def _files(self) -> None:
        """Files that are missing, too many, or none of their kind."""
        published = self.published
        for name in published.missing:
            self._tell(Code.FILE_MISSING, name, "", "a file", None, named=False)
        for name in published.additional:
            self._tell(Code.FILE_UNFOUNDED, name, "", None, published.digests[name], named=False)
        for name, words in published.unreadable.items():
            self._tell(Code.FILE_UNREADABLE, name, "", None, words)

    def _work(self) -> None:
        """``pow.json``, verdicts and observations, by the operators' files."""
        given, stated = self.given, self.published.record
        verdicts = self.published.tables.get(VERDICTS, np.zeros(0, KINDS[VERDICTS]))
        if given.held is None:
            self._unseen(stated, "no operators' files: --pow")
            return
        chain, held, verify = given.chain, given.held, given.verify(verdicts)
        # By all files that count: an honest hour names just these, and nothing has to be looked at twice.
        work = merge(chain, given.profiles, held, given.before.observed, verify)
        if stated is not None and stated != work.record:
            if self._lacks(stated, held):
                self._unseen(stated, "operators' files that it names aren't here")
                return
            chain = self._by(stated, held)
            if chain is not given.chain:
                work = merge(chain, given.profiles, held, given.before.observed, verify)
        self._record(stated, work.record)
        self._settle(VERDICTS, [work.verdicts], work.verdicts)
        observed = [work.observed]
        if self.stated[VERDICTS] is not self.true[VERDICTS]:
            observed = [*self._observed(chain, held, verify, self.stated[VERDICTS]), *observed]
        self._settle(OBSERVED, observed, work.observed)
        self.records = [stated if self.published.is_named(RECORD) else work.record, work.record]

    def _unseen(self, stated: HourRecord | None, why: str) -> None:
        """Take verdicts and observations as they are stated."""
        what = f"hour {self.given.hour.number}: pow.json, verdicts.csv and observed.csv"
        self.found.unchecked.append(Unchecked(what, why))
        for name in (VERDICTS, OBSERVED):
            self.stated[name] = self.true[name] = self.published.tables.get(name, np.zeros(0, KINDS[name]))
        self.records = [stated, stated]

    def _lacks(self, record: HourRecord, held: Mapping[bytes, bytes]) -> bool:
        """Whether a file that an hour names, and that was posted so, isn't at hand."""
        if evidence.check_postings(record, self.given.chain.postings):
            return False
        finding = evidence.check_files(
            record, restricted(self.given.chain, record), self.given.profiles, held
        )
        return finding is not None and finding.found == evidence.NOWHERE

    def _by(self, record: HourRecord, held: Mapping[bytes, bytes]) -> ChainHour:
        """The hour by the files that its record names, where these count; otherwise by all that do."""
        chain, profiles = self.given.chain, self.given.profiles
        if evidence.check_postings(record, chain.postings):
            return chain
        only = restricted(chain, record)
        if evidence.check_files(record, only, profiles, held):
            return chain
        if finding := evidence.check_left_out(record, chain, profiles, held):
            wave = "" if finding.wave is None else f" of the wave at slot {finding.wave}"
            row = f"{finding.what}{wave} of {finding.operator}"
            self._tell(Code.FILE_LEFT_OUT, RECORD, row, "named", None, slot=finding.wave)
        return only

    def _observed(
        self, chain: ChainHour, held: Mapping[bytes, bytes], verify: Verify, verdicts: Rows
    ) -> list[Rows]:
        """The observations that follow from stated verdicts, where any can."""
        try:
            before = self.given.before.observed
            return [merge(chain, self.given.profiles, held, before, verify, verdicts).observed]
        except RowsError:
            return []

    def _record(self, stated: HourRecord | None, right: HourRecord) -> None:
        if stated is not None:
            for path, expected, found in changed(flat(stated), [flat(right)]):
                slot = _slot(path)
                self._tell(Code.RECORD_DIFFERS, RECORD, path, expected, found, slot=slot)

    def _tables(self) -> None:
        """Inputs and classes by the chain, rewards and wallets by the rule."""
        given = self.given
        true = self._inputs(self.true[OBSERVED])
        inputs = [true]
        if self.stated[OBSERVED] is not self.true[OBSERVED]:
            with suppress(RowsError):
                inputs = [self._inputs(self.stated[OBSERVED]), true]
        self._settle(INPUTS, inputs, true)
        self._settle(CLASSES, [right := class_rows(given.history.classes, given.hour.start)], right)
        truth = reward(given.hour, self.true[INPUTS], self.true[CLASSES], given.before.wallets)
        blocks = [truth]
        if self.stated[INPUTS] is not self.true[INPUTS] or self.stated[CLASSES] is not self.true[CLASSES]:
            blocks = [*self._block(self.stated[INPUTS], self.stated[CLASSES]), truth]
        self._settle(REWARDS, [each.devices for each in blocks], truth.devices)
        wallets = [each.wallets for each in blocks]
        if self.stated[REWARDS] is not self.true[REWARDS]:
            wallets = [*self._wallets(), *wallets]
        self._settle(WALLETS, wallets, truth.wallets)
        self._truth, self._blocks = truth, blocks

    def _block(self, inputs: Rows, classes: Rows) -> list[BlockResult]:
        try:
            return [reward(self.given.hour, inputs, classes, self.given.before.wallets)]
        except RowsError:
            return []

    def _wallets(self) -> list[Rows]:
        """What wallets come to by the rewards that are stated, and their inputs, where there are such."""
        rows, results = self.stated[INPUTS], self.stated[REWARDS]
        if len(rows) != len(results):
            return []
        return [wallets_of(rows, results, self.given.before.wallets)]

    def _manifest(self) -> None:
        """What the manifest states, by the files as they are and as they are right."""
        manifest = self.published.manifest
        by_files, truth = self.records
        true = self._manifest_of(self._truth, self.true, truth, stated=False)
        stated = []
        is_true = by_files is truth and all(self.stated[name] is self.true[name] for name in KINDS)
        if not is_true or self.published.unreadable:
            stated = [
                self._manifest_of(each, self.stated, by_files, stated=True) for each in self._of_stated()
            ]
        if manifest is not None:
            for path, expected, found in changed(flat(manifest), [flat(each) for each in (*stated, true)]):
                code = Code.CHAIN_BROKEN if path == "previous" else Code.MANIFEST_DIFFERS
                self._tell(code, MANIFEST, path, expected, found)
        if not self.found.unchecked:
            self.found.right = true.attestation
        self.found.after = Before(self.stated[OBSERVED], self.stated[WALLETS], self.published.hash)
        self.found.truth = Before(self.true[OBSERVED], self.true[WALLETS], true.hash)

    def _of_stated(self) -> list[BlockResult]:
        """Results with the sums that stated tables have."""
        wallets, devices, truth = self.stated[WALLETS], self.stated[REWARDS], self._truth
        of_files = BlockResult(
            truth.hour,
            devices,
            wallets,
            truth.pot,
            int(devices["reward"].sum()),
            int(wallets["lifetime"].sum()),
        )
        return [of_files, *self._blocks]

    def _manifest_of(
        self, block: BlockResult, tables: Mapping[str, Rows], record: HourRecord | None, *, stated: bool
    ) -> Manifest:
        """The manifest of results; ``stated``: of the files as they are, also of one that nobody can read."""
        published, rule, files = self.published, self.given.profiles.rule, {}
        for name in (RECORD, *KINDS):
            unreadable = stated and name in published.unreadable and published.is_named(name)
            if unreadable and published.manifest:
                files[name] = published.manifest.files[name]
            elif name == RECORD and record is not None:
                files[name] = described([record.encode()], len(record.waves))
            elif name != RECORD and tables[name] is published.tables.get(name):
                size, digest = published.sizes[name], published.digests[name]
                files[name] = File(digest, size, len(tables[name]))
            elif name != RECORD:
                files[name] = described(encode_table(name, tables[name], rule), len(tables[name]))
        return manifest_of(block.sums, self.given.before.hash, files, rule, root(tables[WALLETS]))

    # -- shorthand -----------------------------------------------------------------------------

    def _inputs(self, observed: Rows) -> Rows:
        history = self.given.history
        return field_rows(history.devices, observations(observed), history.hired)

    def _settle(self, name: str, candidates: Sequence[Rows], truth: Rows) -> None:
        """Compare a table with those that follow from the ones before; remember what later ones go by.

        A file that says what is right, and one that nobody has signed for, make way for what is right.
        """
        self.true[name] = truth
        table = self.published.tables.get(name)
        if table is None:
            self.stated[name] = candidates[0]
            return
        found = [list(differing(table, each, KEYS[name])) for each in candidates]
        cells = min(found, key=len)
        for cell in cells:
            self._cell(name, cell)
        if not found[-1]:
            # The same rows: later stages see at once that nothing has to be computed twice.
            self.stated[name] = self.true[name] = table
        else:
            named = self.published.is_named(name)
            self.stated[name] = table if named or not cells else candidates[found.index(cells)]

    def _cell(self, name: str, cell: Cell) -> None:
        at = f"row {cell.row}" if cell.row is not None else "no row"
        row = f"{at}, {cell.column}, {cell.subject}"
        self._tell(CODES[name], name, row, cell.expected or None, cell.found or None)

    def _tell(
        self,
        code: Code,
        name: str,
        row: str,
        expected: object,
        found: object,
        *,
        slot: int | None = None,
        named: bool | None = None,
    ) -> None:
        if named is None:
            named = name == MANIFEST or self.published.is_named(name)
        signer = self.signer if named else None
        where = str(self.published.place / name)
        values = (_value(expected), _value(found))
        self.found.findings.append(Finding(PART, code, where, row, slot, *values, signer))


def changed(
    stated: Mapping[str, Any], right: Sequence[Mapping[str, Any]]
) -> Iterable[tuple[str, object, object]]:
    """The paths whose value is in none of ``right``, with the value of its first."""
    first = right[0]
    for path in [*stated, *(each for each in first if each not in stated)]:
        found = stated.get(path)
        if all(each.get(path) != found for each in right):
            yield path, first.get(path), found


def _slot(path: str) -> int | None:
    """The slot that a path of ``pow.json`` is about."""
    parts = path.split(".")
    return int(parts[1]) if parts[0] == "included" and len(parts) > 1 else None


def _value(value: object) -> Value:
    return value if value is None or isinstance(value, int | str) else str(value)
