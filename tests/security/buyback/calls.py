"""One call of each of buyback's instructions that succeeds, and where."""

from __future__ import annotations

from keeper.clients import buyback as client
from keeper.clients.buyback import Params
from tests.programs.buyback.world import FIRST_PRICE, USDC_MINT
from tests.programs.world import DAY
from tests.security.buyback.stages import OPEN, bid, start
from tests.security.matrix import Call
from tests.security.people import DEPUTY, HEIR, address

ADMIN, GUARDIAN = address("admin"), address("guardian")

CALLS = {
    "initialize": Call("empty", lambda _: client.initialize(ADMIN, GUARDIAN, USDC_MINT, Params())),
    "propose_params": Call("running", lambda _: client.propose_params(ADMIN, Params())),
    "cancel_params": Call("running", lambda _: client.cancel_params(GUARDIAN)),
    "apply_params": Call("running", lambda _: client.apply_params()),
    "propose_admin": Call("running", lambda _: client.propose_admin(ADMIN, address("bob"))),
    "accept_admin": Call("running", lambda _: client.accept_admin(address(HEIR))),
    "propose_guardian": Call("running", lambda _: client.propose_guardian(ADMIN, address("bob"))),
    "accept_guardian": Call("running", lambda _: client.accept_guardian(address(DEPUTY))),
    "set_pause": Call("running", lambda world: client.set_pause(GUARDIAN, 3, world.chain.now() + DAY)),
    "propose_first_price": Call("initialized", lambda _: client.propose_first_price(ADMIN, FIRST_PRICE)),
    "cancel_first_price": Call("priced", lambda _: client.cancel_first_price(GUARDIAN)),
    "start_auction": Call("due", lambda _: start(OPEN)),
    "bid": Call("running", lambda _: bid("alice")),
    "close_auction": Call("ended", lambda _: client.close_auction(OPEN)),
    "burn_fees": Call("running", lambda _: client.burn_fees()),
}
