"""Good hours by what operators saw; who can cost whom anything."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.compute.liveness import (
    Hired,
    Observation,
    ObservationError,
    Reason,
    Verdict,
    Wave,
    decode,
    require_proven,
    silence,
    unserved,
)
from tests.keeper.compute import independent
from tests.keeper.compute.messages import BODIES, MS, NETWORK, OPERATOR, ORDER, WORKER, signed

GOLDEN = json.loads(independent.VECTORS.read_text())
START, AT = GOLDEN["silence"]["start"], GOLDEN["silence"]["at"]
LEASE = Hired("CpTgEHcUxnMKzKv9m4nf3fM3Uomjgr8fEpFrj5K1qaYo", START - 86_400, 7, START, START + 36_000)
NOON = START + 7_200
"""Two hours into the lease."""


def seen(operator: int, last_beat: int = 0, heard: int = 90, leased: int = 100, **changed) -> Observation:
    return replace(Observation(f"operator {operator}", AT, LEASE, last_beat, leased, heard), **changed)


@pytest.mark.parametrize("case", GOLDEN["silence"]["cases"], ids=lambda each: each["name"])
def test_the_vectors(case) -> None:
    rows = [
        seen(n, beat or 0, heard, case["leased"], reached=since[0] if since else 0)
        for n, (beat, heard, *since) in enumerate(case["rows"])
    ]
    wanted = case["found"]
    for each in permutations(rows):
        found = silence(each, case["k"])
        assert (found and found.good_hours) == (wanted and wanted[0])


def test_what_the_vectors_say_in_numbers() -> None:
    found = {each["name"]: each["found"] for each in GOLDEN["silence"]["cases"]}
    assert found["all silent since the fourth hour"] == [4, START + 14_405]
    assert found["all silent a second before the fourth hour"] == [3, START + 14_399]
    assert found["179 seconds"] is None and found["180 seconds"] == [4, AT - 180]
    assert found["the network failed"] is None and found["one operator hears it"] == [4, START + 14_400]
    assert found["never a beat"] == [0, START]
    assert found["one operator is blind and one hears it"] is None
    assert found["most are off and others reach it"] == [2, START + 7_300]
    assert found["most are off for 90 minutes"] == [3, AT - 5_400]
    assert found["the only device is off"] == [2, START + 7_300]
    for name in (
        "most are off for a second less",
        "it was reached for a second less",
        "one alone was reached",
    ):
        assert found[name] is None


def test_equal_verdicts_have_the_hash_that_the_vectors_have() -> None:
    mine = silence([seen(0, START + 14_400), seen(1, START + 14_401)], 2)
    other = silence([seen(2, START + 15_000), seen(3, START + 14_999)], 2)
    assert mine == other == Verdict(LEASE.device, START - 86_400, 7, 4, Reason.SILENT)
    assert mine.encode().decode() == (
        '{"device":"CpTgEHcUxnMKzKv9m4nf3fM3Uomjgr8fEpFrj5K1qaYo","good_hours":4,"number":7,'
        f'"reason":"silent","registered_at":{START - 86_400},"rule":2}}'
    )
    assert mine.hash() == other.hash() and mine.hash().hex() == GOLDEN["evidence"]


@given(
    st.lists(st.integers(START - 100, AT), min_size=3, max_size=7),
    st.lists(st.booleans(), min_size=7, max_size=7),
    st.data(),
)
def test_fewer_than_k_operators_never_cost_a_device_anything(beats, sighted, data) -> None:
    """Whatever all but k of n operators say, a device that k of them hear isn't lost."""
    n = len(beats)
    k = n // 2 + 1
    rows = [seen(each, beat, 90 if sighted[each] else 0) for each, beat in enumerate(beats)]
    hears = data.draw(st.permutations(range(n)))[:k]
    honest = [replace(row, last_beat=AT - 60) if n_ in hears else row for n_, row in enumerate(rows)]
    assert silence(honest, k) is None


@given(st.lists(st.integers(START, AT - 180), min_size=5, max_size=5), st.integers(0, 4), st.integers(0, AT))
def test_one_liar_of_five_moves_good_hours_no_further_than_an_honest_one_saw(beats, liar, lie) -> None:
    rows = [seen(each, beat) for each, beat in enumerate(beats)]
    honest = sorted(beats[:liar] + beats[liar + 1 :], reverse=True)
    found = silence([replace(each, last_beat=lie) if n == liar else each for n, each in enumerate(rows)], 3)
    assert found is not None
    assert (honest[2] - START) // 3_600 <= found.good_hours <= (honest[1] - START) // 3_600


def test_a_beat_of_after_the_lease_s_end_makes_no_hour() -> None:
    over = replace(LEASE, stop=START + 7_200)
    rows = [seen(each, AT - 200, lease=over) for each in range(3)]
    found = silence(rows, 2)
    assert found is not None and found.good_hours == 2


# -- it beats, and doesn't serve ---------------------------------------------------------------------


ALIVE = {"last_beat": AT - 10}


def probes(**seconds) -> list[Observation]:
    return [seen(each, **ALIVE, probes_failed=(NOON + 10 * each,), **seconds) for each in range(3)]


@pytest.mark.parametrize(
    "said", [{"complaints": (NOON,)}, {"missing": (NOON,)}, {"complaints": (NOON + 300,)}]
)
def test_probe_and_a_renter_s_word_within_ten_minutes(said) -> None:
    found = unserved(probes(**said), 2)
    assert found == Verdict(LEASE.device, START - 86_400, 7, 2, Reason.UNSERVED)


def test_no_word_of_a_renter_s_is_enough_nor_are_all_together() -> None:
    rows = [seen(each, **ALIVE, complaints=(NOON, NOON + 1), missing=(NOON,)) for each in range(3)]
    assert unserved(rows, 2) is None


def test_probes_alone_are_not_enough_and_neither_is_one_operator_s() -> None:
    assert unserved(probes(), 2) is None
    one = probes(complaints=(NOON,))[:1] + [seen(each, **ALIVE, complaints=(NOON,)) for each in (1, 2)]
    assert unserved(one, 2) is None


def test_ten_minutes_and_not_a_second_more() -> None:
    last = NOON + 10  # When the second operator's probe failed.
    assert unserved(probes(complaints=(last - 600,)), 2) is not None
    assert unserved(probes(complaints=(last - 601,)), 2) is None
    assert unserved(probes(complaints=(NOON + 600,)), 2) is not None
    assert unserved(probes(complaints=(NOON + 621,)), 2) is None


@pytest.mark.parametrize(("second", "covers"), [(99, False), (100, True), (190, True), (191, False)])
def test_a_wave_covers_what_is_frozen_and_a_minute_after(second: int, covers: bool) -> None:
    assert Wave(100, 130).covers(second) is covers


def test_ray_has_ten_minutes_to_start_and_nothing_counts_after_the_end() -> None:
    for lease, is_fault in (
        (replace(LEASE, start=NOON - 600), True),
        (replace(LEASE, start=NOON - 599), True),  # The other two operators' probes are late enough.
        (replace(LEASE, start=NOON - 500), False),
        (replace(LEASE, stop=NOON + 11), True),
        (replace(LEASE, stop=NOON + 10), False),
    ):
        rows = [replace(each, lease=lease) for each in probes(complaints=(NOON + 5,))]
        assert (unserved(rows, 2) is not None) == is_fault


# -- files -------------------------------------------------------------------------------------------


def test_an_observation_comes_back_from_its_file_and_no_other_form_is_read() -> None:
    row = seen(0, NOON, complaints=(NOON,), missing=(NOON, NOON + 1))
    assert decode(row.encode()) == row
    for wrong in (b"", b"{}", row.encode() + b" ", row.encode().replace(b'"heard":90', b'"heard":"90"')):
        with pytest.raises(ObservationError):
            decode(wrong)


def test_an_observation_has_the_beat_that_it_is_about() -> None:
    said = {"at": MS // 60_000 * 60 + 60, "lease": replace(LEASE, start=START - 7_200)}
    beat = signed(BODIES[3])
    row = replace(seen(0), operator=str(OPERATOR), last_beat=MS // 1_000, beat=beat.encode().hex(), **said)
    require_proven(row, NETWORK, ORDER, WORKER.pubkey())
    require_proven(decode(row.encode()), NETWORK, ORDER, WORKER.pubkey())
    require_proven(seen(0), NETWORK, ORDER, WORKER.pubkey())
    forged = bytearray(beat.encode())
    forged[-1] ^= 1
    for wrong in (
        replace(row, beat=""),
        replace(row, beat="beat"),
        replace(row, beat=forged.hex()),
        replace(row, beat=signed(BODIES[6]).encode().hex()),
        replace(row, last_beat=row.last_beat + 1),
        replace(row, operator="another"),
        replace(row, lease=replace(row.lease, number=8)),
    ):
        with pytest.raises(ObservationError, match="beat"):
            require_proven(wrong, NETWORK, ORDER, WORKER.pubkey())
    with pytest.raises(ObservationError, match="isn't a beat of"):
        require_proven(row, NETWORK, ORDER, OPERATOR)
    with pytest.raises(ObservationError, match="for order"):
        require_proven(row, NETWORK, OPERATOR, WORKER.pubkey())


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"at": AT + 1}, "full minute"),
        ({"heard": 101}, "no more devices"),
        ({"heard": -1}, "no more devices"),
        ({"last_beat": AT + 1}, "comes after"),
        ({"complaints": (AT + 1,)}, "comes after"),
        ({"probes_failed": (-1,)}, "comes after"),
        ({"version": 3}, "update ionet"),
        ({"reached": AT + 1}, "comes after"),
    ],
)
def test_what_no_operator_can_have_seen(changed, said: str) -> None:
    with pytest.raises(ObservationError, match=said):
        seen(0, **changed)


def test_observations_of_two_leases_or_minutes_or_twice_one_operator_s_are_not_judged() -> None:
    one = seen(0)
    for other in (
        replace(one, operator="x", at=AT + 60),
        replace(one, operator="x", lease=replace(LEASE, number=8)),
    ):
        with pytest.raises(ObservationError, match="one lease and minute"):
            silence([one, other], 2)
    with pytest.raises(ObservationError, match="has one observation"):
        silence([one, one], 2)
    with pytest.raises(ObservationError, match="nothing to judge"):
        unserved([], 1)
    with pytest.raises(ObservationError, match="at least one"):
        silence([one], 0)
    with pytest.raises(ObservationError, match="has begun"):
        replace(LEASE, start=0)
