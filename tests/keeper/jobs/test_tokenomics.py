"""Each job on the real program: due, not due, late, twice, beside another keeper."""

import pytest
import structlog
from solders.keypair import Keypair
from structlog.testing import capture_logs

from keeper.chain import ChainUnreachable, TransactionFailed
from keeper.chain.embedded import EmbeddedChain
from keeper.clients import tokenomics
from keeper.economy import emission
from keeper.economy.calendar import month_start
from keeper.economy.supply import EMISSION_TOTAL, IO
from keeper.jobs.port import Direct
from keeper.jobs.tokenomics import close_ended_seasons, emit_finished_hours, release_vested
from tests.programs.tokenomics.seasons import open_season
from tests.programs.world import DAY, HOUR, START, START_MONTH, World, key
from tests.security.tokens import set_owner

LOG = structlog.get_logger()


@pytest.fixture
def world() -> World:
    return World.launched()


class Overtaken(EmbeddedChain):
    """Another keeper sends the same thing first, each time."""

    other: Keypair

    async def simulate(self, instructions, signers):
        pays = any(meta.is_signer for each in instructions for meta in each.accounts)
        self.execute(instructions, [self.other, *(signers if pays else ())])
        return await super().simulate(instructions, signers)


def overtaken(world: World) -> World:
    world.chain.__class__ = Overtaken
    world.chain.other = world.person("another keeper")
    return world


async def emit(world: World):
    return await emit_finished_hours(Direct(world.chain, world.payer, LOG))


async def test_emission_waits_for_the_launch():
    world = World()
    world.chain.warp_to(START + HOUR)
    with capture_logs() as logs:
        assert await emit(world) == []
    assert [each["event"] for each in logs] == ["emission.not_launched"]


async def test_each_hour_is_emitted_when_it_has_ended(world):
    for hour in range(3):
        world.chain.warp_to(START + hour * HOUR + HOUR - 1)
        assert await emit(world) == []
        world.chain.advance(1)
        (event,) = await emit(world)
        assert event.fields["amount"] == emission.block(START_MONTH, hour)
    assert world.tokens(tokenomics.REWARD_VAULT) == emission.cumulative(START_MONTH, 3)


async def test_a_late_start_catches_up_in_one_call(world):
    world.chain.warp_to(START + 9_999 * HOUR + 17)
    (event,) = await emit(world)
    assert (event.fields["from_hour"], event.fields["to_hour"]) == (0, 9_999)
    assert world.tokens(tokenomics.REWARD_VAULT) == emission.cumulative(START_MONTH, 9_999)


async def test_after_the_last_hour_nothing_is_due_any_more(world):
    world.chain.warp_to(month_start(START_MONTH + 240) + 5 * DAY)
    (event,) = await emit(world)
    assert event.fields["emitted"] == EMISSION_TOTAL
    assert await emit(world) == []


async def test_twice_emits_once(world):
    world.chain.warp_to(START + HOUR)
    await emit(world)
    before = len(world.chain.transactions())
    assert await emit(world) == []
    assert len(world.chain.transactions()) == before, "nothing is sent when nothing is due"


async def test_another_keeper_was_faster(world):
    overtaken(world).chain.warp_to(START + HOUR)
    with capture_logs() as logs:
        assert await emit(world) == []
    assert logs[-1]["event"] == "keeper.others_were_faster"
    assert logs[-1]["refusal"].startswith("tokenomics: NothingDue: Nothing is due now")
    assert world.config().emitted_hours == 1


async def test_a_pause_is_reported_and_made_up_for_afterwards(world):
    world.chain.warp_to(START + HOUR)
    until = world.chain.now() + 2 * HOUR
    pause = tokenomics.set_pause(world.guardian.pubkey(), tokenomics.PAUSE_EMISSION, until)
    world.do(pause, signers=[world.guardian])
    with capture_logs() as logs:
        assert await emit(world) == []
    assert logs == [{"event": "emission.paused", "log_level": "warning", "until": until, "waiting_hours": 1}]
    world.chain.warp_to(until)
    (event,) = await emit(world)
    assert event.fields["to_hour"] == 3


async def test_a_refusal_that_nobody_expects_is_raised(world):
    world.chain.warp_to(START + HOUR)
    broke = key("nobody gave me lamports")
    with pytest.raises(TransactionFailed):
        await emit_finished_hours(Direct(world.chain, broke, LOG))


async def test_vesting_pays_what_is_due_and_nothing_twice(world):
    events = await release_vested(Direct(world.chain, world.payer, LOG))
    paid = {event.fields["allocation"]: event.fields["amount"] for event in events}
    assert paid == {3: 38_400_000 * IO, 4: 36_000_000 * IO, 5: 20_000_000 * IO}
    assert await release_vested(Direct(world.chain, world.payer, LOG)) == []
    world.chain.warp_to(month_start(START_MONTH + 1) - 1)
    assert await release_vested(Direct(world.chain, world.payer, LOG)) == []
    world.chain.advance(1)
    (event,) = await release_vested(Direct(world.chain, world.payer, LOG))
    assert (event.fields["allocation"], event.fields["amount"]) == (4, 44_000_000 * IO // 41)


async def test_vesting_follows_a_new_beneficiary_who_has_no_token_account_yet(world):
    community, heir = key("community"), world.person("heir")
    world.do(tokenomics.propose_beneficiary(4, community.pubkey(), heir.pubkey()), signers=[community])
    world.do(tokenomics.accept_beneficiary(4, heir.pubkey()), signers=[heir])
    await release_vested(Direct(world.chain, world.payer, LOG))
    assert world.balance(heir.pubkey()) == 36_000_000 * IO
    assert world.balance(community.pubkey()) == 0


async def test_vesting_beside_another_keeper(world):
    overtaken(world)
    assert await release_vested(Direct(world.chain, world.payer, LOG)) == []
    assert world.config().released == 94_400_000 * IO


@pytest.mark.parametrize("others", [False, True])
async def test_ended_seasons_and_their_pages_are_closed(world, others):
    season = open_season(world, 7, {key(f"w{i}").pubkey(): 10 + i for i in range(3)})
    world.do(tokenomics.open_claim_page(world.payer.pubkey(), 7, 0))
    funder = world.balance(world.admin.pubkey())
    world.chain.warp_to(season.claim_end - 1)
    assert await close_ended_seasons(Direct(world.chain, world.payer, LOG)) == []
    world.chain.advance(1)
    if others:
        overtaken(world)
    names = [event.name for event in await close_ended_seasons(Direct(world.chain, world.payer, LOG))]
    assert names == ([] if others else ["SeasonClosed", "ClaimPageClosed"])
    assert world.balance(world.admin.pubkey()) == funder + season.total
    assert world.chain.get(tokenomics.claim_page_address(7, 0)) is None
    assert world.chain.get(season.vault) is None
    assert await close_ended_seasons(Direct(world.chain, world.payer, LOG)) == []


async def test_a_vetoed_season_is_paid_back_at_once(world):
    season = open_season(world, 7, {key("w").pubkey(): 10})
    world.do(tokenomics.open_claim_page(world.payer.pubkey(), 7, 0))
    funder = world.balance(world.admin.pubkey())
    world.do(tokenomics.cancel_season(world.guardian.pubkey(), 7), signers=[world.guardian])
    supply = await tokenomics.read_supply(world.chain)
    assert supply.seasons == season.total, "the vault holds it until it is paid back"
    with capture_logs() as logs:
        events = await close_ended_seasons(Direct(world.chain, world.payer, LOG))
    assert [event.name for event in events] == ["SeasonClosed", "ClaimPageClosed"]
    assert [(each["event"], each["returned"]) for each in logs] == [("season.closed", season.total)]
    assert world.balance(world.admin.pubkey()) == funder + season.total
    assert (await tokenomics.read_supply(world.chain)).seasons == 0
    assert await close_ended_seasons(Direct(world.chain, world.payer, LOG)) == []


async def test_a_funder_that_can_not_be_paid_holds_up_its_own_money_alone(world):
    """The first season's funder has handed its account over, the second's has not."""
    stranger, heir = world.person("stranger"), world.person("heir")
    open_season(world, 1, {key("w").pubkey(): 10})
    world.do(tokenomics.propose_admin(world.admin.pubkey(), heir.pubkey()), signers=[world.admin])
    world.do(tokenomics.accept_admin(heir.pubkey()), signers=[heir])
    held = tokenomics.tokens_address(world.admin.pubkey())
    world.do(set_owner(held, world.admin.pubkey(), stranger.pubkey()), signers=[world.admin])
    other = open_season(world, 2, {key("w").pubkey(): 10}, admin=heir)
    for number in (1, 2):
        world.do(tokenomics.open_claim_page(world.payer.pubkey(), number, 0))
    before = world.balance(heir.pubkey())
    world.chain.warp_to(other.claim_end)
    with capture_logs() as logs:
        events = await close_ended_seasons(Direct(world.chain, world.payer, LOG))
    assert [event.name for event in events] == ["SeasonClosed", "ClaimPageClosed", "ClaimPageClosed"]
    assert world.balance(heir.pubkey()) == before + other.total
    refusals = [each["key"] for each in logs if each["event"] == "action.refused"]
    assert refusals == ["season:1:close"]
    world.do(set_owner(held, stranger.pubkey(), world.admin.pubkey()), signers=[stranger])
    (event,) = await close_ended_seasons(Direct(world.chain, world.payer, LOG))
    assert (event.name, event.fields["season"]) == ("SeasonClosed", 1)


async def test_a_beneficiary_that_can_not_be_paid_keeps_nobody_from_being_paid(world):
    community = key("community")
    held, stranger = tokenomics.tokens_address(community.pubkey()), world.person("stranger")
    world.give(community.pubkey(), 0)
    world.do(set_owner(held, community.pubkey(), stranger.pubkey()), signers=[community])
    events = await release_vested(Direct(world.chain, world.payer, LOG))
    assert {event.fields["allocation"] for event in events} == {3, 5}
    world.do(set_owner(held, stranger.pubkey(), community.pubkey()), signers=[stranger])
    (event,) = await release_vested(Direct(world.chain, world.payer, LOG))
    assert event.fields["allocation"] == 4


class Unreachable(EmbeddedChain):
    """A chain whose node went away."""

    async def accounts(self, addresses):
        raise ChainUnreachable("gone")


async def test_what_cannot_be_reached_is_reported_as_such(world):
    world.chain.__class__ = Unreachable
    with pytest.raises(ChainUnreachable):
        await emit(world)
