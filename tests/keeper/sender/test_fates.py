"""Whatever becomes of a transaction, and whoever finds out: its action is done once, and only then done."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum
from typing import Any

import pytest
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from keeper.chain import Chain, ChainError
from tests.keeper.chain.conftest import ALICE
from tests.keeper.chain.rpc_node import RpcNode
from tests.keeper.sender.conftest import LOG, Office, transfer

AMOUNT = 10**9
POOR = 10**6
ROUNDS = 12
"""More than it takes: then a test fails."""


class Becomes(StrEnum):
    """What becomes of the first transaction; all others land."""

    LANDED = "landed"
    LATE = "late"
    """It lands when it has been sent four times."""
    UNKNOWN = "unknown"
    """It never does."""
    FAILED = "failed"
    """It is executed and refused, after a good simulation."""


class Finder(StrEnum):
    """Who finds out."""

    SENDER = "the sender"
    NEXT = "the next process that does the action"
    SWEEP = "the next process' sweep"


class Include:
    """Stands between a node and its chain."""

    def __init__(self, node: RpcNode, becomes: Becomes) -> None:
        self._node, self._becomes = node, becomes
        self._include: Callable[[VersionedTransaction], None] = node._include
        self._first: Signature | None = None
        self._times = 0
        node._include = self  # type: ignore[method-assign, assignment]

    def __call__(self, transaction: VersionedTransaction) -> None:
        signature = transaction.signatures[0]
        self._first = self._first or signature
        if signature != self._first or self._becomes is Becomes.LANDED:
            self._include(transaction)
            return
        self._times += 1
        if self._becomes is Becomes.LATE and self._times >= 4:
            self._include(transaction)
        elif self._becomes is Becomes.FAILED and self._times == 1:
            chain = self._node.chain
            purse = chain.get(ALICE.pubkey())
            assert purse is not None
            chain.set_account(ALICE.pubkey(), replace(purse, lamports=POOR))
            self._include(transaction)
            chain.set_account(ALICE.pubkey(), purse)


class Killed(BaseException):
    """The process ends here."""


class DiesAfterSending:
    """A chain whose caller is killed once it has sent something."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chain, name)

    async def broadcast(self, transaction: VersionedTransaction) -> None:
        await self._chain.broadcast(transaction)
        raise Killed


@pytest.mark.parametrize("finder", Finder)
@pytest.mark.parametrize("becomes", Becomes)
async def test_an_action_is_done_once(office: Office, becomes: Becomes, finder: Finder) -> None:
    Include(office.node, becomes)
    office.node.faults.blocks_per_question = 20 if becomes is Becomes.UNKNOWN else 0
    action = transfer("a", AMOUNT)
    if finder is not Finder.SENDER:
        dying: Any = DiesAfterSending(office.chain)
        with pytest.raises(Killed):
            await office.sender(chain=dying).perform("job", [action], LOG)
        assert await office.intents() == {"a": "sent"}
    if finder is Finder.SWEEP and becomes is not Becomes.LATE:
        for _ in range(ROUNDS):
            await office.sender().sweep(LOG)
        done = becomes is Becomes.LANDED
        assert await office.intents() == {"a": "landed" if done else "open"}
        assert office.got() == (AMOUNT if done else 0)
    records, rounds = [], 0
    for _ in range(ROUNDS):
        rounds += 1
        with suppress(ChainError):
            records = await office.do(action)
        if await office.intents() == {"a": "landed"}:
            break
        assert (office.got(), records) == (0, [])
        office.node.chain.advance(60)
    assert rounds == 1 or finder is Finder.SENDER, "who finds that it isn't done does it"
    assert [record.error for record in records] == [None]
    assert (office.got(), await office.intents()) == (AMOUNT, {"a": "landed"})
    first = {Becomes.UNKNOWN: ["expired"], Becomes.FAILED: ["failed"]}.get(becomes, [])
    assert [row.state for row in await office.attempts()] == [*first, "final"]
    assert await office.do(action) == records
    assert office.got() == AMOUNT
