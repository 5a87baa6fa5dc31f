"""An hour is attested once accounts were compared since its end: no event is missing in what is published."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
import structlog
from solders.signature import Signature
from structlog.testing import capture_logs

from keeper.chain import ChainUnreachable, Event
from keeper.chain.embedded import EmbeddedChain
from keeper.clients import staking
from keeper.db import Database
from keeper.db.tables import COMPARISONS, HALTS
from keeper.economy.supply import IO
from keeper.jobs.blocks import ATTEST_SECONDS, attest_hours
from keeper.jobs.port import Direct
from keeper.pow.anchored import EVIDENCE_SECONDS
from keeper.rewards import history as history_module
from keeper.rewards import recomputed
from keeper.rewards.history import History
from keeper.rewards.publication import KINDS, MANIFEST
from keeper.rewards.rows import OBSERVATION
from keeper.tables import keys
from tests.keeper.rewards.seen import Seen
from tests.programs.staking.world import StakingWorld
from tests.programs.world import DAY, HOUR, START, key

LOG = structlog.get_logger()
WORKERS = ("worker a", "worker b")

DUE = START + ATTEST_SECONDS - HOUR
"""So many hours after this that many can be attested."""


class Gappy(EmbeddedChain):
    """Leaves out of lists what ``left_out`` says."""

    left_out: Callable[[Signature], bool] = staticmethod(lambda signature: False)

    async def signatures(self, *arguments: Any, **options: Any) -> Any:
        return [
            each
            for each in await super().signatures(*arguments, **options)
            if not self.left_out(each.signature)
        ]


async def observe(hour: int) -> np.ndarray:
    rows = np.zeros(len(WORKERS), OBSERVATION)
    rows["device"] = keys([staking.device_address(key(name).pubkey()) for name in WORKERS])
    rows["up_since"], rows["online"], rows["work"] = START - DAY, 1, 1
    return rows[np.argsort(rows["device"])]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> StakingWorld:
    """Two suppliers with a device each; jobs don't wait between looks."""
    monkeypatch.setattr(history_module, "WAITS", (0.0, 0.0))
    world = StakingWorld.ready()
    for name in WORKERS:
        supplier = world.earner(f"supplier of {name}", 10_000 * IO)
        world.do(staking.stake(world.device(name, supplier), 1_000 * IO), signers=[supplier])
    world.chain.__class__ = Gappy
    return world


class Operator:
    """An operator's history, files, and what is known of them."""

    def __init__(self, world: StakingWorld, number: int, folder: Path) -> None:
        self.world, self.number, self.folder = world, number, folder / f"operator {number}"
        self.database = Database(f"sqlite:///{folder}/{number}.db")
        self.history = History(world.chain, self.database)

    async def attest(self) -> list[Event]:
        port = Direct(self.world.chain, self.world.operators[self.number], LOG)
        return await attest_hours(port, folder=self.folder, work=Seen(observe), history=self.history)

    async def compared(self) -> list[tuple[str, int, bool]]:
        """Comparisons: the program, the slot, whether accounts agreed."""
        async with self.database.reading() as connection:
            rows = await connection.execute(sa.select(COMPARISONS).order_by(COMPARISONS.c.id))
            return [(row.program, row.slot, row.differences == []) for row in rows]

    async def halted(self) -> list[str]:
        async with self.database.reading() as connection:
            return list((await connection.execute(sa.select(HALTS.c.program))).scalars())

    def files(self, hour: int) -> dict[str, bytes]:
        return {name: (self.folder / str(hour) / name).read_bytes() for name in (*KINDS, MANIFEST)}


@pytest.fixture
async def operators(world: StakingWorld, tmp_path: Path) -> AsyncIterator[list[Operator]]:
    found = [Operator(world, number, tmp_path) for number in range(2)]
    for each in found:
        await each.database.upgrade()
        await each.history.prepare()
    yield found
    for each in found:
        await each.database.close()


def leave_out_a_class_change(world: StakingWorld) -> Signature:
    """Something happens that an hour's rewards follow, and no list has it from now on."""
    supplier = key("supplier of worker a")
    device = world.read_device("worker a")
    record = world.do(staking.unstake(device), signers=[supplier])
    gone: Signature = record.signature
    world.chain.left_out = lambda signature: signature == gone  # type: ignore[attr-defined]
    return gone


async def test_a_gap_never_gets_into_a_block(world: StakingWorld, operators: list[Operator]) -> None:
    honest, other = operators
    world.chain.warp_to(DUE + 60)
    gone = leave_out_a_class_change(world)
    world.chain.warp_to(DUE + HOUR)
    with capture_logs() as logs:
        assert await honest.attest() == []
    assert [each["event"] for each in logs][-1] == "block.accounts_differ"
    assert {each["event"] for each in logs} == {"ledger.differs", "block.accounts_differ"}
    assert str(staking.device_address(key("worker a").pubkey())) in logs[0]["what"]
    assert await honest.halted() == ["staking"]
    assert not list(honest.folder.glob("*"))
    before = await honest.compared()
    with capture_logs() as logs:
        assert await honest.attest() == []
    assert [each["event"] for each in logs] == ["block.accounts_differ"]
    assert await honest.compared() == before, "whoever looks into it compares again"

    world.chain.left_out = lambda signature: False  # type: ignore[attr-defined]
    (ledger, _) = honest.history._ledgers
    result = await ledger.compare()
    assert (result.differences, result.healed) == ([], 1)
    for each in operators:
        assert len(await each.attest()) == 1
    assert honest.files(0) == other.files(0)
    manifest = recomputed.verify(honest.folder, 0)
    assert (manifest.succeeded, manifest.missed) == (1, 1), "who unstaked earns nothing"
    assert gone


async def test_a_gap_of_a_while_is_healed_before_the_hour_is_made(
    world: StakingWorld, operators: list[Operator]
) -> None:
    patient, other = operators
    world.chain.warp_to(DUE + 60)
    gone = leave_out_a_class_change(world)
    lists = [0]

    def for_a_while(signature: Signature) -> bool:
        lists[0] += signature == gone
        return signature == gone and lists[0] <= 5

    world.chain.left_out = for_a_while  # type: ignore[attr-defined]
    world.chain.warp_to(DUE + HOUR)
    with capture_logs() as logs:
        assert len(await patient.attest()) == 1
    healed = {"event": "ledger.healed", "log_level": "warning", "program": "staking", "transactions": 1}
    assert healed in logs
    assert len(await other.attest()) == 1
    assert patient.files(0) == other.files(0)
    assert recomputed.verify(patient.folder, 0).missed == 1
    assert await patient.halted() == []


async def test_one_comparison_for_all_hours_that_are_over(
    world: StakingWorld, operators: list[Operator]
) -> None:
    """Of after all that the last one is made from; and another one for the next hour."""
    operator = operators[0]
    world.chain.warp_to(START + 2 * HOUR + EVIDENCE_SECONDS - 1)
    slot = world.chain.newest_slot()
    (staked, ordered) = operator.history._ledgers
    for each in (staked, ordered):
        await each.compare()
    assert len(await operator.attest()) == 2
    first = await operator.compared()
    assert first == [("staking", slot, True), ("orders", slot, True)], "of after the second hour's evidence"
    world.chain.warp_to(DUE + 3 * HOUR)
    ended = world.chain.newest_slot()
    assert len(await operator.attest()) == 1
    assert [(name, at >= ended, agreed) for name, at, agreed in (await operator.compared())[2:]] == [
        ("staking", True, True),
        ("orders", True, True),
    ]
    assert await operator.attest() == []
    assert len(await operator.compared()) == 4


async def test_a_comparison_that_cannot_be_made_is_waited_for(
    world: StakingWorld, operators: list[Operator], monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = operators[0]
    world.chain.warp_to(DUE + HOUR)

    async def away(*arguments: object, **options: object) -> object:
        raise ChainUnreachable("no snapshot")

    monkeypatch.setattr(world.chain, "snapshot", away)
    with pytest.raises(ChainUnreachable, match="no snapshot"):
        await operator.attest()
    assert not list(operator.folder.glob("*"))
    monkeypatch.undo()
    assert len(await operator.attest()) == 1


async def test_a_rehearsal_compares_nothing(world: StakingWorld, operators: list[Operator]) -> None:
    """A difference stops keepers: a dry run doesn't."""
    operator = operators[0]
    world.chain.warp_to(DUE + 60)
    leave_out_a_class_change(world)
    world.chain.warp_to(DUE + HOUR)
    operator.history = History(world.chain, operator.database, keeps=False)
    assert len(await operator.attest()) == 1
    assert (await operator.compared(), await operator.halted()) == ([], [])
