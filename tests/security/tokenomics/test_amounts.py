"""Amounts: nothing, too much, sums that overflow; and that what a table or a root promises is bounded."""

from collections.abc import Callable

import pytest
from solders.instruction import AccountMeta, Instruction

from keeper.chain import token
from keeper.clients import tokenomics as client
from keeper.clients.tokenomics import MINT, PROGRAM
from keeper.economy.calendar import month_start
from keeper.economy.genesis import Row, read_table
from keeper.economy.seasons import Claim, leaf
from keeper.economy.supply import GENESIS_SUPPLY, IO, MAX_SUPPLY
from keeper.economy.vesting import Schedule
from tests.programs.world import DAY, START_MONTH, World
from tests.security.outcomes import refused, rehearsed
from tests.security.people import address, do
from tests.security.tokenomics import stages
from tests.security.tokenomics.stages import stage

ADMIN, ALICE, BOB = address("admin"), address("alice"), address("bob")
MOST = 2**64 - 1
LAST = read_table()[-1]
SEASON = 9

# -- the genesis table -----------------------------------------------------------------------

ROWS: dict[str, tuple[str, tuple[int, int, int, int], int, str]] = {
    "nothing": ("table", (0, 0, 0, 1), LAST.id, "AllocationInvalid"),
    "a base unit more than genesis": (
        "table",
        (LAST.schedule.amount + 1, 0, 0, 1),
        LAST.id,
        "AllocationsExceedGenesis",
    ),
    "all there is": ("table", (MOST, 0, 0, 1), LAST.id, "Overflow"),
    "a share over one": ("table", (1, 10_001, 0, 1), LAST.id, "AllocationInvalid"),
    "a share of all, and tranches": ("table", (1, 10_000, 0, 1), LAST.id, "AllocationInvalid"),
    "a share of all, and a cliff": ("table", (1, 10_000, 1, 0), LAST.id, "AllocationInvalid"),
    "a part that is never due": ("table", (1, 9_999, 0, 0), LAST.id, "AllocationInvalid"),
    "a number left out": ("table", (1, 0, 0, 1), LAST.id + 1, "AllocationOutOfOrder"),
    "beyond a full table": ("complete", (1, 0, 0, 1), LAST.id + 1, "AllocationsExceedGenesis"),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_that_can_not_be(name: str) -> None:
    where, schedule, number, error = ROWS[name]
    row = Row(number, "row", Schedule(*schedule))
    assert refused(stage(where), client.add_allocation(ADMIN, row, ALICE)) == error


def test_no_launch_before_the_table_is_full() -> None:
    """Nor when it lacks a single base unit."""
    world = stages.STAGES["table"]()
    assert refused(world, client.launch(ADMIN, START_MONTH)) == "AllocationsIncomplete"
    most = Row(LAST.id, "most", Schedule(LAST.schedule.amount - 1, 0, 0, 1))
    do(world, client.add_allocation(ADMIN, most, ALICE))
    assert refused(world, client.launch(ADMIN, START_MONTH)) == "AllocationsIncomplete"
    do(world, client.add_allocation(ADMIN, Row(LAST.id + 1, "rest", Schedule(1, 0, 0, 1)), ALICE))
    do(world, client.launch(ADMIN, START_MONTH))


def test_a_table_has_at_most_255_rows() -> None:
    """The 256th can't be counted in a byte: refused, not wrapped to row 0."""
    world = stages.table(0)
    for number in range(255):
        do(world, client.add_allocation(ADMIN, Row(number, "row", Schedule(1, 0, 0, 1)), ALICE))
    last = Row(255, "row", Schedule(1, 0, 0, 1))
    assert refused(world, client.add_allocation(ADMIN, last, ALICE)) == "Overflow"


BEFORE_LAUNCH: dict[str, tuple[Callable[[], Instruction], str]] = {
    "release": (lambda: client.release(0, address("seed")), "NotLaunched"),
    "emit": (client.emit, "NotLaunched"),
    "open_season": (lambda: open_season([1, 0, 0]), "NotLaunched"),
    "burn": (lambda: client.burn(ALICE, 1, expected=0), "Overflow"),
    "sync_burned": (client.sync_burned, "NothingDue"),
}


@pytest.mark.parametrize("name", BEFORE_LAUNCH)
def test_before_launch_nothing_moves(name: str) -> None:
    world = stages.STAGES["complete"]()
    for wallet in (ADMIN, ALICE):
        world.do(token.create_associated(world.payer.pubkey(), wallet, MINT))
    call, error = BEFORE_LAUNCH[name]
    assert refused(world, call()) == error


# -- seasons ---------------------------------------------------------------------------------


def open_season(
    pools: list[int],
    *,
    leaves: int = 1,
    root: bytes = b"\1" * 32,
    number: int = SEASON,
    now: int | None = None,
) -> Instruction:
    start = (stage("running").chain.now() if now is None else now) + DAY
    arguments = {
        "season": number,
        "root": root,
        "data_hash": bytes(32),
        "leaves": leaves,
        "pools": pools,
        "claim_start": start,
        "claim_end": start + 30 * DAY,
    }
    return PROGRAM.instruction(
        "open_season", arguments, admin=ADMIN, funder_tokens=client.tokens_address(ADMIN)
    )


SEASONS: dict[str, tuple[Callable[[], Instruction], str]] = {
    "of nothing": (lambda: open_season([0, 0, 0]), "SeasonInvalid"),
    "for nobody": (lambda: open_season([1, 0, 0], leaves=0), "SeasonInvalid"),
    "without a root": (lambda: open_season([1, 0, 0], root=bytes(32)), "SeasonInvalid"),
    "whose pools overflow": (lambda: open_season([MOST, 1, 0]), "Overflow"),
    "whose pools wrap to 1": (lambda: open_season([MOST, 1, 1]), "Overflow"),
    "of more than the funder has": (lambda: open_season([GENESIS_SUPPLY, 0, 0]), "Token.InsufficientFunds"),
}


@pytest.mark.parametrize("name", SEASONS)
def test_a_season_that_can_not_be(name: str) -> None:
    call, error = SEASONS[name]
    assert refused(stage("running"), call()) == error


def claim(number: int, index: int, wallet: str, amount: int, proof: bytes = b"") -> Instruction:
    return client.claim_season(number, index, address(wallet), amount, proof)


def single(world: World, amount: int, pools: list[int], *, number: int = SEASON, index: int = 0) -> None:
    """A season of one leaf, alice's, whose amount need not be what the pools hold; its claims open."""
    root = leaf(PROGRAM.address, MINT, number, Claim(index, ALICE, amount))
    call = open_season(pools, leaves=index + 1, root=root, number=number, now=world.chain.now())
    page = client.open_claim_page(ALICE, number, index // client.PAGE_CLAIMS)
    do(world, call, page)
    world.chain.advance(DAY)


@pytest.mark.parametrize("amount", [10 * IO + 1, MOST])
def test_a_root_over_more_than_the_pools_hold(amount: int) -> None:
    world = stages.running()
    single(world, amount, [4 * IO, 5 * IO, IO])
    assert refused(world, claim(SEASON, 0, "alice", amount)) == "PoolsExhausted"


def test_the_pools_to_the_last_base_unit_and_no_further() -> None:
    world = stages.running()
    single(world, 10 * IO, [4 * IO, 5 * IO, IO])
    before = world.balance(ALICE)
    do(world, claim(SEASON, 0, "alice", 10 * IO))
    assert world.balance(ALICE) - before == 10 * IO
    assert world.tokens(client.season_vault_address(SEASON)) == 0


def test_another_seasons_tokens_pay_nothing_here() -> None:
    """A leaf far over its season's pools, while another season's vault has plenty."""
    world = stages.running()
    single(world, 50 * IO, [IO, 0, 0])
    rich = client.season_vault_address(stages.RUNNING)
    assert world.tokens(rich) > 50 * IO
    call = claim(SEASON, 0, "alice", 50 * IO)
    assert refused(world, call) == "PoolsExhausted"
    metas = list(call.accounts)
    metas[2] = AccountMeta(rich, False, True)
    assert refused(world, Instruction(call.program_id, call.data, metas)) == "WrongAccount"


def test_a_leaf_of_nothing() -> None:
    world = stages.running()
    single(world, 0, [IO, 0, 0])
    assert refused(world, claim(SEASON, 0, "alice", 0)) == "ZeroAmount"


def test_the_last_index_and_the_one_after() -> None:
    """A page's last bit, the next page's first, and an index past the leaves though its page exists."""
    world = stages.running()
    edge = client.PAGE_CLAIMS
    single(world, 1, [IO, 0, 0], index=edge)
    assert refused(world, client.open_claim_page(ALICE, SEASON, 2)) == "PageOutOfRange"
    assert refused(world, client.open_claim_page(ALICE, SEASON, 2**32 - 1)) == "PageOutOfRange"
    assert refused(world, claim(SEASON, edge + 1, "alice", 1)) == "IndexOutOfRange"
    do(world, client.open_claim_page(ALICE, SEASON, 0))
    call = claim(SEASON, edge, "alice", 1)
    metas = list(call.accounts)
    metas[1] = AccountMeta(client.claim_page_address(SEASON, 0), False, True)
    assert refused(world, Instruction(call.program_id, call.data, metas)) == "WrongPage"
    assert refused(world, claim(SEASON, edge - 1, "alice", 1)) == "InvalidProof"
    do(world, call)
    assert refused(world, call) == "AlreadyClaimed"


# -- burning ---------------------------------------------------------------------------------

BURNS = {
    "nothing": (0, "ZeroAmount"),
    "more than one has": (9_000 * IO, "Token.InsufficientFunds"),
    "more than there is": (MAX_SUPPLY, "Overflow"),
    "the most a number holds": (MOST, "Overflow"),
}


@pytest.mark.parametrize("name", BURNS)
def test_a_burn_that_can_not_be(name: str) -> None:
    amount, error = BURNS[name]
    assert refused(stage("running"), stages.burn(stage("running"), amount)) == error


def test_who_burns_again_by_a_lie_about_the_first_burns_once() -> None:
    """Also when the account isn't empty after it. What strangers send to it beside holds nothing up."""
    world = stages.running()
    held, burn = world.balance(ALICE), stages.burn(world, 7 * IO)
    for other in (held + 1, MOST):
        assert refused(world, stages.burn(world, 7 * IO, other)) == "NotAsExpected"
    tokens = client.tokens_address(ALICE)
    do(world, token.transfer(client.tokens_address(BOB), tokens, BOB, 1), burn)
    assert refused(world, burn) == "NotAsExpected"
    assert world.balance(ALICE) == held + 1 - 7 * IO
    do(world, stages.burn(world, held + 1 - 7 * IO))
    assert world.balance(ALICE) == 0


def test_burns_on_the_token_program_are_counted_once() -> None:
    """Mixed with the program's own, before and after, in one transaction and apart: all are counted."""
    world = stages.running()
    do(world, client.sync_burned())
    start = world.config().burned
    direct = token.burn(client.tokens_address(ALICE), MINT, ALICE, 3)
    do(world, direct, stages.burn(world, 5, world.balance(ALICE) - 3), direct)
    assert world.config().burned == start + 8
    do(world, client.sync_burned())
    assert refused(world, client.sync_burned()) == "NothingDue"
    assert world.config().burned == start + 11
    assert world.supply() == GENESIS_SUPPLY + world.config().emitted - start - 11


def test_burning_makes_no_room_to_mint() -> None:
    """Everything alice has is burned; the emission ends at the same figure to the base unit."""
    world = stages.running()
    do(world, stages.burn(world, world.balance(ALICE)))
    world.chain.warp_to(month_start(START_MONTH + 240))
    do(world, client.emit())
    config = world.config()
    assert GENESIS_SUPPLY + config.emitted == MAX_SUPPLY
    assert world.supply() == MAX_SUPPLY - config.burned
    world.chain.advance(365 * DAY)
    assert refused(world, client.emit()) == "NothingDue"


def test_vesting_pays_the_whole_table_and_no_more() -> None:
    world = stages.launched()
    world.chain.warp_to(month_start(START_MONTH + 60))
    for row in read_table():
        if rehearsed(world, client.release(row.id, address(row.label))) is None:
            do(world, client.release(row.id, address(row.label)))
    assert world.config().released == GENESIS_SUPPLY
    assert world.tokens(client.GENESIS_VAULT) == 0
    world.chain.advance(3_650 * DAY)
    assert refused(world, client.release(0, address("seed"))) == "NothingDue"
