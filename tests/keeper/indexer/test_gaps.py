"""A node that leaves transactions out of its lists, or can't read some: nothing is lost, nothing stops."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
import sqlalchemy as sa
import structlog
from solders.pubkey import Pubkey
from structlog.testing import capture_logs

from keeper.chain import Account, ChainError, ChainUnreachable, TransactionRecord
from keeper.chain.rpc import RpcChain
from keeper.clients import staking, tokenomics
from keeper.db import Database, Leader
from keeper.db.tables import COMPARISONS, HALTS, SIGNATURES
from keeper.indexer import ProgramIndexer
from keeper.indexer import ledger as ledger_module
from keeper.indexer.book import FoldError
from keeper.indexer.folds import FOLDS
from keeper.indexer.ledger import WAITS, Ledger
from keeper.indexer.watermark import BEFORE_ALL
from keeper.runtime.operation import Operation
from tests.keeper.indexer.busy import PROGRAMS, NodeWorld, expected, indexed, prepared, stakes
from tests.programs.world import key

LOG = structlog.get_logger()
Served = tuple[RpcChain, NodeWorld]


async def ledger_of(chain: RpcChain, database: Database) -> Ledger:
    indexer = await prepared(ProgramIndexer(chain, database, staking.PROGRAM))
    return Ledger(chain, database, indexer, FOLDS["staking"])


async def halted(database: Database) -> list[str]:
    async with database.reading() as connection:
        return list((await connection.execute(sa.select(HALTS.c.reason))).scalars())


async def known(database: Database) -> set[str]:
    async with database.reading() as connection:
        return set((await connection.execute(sa.select(SIGNATURES.c.signature))).scalars())


async def compared(database: Database) -> list[tuple[int, int]]:
    """The slots of comparisons, and how many differences each found."""
    async with database.reading() as connection:
        rows = await connection.execute(sa.select(COMPARISONS).order_by(COMPARISONS.c.id))
        return [(row.slot, len(row.differences)) for row in rows]


class LeavesOut:
    """Leaves a share of transactions out of each list at random, some of them again for a number of lists."""

    def __init__(self, share: float, *, lists: int = 1, seed: int = 5) -> None:
        self.share, self.lists = share, lists
        self.left_out: Counter[str] = Counter()
        self._random = Random(seed)
        self._hidden: dict[str, int] = {}

    def __call__(self, record: TransactionRecord) -> bool:
        name = str(record.signature)
        if name not in self._hidden and self._random.random() < self.share:
            self._hidden[name] = self._random.randint(1, self.lists)
        if not self._hidden.get(name):
            self._hidden.pop(name, None)
            return False
        self._hidden[name] -= 1
        self.left_out[name] += 1
        return True


async def insistently(indexer: ProgramIndexer) -> None:
    """Poll until it works: a list without the anchor isn't believed."""
    for _ in range(50):
        try:
            await indexer.poll()
        except ChainUnreachable:
            continue
        return
    raise AssertionError("it never worked")


@pytest.mark.parametrize("lists", [1, 5], ids=["each list anew", "for some lists"])
async def test_one_in_a_hundred_left_out_of_lists(served: Served, database: Database, lists: int) -> None:
    """Over hundreds of transactions and a comparison now and then: all are found, and nothing halts."""
    chain, world = served
    found = [await prepared(ProgramIndexer(chain, database, each, batch=50)) for each in PROGRAMS]
    ledgers = [Ledger(chain, database, each, FOLDS[each.program.name]) for each in found]
    leaves_out = world.node.faults.unlisted = LeavesOut(0.01, lists=lists)
    healed = 0
    for _ in range(6):
        world.act(60)
        for ledger in ledgers:
            await insistently(ledger.indexer)
            result = await ledger.compare([0.0] * len(WAITS))
            assert result.differences == []
            healed += result.healed
    world.node.faults.unlisted = None
    for each, ledger in zip(found, ledgers, strict=True):
        # Of some that it hides for long, accounts don't tell: what they did was overwritten since.
        await ledger.compare()
        assert await indexed(database, each.program) == expected(world.chain, each.program)
    assert healed > 0 and len(leaves_out.left_out) > 10
    assert await halted(database) == []


async def test_what_is_left_out_for_a_while_is_waited_for(served: Served, database: Database) -> None:
    """No list has it until after all immediate looks; a job waits, and looks once more."""
    chain, world = served
    ledger = await ledger_of(chain, database)
    world.act(12)
    gone, lists = (await stakes(world))[0].signature, [0]

    def unlisted(record: TransactionRecord) -> bool:
        lists[0] += record.signature == gone
        return record.signature == gone and lists[0] <= 5

    world.node.faults.unlisted = unlisted
    await ledger.indexer.poll()
    assert str(gone) not in await known(database)
    result = await ledger.compare([0.0] * len(WAITS))
    assert (result.differences, result.healed) == ([], 1)
    assert await halted(database) == []
    assert await indexed(database, staking.PROGRAM) == expected(world.chain, staking.PROGRAM)


async def test_what_is_withheld_for_ever_halts_and_says_what_to_do(
    served: Served, database: Database
) -> None:
    """Resuming on a node that has it is all that there is to do: no rebuild."""
    chain, world = served
    ledger = await ledger_of(chain, database)
    world.act(9)
    last = (await stakes(world))[-1]
    world.node.faults.unlisted = lambda record: record.signature == last.signature
    result = await ledger.compare([0.0])
    device = str(staking.device_address(key("worker 1").pubkey()))
    assert {(each.address, each.field) for each in result.differences} >= {(device, "own")}
    (reason,) = await halted(database)
    assert str(result.differences[0]) in reason
    assert "lists no other: ask another one (IONET_CHAIN)" in reason
    assert await compared(database) == [(world.chain.newest_slot(), len(result.differences))]
    world.node.faults.unlisted = None
    operation = Operation(chain, database, Leader(database, "me"), [staking.PROGRAM])
    with capture_logs() as logs:
        (again,) = await operation.resume(LOG)
    assert (again.differences, again.healed) == ([], 1)
    assert [(each["event"], each["log_level"]) for each in logs] == [
        ("ledger.healed", "warning"),
        ("ledger.agrees", "info"),
    ]
    assert await halted(database) == []
    assert await indexed(database, staking.PROGRAM) == expected(world.chain, staking.PROGRAM)


async def test_a_gap_that_no_event_can_follow_is_healed_as_soon_as_it_is_met(
    served: Served, database: Database
) -> None:
    """A device's registration is left out, and stakes on it come: the index job itself looks again."""
    chain, world = served
    operation = Operation(chain, database, Leader(database, "me"), [staking.PROGRAM])
    (indexer,) = operation.indexers
    await indexer.prepare()
    world.act(6)
    records = await world.chain.history(staking.PROGRAM.address)
    gone = next(
        each for each in records if "DeviceRegistered" in {e.name for e in staking.PROGRAM.events(each)}
    )
    world.node.faults.unlisted = lambda record: record.signature == gone.signature
    for _ in range(2):
        with pytest.raises(FoldError, match="there is no Device"):
            await operation.index(LOG)
    assert await halted(database) == [], "that is for a comparison to say, which takes its time"
    world.node.faults.unlisted = None
    with capture_logs() as logs:
        await operation.index(LOG)
    assert {"event": "ledger.healed", "log_level": "warning", "program": "staking", "transactions": 1} in logs
    assert await indexed(database, staking.PROGRAM) == expected(world.chain, staking.PROGRAM)
    mark = await indexer.watermark()
    assert mark.folded_slot == mark.final_slot == world.chain.newest_slot()
    (result,) = await operation.compare(LOG)
    assert result.differences == []


async def test_what_is_recent_is_listed_again(served: Served, database: Database) -> None:
    """One page each time, though the history has hundreds; and all of it once accounts differ."""
    chain, world = served
    ledger = await ledger_of(chain, database)
    world.act(60)
    await ledger.compare()
    assert await ledger.agreed_slot() == world.chain.newest_slot()
    first = await ledger.agreed_slot()
    world.act(6)
    await ledger.compare()
    last = world.chain.newest_slot()
    agreed = [await ledger.agreed_slot(up_to) for up_to in (None, last, last - 1, first, first - 1)]
    assert agreed == [last, last, first, first, BEFORE_ALL]
    world.act(6)
    await ledger.indexer.poll()
    world.node.calls.clear()
    assert await ledger.indexer.look_again(await ledger.agreed_slot(), page=10) == 0
    pages = [each for method, each in world.node.calls if method == "getSignaturesForAddress"]
    assert len(pages) == 1
    world.node.calls.clear()
    assert await ledger.indexer.look_again(BEFORE_ALL, page=10) == 0
    listed = len(await world.chain.history(staking.PROGRAM.address))
    pages = [each for method, each in world.node.calls if method == "getSignaturesForAddress"]
    assert len(pages) >= listed // 10


async def test_a_gap_that_accounts_do_not_show_is_found_by_the_next_comparison(
    served: Served, database: Database
) -> None:
    """An offer of the admin's role that a later one replaced."""
    chain, world = served
    indexer = await prepared(ProgramIndexer(chain, database, tokenomics.PROGRAM))
    ledger = Ledger(chain, database, indexer, FOLDS["tokenomics"])
    world.act(12)
    records = await world.chain.history(tokenomics.PROGRAM.address)
    first, last = [
        each for each in records if "AdminProposed" in {e.name for e in tokenomics.PROGRAM.events(each)}
    ][-2:]
    world.node.faults.unlisted = lambda record: record.signature == first.signature
    found = [await ledger.compare() for _ in range(2)]
    assert [(each.differences, each.healed) for each in found] == [([], 0)] * 2
    world.node.faults.unlisted = None
    for healed in (1, 0):
        result = await ledger.compare()
        assert (result.differences, result.healed) == ([], healed)
    assert first.slot < last.slot
    assert await indexed(database, tokenomics.PROGRAM) == expected(world.chain, tokenomics.PROGRAM)


async def test_many_comparisons_in_a_short_time_forget_no_gap(
    served: Served, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A keeper that is started again and again; a gap is looked for as long as a day has slots."""
    chain, world = served
    indexer = await prepared(ProgramIndexer(chain, database, tokenomics.PROGRAM))
    ledger = Ledger(chain, database, indexer, FOLDS["tokenomics"])
    world.act(12)
    records = await world.chain.history(tokenomics.PROGRAM.address)
    gone = [e for e in records if "AdminProposed" in {each.name for each in tokenomics.PROGRAM.events(e)}][-2]
    world.node.faults.unlisted = lambda record: record.signature == gone.signature
    for _ in range(30):
        world.chain.advance(1)
        assert ((await ledger.compare()).differences) == []
    world.node.faults.unlisted = None
    passed = world.chain.newest_slot() - gone.slot
    for recent, healed in ((0, 0), (passed, 1)):
        monkeypatch.setattr(ledger_module, "RECENT", recent)
        assert (await ledger.compare()).healed == healed


async def test_the_slots_of_a_look_are_those_above_one_and_final(served: Served, database: Database) -> None:
    chain, world = served
    ledger = await ledger_of(chain, database)
    world.act(9)
    gone = (await stakes(world))[-1]
    world.node.faults.unlisted = lambda record: record.signature == gone.signature
    await ledger.indexer.poll()
    world.node.faults.unlisted = None
    assert await ledger.indexer.look_again(gone.slot) == 0
    world.act(1)
    assert await ledger.indexer.look_again(gone.slot - 1) == 1
    assert (await ledger.indexer.watermark()).final_slot == gone.slot
    assert await ledger.indexer.look_again(BEFORE_ALL) == 0
    await ledger.indexer.poll()
    assert await indexed(database, staking.PROGRAM) == expected(world.chain, staking.PROGRAM)


async def test_a_list_of_a_node_that_is_behind_calls_a_comparison_off(
    served: Served, database: Database
) -> None:
    """Neither its accounts nor its list are held against those of the node before."""
    chain, world = served
    ledger = await ledger_of(chain, database)
    world.act(12)
    gone = (await stakes(world))[0].signature

    def behind(record: TransactionRecord) -> bool:
        if record.signature == gone:
            # From the second list on, another node answers.
            world.node.faults.finality_lag = 3 * bool(len(lists))
            lists.append(1)
        return record.signature == gone

    lists: list[int] = []
    world.node.faults.unlisted = behind
    await ledger.indexer.poll()
    with pytest.raises(ChainUnreachable, match="behind"):
        await ledger.compare()
    assert (await halted(database), await compared(database)) == ([], [])
    world.node.faults.unlisted, world.node.faults.finality_lag = None, 0
    assert (await ledger.compare()).differences == []


async def test_a_look_that_is_cut_off_is_ended_by_the_next_poll(served: Served, database: Database) -> None:
    """What came to light is noted before it is read: then the node fails."""
    chain, world = served
    ledger = await ledger_of(chain, database)
    world.act(12)
    gone = {each.signature for each in (await stakes(world))[:2]}
    world.node.faults.unlisted = lambda record: record.signature in gone
    await ledger.indexer.poll()
    await ledger.fold()
    world.node.faults.unlisted, world.node.faults.forgetful = None, True
    with pytest.raises(ChainError, match="longer history"):
        await ledger.compare()
    world.node.faults.forgetful = False
    world.act(6)
    await ledger.indexer.poll()
    await ledger.indexer.poll()
    assert await indexed(database, staking.PROGRAM) == expected(world.chain, staking.PROGRAM)
    assert (await ledger.compare()).differences == []


async def test_a_descent_that_was_cut_off_goes_on_where_it_was_in_spite_of_a_look(
    served: Served, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a look notes lies far below where the descent stopped: nothing between the two is skipped."""
    chain, world = served
    ledger = await ledger_of(chain, database)
    world.act(12)
    gone = (await stakes(world))[0].signature
    world.node.faults.unlisted = lambda record: record.signature == gone
    await ledger.indexer.poll()
    world.node.faults.unlisted = None
    world.act(60)
    pages, signatures = [0], chain.signatures

    async def fails(*arguments: object, **options: object) -> object:
        pages[0] += 1
        if pages[0] == 3:
            raise ChainUnreachable("cut off")
        return await signatures(*arguments, **{**options, "limit": 10})

    monkeypatch.setattr(chain, "signatures", fails)
    with pytest.raises(ChainUnreachable, match="cut off"):
        await ledger.indexer.poll()
    assert (await ledger.indexer.watermark()).target_slot is not None
    assert await ledger.indexer.look_again(BEFORE_ALL) == 1
    await ledger.indexer.poll()
    assert await indexed(database, staking.PROGRAM) == expected(world.chain, staking.PROGRAM)


async def test_a_gap_of_long_ago_is_looked_for_once_accounts_differ(
    served: Served, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below all that is recent: down to the first transaction."""
    chain, world = served
    monkeypatch.setattr(ledger_module, "RECENT", 0)
    ledger = await ledger_of(chain, database)
    world.act(12)
    old = (await stakes(world))[0]
    assert (await ledger.compare()).differences == []
    async with database.transaction() as connection:
        # As if it had never been listed.
        await ledger.indexer.tables.delete(connection, old.slot, 0)
        await connection.execute(sa.delete(SIGNATURES).filter_by(program="staking", slot=old.slot))
    await ledger.back_to(BEFORE_ALL)
    world.act(6)
    result = await ledger.compare()
    assert (result.differences, result.healed) == ([], 1)
    assert await indexed(database, staking.PROGRAM) == expected(world.chain, staking.PROGRAM)


# -- beside others ------------------------------------------------------------------------------------


async def another_process(chain: RpcChain, database: Database) -> tuple[Database, Ledger]:
    other = Database(database.url.render_as_string(hide_password=False))
    return other, await ledger_of(chain, other)


@pytest.mark.parametrize("times", [2, 5])
async def test_another_process_makes_accounts_as_of_a_later_slot_meanwhile(
    served: Served, database: Database, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """A snapshot of before isn't compared with them: another one is, unless that never ends."""
    chain, world = served
    ledger, (other, ahead) = await ledger_of(chain, database), await another_process(chain, database)
    snapshots, snapshot = [0], chain.snapshot

    async def overtaken(program: Pubkey, *, min_slot: int = 0) -> tuple[int, dict[Pubkey, Account]]:
        found = await snapshot(program, min_slot=min_slot)
        snapshots[0] += 1
        if snapshots[0] <= times:
            world.act(6)
            await ahead.index(world.chain.newest_slot())
            await ahead.fold()
        return found

    monkeypatch.setattr(chain, "snapshot", overtaken)
    if times < 5:
        assert (await ledger.compare()).differences == []
    else:
        with pytest.raises(ChainUnreachable, match="another process has staking's accounts"):
            await ledger.compare()
    assert snapshots == [min(times + 1, 5)]
    assert await halted(database) == []
    await other.close()


async def test_accounts_that_another_process_made_anew_are_read_again(
    served: Served, database: Database
) -> None:
    """As of the same slot, with what it found: those in memory are of before."""
    chain, world = served
    ledger, (other, beside) = await ledger_of(chain, database), await another_process(chain, database)
    world.act(9)
    gone = (await stakes(world))[-1]
    world.node.faults.unlisted = lambda record: record.signature == gone.signature
    await ledger.indexer.poll()
    await ledger.fold()
    world.node.faults.unlisted = None
    found = await beside.compare()
    assert (found.differences, found.healed, found.slot) == ([], 1, world.chain.newest_slot())
    assert (await ledger.compare()).differences == []
    await other.close()


async def test_accounts_do_not_go_past_the_slot_that_they_are_compared_at(
    served: Served, database: Database
) -> None:
    chain, world = served
    operation = Operation(chain, database, Leader(database, "me"), [staking.PROGRAM])
    (ledger,) = operation.ledgers
    await ledger.indexer.prepare()
    world.act(6)
    async with ledger.comparing:
        await operation.index(LOG)
    mark = await ledger.indexer.watermark()
    assert (mark.final_slot, mark.folded_slot) == (world.chain.newest_slot(), BEFORE_ALL)
    await operation.index(LOG)
    assert (await ledger.indexer.watermark()).folded_slot == mark.final_slot


async def test_a_program_that_cannot_be_compared_keeps_no_other_from_it(
    served: Served, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain, world = served
    operation = Operation(chain, database, Leader(database, "me"), PROGRAMS)
    for each in operation.indexers:
        await each.prepare()
    first, second = PROGRAMS
    snapshot = chain.snapshot

    async def refuses(program: Pubkey, *, min_slot: int = 0) -> tuple[int, dict[Pubkey, Account]]:
        if program == first.address:
            raise ChainUnreachable("too large")
        return await snapshot(program, min_slot=min_slot)

    monkeypatch.setattr(chain, "snapshot", refuses)
    with capture_logs() as logs, pytest.raises(ChainUnreachable, match="too large"):
        await operation.compare(LOG)
    assert [(each["event"], each["program"]) for each in logs] == [("ledger.agrees", second.name)]
    assert len(await compared(database)) == 1
    assert world.node.calls
