"""Before and after each deadline, to the second."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from solders.instruction import Instruction

from keeper.clients import tokenomics as client
from keeper.clients.tokenomics import PROGRAM
from keeper.economy.calendar import month_start
from keeper.economy.genesis import read_table
from tests.programs.tokenomics.seasons import distribution
from tests.programs.world import DAY, HOUR, LISTING, START, START_MONTH, World
from tests.security.outcomes import refused, rehearsed
from tests.security.people import address
from tests.security.tokenomics import stages
from tests.security.tokenomics.calls import NEW_SEASON, claim
from tests.security.tokenomics.stages import ENDED, RUNNING, WAITING, season_amounts, stage

ADMIN, GUARDIAN = address("admin"), address("guardian")
OPENED, SECOND = LISTING, LISTING + 40 * DAY
"""When the seasons of the running stage were opened: the first three, and the waiting one."""
YEARS_20 = month_start(START_MONTH + PROGRAM.constants["EMISSION_MONTHS"])


@dataclass(frozen=True)
class Deadline:
    """A moment at which a call's answer changes; None is success."""

    stage: str
    at: int
    call: Callable[[], Instruction]
    before: str | None
    after: str | None


DEADLINES = {
    "claims open": Deadline("running", OPENED + DAY, lambda: claim(RUNNING, "alice"), "ClaimsNotOpen", None),
    "claims end": Deadline("running", OPENED + 31 * DAY, lambda: claim(ENDED, "alice"), None, "ClaimsEnded"),
    "a season can be vetoed until claims open": Deadline(
        "running", SECOND + DAY, lambda: client.cancel_season(GUARDIAN, WAITING), None, "ClaimsOpen"
    ),
    "a season can be closed once claims have ended": Deadline(
        "running", OPENED + 31 * DAY, lambda: client.close_season(ENDED, ADMIN), "SeasonStillOpen", None
    ),
    "its pages, too": Deadline(
        "running",
        OPENED + 31 * DAY,
        lambda: client.close_claim_page(ENDED, 0, address("alice")),
        "SeasonStillOpen",
        None,
    ),
    "pages are made until claims end": Deadline(
        "running",
        SECOND + 31 * DAY,
        lambda: client.open_claim_page(address("alice"), WAITING, 0),
        None,
        "ClaimsEnded",
    ),
    "an hour of emission ends": Deadline("launched", START + HOUR, client.emit, "NothingDue", None),
    "the emission's last hour ends": Deadline("almost", YEARS_20, client.emit, "NothingDue", None),
    "emission's first month can be this one": Deadline(
        "complete", START + 1, lambda: client.launch(ADMIN, START_MONTH), None, "StartMonthInvalid"
    ),
    "emission's first month is at most 366 days ahead": Deadline(
        "complete",
        month_start(START_MONTH + 13) - 366 * DAY,
        lambda: client.launch(ADMIN, START_MONTH + 13),
        "StartMonthInvalid",
        None,
    ),
    "a cliff ends": Deadline(
        "launched",
        month_start(START_MONTH + 13),
        lambda: client.release(0, address("seed")),
        "NothingDue",
        None,
    ),
    "the clock's first second": Deadline("launched", 0, client.emit, "InvalidClock", "NothingDue"),
    "the calendar's last second": Deadline(
        "launched",
        month_start((9_999 - 1970) * 12 + 11) + 31 * DAY,
        lambda: client.release(0, address("seed")),
        None,
        "InvalidClock",
    ),
}


def almost() -> World:
    """All but the last hour of the emission is minted."""
    world = stages.launched()
    world.chain.warp_to(YEARS_20 - HOUR)
    world.do(client.emit())
    return world


@pytest.mark.parametrize("name", DEADLINES)
def test_to_the_second(name: str) -> None:
    deadline = DEADLINES[name]
    world = {**stages.STAGES, "launched": stages.launched, "almost": almost}[deadline.stage]()
    world.chain.warp_to(deadline.at - 1)
    assert rehearsed(world, deadline.call()) == deadline.before
    world.chain.warp_to(deadline.at)
    assert refused(world, deadline.call()) == deadline.after


@pytest.mark.parametrize("months", [0, 1, 34, 35, 40])
def test_each_tranche_is_due_as_its_month_starts(months: int) -> None:
    """The ecosystem's row: seven months of cliff, then 35 tranches, the last of which is the whole rest."""
    world = stages.launched()
    world.do(client.release(3, address("ecosystem")))
    at = month_start(START_MONTH + 7 + months)
    world.chain.warp_to(at - 1)
    record = rehearsed(world, client.release(3, address("ecosystem")))
    assert record == ("NothingDue" if months == 0 else None)
    if months:
        world.do(client.release(3, address("ecosystem")))
    world.chain.warp_to(at)
    assert refused(world, client.release(3, address("ecosystem"))) == (None if months < 35 else "NothingDue")
    whole = read_table()[3].schedule.amount
    left = whole - whole * 3 // 10
    assert world.balance(address("ecosystem")) == whole - left + left * min(months + 1, 35) // 35


# -- a season's own times --------------------------------------------------------------------

NOTICE, SHORTEST, LONGEST = (
    PROGRAM.constants[name] for name in ("SEASON_NOTICE", "MIN_CLAIM_PERIOD", "MAX_CLAIM_PERIOD")
)
FOREVER = 2**64 - 1
TIMES = {
    "notice to the second": (NOTICE, NOTICE + SHORTEST, None),
    "notice a second short": (NOTICE - 1, NOTICE + SHORTEST, "SeasonNoticeTooShort"),
    "claims from now on": (0, SHORTEST, "SeasonNoticeTooShort"),
    "claims from the past on": (-1, SHORTEST, "SeasonNoticeTooShort"),
    "period a second short": (NOTICE, NOTICE + SHORTEST - 1, "ClaimPeriodInvalid"),
    "longest period": (NOTICE, NOTICE + LONGEST, None),
    "period a second long": (NOTICE, NOTICE + LONGEST + 1, "ClaimPeriodInvalid"),
    "no period": (NOTICE, NOTICE, "ClaimPeriodInvalid"),
    "end before start": (NOTICE, NOTICE - 1, "ClaimPeriodInvalid"),
}


@pytest.mark.parametrize("name", TIMES)
def test_when_a_season_may_be(name: str) -> None:
    world = stage("running")
    start, end, error = TIMES[name]
    now = world.chain.now()
    season = distribution(NEW_SEASON, season_amounts(NEW_SEASON))
    call = client.open_season(ADMIN, season, now + start, now + end)
    assert rehearsed(world, call) == error
    assert error is None or refused(world, call) == error


@pytest.mark.parametrize(("start", "end"), [(FOREVER, FOREVER), (0, FOREVER), (FOREVER, 0)])
def test_times_at_the_end_of_time(start: int, end: int) -> None:
    season = distribution(NEW_SEASON, season_amounts(NEW_SEASON))
    found = refused(stage("running"), client.open_season(ADMIN, season, start, end))
    assert found == ("ClaimPeriodInvalid" if start else "SeasonNoticeTooShort")


@pytest.mark.parametrize("month", [0, START_MONTH - 1, START_MONTH + 13, 2**32 - 1])
def test_a_first_month_out_of_reach(month: int) -> None:
    world = stage("complete")
    assert refused(world, client.launch(ADMIN, month)) == "StartMonthInvalid"
