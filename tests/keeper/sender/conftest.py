"""A sender behind a node with faults to switch on, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.chain import Chain, TransactionRecord
from keeper.chain.fees import FeePolicy
from keeper.db import Database, Leader
from keeper.db.tables import ATTEMPTS, INTENTS
from keeper.sender import Action
from keeper.sender.sender import Sender
from tests.keeper.chain.conftest import ALICE, BOB, new_chain, pay
from tests.keeper.chain.rpc_node import RpcNode, through

LOG = structlog.get_logger()


async def still_due() -> bool:
    return True


def transfer(key: str, lamports: int, to: Pubkey | None = None) -> Action:
    """Something that shows when it is done twice."""
    return Action(key, (pay(lamports, to),), still_due)


@dataclass
class Office:
    """A sender and all that it stands on."""

    chain: Chain
    node: RpcNode
    database: Database
    leader: Leader
    payer: Keypair = field(default_factory=lambda: ALICE)
    fees: FeePolicy = field(default_factory=FeePolicy)

    def sender(self, **changed: Any) -> Sender:
        """A new process, as it were."""
        chain = changed.pop("chain", self.chain)
        payer = changed.pop("payer", self.payer)
        return Sender(chain, self.database, self.leader, payer, fees=self.fees, poll_seconds=0)

    async def do(self, *actions: Action) -> list[TransactionRecord]:
        return await self.sender().perform("job", actions, LOG)

    def got(self, whom: Pubkey | None = None) -> int:
        """Lamports that somebody received."""
        account = self.node.chain.get(whom or BOB.pubkey())
        assert account is not None
        return account.lamports - 10**12

    def landed(self) -> list[TransactionRecord]:
        return self.node.chain.transactions()

    async def intents(self) -> dict[str, str]:
        async with self.database.reading() as connection:
            rows = await connection.execute(sa.select(INTENTS).order_by(INTENTS.c.id))
            return {row.key: row.state for row in rows}

    async def attempts(self) -> Sequence[sa.Row[Any]]:
        async with self.database.reading() as connection:
            return (
                await connection.execute(sa.select(ATTEMPTS).order_by(ATTEMPTS.c.last_valid_height))
            ).all()


@pytest.fixture
async def office(new_database: Callable[[], str]) -> AsyncIterator[Office]:
    node = RpcNode(new_chain(verify_signatures=False))
    async with through(node) as chain:
        database = Database(new_database())
        leader = Leader(database, "test")
        await leader.lead()
        yield Office(chain, node, database, leader)
        await leader.resign()
        await database.close()
