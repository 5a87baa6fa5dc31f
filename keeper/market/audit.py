"""Whether a tick is what the rule gives: from published files, and from the chain.

A tick's files say themselves what they follow from, and are computed again from that alone. What they follow
from is made again from the chain's events, and compared as well; then what operators posted, and what they
matched.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from solders.pubkey import Pubkey

from keeper.chain.program import Event
from keeper.errors import UserError
from keeper.market import files
from keeper.market.due import pairs_of
from keeper.market.files import TICKS_AN_HOUR, Batch
from keeper.market.findings import SAME, Culprit, Finding, Replayed, Verdict, of_error
from keeper.market.folder import MarketFolder
from keeper.market.manifest import NAME
from keeper.market.snapshot import Snapshot
from keeper.pow.anchored import Posting, PostKind
from keeper.tables import Rows

SILENT = "a posting of its batch"
"""What is expected of an operator that matched, and posted nothing."""


def of_files(folder: MarketFolder, tick: int) -> tuple[Batch | None, Finding]:
    """Compute a tick again from its own files alone; the batch is None where they can't be read."""
    try:
        batch = folder.read(tick)
    except UserError as error:
        return None, of_error(error, folder.operator(tick))
    try:
        folder.replay(tick)
    except UserError as error:
        return batch, of_error(error, folder.operator(tick))
    return batch, SAME


def by_files(folder: MarketFolder, tick: int) -> tuple[Replayed, Batch | None]:
    """As :func:`of_files`, with what was compared."""
    found = Replayed(tick=tick, by_files=True)
    batch, found.finding = of_files(folder, tick)
    if batch:
        found.of(batch.snapshot, batch.matches)
    return found, batch


@dataclass(frozen=True, slots=True)
class Match:
    """A match on chain by an operator, for a tick."""

    matcher: Pubkey
    order: Pubkey
    device: Pubkey


# -- against the chain -------------------------------------------------------------------------


def matches(events: Sequence[Event], tick: int) -> list[Match]:
    """The matches for a tick among a chain's events, in their order."""
    return [
        Match(*(each.fields[name] for name in ("matcher", "order", "device")))
        for each in events
        if each.name == "LeaseMatched" and each.fields["tick"] == tick
    ]


def postings(
    events: Sequence[Event], first: int = 0, last: int | None = None
) -> dict[int, dict[Pubkey, Posting]]:
    """What operators posted of their batches of ticks, each one's first, by tick and operator.

    Of those from ``first`` to ``last`` [default: of all].
    """
    found: dict[int, dict[Pubkey, Posting]] = {}
    for each in events:
        if each.name != "Posted" or each.fields["kind"] != PostKind.BATCH:
            continue
        posting = Posting(**{name: each.fields[name] for name in Posting.__dataclass_fields__})
        if first <= posting.number and (last is None or posting.number <= last):
            found.setdefault(posting.number, {}).setdefault(posting.operator, posting)
    return found


def of_rules(batch: Batch, state: Snapshot) -> Finding:
    """Whether a tick's files were decided by the rules that the chain's state is made by."""
    if batch.snapshot.profiled == state.profiled:
        return SAME
    one, other = (" ".join(map(str, each)) or "none" for each in (batch.snapshot.profiled, state.profiled))
    what = f"decided by other rules: with proofs of work of classes {one}, and this program knows {other}"
    return Finding(Verdict.MISSING, what)


def of_state(folder: MarketFolder, batch: Batch, state: Snapshot, rule: Rows) -> Finding:
    """Compare a tick's files with those of the chain's state at its slot, whose matches ``rule`` are."""
    operator, tick = Pubkey.from_string(batch.manifest.operator), batch.manifest.tick
    try:
        base = folder.read(batch.manifest.base.tick) if batch.manifest.base else None
        files.require_same(folder.files(tick), files.encode(state, rule, operator, base))
    except UserError as error:
        return of_error(error, operator)
    return SAME


def of_posting(batch: Batch, posted: Mapping[Pubkey, Posting], made: Sequence[Match]) -> Finding:
    """Compare a batch's manifest with what its operator posted on chain."""
    operator = Pubkey.from_string(batch.manifest.operator)
    posting = posted.get(operator)
    if posting is None:
        if any(each.matcher == operator for each in made):
            return _silent(operator)
        return Finding(
            Verdict.MISSING, f"{operator} posted no batch of the tick: nobody vouches for the files"
        )
    if posting.hash != batch.manifest.hash:
        stated = batch.manifest.hash.hex(), posting.hash.hex()
        what = f"the manifest's SHA-256 is {stated[0]}, but {operator} posted {stated[1]}"
        return Finding(Verdict.DIFFERENT, what, Culprit(operator, *stated))
    if posting.slot != batch.manifest.slot:
        what = f"{operator} posted slot {posting.slot}, but the manifest has {batch.manifest.slot}"
        culprit = Culprit(operator, str(batch.manifest.slot), str(posting.slot))
        return Finding(Verdict.DIFFERENT, what, culprit)
    return SAME


def of_name(folder: MarketFolder, tick: int, operator: Pubkey) -> Finding:
    """Whether files whose hash ``operator`` posted are in its own name: else they accused somebody else."""
    stated = folder.operator(tick)
    if stated == operator:
        return SAME
    what = f"{operator} posted a manifest that says it is {stated}'s"
    culprit = Culprit(operator, str(operator), str(stated), file=NAME, vouched=True)
    return Finding(Verdict.DIFFERENT, what, culprit)


def vouched(finding: Finding, batch: Batch | None, posted: Mapping[Pubkey, Posting]) -> Finding:
    """A difference in files with whether their operator posted their hash."""
    culprit = finding.culprit
    if batch is None or culprit is None or culprit.file is None:
        return finding
    posting = posted.get(culprit.operator)
    is_its_own = posting is not None and posting.hash == batch.manifest.hash
    return replace(finding, culprit=replace(culprit, vouched=is_its_own))


def _silent(operator: Pubkey) -> Finding:
    what = f"{operator} matched in the tick, and never posted its batch"
    return Finding(Verdict.DIFFERENT, what, Culprit(operator, SILENT))


def of_hashes(
    state: Snapshot,
    rule: Rows,
    posted: Mapping[Pubkey, Posting],
    bases: Mapping[Pubkey, Snapshot | None],
    made: Sequence[Match],
) -> tuple[Finding, set[Pubkey]]:
    """Compare what operators posted with manifests that are made from the chain's state alone.

    The second value are the operators whose manifest isn't known: they may have gone by other rules.
    ``rule`` are the matches of ``state``, ``bases`` the states of operators' first ticks of the hour, which
    their files go on from: None for those of whom this is the first.
    """
    silent = [each.matcher for each in made if each.matcher not in posted]
    if silent:
        return _silent(silent[0]), set()
    if not posted and len(rule):
        return Finding(Verdict.MISSING, "no operator posted a batch of the tick"), set()
    finding = SAME
    unknown: set[Pubkey] = set()
    for operator, posting in posted.items():
        if posting.slot != state.slot:
            what = f"{operator} posted slot {posting.slot}, but the tick's is {state.slot}"
            culprit = Culprit(operator, str(state.slot), str(posting.slot))
            return Finding(Verdict.DIFFERENT, what, culprit), unknown
        base = bases[operator]
        before = files.read(files.write(base, operator)) if base else None
        manifest = files.read(files.encode(state, rule, operator, before), before).manifest
        if posting.hash != manifest.hash:
            what = f"{operator} posted {posting.hash.hex()}, but the rule gives {manifest.hash.hex()}"
            # Its files may go on from a tick that it wrote and never posted, or name other rules.
            unknown.add(operator)
            what = f"{what}: its files say where it differs, name them by --dir"
            finding = finding if finding != SAME else Finding(Verdict.MISSING, what)
    return finding, unknown


def base_ticks(posted: Mapping[int, Mapping[Pubkey, Posting]], tick: int) -> dict[Pubkey, int]:
    """The first tick before this one in its hour whose batch an operator posted, by operator."""
    found: dict[Pubkey, int] = {}
    for each in range(tick // TICKS_AN_HOUR * TICKS_AN_HOUR, tick):
        for operator in posted.get(each, ()):
            found.setdefault(operator, each)
    return found


def of_matches(rule: Rows, made: Sequence[Match], unknown: Collection[Pubkey] = ()) -> tuple[Finding, int]:
    """Compare the matches on chain with what the rule gives; how many of those aren't there, too.

    One that the chain doesn't have is nobody's fault: something changed since the tick, and it was skipped.
    What a lease costs isn't compared: the program takes the class's price of when a match lands, which
    may be another one than the tick's. Of operators whose manifest is ``unknown`` it stays open.
    """
    pairs = set(pairs_of(rule))
    for each in made:
        if (each.order, each.device) not in pairs:
            due = [str(device) for order, device in sorted(pairs) if order == each.order]
            given = ", ".join(due) or "nothing"
            what = f"{each.matcher} matched {each.device} to {each.order}, to which the rule gives {given}"
            expected, found = " ".join(due), f"{each.order} {each.device}"
            culprit = Culprit(each.matcher, f"{each.order} {expected}".strip() if expected else None, found)
            if each.matcher in unknown:
                what = f"{what}, unless its batch was decided by other rules, which its files name: --dir"
                return Finding(Verdict.MISSING, what, culprit), 0
            return Finding(Verdict.DIFFERENT, what, culprit), 0
    return SAME, len(pairs - {(each.order, each.device) for each in made})
