"""One call of each of orders' instructions that succeeds, and where."""

from __future__ import annotations

from keeper.clients import orders as client
from keeper.clients.orders import Params
from tests.programs.world import DAY
from tests.security.matrix import Call
from tests.security.orders.stages import (
    FREE,
    OTHER_RUNNING,
    USDC_MINT,
    WAITING,
    accept,
    close,
    create,
    end,
    extend,
    fault,
    hold,
    io,
    lease,
    match,
    order,
    park_fees,
    park_pay,
    pay_parked,
    refund,
    settle,
    vote,
    where,
)
from tests.security.people import DEPUTY, HEIR, address

ADMIN, GUARDIAN = address("admin"), address("guardian")

CALLS = {
    "initialize": Call("empty", lambda _: client.initialize(ADMIN, GUARDIAN, USDC_MINT, Params())),
    "propose_params": Call("matching", lambda _: client.propose_params(ADMIN, Params())),
    "cancel_params": Call("matching", lambda _: client.cancel_params(GUARDIAN)),
    "apply_params": Call("done", lambda _: client.apply_params()),
    "propose_admin": Call("matching", lambda _: client.propose_admin(ADMIN, address("bob"))),
    "accept_admin": Call("matching", lambda _: client.accept_admin(address(HEIR))),
    "propose_guardian": Call("matching", lambda _: client.propose_guardian(ADMIN, address("bob"))),
    "accept_guardian": Call("done", lambda _: client.accept_guardian(address(DEPUTY))),
    "set_pause": Call("matching", lambda world: client.set_pause(GUARDIAN, 3, world.chain.now() + DAY)),
    "create_order": Call("matching", lambda _: create(number=7)),
    "cancel_order": Call("matching", lambda world: client.cancel_order(order(world))),
    "match_device": Call("matching", lambda world: match(world, FREE)),
    "accept_lease": Call("matching", lambda world: accept(world, WAITING)),
    "extend_lease": Call("serving", extend),
    "settle": Call("serving", settle),
    "end_lease": Call("serving", lambda world: end(world, "carol")),
    # The deciding vote: the first one, which makes the account, is in test_faults.py.
    "vote_fault": Call("serving", lambda world: vote(world, 1)),
    "hold_lease": Call("serving", hold),
    "refund": Call("matching", refund),
    "close_lease": Call("done", lambda world: client.close_lease(lease(world))),
    "close_fault": Call(
        "done", lambda world: client.close_fault(fault(world, where(OTHER_RUNNING, "mallory")))
    ),
    "close_order": Call("done", lambda world: close(world, number=2)),
    "park_pay": Call("blocked", park_pay),
    "park_fees": Call("blocked", lambda world: park_fees(world, "mallory")),
    "pay_parked": Call("parked", lambda world: pay_parked(world, io("alice"))),
}
