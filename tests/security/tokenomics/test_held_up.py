"""What one party does to its own token account, or doesn't do, holds up nobody else."""

from collections.abc import Callable

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from keeper.chain import token
from keeper.clients import tokenomics as client
from keeper.clients.tokenomics import MINT, SeasonStatus
from tests.programs.tokenomics.seasons import distribution
from tests.programs.world import DAY, World
from tests.security.outcomes import refused, rehearsed
from tests.security.people import HEIR, SPARE_TOKENS, address, do
from tests.security.tokenomics import stages
from tests.security.tokenomics.calls import NEW_SEASON, claim
from tests.security.tokenomics.stages import ENDED, RUNNING, WAITING, season_amounts, stage
from tests.security.tokens import close, freeze_anyway, set_owner

ADMIN, ALICE, BOB, GUARDIAN, MALLORY = (
    address(name) for name in ("admin", "alice", "bob", "guardian", "mallory")
)

# -- a token account that can't be paid --------------------------------------------------------


def handed_over(world: World, name: str) -> None:
    do(world, set_owner(client.tokens_address(address(name)), address(name), MALLORY))


def closed(world: World, name: str) -> None:
    tokens, owner = client.tokens_address(address(name)), address(name)
    away = token.transfer(tokens, client.tokens_address(MALLORY), owner, world.tokens(tokens))
    do(world, away, close(tokens, owner, owner))


def frozen(world: World, name: str) -> None:
    """Nobody can freeze IO's accounts; were it so all the same."""
    freeze_anyway(world, client.tokens_address(address(name)))


OBSTACLES: dict[str, tuple[Callable[[World, str], None], str]] = {
    "handed over": (handed_over, "NotAssociatedAccount"),
    "closed": (closed, "AccountDataTooSmall"),
    "frozen": (frozen, "Token.AccountFrozen"),
}
obstructed = pytest.mark.parametrize("how", OBSTACLES)


def status(world: World, number: int) -> int:
    return client.parse_season(world.account(client.season_address(number)).data).status


@obstructed
def test_a_veto_needs_nothing_of_the_funder(how: str) -> None:
    """A season whose root robs it: whatever its funder does meanwhile, the guardian stops it."""
    world = stages.running()
    OBSTACLES[how][0](world, "admin")
    do(world, client.open_claim_page(ALICE, WAITING, 0), client.cancel_season(GUARDIAN, WAITING))
    world.chain.advance(2 * DAY)
    before = world.balance(MALLORY)
    assert refused(world, claim(WAITING, "mallory")) == "SeasonNotOpen"
    assert world.balance(MALLORY) == before
    assert world.tokens(client.season_vault_address(WAITING)) == sum(season_amounts(WAITING).values())


@obstructed
def test_what_can_not_be_paid_back_waits_for_its_funder_alone(how: str) -> None:
    """The vetoed season and the one that is over: others' claims, pages and seasons go on."""
    obstruct, error = OBSTACLES[how]
    world = stages.running()
    obstruct(world, "admin")
    do(world, client.open_claim_page(ALICE, WAITING, 0), client.cancel_season(GUARDIAN, WAITING))
    lamports = world.account(ALICE).lamports
    pages = [client.claim_page_address(number, 0) for number in (WAITING, ENDED)]
    rent = sum(world.account(each).lamports for each in pages)
    for number in (WAITING, ENDED):
        assert refused(world, client.close_season(number, ADMIN)) == error
        do(world, client.close_claim_page(number, 0, ALICE))
    assert world.account(ALICE).lamports - lamports == rent
    do(world, claim(RUNNING, "bob"))


@obstructed
def test_who_signs_is_paid_into_any_account_of_its_own(how: str) -> None:
    """A claim has an end, and whoever has the associated account need not give it back before."""
    world = stages.running()
    for name in ("alice", "admin"):
        OBSTACLES[how][0](world, name)
    to = SPARE_TOKENS["alice"].pubkey()
    before = world.tokens(to)
    do(world, claim(RUNNING, "alice", to=to))
    assert world.tokens(to) - before == season_amounts(RUNNING)[ALICE]
    assert refused(world, claim(RUNNING, "alice", to=to)) == "AlreadyClaimed"
    do(world, client.cancel_season(GUARDIAN, WAITING))
    to = SPARE_TOKENS["admin"].pubkey()
    for number in (WAITING, ENDED):
        before = world.tokens(to)
        do(world, client.close_season(number, ADMIN, to=to))
        assert world.tokens(to) - before == sum(season_amounts(number).values())


SIGNED: dict[str, Callable[[Pubkey], Instruction]] = {
    "a claim": lambda to: claim(RUNNING, "alice", to=to),
    "a season's rest": lambda to: client.close_season(ENDED, ADMIN, to=to),
}


@pytest.mark.parametrize("name", SIGNED)
def test_nobody_signs_for_another_and_none_is_paid_into_anothers(name: str) -> None:
    world = stage("running")
    whose = "alice" if name == "a claim" else "admin"
    to = SPARE_TOKENS[whose].pubkey()
    call = SIGNED[name](to)
    unsigned = [AccountMeta(each.pubkey, False, each.is_writable) for each in call.accounts]
    assert refused(world, Instruction(call.program_id, bytes(call.data), unsigned)) == "NotAssociatedAccount"
    for other in (SPARE_TOKENS["mallory"].pubkey(), client.tokens_address(MALLORY), client.REWARD_VAULT):
        assert refused(world, SIGNED[name](other)) == "NotAssociatedAccount"
    mine = world.tokens(to)
    assert rehearsed(world, call) is None
    assert world.tokens(to) == mine


def test_the_money_goes_back_once_the_account_is_the_funders_again() -> None:
    world = stages.running()
    tokens = client.tokens_address(ADMIN)
    do(world, set_owner(tokens, ADMIN, MALLORY), client.cancel_season(GUARDIAN, WAITING))
    for _ in range(2):
        assert refused(world, client.close_season(WAITING, ADMIN)) == "NotAssociatedAccount"
        assert status(world, WAITING) == SeasonStatus.CANCELLED
        world.chain.advance(400 * DAY)
    do(world, set_owner(tokens, MALLORY, ADMIN))
    held, lamports = world.tokens(tokens), world.account(ADMIN).lamports
    rent = world.account(client.season_vault_address(WAITING)).lamports
    do(world, client.close_season(WAITING, ADMIN))
    assert world.tokens(tokens) - held == sum(season_amounts(WAITING).values())
    assert world.account(ADMIN).lamports - lamports == rent
    assert world.chain.get(client.season_vault_address(WAITING)) is None
    assert status(world, WAITING) == SeasonStatus.CLOSED


@obstructed
def test_a_claimant_who_can_not_be_paid_keeps_nobody_else_from_theirs(how: str) -> None:
    obstruct, error = OBSTACLES[how]
    world = stages.running()
    obstruct(world, "alice")
    assert refused(world, claim(RUNNING, "alice")) == error
    before = world.balance(BOB)
    do(world, claim(RUNNING, "bob"))
    assert world.balance(BOB) - before == season_amounts(RUNNING)[BOB]
    world.chain.advance(400 * DAY)
    before = world.balance(ADMIN)
    do(world, client.close_season(RUNNING, ADMIN))
    unclaimed = sum(season_amounts(RUNNING).values()) - season_amounts(RUNNING)[BOB]
    assert world.balance(ADMIN) - before == unclaimed


@obstructed
def test_a_beneficiary_who_can_not_be_paid_keeps_nobody_else_from_theirs(how: str) -> None:
    obstruct, error = OBSTACLES[how]
    world = stages.running()
    obstruct(world, "ecosystem")
    assert refused(world, client.release(3, address("ecosystem"))) == error
    do(world, client.release(5, address("launchpool")), client.emit())
    # The way out of the beneficiary's own: another address takes the row over.
    heir = address(HEIR)
    do(world, client.propose_beneficiary(3, address("ecosystem"), heir), client.accept_beneficiary(3, heir))
    do(world, token.create_associated(MALLORY, heir, MINT), client.release(3, heir))
    assert world.balance(heir) > 0


def test_what_is_due_goes_to_whoever_is_the_beneficiary_then() -> None:
    """A stranger may choose the moment: neither gets what is the other's, and none gets it twice."""
    sooner, later = stages.running(), stages.running()
    first, heir = address("ecosystem"), address(HEIR)
    hand_over = [client.propose_beneficiary(3, first, heir), client.accept_beneficiary(3, heir)]
    for world in (sooner, later):
        do(world, token.create_associated(MALLORY, heir, MINT))
    do(sooner, client.release(3, first), *hand_over)
    do(later, *hand_over, client.release(3, heir))
    assert sooner.balance(first) == later.balance(heir) > 0
    assert (sooner.balance(heir), later.balance(first)) == (0, 0)
    for world in (sooner, later):
        assert refused(world, client.release(3, first)) == "NotAssociatedAccount"
        assert refused(world, client.release(3, heir)) == "NothingDue"


def test_a_successor_who_is_silent_takes_nothing() -> None:
    """Row 1's has been proposed for 40 days: the beneficiary is paid, and names another."""
    world = stages.running()
    owner = address("series_a")
    world.chain.advance(400 * DAY)
    do(world, client.release(1, owner), client.propose_beneficiary(1, owner, ALICE))
    assert world.balance(owner) > 0
    assert refused(world, client.accept_beneficiary(1, address(HEIR))) == "NotPendingBeneficiary"
    do(world, client.accept_beneficiary(1, ALICE))


# -- a key that is silent, or in the wrong hands -----------------------------------------------


def test_nobody_has_to_close_a_season_for_its_pages_rent_to_come_back() -> None:
    """Alice paid for the page, and the season's claims are over: that is enough."""
    world = stages.running()
    before, rent = world.account(ALICE).lamports, world.account(client.claim_page_address(ENDED, 0)).lamports
    do(world, client.close_claim_page(ENDED, 0, ALICE))
    assert world.account(ALICE).lamports - before == rent
    assert status(world, ENDED) == SeasonStatus.OPEN
    # Nor does it take anything from the funder's.
    before = world.balance(ADMIN)
    do(world, client.close_season(ENDED, ADMIN))
    assert world.balance(ADMIN) - before == sum(season_amounts(ENDED).values())


def test_a_season_far_away_is_vetoed_like_any_other() -> None:
    """Milliseconds for seconds: claims open in 50,000 years, and the tokens are not gone until then."""
    world = stages.running()
    season = distribution(NEW_SEASON, season_amounts(NEW_SEASON))
    start = 1_000 * world.chain.now()
    before = world.balance(ADMIN)
    do(world, client.open_season(ADMIN, season, start, start + 30 * DAY))
    assert refused(world, client.close_season(NEW_SEASON, ADMIN)) == "SeasonStillOpen"
    world.chain.advance(400 * DAY)
    do(world, client.cancel_season(GUARDIAN, NEW_SEASON), client.close_season(NEW_SEASON, ADMIN))
    assert world.balance(ADMIN) == before


def test_a_page_that_was_closed_is_not_made_again_to_be_claimed_on_twice() -> None:
    world = stages.running()
    assert refused(world, client.close_claim_page(RUNNING, 0, ALICE)) == "SeasonStillOpen"
    do(world, client.close_claim_page(ENDED, 0, ALICE))
    assert refused(world, client.open_claim_page(ALICE, ENDED, 0)) == "ClaimsEnded"
    assert refused(world, claim(ENDED, "alice")) == "AccountDataTooSmall"


def test_pages_that_a_stranger_opens_first_serve_everybody() -> None:
    """Who is first pays the rent, and gets it back; the others claim on it."""
    world = stages.running()
    do(world, client.open_claim_page(MALLORY, WAITING, 0))
    assert refused(world, client.open_claim_page(ALICE, WAITING, 0)) == "System.AccountAlreadyInUse"
    world.chain.advance(DAY)
    before = world.balance(BOB)
    do(world, claim(WAITING, "bob"))
    assert world.balance(BOB) - before == season_amounts(WAITING)[BOB]


def test_a_pause_of_seasons_stops_neither_claims_nor_vetoes_nor_paying_back() -> None:
    world = stages.running()
    until = world.chain.now() + client.PROGRAM.constants["MAX_PAUSE"]
    do(world, client.set_pause(GUARDIAN, 3, until))
    do(world, claim(RUNNING, "bob"), client.cancel_season(GUARDIAN, WAITING))
    do(world, client.close_season(WAITING, ADMIN), client.close_season(ENDED, ADMIN))
    do(world, client.release(3, address("ecosystem")))


def test_an_admin_who_is_gone_holds_up_no_claim_and_no_payment() -> None:
    """Nothing that others are owed needs its signature, nor the guardian's."""
    world = stages.running()
    world.chain.advance(400 * DAY)
    calls = [
        client.emit(),
        client.release(3, address("ecosystem")),
        client.close_season(RUNNING, ADMIN),
        client.close_claim_page(RUNNING, 0, ALICE),
        client.sync_burned(),
    ]
    for each in calls:
        assert not any(meta.is_signer for meta in each.accounts)
        do(world, each)
