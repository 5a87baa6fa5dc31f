"""Each action once: whatever is lost, late, refused, forked out, and wherever the keeper is killed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from structlog.testing import capture_logs

from keeper.chain import Chain, ChainError, ChainUnreachable, TransactionExpired, TransactionFailed
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.fees import FeePolicy
from keeper.chain.landing import LOST_ANSWERS
from keeper.db import Database, Leader, NotLeader
from keeper.db.tables import HALTS, INTENTS, LEADERSHIP
from keeper.sender import Action, Halted, Stopped
from keeper.sender.sender import Results, Sender
from keeper.sender.store import unpark
from tests.keeper.chain.conftest import ALICE, BOB, LAMPORTS, new_chain, pay
from tests.keeper.chain.mischief import Mischief
from tests.keeper.chain.rpc_node import HASH_LIFE
from tests.keeper.sender.conftest import LOG, Office, still_due, transfer

FEE = 5_000


async def test_an_action_is_done_once(office: Office) -> None:
    first = await office.do(transfer("a", 7))
    again = await office.do(transfer("a", 7))
    assert first == again == office.landed()
    assert office.got() == 7
    assert await office.intents() == {"a": "landed"}
    (attempt,) = await office.attempts()
    assert (attempt.signature, attempt.state, attempt.fee) == (str(first[0].signature), "final", FEE)


async def test_a_lost_transaction_is_sent_again_as_it_is(office: Office) -> None:
    office.node.faults.hidden_answers = 3
    await office.do(transfer("a", 7))
    assert office.got() == 7
    assert len(await office.attempts()) == 1


async def test_an_expired_transaction_is_signed_anew_at_a_higher_price(office: Office) -> None:
    office.node.faults.fees = [1_000]
    office.node.faults.drop = True
    office.node.faults.blocks_per_question = 60
    with pytest.raises(TransactionExpired):
        await office.do(transfer("a", 7))
    assert await office.intents() == {"a": "open"}
    found = await office.attempts()
    assert [row.state for row in found] == ["expired"] * 4
    assert [row.price for row in found] == [1_000, 1_500, 2_250, 3_375]
    office.node.faults.drop = False
    await office.do(transfer("a", 7))
    assert office.got() == 7
    assert [row.state for row in await office.attempts()] == ["expired"] * 4 + ["final"]


async def test_nothing_is_signed_anew_on_the_word_of_a_node_that_is_behind(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It doesn't know the signature, and the height is past: and still the transaction has landed."""

    async def behind(signatures: list[str], config: object) -> Any:
        return {"context": {"apiVersion": "3.0.0", "slot": 0}, "value": [None] * len(signatures)}

    await office.do(transfer("before", 1))
    monkeypatch.setattr(office.node, "_rpc_getSignatureStatuses", behind)
    office.node.faults.blocks_per_question = HASH_LIFE
    for _ in range(3):
        with pytest.raises(ChainUnreachable):
            await office.do(transfer("a", 7))
    assert len(await office.attempts()) == 2
    monkeypatch.undo()
    await office.do(transfer("a", 7))
    assert office.got() == 1 + 7


async def test_what_has_landed_is_not_asked_for_twice(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that is lost after the action was written down as done makes it neither open nor refused."""
    read, asked_for = office.node._rpc_getTransaction, iter(range(99))

    async def lossy(signature: str, config: Any) -> Any:
        return None if next(asked_for) == 1 else await read(signature, config)

    monkeypatch.setattr(office.node, "_rpc_getTransaction", lossy)
    most = LAMPORTS - 10**9  # a second time there are no lamports for it
    (record,) = await office.do(transfer("a", most))
    assert record.error is None
    assert await office.intents() == {"a": "landed"}
    assert len(await office.attempts()) == 1


async def test_what_drops_out_of_the_chain_is_done_again(office: Office) -> None:
    office.node.faults.finality_lag = 100
    (record,) = await office.do(transfer("a", 7))
    assert [row.state for row in await office.attempts()] == ["landed"]
    office.node.faults.forked_out.add(record.signature)
    await office.sender().sweep(LOG)
    assert await office.intents() == {"a": "landed"}, "it may come back while its blockhash is valid"
    office.node._blocks_ahead += HASH_LIFE + 200
    await office.sender().sweep(LOG)
    assert await office.intents() == {"a": "open"}
    await office.do(transfer("a", 7))
    assert [row.state for row in await office.attempts()] == ["expired", "landed"]
    office.node.faults.finality_lag = 0
    await office.sender().sweep(LOG)
    assert [row.state for row in await office.attempts()] == ["expired", "final"]


# -- several in one -----------------------------------------------------------------------------------


async def test_as_many_as_fit_into_a_packet(office: Office) -> None:
    people = [Pubkey(bytes([200, n]) * 16) for n in range(60)]
    for each in people:
        office.node.chain.airdrop(each, LAMPORTS)
    actions = [transfer(f"to {n}", n + 1, each) for n, each in enumerate(people)]
    records = await office.do(*actions)
    assert len(records) == len(office.landed()) < 60 / 10
    assert [office.got(each) for each in people] == list(range(1, 61))
    for row in await office.attempts():
        assert 1_000 < len(row.transaction) <= 1_232
    assert set((await office.intents()).values()) == {"landed"}
    assert await office.do(*actions) == records


async def test_a_refused_action_doesnt_take_the_others_with_it(office: Office) -> None:
    actions = [transfer("a", 1), transfer("b", 10**15), transfer("c", 2)]
    with pytest.raises(TransactionFailed):
        await office.do(*actions)
    assert office.got() == 3
    assert await office.intents() == {"a": "landed", "b": "refused", "c": "landed"}


async def test_an_action_refused_on_chain_after_a_good_simulation(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the two somebody emptied the purse of the one that pays for b."""
    execute = office.node._execute

    def late(transaction: VersionedTransaction) -> Any:
        office.node.chain.airdrop(Pubkey(b"\x05" * 32), 1)
        message = transaction.message
        if len(message.instructions) > 3:
            monkeypatch.setattr(office.node, "_execute", execute)
            account = office.node.chain.get(ALICE.pubkey())
            assert account is not None
            office.node.chain.set_account(ALICE.pubkey(), replace(account, lamports=10**9))
        return execute(transaction)

    monkeypatch.setattr(office.node, "_execute", late)
    with pytest.raises(TransactionFailed):
        await office.do(transfer("a", 5), transfer("b", 10**11), transfer("c", 6))
    assert office.got() == 11
    assert await office.intents() == {"a": "landed", "b": "refused", "c": "landed"}
    assert [row.state for row in await office.attempts()].count("failed") == 1


# -- refusals -----------------------------------------------------------------------------------------


async def test_what_somebody_else_did_is_done(office: Office) -> None:
    async def not_due() -> bool:
        return False

    assert await office.do(Action("a", (pay(10**15),), not_due)) == []
    assert await office.intents() == {"a": "superseded"}


async def test_a_refused_action_waits_longer_each_time_and_is_parked_at_last(office: Office) -> None:
    """By the chain's clock: this machine's is far from it here."""
    world = office.node.chain
    pauses = []
    for _ in range(8):
        with pytest.raises(TransactionFailed):
            await office.do(transfer("a", 10**15))
        assert await office.do(transfer("a", 10**15)) == [], "it waits"
        async with office.database.reading() as connection:
            row = (await connection.execute(sa.select(INTENTS))).one()
        pauses.append(row.not_before - world.now())
        world.warp_to(row.not_before)
    assert pauses == [20, 40, 80, 160, 320, 640, 1_280, 2_560]
    assert await office.intents() == {"a": "parked"}
    assert row.reason == "the key that pays has too few lamports: send it SOL"
    world.advance(10**6)
    assert await office.do(transfer("a", 10**15)) == []
    assert await unpark(office.database, "another") == 0
    assert await unpark(office.database) == 1
    with pytest.raises(TransactionFailed):
        await office.do(transfer("a", 10**15))


async def test_a_patient_action_is_tried_for_ever_and_fails_nothing(office: Office) -> None:
    world = office.node.chain
    waits = replace(transfer("a", 10**15), patient=True)
    for tries in range(12):
        assert len(await office.do(waits, transfer(f"other {tries}", 1))) == 1
        async with office.database.reading() as connection:
            row = (await connection.execute(sa.select(INTENTS).filter_by(key="a"))).one()
        assert (row.state, row.tries) == ("refused", tries + 1)
        assert row.not_before - world.now() == min(3_600, 20 * 2**tries)
        world.warp_to(row.not_before)
    await office.do(replace(transfer("a", 5), patient=True))
    assert (await office.intents())["a"] == "landed"
    assert office.got() == 12 + 5


async def test_a_keeper_without_lamports_parks_at_once(office: Office) -> None:
    pauper = Keypair.from_seed(b"\x09" * 32)
    action = Action("a", (pay(5, payer=pauper),), still_due)
    with pytest.raises(TransactionFailed, match="AccountNotFound"):
        await office.sender(payer=pauper).perform("job", [action], LOG)
    assert await office.intents() == {"a": "parked"}
    assert office.landed() == []


# -- who may send, and what it may cost -------------------------------------------------------------------


async def test_only_the_leader_sends(office: Office) -> None:
    async with office.database.transaction() as connection:
        await connection.execute(sa.update(LEADERSHIP).values(epoch=LEADERSHIP.c.epoch + 1))
    with pytest.raises(NotLeader):
        await office.do(transfer("a", 7))
    assert (office.landed(), await office.intents()) == ([], {})


async def test_a_leader_that_is_overtaken_sends_nothing_more(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Overtaken after signing: the transaction is never sent, and the next leader settles it."""
    blockhash = office.chain.blockhash

    async def overtaken() -> Any:
        async with office.database.transaction() as connection:
            await connection.execute(sa.update(LEADERSHIP).values(epoch=LEADERSHIP.c.epoch + 1))
        return await blockhash()

    monkeypatch.setattr(office.chain, "blockhash", overtaken)
    with pytest.raises(NotLeader):
        await office.do(transfer("a", 7))
    monkeypatch.undo()
    assert (office.landed(), await office.attempts()) == ([], [])
    office.leader.epoch = None
    assert await office.leader.lead()
    await office.do(transfer("a", 7))
    assert office.got() == 7


async def test_nothing_is_sent_while_accounts_differ(office: Office) -> None:
    async with office.database.transaction() as connection:
        await connection.execute(sa.insert(HALTS).values(program="staking", reason="Config x", since=1))
    with pytest.raises(Halted, match=r"staking's accounts .*Config x.*ionet keeper resume"):
        await office.do(transfer("a", 7))
    assert office.landed() == []


async def test_the_days_budget_ends_priority_not_sending(office: Office) -> None:
    office.node.faults.fees = [10**6]
    office.fees = FeePolicy(daily=FEE + 500)
    for number in range(3):
        await office.do(transfer(f"{number}", 1))
    prices = [row.price for row in await office.attempts()]
    assert prices[0] > 0
    assert prices[1:] == [0, 0]
    assert office.got() == 3


# -- several jobs -----------------------------------------------------------------------------------------


def many(name: str) -> list[Action]:
    """Enough for three transactions."""
    people = [Pubkey(bytes([ord(name), n]) * 16) for n in range(60)]
    return [Action(f"{name}:{n}", (pay(10**7, each),), still_due) for n, each in enumerate(people)]


async def test_jobs_take_turns_a_transaction_each(office: Office) -> None:
    sender = office.sender()
    jobs = ("long", "short", "third")
    async with sender._turn("before"):
        working = [asyncio.create_task(sender.perform(each, many(each[0]), LOG)) for each in jobs]
        while len(sender._turns._waiters or ()) < len(jobs):
            await asyncio.sleep(0.001)
    await asyncio.gather(*working)
    job_of = {row.signature: row.job for row in await office.attempts()}
    order = [job_of[str(record.signature)] for record in office.landed()]
    rounds = [order[at : at + 3] for at in range(0, len(order), 3)]
    assert len(rounds) >= 3
    assert all(set(each) == set(jobs) for each in rounds)
    assert set((await office.intents()).values()) == {"landed"}
    assert sender.acting is None


async def test_a_sender_that_is_stopped_leaves_what_is_under_way(office: Office) -> None:
    """The node doesn't include it: it is left as it is, and what waits for its turn isn't begun."""
    office.node.faults.drop = True
    sender = office.sender()
    first = asyncio.create_task(sender.perform("first", [transfer("a", 7)], LOG))
    while not any(method == "sendTransaction" for method, _ in office.node.calls):
        await asyncio.sleep(0)
    second = asyncio.create_task(sender.perform("second", [transfer("b", 8)], LOG))
    while await office.intents() != {"a": "sent", "b": "open"}:
        await asyncio.sleep(0)
    assert sender.acting == "first"
    sender.stop()
    for task in (first, second):
        with pytest.raises(Stopped):
            await task
    assert await office.intents() == {"a": "sent", "b": "open"}
    assert [(row.job, row.state) for row in await office.attempts()] == [("first", "live")]
    office.node.faults.drop = False
    await office.do(transfer("a", 7), transfer("b", 8))
    assert office.got() == 15
    assert [row.state for row in await office.attempts()] == ["final"] * 2


async def test_what_a_job_does_not_name_any_more_is_closed(office: Office) -> None:
    """Others did it before it was sent, or after it was refused. A parked one waits for somebody."""
    pauper = Keypair.from_seed(b"\x09" * 32)
    with pytest.raises(TransactionFailed):
        await office.sender(payer=pauper).perform(
            "job", [Action("parked", (pay(5, payer=pauper),), still_due)], LOG
        )
    with pytest.raises(TransactionFailed):
        await office.do(transfer("done", 1), transfer("refused", 10**15))
    office.node.faults.drop, office.node.faults.blocks_per_question = True, 60
    with pytest.raises(TransactionExpired):
        await office.do(transfer("open", 2))
    with pytest.raises(TransactionExpired):
        await office.sender().perform("other", [transfer("other's", 3)], LOG)
    before = await office.intents()
    assert before == {
        "parked": "parked",
        "done": "landed",
        "refused": "refused",
        "open": "open",
        "other's": "open",
    }
    sender = office.sender()
    await sender.close_others("job", {"open", "refused"}, LOG)
    assert await office.intents() == before, "they are still named"
    with capture_logs() as logs:
        await sender.close_others("job", set(), structlog.get_logger())
    assert logs == [{"event": "actions.superseded", "log_level": "info", "count": 2}]
    assert await office.intents() == {**before, "refused": "superseded", "open": "superseded"}
    office.node.faults.drop, office.node.faults.blocks_per_question = False, 0
    await office.do(transfer("open", 2))
    assert (await office.intents())["open"] == "landed"
    assert office.got() == 1 + 2


async def test_what_somebody_else_found_out_first_stays(office: Office) -> None:
    """A sweep beside a job: what it says late of a transaction is no longer about the action."""
    office.node.faults.drop, office.node.faults.blocks_per_question = True, HASH_LIFE
    with pytest.raises(TransactionExpired):
        await office.do(transfer("a", 7))
    office.node.faults.drop = False
    await office.do(transfer("a", 7))
    expired = [row.signature for row in await office.attempts() if row.state == "expired"]
    assert len(expired) == 4
    for each in expired:
        await office.sender()._store.expired(each, "said late")
    assert await office.intents() == {"a": "landed"}
    assert (await office.attempts())[0].reason == "unknown when its blockhash had run out"


async def test_answers_that_are_lost_while_a_transaction_is_under_way(office: Office) -> None:
    """A failure would leave all that comes after it to the next run."""

    class Lossy:
        left = LOST_ANSWERS - 1

        async def answer(self, question: Any, ask: Callable[[], Awaitable[bytes]]) -> bytes:
            if question["method"] == "sendTransaction" and self.left:
                self.left -= 1
                raise ConnectionError
            return await ask()

    office.node.mischief = Lossy()
    await office.do(transfer("a", 7))
    assert office.got() == 7
    assert [row.state for row in await office.attempts()] == ["final"]


async def test_thousands_of_actions_need_no_question_each(office: Office) -> None:
    """Before the first is sent, and when all are done: neither asks the node for each of them."""
    actions = [transfer(f"{n}", 1 + n, Pubkey(bytes([7, *n.to_bytes(3, "big")]) * 8)) for n in range(1_000)]
    sends = [each for each in actions[:20]]
    for each in {action.instructions[0].accounts[1].pubkey for action in sends}:
        office.node.chain.airdrop(each, LAMPORTS)
    office.node.calls.clear()
    sender = office.sender()
    await sender._open("job", actions, Results(lambda: None))
    assert len(office.node.calls) == 1, "the clock"
    assert set((await office.intents()).values()) == {"open"}
    await office.do(*sends)
    office.node.calls.clear()
    await office.do(*sends)
    assert len(office.node.calls) < 10


# -- kills ----------------------------------------------------------------------------------------------


class Killed(BaseException):
    """The process ends here."""


class Mortal:
    """A chain whose caller is killed before or after one of its questions."""

    def __init__(self, chain: Chain, kill_at: int) -> None:
        self._chain, self._left = chain, kill_at

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._chain, name)

        async def asked(*arguments: Any, **options: Any) -> Any:
            self._step()
            answer = await method(*arguments, **options)
            self._step()
            return answer

        return asked

    def _step(self) -> None:
        self._left -= 1
        if self._left == 0:
            raise Killed


@pytest.mark.parametrize("faults", [{}, {"drop": 2}, {"finality_lag": 3}], ids=str)
async def test_killed_at_any_point_everything_is_done_once(office: Office, faults: dict[str, int]) -> None:
    """Before and after each question to the chain, among them each sending, and so around each write."""
    office.node.faults.finality_lag = faults.get("finality_lag", 0)
    include, dropped = office.node._include, [faults.get("drop", 0)]

    def sometimes(transaction: VersionedTransaction) -> None:
        if dropped[0]:
            dropped[0] -= 1
        else:
            include(transaction)

    office.node._include = sometimes  # type: ignore[method-assign]
    done = 0
    for kill_at in range(1, 60):
        actions = [transfer(f"{kill_at}:{n}", 1) for n in range(3)]
        mortal: Any = Mortal(office.chain, kill_at)
        try:
            await office.sender(chain=mortal).perform("job", actions, LOG)
        except Killed:
            await office.do(*actions)
        else:
            break
        done = kill_at
    assert done > 15
    assert office.got() == 3 * (done + 1)
    assert set((await office.intents()).values()) == {"landed"}


@pytest.mark.parametrize("seed", range(2))
async def test_behind_a_lying_proxy(office: Office, seed: int) -> None:
    """Questions and answers get lost, late, and old: everything is done, once."""
    office.node.mischief = Mischief(seed)
    actions = [transfer(f"{n}", 1 + n) for n in range(12)]
    for first in range(0, 12, 3):
        for _ in range(200):
            try:
                await office.do(*actions[first : first + 3])
            except ChainError:
                continue
            break
    office.node.mischief = None
    await office.do(*actions)
    assert office.got() == sum(range(1, 13))
    assert set((await office.intents()).values()) == {"landed"}


async def test_an_embedded_chain(database: Database) -> None:
    """The same on a chain in this process, of which nothing gets lost on the way."""
    chain: EmbeddedChain = new_chain()
    leader = Leader(database, "test")
    await leader.lead()
    sender = Sender(chain, database, leader, ALICE, fees=FeePolicy(), poll_seconds=0)
    for _ in range(2):
        await sender.perform("job", [transfer("a", 7), transfer("b", 8)], LOG)
    account = chain.get(BOB.pubkey())
    assert account is not None
    assert account.lamports == LAMPORTS + 15
    assert len(chain.transactions()) == 1
    await leader.resign()
