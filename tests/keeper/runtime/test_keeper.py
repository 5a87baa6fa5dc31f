"""A keeper among others: who sends, what stops it, what it says of itself."""

import asyncio

import pytest
import sqlalchemy as sa
from solders.system_program import TransferParams, transfer
from structlog.testing import capture_logs

from keeper.chain import ChainUnreachable, SigningFailed, TransactionExpired
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.errors import NodeRefused
from keeper.chain.rpc import RpcChain
from keeper.clients import tokenomics
from keeper.db import Database, DatabaseUnusable, Leader
from keeper.db.leader import LEASE_SECONDS
from keeper.db.tables import ATTEMPTS, HALTS, INTENTS, LEADERSHIP, WATERMARKS
from keeper.jobs import registry
from keeper.jobs.port import do
from keeper.runtime.keeper import JobOutcome
from keeper.runtime.readiness import FAILURES, is_alive, reasons, report
from keeper.sender import Action
from keeper.tables import TableError
from tests.keeper.runtime.keepers import LIMITS, STOP, WARNING, events_of, figure, new_keeper
from tests.programs.staking.world import StakingWorld
from tests.programs.world import HOUR, START, World, key

EMISSION = {"emission": registry.ALL["emission"]}


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long a look may take is shown in test_truth.py: here the disk may have much else to do."""
    monkeypatch.setattr("keeper.runtime.keeper.LOOK_SECONDS", 600.0)


@pytest.fixture
def world() -> World:
    world = World.launched()
    world.chain.warp_to(START + HOUR)
    return world


def set_balance(world: World, lamports: int) -> None:
    address = world.payer.pubkey()
    account = world.account(address)
    world.chain.set_account(address, type(account)(lamports, account.data, account.owner))


async def test_a_run_is_counted(world, database):
    keeper = new_keeper(world.chain, world.payer, database, EMISSION)
    before = world.account(world.payer.pubkey()).lamports
    assert await keeper.run_job("emission") is JobOutcome.OK
    assert world.config().emitted_hours == 1
    assert figure(keeper, "ionet_job_runs_total", keeper_job="emission", outcome="ok") == 1
    await keeper.look()
    paid = before - world.account(world.payer.pubkey()).lamports
    assert figure(keeper, "ionet_transactions", keeper_job="emission", state="final") == 1
    assert figure(keeper, "ionet_fees_lamports", keeper_job="emission", state="final") == paid > 0
    assert figure(keeper, "ionet_intents", state="landed") == 1
    assert figure(keeper, "ionet_job_seconds_count", keeper_job="emission") == 1
    assert figure(keeper, "ionet_job_last_success_timestamp_seconds", keeper_job="emission")
    assert await keeper.run_job("emission") is JobOutcome.OK, "nothing is due any more"
    await keeper.look()
    assert figure(keeper, "ionet_transactions", keeper_job="emission", state="final") == 1
    await keeper.resign()


async def test_a_transaction_is_counted_where_it_stands_now(world, database):
    keeper = new_keeper(world.chain, world.payer, database, EMISSION)
    await keeper.run_job("emission")
    for state, other in (("landed", "final"), ("final", "landed")):
        async with database.transaction() as connection:
            await connection.execute(sa.update(ATTEMPTS).values(state=state))
        await keeper.look()
        assert figure(keeper, "ionet_transactions", keeper_job="emission", state=state) == 1
        assert figure(keeper, "ionet_transactions", keeper_job="emission", state=other) is None
        assert figure(keeper, "ionet_fees_lamports", keeper_job="emission", state=other) is None
    await keeper.resign()


async def test_who_does_not_lead_runs_nothing_and_takes_over_when_it_can(world, database):
    first = new_keeper(world.chain, world.payer, database, EMISSION, name="first")
    second = new_keeper(world.chain, world.admin, database, EMISSION, name="second")
    with capture_logs() as logs:
        assert await first.lead()
        assert await second.run_job("emission") is None
        await second.look()
    assert world.config().emitted_hours == 0
    assert figure(second, "ionet_leader") == 0
    assert report(second)["leader"] == "first" and report(second)["ready"], "one in reserve is ready"
    assert events_of(logs) == ["keeper.leads", "keeper.stands_by"], "said once"
    assert (logs[1]["leader"], logs[1]["takes_over_after_seconds"]) == ("first", LEASE_SECONDS)
    await first.resign()
    with capture_logs() as logs:
        assert await second.run_job("emission") is JobOutcome.OK
    assert logs[0] == {"event": "keeper.leads", "log_level": "info", "holder": "second", "epoch": 2}
    await second.look()
    assert (figure(second, "ionet_leader"), figure(second, "ionet_leader_epoch")) == (1, 2)
    await second.resign()


async def test_whoever_was_overtaken_sends_nothing(world, database):
    """A lease may be lost without notice: the epoch is compared before each transaction."""
    keeper = new_keeper(world.chain, world.payer, database, EMISSION)
    await keeper.lead()
    async with database.transaction() as connection:
        await connection.execute(sa.update(LEADERSHIP).values(epoch=2, holder="another"))
    with capture_logs() as logs:
        assert await keeper.run_job("emission") is JobOutcome.FAILED
    assert logs[-1]["event"] == "keeper.overtaken" and "another keeper has taken over" in logs[-1]["reason"]
    assert world.config().emitted_hours == 0
    await keeper.resign()


async def test_no_figure_says_that_somebody_leads_who_has_not_renewed(world, database):
    """Nobody asks or sets anything: figures and answers follow the clock."""
    now = [0.0]
    leaders = [Leader(database, name, clock=lambda: now[0]) for name in ("first", "second")]
    first, second = (new_keeper(world.chain, world.payer, database, {}, leader=each) for each in leaders)
    for each in (first, second):
        await each.look()
    assert (figure(first, "ionet_leader"), figure(second, "ionet_leader")) == (1, 0)
    assert [report(each)["leader"] for each in (first, second)] == ["first", "first"]
    assert reasons(first) == reasons(second) == {}
    now[0] += LEASE_SECONDS
    assert (figure(first, "ionet_leader"), figure(second, "ionet_leader")) == (0, 0)
    assert [report(each)["leader"] for each in (first, second)] == [None, None]
    assert reasons(first) == reasons(second) == {"leader": "no keeper leads"}
    with capture_logs() as logs:
        await second.look()
        assert not await first.lead()
    assert events_of(logs) == ["keeper.leads", "keeper.overtaken", "keeper.stands_by"]
    assert (figure(first, "ionet_leader"), figure(second, "ionet_leader")) == (0, 1)
    await second.resign()


async def test_a_job_that_takes_long_does_not_cost_the_lease(world, database):
    """Beats go on beside it, and through a defect of whatever is asked."""
    begun, ended = asyncio.Event(), asyncio.Event()

    async def long(port):
        begun.set()
        await ended.wait()
        return []

    async def beat():
        async with database.reading() as connection:
            return await connection.scalar(sa.select(LEADERSHIP.c.beat))

    leader = Leader(database, "first", lease=0.5)
    keeper = new_keeper(world.chain, world.payer, database, {"long": long}, leader=leader)
    lead, defects = leader.lead, iter([RuntimeError("a defect")])

    async def defective():
        for each in defects:
            raise each
        return await lead()

    with capture_logs() as logs:
        async with keeper.standing(), asyncio.timeout(60):
            running = asyncio.create_task(keeper.run_job("long"))
            await begun.wait()
            before = await beat()
            leader.lead = defective
            while await beat() < before + 10:
                await asyncio.sleep(0.01)
            ended.set()
            assert await running is JobOutcome.OK
    assert "leadership.failed" in events_of(logs)
    assert not keeper.leads
    async with database.reading() as connection:
        assert await connection.scalar(sa.select(LEADERSHIP.c.claim)) is None, "it has resigned"


async def test_accounts_that_differ_from_events_stop_everything(world, database):
    keeper = new_keeper(world.chain, world.payer, database, EMISSION)
    async with database.transaction() as connection:
        await connection.execute(sa.insert(HALTS).values(program="staking", reason="slot 9: staked", since=1))
    with capture_logs() as logs:
        assert await keeper.run_job("emission") is JobOutcome.WITHHELD
        await keeper.look()
        await keeper.look()
    assert events_of(logs) == ["keeper.leads", "job.withheld", "keeper.halted"], "said once"
    assert "staking's accounts are not what its events make them (slot 9: staked)" in logs[1]["reason"]
    assert world.config().emitted_hours == 0
    assert figure(keeper, "ionet_mismatch", program="staking") == 1
    assert figure(keeper, "ionet_job_runs_total", keeper_job="emission", outcome="withheld") == 1
    assert reasons(keeper) == {"mismatch": "staking: slot 9: staked"}
    async with database.transaction() as connection:
        await connection.execute(sa.delete(HALTS))
    await keeper.look()
    assert figure(keeper, "ionet_mismatch", program="staking") == 0
    assert await keeper.run_job("emission") is JobOutcome.OK
    await keeper.look()
    assert reasons(keeper) == {}
    await keeper.resign()


async def test_a_low_balance_warns_and_a_lower_one_stops(world, database):
    keeper = new_keeper(world.chain, world.payer, database, EMISSION)
    address = str(world.payer.pubkey())
    set_balance(world, WARNING - 1)
    with capture_logs() as logs:
        for _ in range(2):
            await keeper.look()
        assert await keeper.run_job("emission") is JobOutcome.OK
    assert events_of(logs)[1] == "balance.low" and events_of(logs).count("balance.low") == 1
    assert logs[1]["do"].endswith(f"send 0.000000001 SOL or more to {address}")
    assert figure(keeper, "ionet_balance_lamports") == WARNING - 1
    assert reasons(keeper) == {}

    world.chain.advance(HOUR)
    set_balance(world, STOP - 1)
    with capture_logs() as logs:
        assert await keeper.run_job("emission") is JobOutcome.WITHHELD
        await keeper.look()
    assert logs[0]["reason"] == (
        f"the key has 0.049999999 SOL, less than 0.5: send 0.450000001 SOL or more to {address}; "
        "until then nothing is sent"
    )
    assert reasons(keeper) == {
        "balance": f"the key has 0.049999999 SOL, less than 0.5: send 0.450000001 SOL or more to {address}"
    }
    assert world.config().emitted_hours == 1
    set_balance(world, STOP)
    assert await keeper.run_job("emission") is JobOutcome.OK
    await keeper.resign()


async def test_a_job_that_sends_nothing_needs_no_lamports(world, database):
    keeper = new_keeper(world.chain, world.payer, database, EMISSION)
    await keeper.run_job("emission")
    set_balance(world, 0)
    assert await keeper.run_job("emission") is JobOutcome.OK
    await keeper.resign()


@pytest.mark.parametrize(
    ("failure", "event"),
    [
        (ChainUnreachable("no answer"), "chain.unreachable"),
        (NodeRefused("the RPC node refused: no"), "chain.unreachable"),
        (TransactionExpired("too late"), "transaction.expired"),
        (SigningFailed("sealed"), "signer.failed"),
        (DatabaseUnusable("postgresql://host/x: server closed the connection"), "database.unusable"),
        (TableError("observations/7.csv: the last row doesn't end"), "job.refused"),
    ],
)
async def test_what_fails_again_and_again_is_named(world, database, failure, event):
    class Failing(EmbeddedChain):
        async def simulate(self, instructions, signers):
            raise failure

    world.chain.__class__ = Failing
    keeper = new_keeper(world.chain, world.payer, database, EMISSION)
    with capture_logs() as logs:
        for _ in range(FAILURES):
            assert await keeper.run_job("emission") is JobOutcome.FAILED
    reason = str(failure).splitlines()[0]
    assert (logs[-1]["event"], logs[-1]["reason"]) == (event, reason)
    await keeper.look()
    assert reasons(keeper) == {"jobs": "fail again and again: emission"}
    assert report(keeper)["jobs"] == {"emission": {"failures_in_a_row": FAILURES, "reason": reason}}
    await keeper.resign()


async def test_a_run_that_did_something_was_not_for_nothing(world, database):
    """The node fails after a transaction, each time: the job isn't put off more and more."""
    done = []

    async def interrupted(port):
        done.append(len(done))
        pay = transfer(TransferParams(from_pubkey=port.payer, to_pubkey=port.payer, lamports=1))
        if done[-1] % 4:
            await port.do([Action(f"part {done[-1]}", (pay,), still_due)])
        raise ChainUnreachable("no answer")

    async def still_due():
        return True

    keeper = new_keeper(world.chain, world.payer, database, {"interrupted": interrupted})
    failures = []
    for _ in range(8):
        assert await keeper.run_job("interrupted") is JobOutcome.FAILED
        failures.append(keeper.health["interrupted"].failures)
    assert failures == [1, 1, 1, 1, 2, 1, 1, 1], "the fifth run did nothing"
    await keeper.resign()


async def test_what_others_did_is_closed_by_a_whole_run_only(world, database):
    """An hour's action that expired, and was somebody else's in the end."""
    fails = []

    async def job(port):
        events = await registry.ALL["emission"](port)
        if fails:
            raise fails[0]
        return events

    class Dropping(EmbeddedChain):
        async def simulate(self, instructions, signers):
            raise ChainUnreachable("no answer")

    async def states():
        async with database.reading() as connection:
            return (await connection.execute(sa.select(INTENTS.c.key, INTENTS.c.state))).all()

    keeper = new_keeper(world.chain, world.payer, database, {"job": job})
    world.chain.__class__ = Dropping
    assert await keeper.run_job("job") is JobOutcome.FAILED
    world.chain.__class__ = EmbeddedChain
    assert await states() == [("emission:from-hour:0", "open")]
    world.do(tokenomics.emit())
    fails.append(ChainUnreachable("no answer"))
    assert await keeper.run_job("job") is JobOutcome.FAILED
    assert await states() == [("emission:from-hour:0", "open")], "a run that failed says nothing of it"
    fails.clear()
    assert await keeper.run_job("job") is JobOutcome.OK
    assert await states() == [("emission:from-hour:0", "superseded")]
    await keeper.look()
    assert figure(keeper, "ionet_intents", state="open") == 0
    await keeper.resign()


async def test_what_is_refused_for_good_needs_somebody(world, database):
    async def wrong(port):
        async def still_due():
            return True

        launch = tokenomics.launch(port.payer, 1)
        return await do(port, tokenomics.PROGRAM, [launch], still_due, key="wrong")

    keeper = new_keeper(world.chain, world.payer, database, {"wrong": wrong})
    with capture_logs() as logs:
        assert await keeper.run_job("wrong") is JobOutcome.FAILED
    assert events_of(logs)[-2:] == ["action.refused", "job.refused"]
    await keeper.look()
    assert figure(keeper, "ionet_intents", state="refused") == 1
    assert reasons(keeper) == {}
    async with database.transaction() as connection:
        await connection.execute(sa.update(INTENTS).values(state="parked"))
    await keeper.look()
    assert figure(keeper, "ionet_intents", state="parked") == 1
    assert reasons(keeper) == {"parked": "actions that were refused too often: 1; see ionet keeper status"}
    await keeper.resign()


async def test_lag_in_slots_and_in_hours(world, database):
    keeper = new_keeper(world.chain, world.payer, database, EMISSION)
    world.chain.warp_to(START + 4 * HOUR)
    slot = world.chain.newest_slot()
    row = {
        "program": "tokenomics",
        "address": "",
        "version": 1,
        "final_slot": slot - LIMITS.lag_slots,
        "confirmed_slot": slot,
        "anchor_slot": 0,
        "floor_slot": 0,
        "target_complete": False,
        "folded_slot": 0,
        "updated_at": 0,
    }
    async with database.transaction() as connection:
        await connection.execute(sa.insert(WATERMARKS).values(row))
    await keeper.look()
    assert figure(keeper, "ionet_index_lag_slots", program="tokenomics") == LIMITS.lag_slots
    assert figure(keeper, "ionet_emission_lag_hours") == 4
    assert figure(keeper, "ionet_chain_slot") == slot
    assert reasons(keeper) == {"emission": "4 ended hours are not minted"}
    async with database.transaction() as connection:
        await connection.execute(sa.update(WATERMARKS).values(final_slot=slot - LIMITS.lag_slots - 1))
    await keeper.run_job("emission")
    await keeper.look()
    lag = LIMITS.lag_slots + 2
    assert reasons(keeper) == {"index": f"the index is behind by more than 1500 slots: tokenomics by {lag}"}
    await keeper.resign()


async def test_nothing_answers(database):
    """Neither chain nor database: it stays alive, says so once, and isn't ready."""
    chain = RpcChain("http://127.0.0.1:9")
    gone = Database("postgresql://nobody@127.0.0.1:9/none")
    keeper = new_keeper(chain, key("payer"), gone, EMISSION)
    with capture_logs() as logs:
        for _ in range(2):
            await keeper.look()
        assert await keeper.run_job("emission") is None
    await chain.close()
    await gone.close()
    assert set(events_of(logs)) == {"database.unusable", "chain.unreachable"}
    assert events_of(logs).count("chain.unreachable") == 1
    assert set(reasons(keeper)) == {"database", "chain"}
    assert (figure(keeper, "ionet_chain_up"), figure(keeper, "ionet_database_up")) == (0, 0)
    assert is_alive(keeper, every=20)


async def test_a_keeper_that_has_not_looked_for_long_is_dead(world, database):
    keeper = new_keeper(world.chain, world.payer, database, {})
    assert is_alive(keeper, every=20)
    keeper.looked_at -= 199
    assert is_alive(keeper, every=20)
    keeper.looked_at -= 2
    assert not is_alive(keeper, every=20)
    assert is_alive(keeper, every=60)


async def test_before_the_first_look_nothing_is_ready(world, database):
    keeper = new_keeper(world.chain, world.payer, database, {})
    assert set(reasons(keeper)) == {"chain", "database"}


async def test_a_job_that_hangs_is_named(world, database):
    keeper = new_keeper(world.chain, world.payer, database, EMISSION)
    await keeper.look()
    keeper.health["emission"].running_since = keeper.looked_at - 901
    assert reasons(keeper) == {"hanging": "running for more than 900 seconds: emission"}
    await keeper.resign()


async def test_its_key_is_in_no_description_of_it(world, database):
    keeper = new_keeper(world.chain, world.payer, database, {})
    assert "Keypair" not in repr(keeper)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("emission", {"emission": "6 ended hours are not minted"}),
        ("blocks", {"blocks": "5 hours could be final and are not"}),
        ("attest", {"attest": "6 ended hours are not attested by this keeper"}),
        ("leases", {}),
    ],
)
async def test_only_hours_that_its_own_jobs_do_make_a_keeper_unready(database, name, reason):
    """The network is behind with everything; a keeper answers for its part."""
    world = StakingWorld.ready()
    world.chain.warp_to(START + 6 * HOUR)
    keeper = new_keeper(world.chain, world.operators[0], database, {name: registry.ALL["burns"]})
    await keeper.look()
    assert reasons(keeper) == reason
    world.chain.warp_to(START + LIMITS.lag_hours * HOUR)
    await keeper.look()
    assert reasons(keeper) == {}
    await keeper.resign()
