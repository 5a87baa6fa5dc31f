"""A keeper that is killed anywhere, many times in a day: in the end it is as if nothing had been."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

from keeper.jobs import names
from tests.keeper.faults import child
from tests.keeper.faults.child import JOBS, PASS, Point
from tests.keeper.faults.day import HOURS, steps
from tests.keeper.faults.kept import ANSWER, QUESTION, Kept, undisturbed

KILLS = int(os.environ.get("IONET_TEST_KILLS", "20"))
"""How often the keeper is killed on each database; more of them by this variable."""


def draw(
    random: Random, number: int, questions: Counter[str], done: Counter[str], killed: Counter[str]
) -> list[Point]:
    """Points for one hour, in a pass' order; jobs that were killed seldom, and that write, come first.

    ``questions`` and ``done`` are how many of them and of steps the jobs take at that hour.
    """
    points: list[Point] = []
    for _ in range(number):
        job = min(done, key=lambda each: (killed[each], random.random()))
        killed[job] += 1
        counts = {QUESTION: questions[job], ANSWER: questions[job], child.STEP: done[job]}
        kind = random.choice([each for each, count in counts.items() if count])
        points.append(Point(kind, job, random.randint(1, counts[kind])))
    return sorted(points, key=lambda each: (PASS.index(each.job), each.number))


async def test_killed_anywhere_in_a_day(new_database: Callable[[], str], tmp_path: Path) -> None:
    """At questions, after answers that never arrive, at statements and commits, in the middle of files."""
    day = await undisturbed(HOURS, tmp_path / "undisturbed")
    kept = await Kept.started(tmp_path / "disturbed", new_database(), HOURS[-1])
    random, planned, died_in = Random(7), Counter[str](), Counter[str]()
    for index, (hour, before) in enumerate(steps(HOURS)):
        kept.world.come_to(hour, before)
        wanted = KILLS * (index + 1) // len(HOURS)
        number = wanted - died_in.total()
        points = draw(random, number, day.questions[index], day.steps[index], planned)
        for point in points:
            if await kept.once(point):
                died_in[(kept.folder / child.AT).read_text()] += 1
        while died_in.total() < wanted:
            # One came to the end before its point: a second time it would look around and do nothing.
            assert await kept.once(Point(ANSWER, child.INDEX, 1))
            died_in[child.INDEX] += 1
        assert not await kept.once()
        if hour != HOURS[-1]:
            await kept.world.second_operator(kept.folder)
    outcome = await kept.outcome()
    print(f"{died_in.total()} kills: {dict(died_in)}")
    assert died_in.total() == KILLS
    assert set(JOBS) <= set(died_in) or 2 * len(PASS) > KILLS
    assert outcome == day.outcome
    assert set(outcome.intents.values()) == {"landed"}


async def test_a_day_has_something_for_every_job(tmp_path: Path) -> None:
    """What the kills are about: otherwise they would show nothing."""
    day = await undisturbed(HOURS, tmp_path / "undisturbed")
    acting = set().union(*day.steps)
    # Faults are voted on by beats, which nobody sends in this day.
    assert {*JOBS, names.FAULTS} == set(names.NAMES), "JOBS in child.py has every job"
    assert set(JOBS) <= acting, "something in day.py for each of them"
    events = Counter(each.split()[1] for each in day.outcome.events)
    for name, least in {
        "Emitted": len(HOURS) - 1,
        "Slashed": 1,
        "SeasonClosed": 1,
        "FaultClosed": 1,
        "PricesClosed": 1,
        "PricesVoted": 5,
        "Posted": 1,
        "LeaseMatched": 8,
        "PayParked": 1,
        "ParkedPaid": 1,
        "OrderClosed": 4,
        "LeaseClosed": 5,
        "Worked": 5,
        "Refund": 3,
        "FeesBurned": 2,
        "AuctionSold": 2,
        "AuctionStarted": 3,
    }.items():
        assert events[name] >= least, (name, events)
    bids = [each for each in day.outcome.intents if each.endswith(":bid")]
    assert bids == ["auction:1:bid"]
