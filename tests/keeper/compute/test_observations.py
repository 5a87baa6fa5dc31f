"""What counts of what is said to be operators' observations, and what an operator keeps of each minute."""

from __future__ import annotations

from dataclasses import replace

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.chain import Signer
from keeper.compute.board import Heard
from keeper.compute.bodies import Beat, Serving
from keeper.compute.liveness import Observation, ObservationError
from keeper.compute.observations import Case, read, sign, usable
from keeper.compute.wire import Message, Network
from keeper.operator.clusters import witness as module
from keeper.operator.clusters.witness import TooMany, Witness
from tests.keeper.compute.leases import START, lease, order
from tests.keeper.compute.messages import NETWORK

OPERATORS = [Keypair.from_seed(bytes([each]) * 32) for each in range(1, 4)]
WORKER = Keypair.from_seed(bytes([9]) * 32)
ORDER = order()
LEASE = replace(lease(ORDER, "one", number=7), worker=WORKER.pubkey())
CASE = Case.of(LEASE)
AT = START - START % 60 + 3_600
BEAT_AT = AT - 200


def beat(operator: Keypair, second: int = BEAT_AT, number: int = 7, by: Keypair = WORKER) -> bytes:
    body = Beat(operator.pubkey(), bytes(16), Serving.ACTIVE, bytes(28), number, 1, 2, 3, 4, 5)
    return Message(NETWORK, ORDER.address, by.pubkey(), 1, 1, second * 1_000, body).sign(by).encode()


def seen(operator: Keypair, **changed: object) -> Observation:
    data = beat(operator).hex()
    return replace(Observation(str(operator.pubkey()), AT, CASE.lease, BEAT_AT, 10, 9, data), **changed)


def file(operator: Keypair, by: Keypair | None = None, **changed: object) -> bytes:
    return sign(seen(operator, **changed), NETWORK, by or operator)


def counted(*files: bytes) -> list[str]:
    operators = [each.pubkey() for each in OPERATORS]
    return [each.operator for each in usable(files, CASE, AT, operators, NETWORK)]


def test_one_of_each_operator_counts() -> None:
    names = sorted(str(each.pubkey()) for each in OPERATORS)
    assert counted(*map(file, OPERATORS), file(OPERATORS[0])) == names


ONE, TWO = OPERATORS[0], OPERATORS[1]
STRANGER = Keypair.from_seed(bytes([8]) * 32)
REFUSED = {
    "nothing": b"",
    "signed by another": file(ONE, by=TWO),
    "a stranger's": file(STRANGER),
    "another minute": file(ONE, at=AT + 60),
    "another lease": file(ONE, lease=replace(CASE.lease, number=8)),
    "without its beat": file(ONE, beat=""),
    "another's beat": file(ONE, beat=beat(TWO).hex()),
    "not the worker's beat": file(ONE, beat=beat(ONE, by=STRANGER).hex()),
    "an earlier second than the beat's": file(ONE, last_beat=BEAT_AT - 1),
    "an earlier lease's beat": file(ONE, beat=beat(ONE, number=6).hex()),
    "for another chain": sign(seen(ONE), Network(bytes([1]) * 32, NETWORK.program), ONE),
    "cut": file(ONE)[:-1],
    "endless": file(ONE) + bytes(1 << 17),
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=list(REFUSED))
def test_what_does_not_count_is_passed_over(data: bytes) -> None:
    assert counted(data, file(TWO)) == [str(TWO.pubkey())]


def test_an_operator_that_says_two_things_says_nothing() -> None:
    other = file(ONE, last_beat=0, beat="")
    assert counted(file(ONE), other) == counted(other, file(ONE)) == []
    assert counted(file(ONE), other, file(TWO)) == [str(TWO.pubkey())]


def test_an_operator_name_that_is_no_key_is_said() -> None:
    unnamed = replace(seen(ONE), operator="nobody")
    with pytest.raises(ObservationError, match="is no operator"):
        read(sign(unnamed, NETWORK, ONE), NETWORK)


# -- what an operator keeps ---------------------------------------------------------------------


def heard(second: int, previous: Heard | None = None, number: int = 7) -> dict[tuple[Pubkey, Pubkey], Heard]:
    found = Heard(second * 1_000, number, beat(ONE, second, number), previous)
    return {(ORDER.address, WORKER.pubkey()): found}


async def observed(witness: Witness, at: int = AT) -> Observation:
    data = await witness.observation(at, LEASE.address, 0.0)
    assert data is not None
    return read(data, NETWORK)


def watched(by: Signer = ONE, until: int = AT) -> Witness:
    """A witness of the five minutes before one: both leases beat 20 seconds before each."""
    witness, (one, two) = Witness(NETWORK, by), (LEASE, OTHER)
    for minute in range(until - 300, until, 60):
        assert witness.note(minute + 5, [one, two], loud(minute - 20, minute - 20))
    return witness


OTHER = lease(ORDER, "two", number=7)


def loud(one: int, two: int) -> dict[tuple[Pubkey, Pubkey], Heard]:
    return heard(one) | {(ORDER.address, OTHER.worker): Heard(two * 1_000, 7, b"")}


async def test_a_beat_from_after_the_minute_leaves_the_one_before() -> None:
    witness = watched()
    (before,) = heard(AT - 20).values()
    assert witness.note(AT + 12, [LEASE], heard(AT + 10, before))
    found = await observed(witness)
    assert (found.at, found.last_beat, found.leased, found.heard) == (AT, AT - 20, 1, 1)
    assert counted((await witness.observation(AT, LEASE.address, 0.0)) or b"") == [str(ONE.pubkey())]


async def test_a_minute_is_noted_once_and_what_is_silent_is_told() -> None:
    witness = watched()
    assert witness.note(AT + 1, [LEASE, OTHER], loud(AT - 200, AT - 5))
    assert not witness.note(AT + 20, [], {})
    assert witness.silent(AT) == [LEASE.address] and witness.silent(AT + 60) == []
    deaf = watched()
    assert deaf.note(AT, [LEASE, OTHER], {}) and deaf.silent(AT) == []


async def test_a_beat_of_an_earlier_lease_and_a_lease_that_has_just_begun_are_not_seen() -> None:
    witness = watched()
    witness.note(AT, [LEASE], heard(AT - 20, number=6))
    assert (await observed(witness)).last_beat == 0
    young = replace(LEASE, start=AT, stop=AT + 3_600)
    again = Witness(NETWORK, ONE)
    again.note(AT, [young], heard(AT))
    assert await again.observation(AT, young.address, 0.0) is None


@pytest.mark.parametrize("late", [26, 45, 59])
async def test_a_minute_that_is_looked_at_late_is_not_judged(late: int) -> None:
    """Of a device that beats each 30 seconds a board has no BEAT of before the minute any more."""
    witness = watched()
    assert not witness.note(AT + late, [LEASE, OTHER], loud(AT + late - 1, AT + late - 1))
    assert witness.silent(AT) == [] and await witness.observation(AT, LEASE.address, 0.0) is None


async def test_who_is_heard_since_the_minute_alone_is_not_said_to_be_silent() -> None:
    """Its clock may be 30 seconds ahead; after a restart a board has one BEAT alone."""
    (before,) = heard(AT + 1).values()
    for found in (heard(AT + 10), heard(AT + 31, before)):
        witness = watched()
        assert witness.note(
            AT + 12, [LEASE, OTHER], found | {(ORDER.address, OTHER.worker): Heard(AT * 1_000, 7, b"")}
        )
        assert witness.silent(AT) == [] and await witness.observation(AT, LEASE.address, 0.0) is None


@pytest.mark.parametrize("outage", [95, 150, 200, 600])
async def test_devices_that_come_back_first_do_not_make_the_others_lost(outage: int) -> None:
    """All beat each 30 seconds, at times of their own, and nothing comes through for a while."""
    leases = [lease(ORDER, f"device {each}", number=7) for each in range(30)]
    for phase in range(0, 60, 7):
        witness = Witness(NETWORK, ONE)
        begins = AT + phase
        ends = begins + outage
        for minute in range(AT - 300, AT + 1_200, 60):
            found = {}
            for each, one in enumerate(leases):
                beats = [
                    second for second in range(AT - 600 + each, minute + 5, 30) if not begins <= second < ends
                ]
                before = Heard(beats[-2] * 1_000, 7, b"")
                found[ORDER.address, one.worker] = Heard(beats[-1] * 1_000, 7, b"", before)
            assert witness.note(minute + 5, leases, found)
            assert witness.silent(minute) == []


async def test_who_has_just_begun_to_listen_finds_nobody_silent_for_three_minutes() -> None:
    witness = Witness(NETWORK, ONE)
    silent = []
    for minute in range(AT, AT + 300, 60):
        witness.note(minute, [LEASE, OTHER], loud(AT - 400, minute - 5))
        silent.append(witness.silent(minute))
    assert silent == [[], [], [], [LEASE.address], [LEASE.address]]


async def test_a_chain_whose_clock_is_behind_makes_no_young_lease_silent() -> None:
    witness, behind = watched(), 900
    young = replace(lease(ORDER, "three", number=7), start=AT - behind, stop=AT + 36_000)
    witness.note(AT, [LEASE, OTHER, young], loud(AT - 5, AT - 5))
    assert witness.silent(AT) == [] and await witness.observation(AT, young.address, 0.0) is None


class Program:
    """A signer that isn't a key in this process."""

    pubkey = ONE.pubkey
    sign_message = ONE.sign_message


async def test_minutes_are_forgotten_and_a_program_s_signatures_are_limited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "SIGNATURES", replace(module.SIGNATURES, burst=2))
    witness = watched(by=Program())  # type: ignore[arg-type]
    for minute in range(AT, AT + 240, 60):
        witness.note(minute, [LEASE, OTHER], loud(AT - 400, minute - 20))
    assert await witness.observation(AT - 120, LEASE.address, 0.0) is None
    for _ in range(2):
        for minute in (AT, AT + 60):
            assert await witness.observation(minute, OTHER.address, 0.0)
    with pytest.raises(TooMany):
        await witness.observation(AT + 120, OTHER.address, 0.0)
    # Whoever asks for those that are heard keeps nobody from what is to be judged.
    assert witness.silent(AT + 120) == [LEASE.address]
    assert await witness.observation(AT + 120, LEASE.address, 0.0)


async def test_nobody_uses_up_what_a_key_signs() -> None:
    witness = watched()
    for _ in range(2_000):
        assert await witness.observation(AT - 60, OTHER.address, 0.0)
