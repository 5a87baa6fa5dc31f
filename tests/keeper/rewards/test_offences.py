"""What proves an offence to anybody, and all that doesn't."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.chain.records import Head
from keeper.clients import staking
from keeper.economy.calendar import DAY, HOUR
from keeper.pow.backend import NumpyBackend
from keeper.pow.clock import Network, Wave, WaveKind
from keeper.pow.codes import Code
from keeper.pow.files import Evidence, evidence_rows, wave_rows, write_wave
from keeper.pow.messages import Commit, Signed
from keeper.pow.profiles import Profiles
from keeper.pow.prove import prove as make
from keeper.pow.record import VERSION, Block, HourRecord, WaveRecord
from keeper.pow.seeds import picks
from keeper.rewards.hired import Term
from keeper.rewards.offences import (
    Act,
    Facts,
    Kind,
    Offence,
    OffenceError,
    is_excused,
    prove,
)
from keeper.rewards.proofs import offence_path, read_offence, write_offence
from keeper.rewards.suspicion import Suspicion, chosen, conflict, facts_of, wrong_work
from tests.keeper.operator.network import small_profiles
from tests.keeper.pow.cheats import Spoiling

WORKER, OTHER = (Keypair.from_seed(sha256(name).digest()) for name in (b"worker", b"other"))
DEVICE, NEIGHBOUR = (staking.device_address(each.pubkey()) for each in (WORKER, OTHER))
NETWORK = Network(b"\x07" * 32, staking.PROGRAM.address, 1_700_000_000)
ELSEWHERE = replace(NETWORK, genesis=b"\x08" * 32)
TIME = NETWORK.start + HOUR + 100
ROOTS = [bytes([number]) * 32 for number in (1, 2, 3)]


def facts(slot: int = 3_200, time: int = TIME, network: Network = NETWORK) -> Facts:
    blockhash = sha256(f"block {slot}".encode()).digest()
    hour = network.hour_of(time)
    seed = network.wave_seed(slot, blockhash)
    wave = Wave(hour, slot, blockhash, time, seed, WaveKind.PRODUCT, False)
    return Facts(wave, Head(slot + 150, sha256(f"open {slot}".encode()).digest(), 0), None)


FIRST, SECOND = facts(), facts(6_400, TIME + 7 * DAY)
KNOWN = {each.wave.slot: each for each in (FIRST, SECOND)}


def commit(
    root: bytes, of: Facts = FIRST, device: Pubkey = DEVICE, signer: Keypair = WORKER, ms: int = 1
) -> Signed[Commit]:
    return Commit(of.wave.seed, device, WaveKind.PRODUCT, 1, 0, ms, root).sign(signer)


def two_roots(first: Signed[Commit], second: Signed[Commit], slot: int = 3_200) -> Offence:
    return Offence(Kind.CONFLICT, WORKER.pubkey(), (Act(slot, first, b""), Act(slot, second, b"")))


CONFLICT = two_roots(commit(ROOTS[0]), commit(ROOTS[1]))


@pytest.fixture(scope="module")
def profiles(tmp_path_factory: pytest.TempPathFactory) -> Profiles:
    return small_profiles(tmp_path_factory.mktemp("profiles"))


def product(of: Facts, profiles: Profiles, *, wrong: bool) -> Act:
    """A commit to the product of a wave, and its opening."""

    def spoil(c: object) -> None:
        c[:] += 1  # type: ignore[index]

    backend = Spoiling(spoil) if wrong else NumpyBackend()
    proof = make(backend, of.wave.seed, DEVICE, profiles[0], 1)
    chosen_picks = picks(of.wave.open_seed(of.opening), DEVICE, proof.root, profiles[0], 1)
    return Act(of.wave.slot, commit(proof.root, of), proof.open(chosen_picks))


@pytest.fixture(scope="module")
def wrong(profiles: Profiles) -> Offence:
    acts = tuple(product(each, profiles, wrong=True) for each in (FIRST, SECOND))
    return Offence(Kind.WRONG_WORK, WORKER.pubkey(), acts)


def judge(
    offence: Offence,
    profiles: Profiles,
    known: dict[int, Facts] = KNOWN,
    registered_at: int = 0,
    excused: Callable[[int], bool] = lambda time: False,
) -> str:
    """Why it isn't proven, by its bytes alone; nothing where it is."""
    try:
        prove(Offence.decode(offence.encode()), known, profiles, registered_at, excused)
    except OffenceError as error:
        return str(error)
    return ""


# -- two roots -----------------------------------------------------------------------------------


def test_two_roots_for_one_wave(profiles: Profiles) -> None:
    assert judge(CONFLICT, profiles) == ""
    data = CONFLICT.encode()
    first, second = (commit(root).encode() for root in ROOTS[:2])
    slot = (3_200).to_bytes(8, "little")
    acts = slot + first + bytes(4) + slot + second + bytes(4)
    assert data == b"IPS1\x01" + bytes(WORKER.pubkey()) + acts
    assert CONFLICT.evidence == sha256(data).digest()
    assert CONFLICT.device == DEVICE


@pytest.mark.parametrize(
    ("offence", "words"),
    [
        (two_roots(commit(ROOTS[0]), commit(ROOTS[0], ms=2)), "to the same root"),
        (two_roots(commit(ROOTS[0]), commit(ROOTS[0])), "to the same root"),
        (two_roots(commit(ROOTS[1]), commit(ROOTS[0])), "order of their roots"),
        (two_roots(commit(ROOTS[0]), commit(ROOTS[1], SECOND)), "different waves"),
        (two_roots(commit(ROOTS[0]), commit(ROOTS[1], signer=OTHER)), "didn't sign"),
        (two_roots(commit(ROOTS[0]), commit(ROOTS[1], device=NEIGHBOUR)), "is of device"),
        # All of it another device's, under this one's name.
        (
            two_roots(*(commit(root, device=NEIGHBOUR, signer=OTHER) for root in ROOTS[:2])),
            "is of device",
        ),
        # And with the victim's address, signed by whoever wants to see it slashed.
        (two_roots(*(commit(root, signer=OTHER) for root in ROOTS[:2])), "didn't sign"),
        # Of a network with the same key, where its chain has another genesis.
        (two_roots(*(commit(root, facts(network=ELSEWHERE)) for root in ROOTS[:2])), "wave that this chain"),
        (two_roots(commit(ROOTS[0]), commit(ROOTS[1]), slot=3_232), "wave that this chain"),
        (two_roots(*(commit(root, SECOND) for root in ROOTS[:2])), "wave that this chain"),
    ],
)
def test_what_is_no_conflict(offence: Offence, words: str, profiles: Profiles) -> None:
    assert words in judge(offence, profiles)


def test_somebody_elses_conflict_slashes_somebody_else(profiles: Profiles) -> None:
    acts = two_roots(*(commit(root, device=NEIGHBOUR, signer=OTHER) for root in ROOTS[:2])).acts
    theirs = Offence(Kind.CONFLICT, OTHER.pubkey(), acts)
    assert judge(theirs, profiles) == ""
    assert theirs.device == NEIGHBOUR


def test_a_conflict_of_another_registration(profiles: Profiles) -> None:
    assert judge(CONFLICT, profiles, registered_at=TIME) == ""
    assert "before the device was registered" in judge(CONFLICT, profiles, registered_at=TIME + 1)


def test_no_wave_after_a_device_was_first_let(profiles: Profiles) -> None:
    """Who rented it may have its key, and keeps that: a day, or a year."""

    def excused(*terms: Term) -> bool:
        found = judge(CONFLICT, profiles, excused=lambda time: is_excused(terms, DEVICE, time))
        assert found == "" or "may have its key" in found
        return bool(found)

    running = Term(DEVICE, 2, TIME - HOUR)
    assert excused(running)
    assert excused(replace(running, start=TIME + 59))
    assert not excused(replace(running, start=TIME + 60))
    assert not excused(replace(running, start=0))
    assert not excused(replace(running, device=NEIGHBOUR))
    over = replace(running, start=TIME - 400 * DAY)
    assert excused(over)
    assert excused(replace(over, ended_at=over.start + 1))
    # One of its leases is enough, also of a registration before: the key is the same.
    later = replace(running, start=TIME + DAY)
    assert not excused(later)
    assert excused(later, over)


# -- wrong work ----------------------------------------------------------------------------------


def test_wrong_work_in_two_waves(wrong: Offence, profiles: Profiles) -> None:
    assert judge(wrong, profiles) == ""
    later = {**KNOWN, 6_400: facts(6_400, TIME + 7 * DAY + 1)}
    assert "more than seven days" in judge(wrong, profiles, later)


def test_right_work_is_no_offence(wrong: Offence, profiles: Profiles) -> None:
    """Neither is the same wrong product twice, nor an opening that isn't under its root."""
    right = product(SECOND, profiles, wrong=False)
    assert "its code is PASS" in judge(replace(wrong, acts=(wrong.acts[0], right)), profiles)
    twice = replace(wrong, acts=(wrong.acts[0], wrong.acts[0]))
    assert "two different waves" in judge(twice, profiles)
    assert "two different waves" in judge(replace(wrong, acts=wrong.acts[::-1]), profiles)
    none = replace(wrong, acts=(wrong.acts[0], wrong.acts[1]._replace(blob=b"")))
    assert "an opening is missing" in judge(none, profiles)
    blob = wrong.acts[1].blob
    forged = wrong.acts[1]._replace(blob=blob[:-1] + bytes([blob[-1] ^ 1]))
    assert "its code is OPEN_PATH" in judge(replace(wrong, acts=(wrong.acts[0], forged)), profiles)
    # What others say that it opened, for a root that it did commit to.
    honest = right._replace(blob=wrong.acts[1].blob)
    assert "its code is OPEN" in judge(replace(wrong, acts=(wrong.acts[0], honest)), profiles)
    unknown = Commit(SECOND.wave.seed, DEVICE, WaveKind.PRODUCT, 1, 999, 1, ROOTS[0]).sign(WORKER)
    strange = wrong.acts[1]._replace(commit=unknown)
    assert "no profile 999" in judge(replace(wrong, acts=(wrong.acts[0], strange)), profiles)
    plot = Commit(SECOND.wave.seed, DEVICE, WaveKind.RESIDENCY, 1, 0, 1, ROOTS[0]).sign(WORKER)
    resident = wrong.acts[1]._replace(commit=plot)
    assert "nobody had to show its plot" in judge(replace(wrong, acts=(wrong.acts[0], resident)), profiles)


def test_one_wrong_product_alone_is_nothing() -> None:
    def at(slot: int, time: int, code: Code = Code.WORK_WRONG) -> Suspicion:
        return Suspicion(1, slot, time, code)

    one, two, late = at(1, TIME), at(2, TIME + 7 * DAY), at(3, TIME + 14 * DAY + 1)
    other = at(4, TIME, Code.COMMIT_CONFLICT)
    assert list(chosen([one])) == []
    assert list(chosen([one, late])) == []
    assert list(chosen([late, two, one])) == [(one, two)]
    assert list(chosen([other, one])) == [(other,)]
    assert list(chosen([two, other, one])) == [(one, two), (other,)]


# -- bytes ---------------------------------------------------------------------------------------


def test_any_changed_bit_is_refused(profiles: Profiles) -> None:
    """Or has another hash, of course: but nothing that is proven can be said in two ways."""
    data = CONFLICT.encode()
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1 << at % 8
        with pytest.raises(OffenceError):
            prove(Offence.decode(bytes(changed)), KNOWN, profiles, 0, lambda time: False)
    for other in (data + b"\0", data[:-1], b""):
        with pytest.raises(OffenceError, match="no evidence"):
            Offence.decode(other)


@given(st.binary(max_size=600), st.sampled_from([b"", CONFLICT.encode()[:37], CONFLICT.encode()[:217]]))
def test_hostile_bytes(data: bytes, head: bytes) -> None:
    with suppress(OffenceError):
        assert Offence.decode(head + data).encode() == head + data


def test_a_published_offence(tmp_path: Path) -> None:
    write_offence(tmp_path, CONFLICT)
    write_offence(tmp_path, CONFLICT)
    assert read_offence(tmp_path, CONFLICT.evidence) == CONFLICT
    with pytest.raises(OffenceError, match="--from"):
        read_offence(tmp_path, bytes(32))
    (tmp_path / offence_path(bytes(32))).write_bytes(CONFLICT.encode())
    with pytest.raises(OffenceError, match="hash is another"):
        read_offence(tmp_path, bytes(32))


# -- from an hour's files ------------------------------------------------------------------------


def record(of: Facts, waves: list[bytes], evidence: list[bytes]) -> HourRecord:
    names = [str(Pubkey(bytes([number]) * 32)) for number in range(3)]
    wave = WaveRecord(
        of.wave.slot,
        str(Pubkey(of.wave.blockhash)),
        of.wave.time,
        0,
        False,
        Block(of.opening.slot, str(Pubkey(of.opening.blockhash))),
        None,
        False,
    )

    def hashes(files: list[bytes]) -> dict[str, str]:
        return {name: sha256(each).hexdigest() for name, each in zip(names, files, strict=False)}

    return HourRecord(
        version=VERSION,
        hour=of.wave.hour,
        start=NETWORK.start_of(of.wave.hour),
        genesis=str(Pubkey(NETWORK.genesis)),
        program=str(NETWORK.program),
        profiles=bytes(32).hex(),
        alpha=1 << 16,
        waves=(wave,),
        pings=(),
        included={str(of.wave.slot): hashes(waves)},
        evidence=hashes(evidence),
    )


def held(*files: bytes) -> dict[bytes, bytes]:
    return {sha256(each).digest(): each for each in files}


def test_a_conflict_is_made_the_same_by_whoever_holds_the_files(profiles: Profiles) -> None:
    """Of three roots in several files, and of several commits to one, always the same two."""
    neighbour = (commit(ROOTS[2], device=NEIGHBOUR, signer=OTHER), 5)
    again = min(commit(ROOTS[0]), commit(ROOTS[0], ms=9), key=lambda each: each.encode())
    files = [
        write_wave(wave_rows([(commit(ROOTS[2]), 1), (commit(ROOTS[1]), 2), neighbour])),
        write_wave(wave_rows([(commit(ROOTS[0]), 1), (commit(ROOTS[2]), 2)])),
        write_wave(wave_rows([(commit(ROOTS[0], ms=9), 1)])),
    ]
    for order in (files, files[::-1]):
        of_hour = record(FIRST, order, [])
        assert facts_of(of_hour, NETWORK, 3_200) == FIRST
        found = conflict(WORKER.pubkey(), of_hour, FIRST, held(*files))
        assert found == two_roots(again, commit(ROOTS[1]))
        assert judge(found, profiles) == ""
    with pytest.raises(OffenceError, match="isn't held"):
        conflict(WORKER.pubkey(), record(FIRST, files, []), FIRST, held(*files[:2]))
    with pytest.raises(OffenceError, match="two roots"):
        conflict(OTHER.pubkey(), record(FIRST, files, []), FIRST, held(*files))


def test_wrong_work_is_made_from_what_is_held(wrong: Offence, profiles: Profiles) -> None:
    act = wrong.acts[0]
    wave = write_wave(wave_rows([(act.commit, 1)]))
    root, junk = act.commit.message.root, b"junk"
    rows = [
        (3_200, DEVICE, root, sha256(act.blob).digest(), len(act.blob)),
        (3_200, NEIGHBOUR, root, sha256(junk).digest(), len(junk)),
    ]
    other = [(3_200, DEVICE, root, sha256(junk).digest(), len(junk))]
    evidence = [Evidence(bytes(32), bytes(32), evidence_rows(each)).write() for each in (other, rows)]
    of_hour = record(FIRST, [wave], evidence)
    found = wrong_work(WORKER.pubkey(), of_hour, FIRST, held(wave, *evidence, act.blob, junk), profiles)
    assert found == act
    with pytest.raises(OffenceError, match="no opening"):
        wrong_work(WORKER.pubkey(), of_hour, FIRST, held(wave, *evidence, junk), profiles)
