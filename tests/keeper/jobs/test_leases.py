"""The job of orders on the real programs: due, not due, twice, beside others, and refused by one account."""

from __future__ import annotations

from itertools import count

import pytest
import structlog
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from structlog.testing import capture_logs

from keeper.chain import TransactionFailed
from keeper.chain.fees import FeePolicy
from keeper.chain.framework import TOKEN_PROGRAM, associated_token_address
from keeper.chain.landing import prepare
from keeper.chain.packing import MAX_TRANSACTION_BYTES, pack, size
from keeper.clients import buyback, orders, staking, tokenomics
from keeper.economy.calendar import DAY
from keeper.economy.orders import EndReason, fee
from keeper.jobs import leases
from keeper.jobs.leases import keep_leases, read_book
from keeper.jobs.port import Direct
from keeper.market.leases import ending
from tests.keeper.jobs.test_tokenomics import overtaken
from tests.keeper.runtime.keepers import new_keeper
from tests.programs.orders.world import ASK_IO, HOUR, OrdersWorld
from tests.programs.world import World, finish, key
from tests.security.tokens import freeze_anyway

LOG = structlog.get_logger()
RATE = ASK_IO * 4


@pytest.fixture
def world() -> OrdersWorld:
    return OrdersWorld.with_two_devices()


async def names(world: OrdersWorld) -> list[str]:
    """The job's events, but for the fees beside the payments."""
    return [e.name for e in await keep_leases(Direct(world.chain, world.payer, LOG)) if e.name != "Earn"]


def opened(world: OrdersWorld, *accepting: str, **changed: object) -> orders.Order:
    order = world.order(key("renter"), **changed)
    for name in accepting:
        world.run(order, name)
    return world.read_order(key("renter"))


async def test_before_there_is_anything():
    world = World.launched()
    with capture_logs() as logs:
        assert await keep_leases(Direct(world.chain, world.payer, LOG)) == []
    assert [each["event"] for each in logs] == ["leases.not_initialised"]


async def test_an_order_goes_its_way_by_the_keeper_alone(world):
    order = opened(world, "one", "two")
    money = orders.order_address(order.renter, order.id), key("supplier").pubkey()
    had = world.balance(money[1])
    assert await names(world) == ["Refund"], "what was put down above the price"
    assert await names(world) == []
    world.chain.advance(10 * HOUR - 1)
    assert await names(world) == []
    world.chain.advance(1)
    assert await names(world) == ["LeaseEnded"] * 2
    world.chain.advance(2 * HOUR)
    assert await names(world) == ["Worked"] * 2 + ["LeaseClosed"] * 2 + ["OrderClosed"]
    assert world.chain.get(money[0]) is None
    principal = RATE * 10
    assert world.balance(money[1]) == had + 2 * (principal - fee(principal, 25))
    assert world.tokens(buyback.IO_VAULT) == 4 * fee(principal, 25)
    before = len(world.chain.transactions())
    assert await names(world) == []
    assert len(world.chain.transactions()) == before, "nothing is sent when nothing is due"


async def test_a_long_lease_is_paid_every_day(world):
    order = opened(world, "one", hours=100, devices=1)
    await names(world)
    days = []
    for hour in range(1, 75):
        world.chain.advance(HOUR)
        if "Worked" in await names(world):
            days.append(hour)
    assert days == [23, 46, 69]
    assert world.lease(order, "one").paid == RATE * (69 - 2)


async def test_nobody_accepts_and_nobody_serves(world):
    order = world.order(key("renter"))
    world.match(order, "one")
    world.chain.advance(600)
    assert await names(world) == ["LeaseEnded", "LeaseClosed"]
    device = world.read_device("one")
    assert (device.lease, device.barred_until) == (staking.NOBODY, world.chain.now() + HOUR)
    order = world.read_order(key("renter"))
    assert (order.open, order.match_until) == (2, world.chain.now() + 20 * 60)
    world.run(order, "two")
    assert await names(world) == []
    world.chain.warp_to(order.match_until)
    assert await names(world) == ["Refund"], "of the device that never came"
    world.chain.advance(DAY)
    assert await names(world) == ["LeaseEnded", "Worked", "LeaseClosed", "OrderClosed"]
    rich = world.balance(order.renter)
    world.order(key("renter"), number=2)
    world.chain.advance(20 * 60 - 1)
    assert await names(world) == []
    world.chain.advance(1)
    assert await names(world) == ["Refund", "OrderClosed"]
    assert world.balance(order.renter) == rich


async def test_an_end_is_what_was_computed_and_faults_are_closed(world):
    order = opened(world, "one", "two")
    world.chain.advance(2 * HOUR + 1)
    lease = world.lease(order, "one")
    expected = ending(order, lease, order.renter, world.chain.now(), worker_may_end=False)
    assert world.end(order, "one", key("renter")).error is None
    ended = world.lease(order, "one")
    assert (ended.reason, ended.stop) == (expected.reason, expected.stop)
    assert ended.held == expected.pay + expected.fee
    assert world.read_order(key("renter")) == expected.order
    for operator in world.operators[:2]:
        vote = orders.vote_fault(operator.pubkey(), world.lease(order, "two"), b"e" * 32, 1)
        world.do(vote, signers=[operator])
    assert len((await read_book(world.chain)).faults) == 1
    world.chain.advance(DAY)
    assert set(await names(world)) == {"Worked", "LeaseClosed", "FaultClosed", "Refund", "OrderClosed"}
    assert (await read_book(world.chain)).faults == {}
    assert world.read_device("two").leases_failed == 1


async def test_a_payout_account_that_is_gone_keeps_nobody_waiting(world):
    """Its money is parked, order and lease are closed, and it is paid once the account is there again."""
    other = world.supplier("other")
    world.let("three", other)
    opened(world, "one", "three", hours=1)
    await names(world)
    tokens = associated_token_address(other.pubkey(), tokenomics.MINT)
    close(world, "other", tokens)
    world.chain.advance(4 * HOUR)
    with capture_logs() as logs:
        done = await names(world)
    assert done == ["LeaseEnded"] * 2 + ["Worked"] * 2 + ["PayParked"] + ["LeaseClosed"] * 2 + ["OrderClosed"]
    assert "lease.parked" in [each["event"] for each in logs]
    assert await names(world) == []
    world.give(other.pubkey(), 1)
    assert await names(world) == ["ParkedPaid"]
    assert world.balance(other.pubkey()) == 1 + RATE - fee(RATE, 25)
    assert finish(orders.read_parked(world.chain)) == []


async def test_a_payee_that_is_blocked_while_its_lease_runs_is_paid_later(world):
    """Nothing waits for it before the end, and a keeper locks no lamports for it."""
    order = opened(world, "one", hours=100, devices=1)
    await names(world)
    freeze_anyway(world, payout())
    world.chain.advance(30 * HOUR)
    assert await names(world) == []
    freeze_anyway(world, payout(), let_go=True)
    assert await names(world) == ["Worked"]
    assert world.lease(order, "one").paid == RATE * 28


async def test_what_was_parked_twice_for_the_same_amount_is_paid_twice(world, database):
    """By a keeper that remembers what it did: a record that came again is another."""
    keeper = new_keeper(world.chain, world.payer, database, {"leases": keep_leases})
    had = world.balance(key("supplier").pubkey())
    for number, name in enumerate(("one", "two"), start=1):
        order = world.order(key("renter"), number, hours=1, devices=1)
        world.run(order, name)
        freeze_anyway(world, payout())
        world.chain.advance(3 * HOUR)
        await keeper.run_job("leases")
        (parked,) = await orders.read_parked(world.chain)
        assert parked.amount == RATE - fee(RATE, 25)
        freeze_anyway(world, payout(), let_go=True)
        await keeper.run_job("leases")
        assert await orders.read_parked(world.chain) == []
    await keeper.resign()
    assert world.balance(key("supplier").pubkey()) == had + 2 * (RATE - fee(RATE, 25))


async def test_a_fee_vault_that_is_frozen_keeps_nobody_waiting(world):
    """Suppliers are paid, orders are closed; the fees are parked, and paid once they can be."""
    opened(world, "one", "two", hours=1)
    await names(world)
    vault = world.orders_config().io_fees
    freeze_anyway(world, vault)
    world.chain.advance(4 * HOUR)
    with capture_logs() as logs:
        done = await names(world)
    ends = ["FeesParked", "OrderClosed"]
    assert done == ["LeaseEnded"] * 2 + ["Worked"] * 2 + ["LeaseClosed"] * 2 + ends
    assert "order.fees_parked" in [each["event"] for each in logs]
    assert await names(world) == []
    freeze_anyway(world, vault, let_go=True)
    with capture_logs() as logs:
        assert await names(world) == ["ParkedPaid"]
    assert [each["event"] for each in logs] == ["parked.paid"]
    assert world.tokens(vault) == 4 * fee(RATE, 25)


async def test_a_gang_that_is_not_filled_in_time(world):
    """Who didn't come has a strike, who came has none; both places open again."""
    order = world.order(key("renter"), min_devices=2)
    for name in ("one", "two"):
        world.match(order, name)
    world.accept(order, "one")
    gang_until = world.read_order(key("renter")).gang_until
    assert await names(world) == ["Refund"], "what was put down above the price"
    world.chain.warp_to(gang_until - 1)
    assert await names(world) == []
    world.chain.advance(1)
    with capture_logs() as logs:
        assert await names(world) == ["LeaseEnded"] * 2 + ["LeaseClosed"] * 2
    reasons = {each["lease"]: each["reason"] for each in logs if each["event"] == "lease.ended"}
    one, two = (orders.lease_address(order.address, device_of(name)) for name in ("one", "two"))
    assert reasons == {str(one): EndReason.UNFILLED, str(two): EndReason.LAPSED}
    assert [world.read_device(name).strikes for name in ("one", "two")] == [0, 1]
    order = world.read_order(key("renter"))
    assert (order.open, order.leases, order.gang_until) == (2, 0, 0)


async def test_a_gang_that_is_filled_goes_its_way(world):
    order = opened(world, min_devices=2)
    for name in ("one", "two"):
        world.match(order, name)
    for name in ("one", "two"):
        world.accept(order, name)
    await names(world)
    world.chain.advance(13 * HOUR)
    done = await names(world)
    assert sorted(done[:3]) == ["LeaseEnded", "LeaseEnded", "LeaseStarted"], "one of them unwritten until now"
    assert done[3:] == ["Worked"] * 2 + ["LeaseClosed"] * 2 + ["OrderClosed"]
    assert [world.read_device(name).leases_done for name in ("one", "two")] == [1, 1]


def device_of(name: str) -> Pubkey:
    return staking.device_address(key(name).pubkey())


def payout() -> Pubkey:
    """Where the supplier's devices are paid."""
    return associated_token_address(key("supplier").pubkey(), tokenomics.MINT)


def close(world: OrdersWorld, owner: str, tokens) -> None:
    """Empty and close a token account of ``owner``'s."""
    keypair = key(owner)
    accounts = [
        AccountMeta(tokens, is_signer=False, is_writable=True),
        AccountMeta(tokenomics.MINT, is_signer=False, is_writable=True),
        AccountMeta(keypair.pubkey(), is_signer=True, is_writable=False),
    ]
    amount = world.tokens(tokens).to_bytes(8, "little")
    burn = Instruction(TOKEN_PROGRAM, bytes([8]) + amount, accounts)
    closing = [accounts[0], AccountMeta(keypair.pubkey(), False, True), accounts[2]]
    world.do(burn, Instruction(TOKEN_PROGRAM, bytes([9]), closing), signers=[keypair])


async def test_somebody_who_makes_something_due_all_the_time_keeps_no_other_job_from_its_turn(
    world, monkeypatch
):
    numbers = count(1)

    async def read_and_make_due(chain):
        made = world.order(key("renter"), number=next(numbers))
        world.do(orders.cancel_order(made), signers=[key("renter")])
        return await read_book(chain)

    monkeypatch.setattr(leases, "read_book", read_and_make_due)
    closed = [each.name for each in await keep_leases(Direct(world.chain, world.payer, LOG))].count(
        "OrderClosed"
    )
    assert closed == leases.STEPS


async def test_beside_another_keeper(world):
    opened(world, "one", "two")
    world.chain.advance(10 * HOUR)
    overtaken(world)
    with capture_logs() as logs:
        await keep_leases(Direct(world.chain, world.payer, LOG))
    assert {each["event"] for each in logs} <= {"keeper.others_were_faster", "lease.ended", "order.refunded"}
    assert all(each.status == 2 for each in finish(orders.read_leases(world.chain)).values())


async def test_a_keeper_without_lamports_says_so_once(world):
    opened(world, "one", "two")
    with pytest.raises(TransactionFailed):
        await keep_leases(Direct(world.chain, key("nobody gave me lamports"), LOG))


async def test_many_are_done_in_few_transactions(world):
    supplier = key("supplier")
    names_ = [f"worker {number}" for number in range(12)]
    for name in names_:
        world.let(name, supplier)
    opened(world, *names_, devices=12, hours=1)
    await names(world)
    world.chain.advance(HOUR)
    before = len(world.chain.transactions())
    assert await names(world) == ["LeaseEnded"] * 12
    assert len(world.chain.transactions()) - before <= 3


def test_packing_fills_transactions_and_keeps_the_order():
    payer = key("payer").pubkey()
    accounts = [[AccountMeta(key(f"{n} {i}").pubkey(), False, True) for i in range(n % 5)] for n in range(40)]
    instructions = [Instruction(TOKEN_PROGRAM, bytes(n), metas) for n, metas in enumerate(accounts)]
    runs = pack([[each] for each in instructions], payer)
    assert [at for run in runs for at in run] == list(range(40))
    sizes = [size([instructions[at] for at in run], payer) for run in runs]
    assert max(sizes) <= MAX_TRANSACTION_BYTES
    for run in runs[:-1]:
        assert size(instructions[run.start : run.stop + 1], payer) > MAX_TRANSACTION_BYTES
    assert pack([], payer) == []


async def test_a_size_is_that_of_what_lands(world):
    payer, admin = world.payer.pubkey(), world.admin.pubkey()
    instruction = transfer(TransferParams(from_pubkey=payer, to_pubkey=admin, lamports=1))
    signed = await prepare(world.chain, [instruction], [world.payer], FeePolicy())
    assert len(bytes(signed.transaction)) == size([instruction], payer)
