"""What only an RPC node can do to its clients: lose, delay, repeat, refuse, vanish."""

import asyncio
import base64
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from solders.compute_budget import ID as COMPUTE_BUDGET
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import ID as SYSTEM
from solders.transaction import VersionedTransaction

from keeper.chain import (
    Account,
    Chain,
    ChainError,
    ChainUnreachable,
    InnerInstruction,
    TransactionExpired,
    TransactionFailed,
    TransactionRecord,
    asking,
    landing,
)
from keeper.chain.asking import TRIES
from keeper.chain.errors import NodeRefused
from keeper.chain.fees import FeePolicy
from keeper.chain.records import MAX_CALL_BYTES
from keeper.chain.rpc import AT_ONCE
from tests.keeper.chain.conftest import ADMIN, ALICE, BOB, LAMPORTS, RpcSite, initialize, land, pay
from tests.keeper.chain.reply import Lost
from tests.keeper.chain.rpc_node import HASH_LIFE, MAX_SIGNATURES, Faults, RpcNode, RpcRefusal

FEE = 5_000
SET_COMPUTE_UNIT_LIMIT, SET_COMPUTE_UNIT_PRICE = 2, 3

QUESTIONS: dict[str, Callable[[Chain], Awaitable[object]]] = {
    "genesis_hash": lambda chain: chain.genesis_hash(),
    "clock": lambda chain: chain.clock(),
    "accounts": lambda chain: chain.accounts([ALICE.pubkey()]),
    "program_accounts": lambda chain: chain.program_accounts(ALICE.pubkey()),
    "send": lambda chain: land(chain, [pay(1)], [ALICE]),
    "simulate": lambda chain: chain.simulate([pay(1)], [ALICE]),
    "history": lambda chain: chain.history(ALICE.pubkey()),
}


def asked(rpc: RpcSite, method: str) -> int:
    return sum(name == method for name, _ in rpc.node.calls)


def sent(rpc: RpcSite) -> list[str]:
    return [parameters[0] for name, parameters in rpc.node.calls if name == "sendTransaction"]


def budget(transaction: VersionedTransaction) -> tuple[int, int]:
    """The compute limit and the price of a unit, which are a transaction's last two instructions."""
    message = transaction.message
    limit, price = message.instructions[-2:]
    for each, tag in ((limit, SET_COMPUTE_UNIT_LIMIT), (price, SET_COMPUTE_UNIT_PRICE)):
        assert (message.account_keys[each.program_id_index], each.data[0]) == (COMPUTE_BUDGET, tag)
    return int.from_bytes(limit.data[1:], "little"), int.from_bytes(price.data[1:], "little")


async def lamports(rpc: RpcSite, address: Pubkey) -> int:
    (account,) = await rpc.chain.accounts([address])
    return account.lamports if account else 0


# -- sending ------------------------------------------------------------------------------------


async def test_a_transaction_sent_again_lands_once(rpc: RpcSite) -> None:
    rpc.node.faults.hidden_answers = 3
    record = await land(rpc.chain, [pay(7)], [ALICE])
    assert len(sent(rpc)) == 4
    assert len(set(sent(rpc))) == 1
    assert await lamports(rpc, BOB.pubkey()) == LAMPORTS + 7
    assert await lamports(rpc, ALICE.pubkey()) == LAMPORTS - 7 - FEE
    assert await rpc.chain.history(ALICE.pubkey()) == [record]


async def test_equal_transfers_both_land(rpc: RpcSite) -> None:
    first = await land(rpc.chain, [pay(7)], [ALICE])
    second = await land(rpc.chain, [pay(7)], [ALICE])
    assert first.signature != second.signature
    assert await lamports(rpc, BOB.pubkey()) == LAMPORTS + 14


async def test_a_dropped_transaction_is_signed_anew_a_few_times(rpc: RpcSite) -> None:
    """Each time only when it is certain that the one before can't land any more; at a higher price."""
    rpc.node.faults.drop = True
    rpc.node.faults.fees = [1_000]
    rpc.node.faults.blocks_per_question = 100
    with pytest.raises(TransactionExpired, match="4 transactions expired one after another"):
        await land(rpc.chain, [pay(7)], [ALICE])
    assert len(sent(rpc)) == 8
    signed = [VersionedTransaction.from_bytes(base64.b64decode(each)) for each in dict.fromkeys(sent(rpc))]
    assert [budget(each)[1] for each in signed] == [1_000, 1_500, 2_250, 3_375]
    assert await lamports(rpc, ALICE.pubkey()) == LAMPORTS
    rpc.node.faults = Faults()
    await land(rpc.chain, [pay(7)], [ALICE])
    assert await lamports(rpc, ALICE.pubkey()) == LAMPORTS - 7 - FEE


async def test_a_blockhash_is_valid_in_its_last_block(rpc: RpcSite) -> None:
    rpc.node.faults.drop = True
    rpc.node.faults.blocks_per_question = HASH_LIFE
    signed = await landing.prepare(rpc.chain, [pay(7)], [ALICE], FeePolicy())
    fate = await landing.follow(rpc.chain, signed.transaction, signed.last_valid_height, poll_seconds=0)
    assert fate == (None, True)
    assert asked(rpc, "getEpochInfo") == 2


async def test_landing_between_the_last_two_questions(rpc: RpcSite) -> None:
    rpc.node.faults.late = True
    rpc.node.faults.blocks_per_question = HASH_LIFE + 1
    record = await land(rpc.chain, [pay(7)], [ALICE])
    assert await rpc.chain.history(ALICE.pubkey()) == [record]
    assert await lamports(rpc, ALICE.pubkey()) == LAMPORTS - 7 - FEE


async def test_what_others_pay_is_offered_up_to_a_limit(rpc: RpcSite) -> None:
    rpc.node.faults.fees = [0, 0, 2_000, 3_000]
    policy = FeePolicy(percentile=50, highest=2_500)
    await land(rpc.chain, [pay(7)], [ALICE], fees=policy)
    (encoded,) = sent(rpc)
    assert budget(VersionedTransaction.from_bytes(base64.b64decode(encoded)))[1] == 2_500
    asked_for = next(params for name, params in rpc.node.calls if name == "getRecentPrioritizationFees")
    assert set(asked_for[0]) == {str(ALICE.pubkey()), str(BOB.pubkey())}


async def test_whoever_does_not_learn_what_became_of_it_is_told_so(
    rpc: RpcSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node takes it and is gone: sending the same again could do it twice."""
    send = rpc.node._rpc_sendTransaction

    async def last(encoded: str, config: Any) -> Any:
        rpc.node.faults.status = 503
        return await send(encoded, config)

    monkeypatch.setattr(rpc.node, "_rpc_sendTransaction", last)
    with pytest.raises(ChainUnreachable) as raised:
        await land(rpc.chain, [pay(7)], [ALICE])
    rpc.node.faults = Faults()
    (record,) = await rpc.chain.history(ALICE.pubkey())
    assert f"the transaction {record.signature} may have been sent" in str(raised.value)


async def test_one_lost_answer_or_refusal_ends_nothing(rpc: RpcSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """The node is gone for a moment, then refuses to take the same transaction again: it has landed."""
    send, tip, asked_for = rpc.node._rpc_sendTransaction, rpc.node._rpc_getEpochInfo, iter(range(99))

    async def once(encoded: str, config: Any) -> Any:
        if next(asked_for) == 1:
            raise RpcRefusal(-32005, "Node is behind by 42 slots", {"numSlotsBehind": 42})
        return await send(encoded, config)

    async def gone(config: Any) -> Any:
        monkeypatch.setattr(rpc.node, "_rpc_getEpochInfo", tip)
        raise RpcRefusal(-32004, "Block not available", None)

    monkeypatch.setattr(rpc.node, "_rpc_sendTransaction", once)
    monkeypatch.setattr(rpc.node, "_rpc_getEpochInfo", gone)
    record = await land(rpc.chain, [pay(7)], [ALICE])
    assert record.error is None
    assert await lamports(rpc, BOB.pubkey()) == LAMPORTS + 7


@pytest.mark.parametrize("level", ["confirmed", "processed"])
async def test_a_node_that_never_tells_all_of_a_transaction(
    rpc: RpcSite, monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    """It knows the signature and has no record, or never confirms it: nothing is signed anew, and it ends."""

    async def status(signatures: list[str], config: Any) -> Any:
        value = {"slot": 5, "confirmations": 0, "err": None, "status": {"Ok": None}}
        value["confirmationStatus"] = level
        return {"context": {"apiVersion": "3.0.0", "slot": 10**9}, "value": [value]}

    monkeypatch.setattr(rpc.node, "_rpc_getSignatureStatuses", status)
    rpc.node.faults.forgetful = True
    rpc.node.faults.blocks_per_question = HASH_LIFE
    with pytest.raises(ChainUnreachable, match="is on chain, but the node doesn't have it"):
        await land(rpc.chain, [pay(7)], [ALICE])
    assert len(set(sent(rpc))) == 1


async def test_nothing_is_signed_anew_behind_a_url_of_several_nodes(
    rpc: RpcSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that tells of the tip is ahead, the one that is asked for the status lags behind it."""
    status, asked_for = rpc.node._rpc_getSignatureStatuses, iter(range(99))

    async def lagging(signatures: list[str], config: Any) -> Any:
        if next(asked_for) < 3:
            return {"context": {"apiVersion": "3.0.0", "slot": 0}, "value": [None] * len(signatures)}
        return await status(signatures, config)

    monkeypatch.setattr(rpc.node, "_rpc_getSignatureStatuses", lagging)
    rpc.node.faults.blocks_per_question = HASH_LIFE + 1
    await land(rpc.chain, [pay(7)], [ALICE])
    assert await lamports(rpc, BOB.pubkey()) == LAMPORTS + 7
    assert len(set(sent(rpc))) == 1


async def test_whoever_may_not_send_any_more_stops(rpc: RpcSite) -> None:
    """It is asked before each time, and nothing is sent after a no."""
    rpc.node.faults.drop = True
    signed = await landing.prepare(rpc.chain, [pay(7)], [ALICE], FeePolicy())

    async def twice() -> None:
        if len(sent(rpc)) == 2:
            raise ChainError("no more")

    with pytest.raises(ChainError, match="no more"):
        await landing.follow(
            rpc.chain, signed.transaction, signed.last_valid_height, may_send=twice, poll_seconds=0
        )
    assert len(sent(rpc)) == 2


async def test_refused_after_passing_simulation(rpc: RpcSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else was faster: what could be paid a moment ago can't be any more."""
    submit = rpc.owner.submit

    def overtaken(transaction: VersionedTransaction) -> TransactionRecord:
        rpc.owner.set_account(ALICE.pubkey(), Account(10**9, b"", SYSTEM))
        return submit(transaction)

    monkeypatch.setattr(rpc.owner, "submit", overtaken)
    with pytest.raises(TransactionFailed) as caught:
        await land(rpc.chain, [pay(LAMPORTS // 2)], [ALICE])
    assert (caught.value.code, caught.value.record.failed_instruction) == (1, 0)
    assert await lamports(rpc, ALICE.pubkey()) == 10**9 - FEE
    assert await rpc.chain.history(ALICE.pubkey()) == [caught.value.record]


async def test_a_refusal_in_simulation_is_never_sent(rpc: RpcSite) -> None:
    with pytest.raises(TransactionFailed):
        await land(rpc.chain, [pay(LAMPORTS)], [ALICE])
    assert sent(rpc) == []
    assert await lamports(rpc, ALICE.pubkey()) == LAMPORTS


async def test_the_compute_limit_follows_the_simulation(rpc: RpcSite) -> None:
    record = await land(rpc.chain, [initialize()], [ADMIN])
    (encoded,) = sent(rpc)
    units, price = budget(VersionedTransaction.from_bytes(base64.b64decode(encoded)))
    assert price == 0
    assert record.compute_units < units < 1.2 * record.compute_units + 500


async def test_a_wrong_signature_is_refused(rpc: RpcSite) -> None:
    """What the node verifies: nothing else here would notice a client that signs wrongly."""
    await land(rpc.chain, [pay(1)], [ALICE])
    good = VersionedTransaction.from_bytes(base64.b64decode(sent(rpc)[0]))
    forged = VersionedTransaction.populate(good.message, [Signature.default()])
    with pytest.raises(NodeRefused, match="signature verification failure"):
        await rpc.chain.broadcast(forged)


# -- refusals and faults ------------------------------------------------------------------------


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=list(QUESTIONS))
async def test_a_node_that_is_down(rpc: RpcSite, question: Callable[[Chain], Awaitable[object]]) -> None:
    await question(rpc.chain)
    await rpc.node.stop()
    with pytest.raises(ChainUnreachable, match="doesn't answer: ConnectError"):
        await question(rpc.chain)


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=list(QUESTIONS))
@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 429}, {"garbage": True}], ids=str)
async def test_a_node_behind_a_broken_proxy(
    rpc: RpcSite,
    question: Callable[[Chain], Awaitable[object]],
    fault: dict[str, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asking, "LIMIT_SECONDS", 0.05)
    rpc.node.faults = Faults(**fault)  # type: ignore[arg-type]
    with pytest.raises(ChainUnreachable) as raised:
        await question(rpc.chain)
    reason = f"HTTP status {fault['status']}" if "status" in fault else "line 1 column 1"
    assert str(raised.value).endswith(reason)
    monkeypatch.undo()
    rpc.node.faults = Faults()
    await question(rpc.chain)


class LosesFirst:
    """The first time that anything is asked, the connection breaks."""

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()

    async def answer(self, question: Any, ask: Callable[[], Awaitable[bytes]]) -> bytes:
        asked = json.dumps([question["method"], question["params"]])
        self.done[asked] += 1
        if self.done[asked] == 1:
            raise Lost
        return await ask()


async def test_many_reads_of_a_node_that_loses_some(rpc: RpcSite) -> None:
    records = [rpc.execute([pay(1)], [ALICE]) for _ in range(2 * AT_ONCE)]
    rpc.node.mischief = lossy = LosesFirst()
    assert await rpc.chain.records([each.signature for each in records]) == records
    assert list(lossy.done.values()) == [2] * len(records)


async def test_what_nobody_waits_for_any_more_is_not_asked(rpc: RpcSite) -> None:
    records = [rpc.execute([pay(1)], [ALICE]) for _ in range(2 * AT_ONCE)]
    rpc.node.faults.status = 503
    with pytest.raises(ChainUnreachable):
        await rpc.chain.records([each.signature for each in records])
    assert asked(rpc, "getTransaction") <= AT_ONCE * TRIES
    assert not [each for each in asyncio.all_tasks() if "RpcChain" in repr(each.get_coro())]


async def test_a_node_that_doesnt_know_a_question(rpc: RpcSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(RpcNode, "_rpc_getGenesisHash")
    with pytest.raises(ChainError, match="Method not found") as caught:
        await rpc.chain.genesis_hash()
    assert not isinstance(caught.value, ChainUnreachable)


async def test_a_node_without_its_clock(rpc: RpcSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpc.owner, "get", lambda address: None)
    with pytest.raises(ChainError, match="Clock"):
        await rpc.chain.clock()


async def test_a_node_that_forgot_what_it_lists(rpc: RpcSite) -> None:
    await land(rpc.chain, [pay(1)], [ALICE])
    rpc.node.faults.forgetful = True
    with pytest.raises(ChainError, match="longer history"):
        await rpc.chain.history(ALICE.pubkey())


@pytest.mark.parametrize("fault", [Faults(timeless=True), Faults(unrecorded=True)], ids=["time", "calls"])
async def test_a_node_that_knows_half_of_a_transaction(rpc: RpcSite, fault: Faults) -> None:
    """It is asked again: an hour's events, or their times, are not to be guessed."""
    sent = await land(rpc.chain, [pay(1)], [ALICE])
    rpc.node.faults = fault
    with pytest.raises(ChainUnreachable, match=f"doesn't know when {sent.signature} was, or what it called"):
        await rpc.chain.records([sent.signature])
    rpc.node.faults = Faults()
    assert await rpc.chain.records([sent.signature]) == [sent]


async def test_calls_that_are_too_long_to_be_events_are_not_read(
    rpc: RpcSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever names a program in a transaction has it listed; reading ten kilobytes of base58 takes long."""
    sent = await land(rpc.chain, [pay(1)], [ALICE])
    transaction, record = rpc.node._landed[sent.signature]
    kept, cut = (InnerInstruction(0, 2, SYSTEM, (), b"x" * length) for length in (MAX_CALL_BYTES, 10_240))
    rpc.node._landed[sent.signature] = transaction, record._replace(inner=(kept, cut))
    (found,) = await rpc.chain.records([sent.signature])
    assert found is not None
    assert found.inner == (kept, cut._replace(data=b""))


# -- history ------------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [0, 1, 100])
async def test_history_of_more_than_a_page(rpc: RpcSite, more: int) -> None:
    count = MAX_SIGNATURES + more
    records = [rpc.execute([pay(1)], [ALICE]) for _ in range(count)]
    assert await rpc.chain.history(ALICE.pubkey(), limit=5) == records[:5]
    assert asked(rpc, "getTransaction") == 5
    assert await rpc.chain.history(BOB.pubkey(), until=records[-3].signature) == records[-2:]
    assert await rpc.chain.history(BOB.pubkey(), until=records[1].signature, limit=4) == records[2:6]
    if more == 100:
        assert await rpc.chain.history(ALICE.pubkey()) == records
