"""What was seen in an hour, against a model that knows all hours before, and attack by attack."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper import tables
from keeper.pow.codes import HARD, PASSES, SOFT, Code
from keeper.rewards.observed import (
    MEASURED,
    OBSERVED_TABLE,
    VERDICT,
    WHOLE_ALPHA,
    HourSeen,
    WaveSeen,
    failed_hours,
    observations,
    observe,
)
from keeper.rewards.rows import OBSERVATION, RowsError, Work
from tests.keeper.rewards.tables import START, key
from tests.model import observed as model
from tests.model.schedule import HOUR

DEVICES = 3
NOTHING = np.zeros(0, OBSERVED_TABLE)
NONE_MEASURED = np.zeros(0, MEASURED)
THRESHOLD = 2


def column(*names: object) -> np.ndarray:
    return np.array([key(str(each)) for each in names], "S32")


def verdicts(codes: dict[str, int], residency: bool = False) -> np.ndarray:
    return np.array([(key(name), residency, code, 0) for name, code in codes.items()], VERDICT)


ONE = column("one")
ANSWERED = [np.ones((6, 1), bool)] * 3


def hour(number: int, *codes: Code, **changed) -> HourSeen:
    """Hour ``number`` of the device ``one``, which answered all pings, with a wave for each code."""
    start = START + number * HOUR
    waves = [
        WaveSeen(start + 100 * (at + 1), verdicts({"one": code}, changed.get("residency", False)))
        for at, code in enumerate(codes)
    ]
    changed.pop("residency", None)
    whole = HourSeen(start, WHOLE_ALPHA, None, ONE, ONE, waves, ANSWERED, THRESHOLD, NONE_MEASURED)
    return replace(whole, **changed)


def after(*hours: HourSeen) -> list[np.void]:
    """The device's row after each of the hours."""
    table, rows = NOTHING, []
    for each in hours:
        table = observe(each, table)
        rows.append(table[0])
    return rows


def works(*hours: HourSeen) -> list[Work]:
    return [Work(row["work"]) for row in after(*hours)]


def test_by_rule_5_nobody_is_paid_before_a_product_was_opened():
    """Not a new device, nor one whose last that was opened was no product; who was there before goes on."""
    first = [
        hour(number, code) for number, code in enumerate([Code.PASS_UNOPENED, Code.PASS_SLOW, Code.LATE])
    ]
    memory = hour(3, Code.PASS, residency=True)
    rest = [hour(4, Code.PASS), hour(5, Code.PASS_UNOPENED), hour(6, Code.NO_COMMIT)]
    hours = [replace(each, shown_first=True) for each in (*first, memory, *rest)]
    assert works(*hours) == [
        Work.UNSHOWN,
        Work.SLOW,
        Work.SLOW,
        Work.UNSHOWN,
        Work.PASSED,
        Work.PASSED,
        Work.MISSING,
    ]
    caught = [
        replace(hour(at, Code.NO_OPENING if at == 1 else Code.PASS_UNOPENED), shown_first=True)
        for at in range(8)
    ]
    assert works(hour(0, Code.PASS), *caught[1:]) == [Work.PASSED, *[Work.FAILED] * 5, *[Work.UNSHOWN] * 2]
    shown = [*caught[1:4], replace(hour(4, Code.PASS), shown_first=True), *caught[5:]]
    assert works(hour(0, Code.PASS_UNOPENED), *shown)[-2:] == [Work.PASSED] * 2, "it may show while it is out"
    assert works(hour(0, Code.PASS_UNOPENED), caught[2])[-1] == Work.PASSED, "it was there before the rule"


# -- the reference model -----------------------------------------------------------------------

CODES = st.sampled_from([Code.PASS] * 6 + list(Code))


@st.composite
def days(draw: st.DrawFn) -> tuple[list[HourSeen], dict[int, list[model.Past]], int]:
    """Hours in a row as the keeper sees them, and each device's history as the model does."""
    alpha = draw(st.sampled_from([WHOLE_ALPHA, 40_000, 8_192]))
    tested = draw(st.sampled_from([None, WHOLE_ALPHA, 40_000]))
    shown_first = draw(st.booleans())
    joined = [draw(st.integers(0, 3)) for _ in range(DEVICES)]
    hours: list[HourSeen] = []
    pasts: dict[int, list[model.Past]] = {each: [] for each in range(DEVICES)}
    for number in range(draw(st.integers(4, 32))):
        start = START + number * HOUR
        there = [each for each in range(DEVICES) if joined[each] <= number]
        counted = [each for each in there if draw(st.integers(0, 9))]
        # None: the hour has no wave, or it is void.
        waves = draw(st.lists(st.one_of(st.just("wave"), st.none()), max_size=2))
        waves = waves or draw(st.sampled_from([[], ["wave"], ["wave"]]))
        pings = draw(st.sampled_from([0, 1, 5, 6]))
        operators = draw(st.integers(0, 4))
        measured = {each: draw(st.integers(1, 4)) for each in there if draw(st.integers(0, 9)) == 0}
        answers = [
            np.array(
                draw(st.lists(st.booleans(), min_size=pings * len(counted), max_size=pings * len(counted))),
                bool,
            ).reshape(pings, len(counted))
            for _ in range(operators)
        ]
        seen: list[WaveSeen] = []
        codes: dict[int, list[tuple[int, bool, int]]] = {each: [] for each in there}
        shown: dict[int, list[int]] = {each: [] for each in there}
        owing: dict[int, list[bool]] = {each: [] for each in there}
        for at, wave in enumerate(waves):
            time = start + 60 + 300 * at
            residency = at == 0 and draw(st.booleans())
            found = {each: draw(CODES) if wave else Code.VOID for each in counted}
            for each, code in found.items():
                codes[each].append((time, residency, code))
                owing[each].append(code in SOFT and draw(st.booleans()))
                shown[each].append(draw(st.sampled_from([0, 0, 1, 2, 3])) if code != Code.VOID else 0)
            rows = [(key(str(each)), residency, code, shown[each][-1]) for each, code in found.items()]
            late = column(*(each for each in found if owing[each][-1]))
            seen.append(WaveSeen(time, np.array(rows, VERDICT), late))
        hours.append(
            HourSeen(
                start,
                alpha,
                tested,
                column(*there),
                column(*counted),
                draw(st.permutations(seen)),
                answers,
                THRESHOLD,
                np.array([(key(str(each)), tier) for each, tier in measured.items()], MEASURED),
                shown_first,
            )
        )
        took_place = any(code != Code.VOID for each in codes.values() for _, _, code in each)
        for each in there:
            heard = [part[:, counted.index(each)].tolist() for part in answers] if each in counted else None
            pasts[each].append(
                model.Past(
                    start,
                    Fraction(alpha, WHOLE_ALPHA),
                    None if tested is None else Fraction(tested, WHOLE_ALPHA),
                    took_place,
                    codes[each],
                    shown[each],
                    heard,
                    operators,
                    pings,
                    measured.get(each),
                    owing[each],
                    shown_first,
                )
            )
    return hours, pasts, len(hours)


@settings(max_examples=60, deadline=None)
@given(days())
def test_table_and_model_agree(drawn):
    hours, pasts, count = drawn
    table = NOTHING
    for number in range(count):
        table = observe(hours[number], table)
        rows = observations(table)
        assert rows.dtype == OBSERVATION
        found = dict(zip([int(each) for each in rows["device"].tolist()], rows, strict=True))
        for each, past in pasts.items():
            so_far = [hour for hour in past if hour.start <= hours[number].start]
            assert (each in found) == bool(so_far)
            if so_far:
                expected = model.seen(so_far, THRESHOLD)
                names = model.Seen.__dataclass_fields__
                assert model.Seen(*(int(found[each][name]) for name in names)) == expected, (number, each)


def test_the_table_is_published_as_any_other():
    table = observe(hour(0, Code.WORK_WRONG), NOTHING)
    data = b"".join(tables.encode(table))
    assert (tables.decode(data, OBSERVED_TABLE, "observed.csv") == table).all()
    assert observe(hour(1), tables.decode(data, OBSERVED_TABLE, "t"))[0]["failed_until"] == START + 5 * HOUR


# -- work --------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", sorted(HARD))
def test_a_hard_code_holds_for_four_hours_more(code):
    rest = [hour(number, Code.PASS) for number in range(1, 7)]
    assert works(hour(0, code), *rest) == [Work.FAILED] * 5 + [Work.PASSED] * 2


@pytest.mark.parametrize(("alpha", "hours"), [(WHOLE_ALPHA, 4), (40_000, 7), (8_192, 32), (1, 4 * 65_536)])
def test_the_fewer_openings_are_drawn_the_longer_a_hard_code_holds(alpha, hours):
    assert failed_hours(alpha) == hours
    (row,) = after(hour(0, Code.OPEN_ROOT, alpha=alpha))
    assert row["failed_until"] == START + (1 + hours) * HOUR


@pytest.mark.parametrize(
    ("tested", "hours"), [(None, 4), (WHOLE_ALPHA, 24), (WHOLE_ALPHA // 4, 96), (3, 524_288)]
)
def test_a_failed_memory_test_holds_by_its_own_share(tested, hours):
    """It is one wave in six: four openings of it take six times as many hours."""
    (row,) = after(hour(0, Code.OPEN_ROOT, residency=True, tested=tested))
    assert row["failed_until"] == START + (1 + hours) * HOUR
    (row,) = after(hour(0, Code.OPEN_ROOT, residency=False, tested=tested))
    assert row["failed_until"] == START + 5 * HOUR, "a product's holds as ever"


def test_the_fewest_processors_that_a_wave_of_the_hour_told_of():
    table = observe(hour(0, Code.PASS, Code.PASS, Code.PASS), NOTHING)
    assert table["processors_shown"].tolist() == [0]
    several = hour(1, Code.PASS, Code.PASS, Code.PASS)
    for wave, shown in zip(several.waves, (0, 7, 6), strict=True):
        wave.verdicts["shown"] = shown
    table = observe(several, table)
    assert table["processors_shown"].tolist() == [6]
    # An hour without a wave repeats it as it does the work, and the next one tells anew.
    table = observe(hour(2), table)
    assert table["processors_shown"].tolist() == [6]
    assert observe(hour(3, Code.PASS), table)["processors_shown"].tolist() == [0]


def test_a_later_hard_code_never_shortens_an_earlier_one():
    """When more openings are drawn again, what was found while few were still holds as long."""
    rows = after(hour(0, Code.WORK_WRONG, alpha=8_192), hour(1, Code.WORK_WRONG))
    assert [int(row["failed_until"]) for row in rows] == [START + 33 * HOUR] * 2


def test_one_soft_failure_in_24_hours_is_excused_and_not_a_second_one():
    hours = [hour(number, Code.PASS) for number in range(40)]
    hours[2], hours[10] = hour(2, Code.LATE), hour(10, Code.NO_COMMIT)
    found = works(*hours)
    assert [number for number, work in enumerate(found) if work != Work.PASSED] == list(range(10, 26))
    assert set(found[10:26]) == {Work.MISSING}
    hours[10], hours[26] = hour(10, Code.PASS), hour(26, Code.NO_COMMIT)
    assert set(works(*hours)) == {Work.PASSED}, "24 hours are over: the two are one a day"


def test_two_soft_failures_in_one_hour_are_two():
    """A spot wave comes a few minutes after the hour's wave; nothing is free in between."""
    assert works(hour(0, Code.PASS), hour(1, Code.LATE, Code.NO_COMMIT))[-1] == Work.MISSING
    assert works(hour(0, Code.PASS), hour(1, Code.PASS, Code.NO_COMMIT))[-1] == Work.PASSED


def test_the_order_of_waves_and_rows_makes_no_difference():
    both = column("one", "two")
    codes = [{"one": Code.LATE, "two": Code.PASS}, {"two": Code.LATE, "one": Code.NO_COMMIT}]
    waves = [WaveSeen(START + 100 * at, verdicts(each)) for at, each in enumerate(codes)]
    answers = [np.ones((6, 2), bool)] * 3
    one = hour(0, devices=both, counted=both, waves=waves, answers=answers)
    other = replace(one, waves=[replace(each, verdicts=each.verdicts[::-1]) for each in waves[::-1]])
    first, second = observe(one, NOTHING), observe(other, NOTHING)
    assert first.tobytes() == second.tobytes()
    assert (first["soft_at"].tolist(), first["soft_before"].tolist()) == ([START + 100] * 2, [START, 0])


def test_who_never_passed_is_excused_from_nothing():
    """Else a device that proves nothing were paid for its first hour, and again after each day's silence."""
    assert works(hour(0, Code.NO_COMMIT)) == [Work.MISSING]
    away = [hour(number, counted=column(), answers=[]) for number in range(1, 30)]
    assert works(hour(0, Code.NO_COMMIT), *away, hour(30, Code.NO_COMMIT))[-1] == Work.MISSING


def test_a_slow_pass_stays_slow_over_an_excused_failure_and_an_hour_without_a_wave():
    """Else a hired second device on a card would be paid once a day for sending nothing."""
    found = works(hour(0, Code.PASS_SLOW), hour(1, Code.NO_COMMIT), hour(2), hour(3, Code.PASS))
    assert found == [Work.SLOW, Work.SLOW, Work.SLOW, Work.PASSED]


@pytest.mark.parametrize("codes", [(Code.PASS, Code.PASS_SLOW), (Code.PASS_SLOW, Code.PASS)])
def test_a_slow_pass_in_either_wave_makes_the_hour_slow(codes):
    assert works(hour(0, *codes)) == [Work.SLOW]


@pytest.mark.parametrize("code", sorted(PASSES - {Code.PASS_SLOW}))
def test_a_hard_code_in_one_of_two_waves_is_one(code):
    assert works(hour(0, code)) == [Work.PASSED]
    assert works(hour(0, code, Code.COMMIT_CONFLICT)) == [Work.FAILED]
    assert works(hour(0, Code.COMMIT_CONFLICT, code)) == [Work.FAILED]


@pytest.mark.parametrize("codes", [(), (Code.VOID,), (Code.VOID, Code.VOID)])
def test_an_hour_without_a_wave_repeats_the_last_one_three_times_running(codes):
    silent = [hour(number, *codes) for number in range(1, 6)]
    passed = Work.PASSED
    assert works(hour(0, Code.PASS), *silent) == [passed] * 4 + [Work.MISSING] * 2
    again = [hour(6, Code.PASS), hour(7, *codes)]
    assert works(hour(0, Code.PASS), *silent, *again)[-2:] == [passed] * 2, "the count begins anew"
    assert works(*silent) == [Work.MISSING] * 5, "a new device has nothing to repeat"


def test_a_void_wave_beside_a_valid_one_says_nothing():
    assert works(hour(0, Code.VOID, Code.LATE))[-1] == Work.MISSING
    (row,) = after(hour(0, Code.VOID, Code.PASS))
    assert (row["work"], row["carried"]) == (Work.PASSED, 0)


def test_a_device_without_a_verdict_in_a_valid_wave_proved_nothing():
    """It joined in the hour, or its stake was too small at the start."""
    waves = [WaveSeen(START + HOUR + 60, verdicts({"two": Code.PASS}))]
    both = column("one", "two")
    table = observe(hour(0, Code.PASS), NOTHING)
    table = observe(hour(1, devices=both, counted=column("two"), waves=waves), table)
    assert table["work"].tolist() == [Work.MISSING, Work.PASSED]


def test_a_hard_code_is_not_washed_out_by_an_hour_without_stake():
    """Nor by a new registration of the same worker: the table goes by the device's address."""
    away = hour(1, counted=column(), answers=[])
    assert works(hour(0, Code.WORK_WRONG), away, hour(2, Code.PASS))[-1] == Work.FAILED


# -- memory ------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", sorted(HARD | SOFT))
def test_each_failure_in_a_residency_wave_counts_for_24_hours(code):
    """Not to answer is a failure, too: who sees that the memory is asked for would say nothing."""
    rest = [hour(number, Code.PASS) for number in range(1, 25)]
    rows = after(hour(0, code, residency=True), *rest)
    assert [(row["vram_failures"], row["vram_failed_at"]) for row in rows] == [(1, START + 100)] * 24 + [
        (0, 0)
    ]
    assert after(hour(0, code))[0]["vram_failures"] == 0


def test_failures_of_the_memory_test_add_up():
    rows = after(*(hour(number, Code.LATE, residency=True) for number in range(30)))
    assert [int(row["vram_failures"]) for row in rows] == [*range(1, 25), *[24] * 6]
    assert rows[-1]["vram_hours"] == 2**24 - 1


# -- online ------------------------------------------------------------------------------------


def heard(*counts: int, pings: int = 6) -> list[np.ndarray]:
    """Each operator's answers: so many of the pings."""
    return [(np.arange(pings) < count).reshape(pings, 1) for count in counts]


@pytest.mark.parametrize(
    ("answers", "online"),
    [
        (heard(4, 4, 4), True),
        (heard(3, 3, 3), False),
        (heard(4, 4, 0), True),
        (heard(6, 0, 0), False),
        (heard(4, 4, 0, 0), True),
        (heard(4, 0, 0, 0), False),
        (heard(4, 4, 4, 0), True),
        (heard(1, 1, pings=1), True),
    ],
)
def test_more_than_half_of_the_pings_in_half_of_the_files(answers, online):
    (row,) = after(hour(0, Code.PASS, answers=answers))
    assert (row["online"], row["up_since"]) == (online, START if online else 0)


def test_the_run_of_hours_online():
    down = [hour(3, Code.PASS, answers=heard(0, 0, 0))]
    hours = [hour(number, Code.PASS) for number in range(3)], down, [hour(4, Code.PASS), hour(5, Code.PASS)]
    rows = after(*(each for part in hours for each in part))
    assert [int(row["online"]) for row in rows] == [1, 1, 1, 0, 1, 1]
    # In the hour in which it fails it was up before, so it was nominated; the run is over after that.
    assert [(int(row["up_since"]) - START) // HOUR for row in rows] == [0, 0, 0, 0, 4, 4]


def test_two_hours_offline_are_up_since_never():
    rows = after(hour(0, Code.PASS), *(hour(n, Code.PASS, answers=heard(0, 0, 0)) for n in (1, 2)))
    assert [int(row["up_since"]) for row in rows] == [START, START, 0]


@pytest.mark.parametrize("answers", [heard(0, 0, 0, pings=0), [], heard(0)])
def test_where_no_ping_was_drawn_or_too_few_operators_tell_the_last_hour_holds(answers):
    """Nobody can make an hour without pings; one operator alone can't say that all were gone."""
    up, away = hour(0, Code.PASS), hour(0, Code.PASS, answers=heard(0, 0, 0))
    assert after(up, hour(1, Code.PASS, answers=answers))[-1]["online"] == 1
    assert after(away, hour(1, Code.PASS, answers=answers))[-1]["online"] == 0
    assert after(hour(1, Code.PASS, answers=answers))[-1]["online"] == 0, "new, and not seen yet"


# -- tiers, devices, bad input -----------------------------------------------------------------


def test_a_measured_tier_stays_until_the_next_one():
    measured = [np.array([(key("one"), tier)], MEASURED) for tier in (4, 2)]
    rows = after(
        hour(0), hour(1, measured=measured[0]), hour(2), hour(3, measured=measured[1]), hour(4, Code.PASS)
    )
    assert [int(row["measured_tier"]) for row in rows] == [0, 4, 4, 2, 2]


def test_devices_that_are_gone_leave_no_row():
    table = observe(hour(0, Code.PASS), NOTHING)
    table = observe(hour(1, Code.PASS, devices=column("two")), table)
    assert [each.rstrip(b"\0") for each in table["device"].tolist()] == [b"two"]
    assert len(observe(hour(2, devices=column(), counted=column(), answers=[]), table)) == 0


WRONG = {
    "a share of 0 openings": {"alpha": 0},
    "a share of 65537 openings": {"alpha": WHOLE_ALPHA + 1},
    "none may be there twice": {"devices": column("one", "one")},
    "must be sorted": {"counted": column("two", "one"), "answers": []},
    "isn't of the hour": {"waves": [WaveSeen(START + HOUR, verdicts({"one": 1}))]},
    "a verdict of code 12": {"waves": [WaveSeen(START, verdicts({"one": 12}))]},
    "two verdicts on one device": {"waves": [WaveSeen(START, np.repeat(verdicts({"one": 1}), 2))]},
    "measured twice": {"measured": np.repeat(np.array([(key("one"), 1)], MEASURED), 2)},
    "answers to pings": {"answers": [np.ones((6, 1), bool), np.ones((5, 1), bool)]},
    "and 1 devices": {"answers": [np.ones((6, 2), bool)]},
}


@pytest.mark.parametrize("words", WRONG)
def test_what_no_hour_can_be_is_refused(words):
    with pytest.raises(RowsError, match=words):
        observe(hour(0, **WRONG[words]), NOTHING)


def test_a_table_out_of_order_is_refused():
    table = observe(hour(0, Code.PASS), NOTHING)
    with pytest.raises(RowsError, match="none may be there twice"):
        observe(hour(1, Code.PASS), np.concatenate([table, table]))
