"""The same thing twice under other names, and after what it was made with has ended."""

from collections.abc import Callable

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.system_program import TransferParams, transfer

from keeper.clients import tokenomics as client
from keeper.economy.genesis import Row, read_table
from keeper.economy.supply import GENESIS_SUPPLY
from tests.programs.tokenomics.seasons import distribution
from tests.programs.world import DAY, HOUR, START, START_MONTH, World
from tests.security.outcomes import refused
from tests.security.people import address, do
from tests.security.tokenomics import stages
from tests.security.tokenomics.calls import CALLS, LAST_ROW, claim
from tests.security.tokenomics.stages import CLOSED, ENDED, RUNNING, WAITING, season_amounts

ADMIN, ALICE, GUARDIAN = address("admin"), address("alice"), address("guardian")


def scene(name: str) -> tuple[World, Instruction]:
    world = stages.STAGES[CALLS[name].stage]()
    return world, CALLS[name].build(world)


def test_launch_again_with_another_month() -> None:
    world, call = scene("launch")
    do(world, call)
    assert refused(world, client.launch(ADMIN, START_MONTH + 1)) == "AlreadyLaunched"
    assert world.supply() == GENESIS_SUPPLY


def test_a_row_added_after_launch() -> None:
    world, call = scene("release")
    late = Row(len(read_table()), "late", LAST_ROW.schedule)
    assert refused(world, client.add_allocation(ADMIN, late, ALICE)) == "AlreadyLaunched"
    do(world, call)


def test_emission_is_the_same_however_often_it_is_called() -> None:
    """Two chains, one asked every hour of two days and twice, one asked once: the same supply."""
    often, seldom = stages.launched(), stages.launched()
    for world in (often, seldom):
        world.chain.warp_to(START)
    assert refused(often, client.emit()) == "NothingDue"
    for _ in range(48):
        often.chain.advance(HOUR)
        do(often, client.emit())
        assert refused(often, client.emit()) == "NothingDue"
    seldom.chain.advance(2 * DAY)
    do(seldom, client.emit())
    assert often.config().emitted == seldom.config().emitted > 0
    assert often.supply() == seldom.supply()


def test_nobody_claims_two_leaves_at_the_price_of_one() -> None:
    """Bob's claim doesn't open alice's bit again, in whatever order and however mixed."""
    world = stages.running()
    alice, bob = claim(RUNNING, "alice"), claim(RUNNING, "bob")
    assert refused(world, alice, bob, alice) == "AlreadyClaimed"
    do(world, bob, alice)
    for each in (alice, bob):
        assert refused(world, each) == "AlreadyClaimed"


# -- after the end ---------------------------------------------------------------------------


def page_reopened() -> list[Instruction]:
    return [client.open_claim_page(ALICE, CLOSED, 0)]


def page_closed_then_claimed() -> list[Instruction]:
    """Lamports sent in the transaction that closes the page keep an account there, but an empty one."""
    page = client.claim_page_address(CLOSED, 0)
    revive = transfer(TransferParams(from_pubkey=ALICE, to_pubkey=page, lamports=10**8))
    return [client.close_claim_page(CLOSED, 0, ALICE), revive, claim(CLOSED, "alice")]


def page_closed_then_reopened() -> list[Instruction]:
    return [client.close_claim_page(CLOSED, 0, ALICE), client.open_claim_page(ALICE, CLOSED, 0)]


def season_opened_again() -> list[Instruction]:
    start = START + 365 * DAY
    season = distribution(CLOSED, season_amounts(CLOSED))
    return [client.open_season(ADMIN, season, start, start + 30 * DAY)]


AFTER_THE_END: dict[str, tuple[Callable[[], list[Instruction]], str]] = {
    "a claim of a closed season": (lambda: [claim(CLOSED, "alice")], "SeasonNotOpen"),
    "its page made anew": (page_reopened, "System.AccountAlreadyInUse"),
    "its page closed and claimed on": (page_closed_then_claimed, "AccountDataTooSmall"),
    "its page closed and made anew": (page_closed_then_reopened, "SeasonNotOpen"),
    "the season opened again": (season_opened_again, "System.AccountAlreadyInUse"),
    "its vault ended again": (lambda: [client.close_season(CLOSED, ADMIN)], "AccountDataTooSmall"),
    "a veto of it": (lambda: [client.cancel_season(GUARDIAN, CLOSED)], "SeasonNotOpen"),
    "ended, then claimed in one": (
        lambda: [client.close_season(ENDED, ADMIN), claim(ENDED, "alice")],
        "SeasonNotOpen",
    ),
    "vetoed, then claimed in one": (
        lambda: [
            client.cancel_season(GUARDIAN, WAITING),
            client.open_claim_page(ALICE, WAITING, 0),
            claim(WAITING, "alice"),
        ],
        "SeasonNotOpen",
    ),
    "vetoed, paid back, then claimed in one": (
        lambda: [
            client.open_claim_page(ALICE, WAITING, 0),
            client.cancel_season(GUARDIAN, WAITING),
            client.close_season(WAITING, ADMIN),
            claim(WAITING, "alice"),
        ],
        # Its vault is gone, which is only compared by its address.
        "SeasonNotOpen",
    ),
    "paid back twice in one": (
        lambda: [client.close_season(ENDED, ADMIN), client.close_season(ENDED, ADMIN)],
        "AccountDataTooSmall",
    ),
    "a page of an open season closed": (
        lambda: [client.close_claim_page(RUNNING, 0, ALICE)],
        "SeasonStillOpen",
    ),
    "a page of an open season closed by a closed one": (
        lambda: [with_season(client.close_claim_page(RUNNING, 0, ALICE), CLOSED)],
        "WrongPage",
    ),
}


def with_season(call: Instruction, number: int) -> Instruction:
    metas = list(call.accounts)
    metas[1] = AccountMeta(client.season_address(number), False, False)
    return Instruction(call.program_id, call.data, metas)


@pytest.mark.parametrize("name", AFTER_THE_END)
def test_nothing_comes_back_to_life(name: str) -> None:
    build, error = AFTER_THE_END[name]
    assert refused(stages.running(), *build()) == error


def test_lamports_at_a_closed_vault_open_nothing() -> None:
    world = stages.running()
    vault = client.season_vault_address(CLOSED)
    do(world, transfer(TransferParams(from_pubkey=ALICE, to_pubkey=vault, lamports=10**7)))
    assert refused(world, client.close_season(CLOSED, ADMIN)) == "AccountDataTooSmall"
    assert refused(world, claim(CLOSED, "alice")) == "SeasonNotOpen"
