"""What counts of what is said to be operators' observations, and what an operator keeps of each minute."""

from __future__ import annotations

from dataclasses import replace

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

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


async def test_a_beat_from_after_the_minute_leaves_the_one_before() -> None:
    witness = Witness(NETWORK, ONE)
    (before,) = heard(AT - 20).values()
    assert witness.note(AT + 12, [LEASE], heard(AT + 10, before))
    found = await observed(witness)
    assert (found.at, found.last_beat, found.leased, found.heard) == (AT, AT - 20, 1, 1)
    assert counted((await witness.observation(AT, LEASE.address, 0.0)) or b"") == [str(ONE.pubkey())]


async def test_a_minute_is_noted_once_and_what_is_silent_is_told() -> None:
    witness = Witness(NETWORK, ONE)
    other = lease(ORDER, "two", number=7)
    loud = heard(AT - 200) | {(ORDER.address, other.worker): Heard((AT - 5) * 1_000, 7, b"")}
    assert witness.note(AT + 1, [LEASE, other], loud) and not witness.note(AT + 59, [], {})
    assert witness.silent(AT) == [LEASE.address] and witness.silent(AT + 60) == []
    deaf = Witness(NETWORK, ONE)
    assert deaf.note(AT, [LEASE, other], {}) and deaf.silent(AT) == []


async def test_a_beat_of_an_earlier_lease_and_a_lease_that_has_just_begun_are_not_seen() -> None:
    witness = Witness(NETWORK, ONE)
    witness.note(AT, [LEASE], heard(AT - 20, number=6))
    assert (await observed(witness)).last_beat == 0
    young = replace(LEASE, start=AT, stop=AT + 3_600)
    again = Witness(NETWORK, ONE)
    again.note(AT, [young], heard(AT))
    assert await again.observation(AT, young.address, 0.0) is None


async def test_minutes_are_forgotten_and_signatures_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SIGNATURES", replace(module.SIGNATURES, burst=2))
    witness = Witness(NETWORK, ONE)
    for minute in range(7):
        witness.note(AT + 60 * minute, [LEASE], {})
    assert await witness.observation(AT + 60, LEASE.address, 0.0) is None
    for minute in (2, 3, 2, 3):
        assert await witness.observation(AT + 60 * minute, LEASE.address, 0.0)
    with pytest.raises(TooMany):
        await witness.observation(AT + 240, LEASE.address, 0.0)
