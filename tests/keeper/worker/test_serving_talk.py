"""What a hired device hears and says on boards, what it keeps first, and what a renter gets of it."""

from __future__ import annotations

import asyncio
from ipaddress import IPv4Address

import pytest

from keeper.clients import orders
from keeper.compute import runtime
from keeper.compute.boards import Boards
from keeper.compute.bodies import ANSWERS_PROBES, EGRESS, Key, Kind, Sealed, Tickets
from keeper.compute.members import members
from keeper.compute.seal import Ticket, seal
from keeper.compute.wire import Message
from keeper.economy.classes import read_classes
from keeper.worker.assemble import is_processor
from keeper.worker.serving import capacity, part
from keeper.worker.serving.capacity import GIB
from keeper.worker.state import StateError
from tests.keeper.worker.hiring import ACTIVE, IDLE, JOINING, NETWORK, PREPARING, Field, reach
from tests.programs.world import key

# -- boards and messages ---------------------------------------------------------------------------


async def test_a_board_that_is_away_holds_up_nobody(field: Field) -> None:
    field.boards[0].away = True
    order = field.world.order(key("renter"), devices=1)
    one = await reach(field, order, ACTIVE)
    assert one.state is ACTIVE
    assert await one.beat() == 2


def spoilt(field: Field, order: orders.Order, **changed: object) -> Tickets:
    """Tickets of a head for the second device, with something in them that is wrong."""
    cluster = members(order, field.boards[0].leases(), field.world.chain.now())
    public = next(
        each.body.public
        for each in field.boards[0].said(order.address)
        if isinstance(each.body, Key) and each.sender == key("two").pubkey()
    )
    right = {
        "token": bytes(32),
        "head": cluster.head.address,
        "gcs_port": 6_379,
        "jobs_port": 8_265,
        "epoch": cluster.epoch,
        "runtime": runtime.identity(),
        "members": cluster.hash(),
    }
    sealed = Ticket(**{**right, **changed})
    return Tickets(sealed.members, (Sealed(key("two").pubkey(), seal(sealed, public)),))


WRONG = {
    "runtime": {"runtime": bytes(32)},
    "epoch": {"epoch": 7},
    "head": {"head": IPv4Address("10.9.9.9")},
    "port": {"gcs_port": 1},
    "members": {"members": bytes(32)},
}


@pytest.mark.parametrize("what", WRONG)
async def test_a_ticket_that_is_not_as_the_chain_has_it_is_refused(what: str, field: Field) -> None:
    world = field.world
    order = world.order(key("renter"))
    world.match(order, "one")
    await field.sites["one"].turn(3)
    world.chain.advance(6)
    head = key("one")
    # The head's own agent is dead from here on: what is said in its name is the test's.
    await field.sites.pop("one").kill()
    world.match(order, "two")
    two = field.sites["two"]
    await two.turn(4)
    order = world.read_order(key("renter"))
    cluster = members(order, field.boards[0].leases(), world.chain.now())
    assert cluster.head.worker == head.pubkey()

    async def say(body: Tickets, seq: int) -> None:
        ms = world.chain.now() * 1_000
        signed = Message(NETWORK, order.address, head.pubkey(), cluster.epoch, seq, ms, body).sign(head)
        for board in field.boards:
            await board.post(signed)

    await say(spoilt(field, order, **WRONG[what]), 1)
    await two.turn(3)
    assert (two.state, two.host.node) == (JOINING, None)
    await say(spoilt(field, order), 2)
    await two.turn(3)
    assert two.host.node is not None


async def test_a_head_that_says_two_things_is_proven_to_and_one_of_them_counts(field: Field) -> None:
    """Different tickets under one number, on different boards: all boards have the proof in the end."""
    world, head = field.world, key("one")
    order = world.order(key("renter"))
    world.match(order, "one")
    await field.sites["one"].turn(3)
    await field.sites.pop("one").kill()
    world.chain.advance(6)
    world.match(order, "two")
    two = field.sites["two"]
    await two.turn(4)
    order = world.read_order(key("renter"))
    epoch = members(order, field.boards[0].leases(), world.chain.now()).epoch
    tokens = [bytes([number]) * 32 for number in range(2)]
    for board, token in zip(field.boards, tokens, strict=False):
        body, ms = spoilt(field, order, token=token), world.chain.now() * 1_000
        await board.post(Message(NETWORK, order.address, head.pubkey(), epoch, 9, ms, body).sign(head))
    await two.turn(4)
    assert two.host.node.token in tokens
    assert [len(board.board.proofs(order.address)) for board in field.boards] == [1, 1, 1]


async def test_nothing_is_made_or_said_that_is_not_on_the_disk(field: Field, monkeypatch) -> None:
    one, order = field.sites["one"], field.world.order(key("renter"), devices=1)
    field.world.match(order, "one")
    await one.look()

    def full(_: object) -> None:
        raise StateError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(one.hired._book, "keep", full)
        for _ in range(3):
            with pytest.raises(StateError):
                await one.hired.turn()
        await one.hired.settle()
        assert (one.host.calls, field.said(order)) == (["keep only nothing"], [])
        assert one.newest("one").hindrance.code == "preparing"
    await field.turns(4)
    assert one.state is ACTIVE


async def test_a_key_that_all_boards_have_from_before_is_not_said_again(field: Field) -> None:
    """Its answer was lost with the process that asked."""
    order = field.world.order(key("renter"), devices=1)
    one = await reach(field, order, PREPARING)
    await one.hired.part.prepare(one.hired.service)
    assert field.said(order) == [Kind.KEY]
    again = await field.again("one")
    assert again.state is PREPARING
    await again.turn(1)
    assert again.hired.part._talk.has_key
    assert field.said(order).count(Kind.KEY) == 1


@pytest.mark.parametrize(("gib", "left"), [(4.9, None), (5.1, 0.715), (16, 7.8)])
def test_what_a_renter_has_is_what_waves_and_the_machine_leave(gib: float, left: float | None) -> None:
    found = capacity.limits(int(gib * GIB), 2 * GIB, 100 * GIB)
    if left is None:
        assert found is None
        return
    assert found.memory == pytest.approx(left * GIB, rel=0.1)
    assert found.memory + found.shared + found.scratch == int(gib * GIB) - 4 * GIB
    assert found.data == 50 * GIB


def test_only_processors_are_served() -> None:
    kinds = {each.name: is_processor(each.id) for each in read_classes()}
    assert (kinds["CPU"], kinds["RTX 4090"], kinds["M4"], is_processor(9_999)) == (True, False, False, False)


# -- waves -----------------------------------------------------------------------------------------


async def test_a_renters_processes_stand_still_while_a_wave_is_made(field: Field) -> None:
    order = field.world.order(key("renter"), devices=1)
    one = await reach(field, order, ACTIVE)
    for _ in range(20):
        async with one.serving.quiet(one.devices[0]):
            assert one.host.frozen
            assert await one.beat() == 3, "BEATs go on"
        assert not one.host.frozen
    await field.turns(2)
    assert one.state is ACTIVE


async def test_a_wave_that_takes_too_long_lets_them_go_on(field: Field, monkeypatch) -> None:
    monkeypatch.setattr(part, "FREEZE_SECONDS", 0.0)
    order = field.world.order(key("renter"), devices=1)
    one = await reach(field, order, ACTIVE)
    async with one.serving.quiet(one.devices[0]):
        while one.host.frozen:
            await asyncio.sleep(0)
    assert one.host.calls.count("thaw") == 1


async def test_who_is_not_hired_is_not_stopped(field: Field) -> None:
    one = field.sites["one"]
    async with one.serving.quiet(one.devices[0]):
        assert one.host.calls == ["keep only nothing"]


# -- a way out -------------------------------------------------------------------------------------


async def test_a_way_out_is_open_while_the_renters_newest_key_asks_for_it(field: Field) -> None:
    world, one = field.world, field.sites["one"]
    one.host.lets_out = True
    order = world.order(key("renter"), devices=1)
    await reach(field, order, ACTIVE)
    mine = [each for each in field.boards[0].said(order.address) if each.sender == key("one").pubkey()]
    assert [each.body.capabilities for each in mine if isinstance(each.body, Key)] == [
        ANSWERS_PROBES | EGRESS
    ]
    boards = Boards(field.boards, NETWORK, one.hired._log, unix_ms=lambda: world.chain.now() * 1_000)

    async def say(signer: str, number: int, capabilities: int) -> None:
        body = Key(bytes([number + 1]) * 32, number, runtime.identity(), (), capabilities)
        await boards.say(order.address, 0, body, key(signer), 1)
        await one.turn(3)

    assert not one.host.way_out
    await say("renter", 0, EGRESS)
    assert one.host.way_out
    await say("renter", 1, 0)
    assert not one.host.way_out
    # Only the order's renter asks, whatever a bad board hands on.
    body = Key(bytes(32), 9, runtime.identity(), (), EGRESS)
    for sender in ("stranger", "one"):
        one.hired.part._talk.hear(Message(NETWORK, order.address, key(sender).pubkey(), 0, 1, 1, body))
    await one.turn()
    assert not one.host.way_out
    await say("renter", 2, EGRESS)
    assert one.host.way_out
    world.chain.warp_to(one.hired._mine().stop)
    await one.turn(3)
    assert (one.state, one.host.way_out) == (IDLE, False)
    await boards.close()
