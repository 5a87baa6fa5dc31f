"""From an hour's final verdicts and the files that they were made of to offences: the same for everybody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from solders.pubkey import Pubkey

from keeper.chain.records import Head
from keeper.clients.staking import device_address
from keeper.pow.clock import Network, Wave, WaveKind
from keeper.pow.codes import Code
from keeper.pow.files import Evidence, read_wave, wave_commits, whole_key
from keeper.pow.messages import Commit, Signed, decode
from keeper.pow.profiles_by_hour import ByHour
from keeper.pow.record import HourRecord
from keeper.rewards.batches import verified
from keeper.rewards.offences import WITHIN, Act, Facts, Kind, Offence, OffenceError, opening_of
from keeper.tables import Rows

SUSPICIOUS = frozenset({Code.COMMIT_CONFLICT, Code.WORK_WRONG})


class Suspicion(NamedTuple):
    """A verdict that can be evidence: the hour, the wave's slot and time, the code."""

    hour: int
    slot: int
    time: int
    code: Code


def suspicions(record: HourRecord, verdicts: Rows) -> dict[Pubkey, list[Suspicion]]:
    """The devices of an hour with such verdicts."""
    times = {each.slot: each.time for each in record.waves}
    found: defaultdict[Pubkey, list[Suspicion]] = defaultdict(list)
    for row in verdicts:
        code, slot = Code(int(row["code"])), int(row["wave"])
        if code in SUSPICIOUS:
            device = Pubkey(whole_key(row["device"]))
            found[device].append(Suspicion(record.hour, slot, times[slot], code))
    return dict(found)


def chosen(found: Iterable[Suspicion]) -> Iterator[tuple[Suspicion, ...]]:
    """What a device may be slashed for, in order: a conflict, or two times wrong work within seven days.

    One wrong product alone is nothing.
    """
    wrong: list[Suspicion] = []
    for each in sorted(found, key=lambda suspicion: suspicion.slot):
        if each.code is Code.COMMIT_CONFLICT:
            yield (each,)
            continue
        for earlier in wrong[-1:]:
            if each.time - earlier.time <= WITHIN:
                yield earlier, each
        wrong.append(each)


def facts_of(record: HourRecord, network: Network, slot: int) -> Facts:
    """What a final hour's record says of one of its waves."""
    (wave,) = [each for each in record.waves if each.slot == slot]
    blockhash, kind = _raw(wave.blockhash), WaveKind(wave.kind)
    seed = network.wave_seed(wave.slot, blockhash)
    made = Wave(record.hour, wave.slot, blockhash, wave.time, seed, kind, wave.spot)
    epoch = network.epoch_seed(wave.epoch.slot, _raw(wave.epoch.blockhash)) if wave.epoch else None
    return Facts(made, Head(wave.opening.slot, _raw(wave.opening.blockhash), 0), epoch)


def conflict(worker: Pubkey, record: HourRecord, facts: Facts, held: Mapping[bytes, bytes]) -> Offence:
    """The conflict of a device in a wave, by the hour's included files: of more roots the lowest two.

    Raises OffenceError where a file isn't held (any more).
    """
    commits = _commits(worker, record, facts, held)
    if len(commits) < 2:  # noqa: PLR2004 - a conflict is of two
        raise OffenceError("the files that are held don't have two roots of the device")
    slot = facts.wave.slot
    acts = tuple(Act(slot, commits[root], b"") for root in sorted(commits)[:2])
    return Offence(Kind.CONFLICT, worker, acts)


def wrong_work(
    worker: Pubkey, record: HourRecord, facts: Facts, held: Mapping[bytes, bytes], profiles: ByHour
) -> Act:
    """The device's commit and opening of a wave that show its work to be wrong.

    Raises OffenceError where a file or the opening isn't held (any more).
    """
    commits = _commits(worker, record, facts, held)
    blobs: set[tuple[bytes, bytes]] = set()
    for digest in record.evidence.values():
        for row in Evidence.read(_held(held, digest)).rows:
            device, root, blob = (whole_key(row[name]) for name in ("device", "root", "blob"))
            if row["slot"] == facts.wave.slot and device == bytes(device_address(worker)) and root in commits:
                blobs.add((root, blob))
    for root, blob in sorted(blobs):
        data = held.get(blob)
        if data is None:
            continue
        act = Act(facts.wave.slot, commits[root], data)
        if verified([opening_of(act, facts, profiles)]) == [Code.WORK_WRONG]:
            return act
    raise OffenceError("no opening that is held shows wrong work")


def _commits(
    worker: Pubkey, record: HourRecord, facts: Facts, held: Mapping[bytes, bytes]
) -> dict[bytes, Signed[Commit]]:
    """The device's commits in the wave's included files by root, of those to one root the first in bytes."""
    device = device_address(worker)
    raw = set[bytes]()
    for digest in record.included[str(facts.wave.slot)].values():
        rows = read_wave(_held(held, digest))
        raw.update(wave_commits(facts.wave.seed, rows[rows["device"] == bytes(device).rstrip(b"\0")]))
    found: dict[bytes, Signed[Commit]] = {}
    for signed in (decode(Commit, each) for each in sorted(raw)):
        found.setdefault(signed.message.root, signed)
    return found


def _held(held: Mapping[bytes, bytes], digest: str) -> bytes:
    data = held.get(bytes.fromhex(digest))
    if data is None:
        raise OffenceError(f"the file with SHA-256 {digest} isn't held")
    return data


def _raw(text: str) -> bytes:
    return bytes(Pubkey.from_string(text))
