"""One call of each of staking's instructions that succeeds, and where."""

from __future__ import annotations

from keeper.clients import staking as client
from keeper.clients.staking import Params
from tests.programs.staking.world import PRICES
from tests.programs.world import DAY, HOUR, START
from tests.security.matrix import Call
from tests.security.people import DEPUTY, HEIR, OPERATORS, address
from tests.security.staking.stages import (
    APPLE,
    BOUNDS,
    CHALLENGED,
    DUE,
    END,
    EVIDENCE,
    FINAL_HOURS,
    GPU,
    LATE_EVIDENCE,
    NEW_EVIDENCE,
    OFFER,
    REWARD_BPS,
    SLASH_BPS,
    apply_price,
    device,
    free_device,
    lease_device,
    lifetimes,
    proof,
    record_lease,
    said,
)

PARAMS = Params(tuple(map(address, OPERATORS)), 2)
"""Those in force."""
LAST = FINAL_HOURS - 1
"""The last final block."""
TERMS = {"processors": 4, "tier": 4, "country": "CH"}
OLD_PRICES = (START + DAY) // HOUR - 1
PRICED = OLD_PRICES + 3
"""Hours whose steps operators have agreed on, where they have: one is over, the other can be announced."""


def claim(name: str, hour: int = LAST):
    """A wallet's claim."""
    owner = address(name)
    return client.claim(hour, owner, lifetimes(hour)[owner], proof(hour, name))


CALLS = {
    "initialize": Call("empty", lambda _: client.initialize(address("admin"), address("guardian"), PARAMS)),
    "propose_params": Call("running", lambda _: client.propose_params(address("admin"), PARAMS)),
    "cancel_params": Call("running", lambda _: client.cancel_params(address("guardian"))),
    "apply_params": Call("running", lambda _: client.apply_params()),
    "propose_admin": Call("running", lambda _: client.propose_admin(address("admin"), address("bob"))),
    "accept_admin": Call("running", lambda _: client.accept_admin(address(HEIR))),
    "propose_guardian": Call("running", lambda _: client.propose_guardian(address("admin"), address("bob"))),
    "accept_guardian": Call("running", lambda _: client.accept_guardian(address(DEPUTY))),
    "set_pause": Call(
        "running", lambda world: client.set_pause(address("guardian"), 3, world.chain.now() + DAY)
    ),
    "add_class": Call("running", lambda _: client.add_class(address("admin"), 9, "L4", 25, 1, 0, PRICES)),
    "change_class": Call("running", lambda _: client.change_class(address("admin"), 1, 150)),
    "change_bounds": Call("running", lambda _: client.change_bounds(address("admin"), 1, BOUNDS)),
    "cancel_class": Call("running", lambda _: client.cancel_class(address("guardian"), APPLE)),
    "vote_prices": Call(
        "running", lambda _: client.vote_prices(address("operator 0"), END // HOUR - 1, b"r" * 32)
    ),
    "apply_price": Call("priced", lambda _: apply_price(GPU, PRICED)),
    "cancel_price": Call("priced", lambda _: client.cancel_price(address("guardian"), APPLE)),
    "close_prices": Call("priced", lambda _: client.close_prices(OLD_PRICES, address("operator 0"))),
    "post": Call("running", lambda _: client.post(address("operator 0"), 7, 3, 9, b"h" * 32)),
    "open_wallet": Call("running", lambda _: client.open_wallet(address("bob"), address(HEIR))),
    "register_device": Call(
        "running",
        lambda _: client.register_device(
            address("alice"), address("new worker"), address("alice"), 1, **TERMS
        ),
    ),
    "change_device": Call(
        "running",
        lambda world: client.change_device(
            device(world, "worker"), tier=2, country="DE", ask_io=2, ask_usdc=3
        ),
    ),
    "pause_device": Call("running", lambda world: client.pause_device(device(world, "worker"))),
    "set_payout": Call("running", lambda world: client.set_payout(device(world, "worker"), address("carol"))),
    "terminate_device": Call("running", lambda world: client.terminate_device(device(world, "worker"))),
    "close_device": Call("running", lambda world: client.close_device(device(world, "empty worker"))),
    "settle_device": Call("waited", lambda world: client.settle_device(device(world, "bob's worker"))),
    "stake": Call("running", lambda world: client.stake(device(world, "worker"), 1)),
    "withdraw_overflow": Call("staked", lambda world: client.withdraw_overflow(device(world, "worker"), 1)),
    "unstake": Call("running", lambda world: client.unstake(device(world, "worker"))),
    "withdraw": Call("running", lambda world: client.withdraw(device(world, "leaving worker"))),
    "open_offer": Call("staked", lambda world: client.open_offer(device(world, "worker"), OFFER, REWARD_BPS)),
    "close_offer": Call("running", lambda world: client.close_offer(device(world, "bob's worker"))),
    "take_offer": Call(
        "staked",
        lambda world: client.take_offer(device(world, "bob's worker"), address("carol"), OFFER, REWARD_BPS),
    ),
    "leave_co_stake": Call(
        "running", lambda world: client.leave_co_stake(device(world, "slashed worker"), address("carol"))
    ),
    "withdraw_co_stake": Call(
        "running", lambda world: client.withdraw_co_stake(device(world, "leaving worker"), address("carol"))
    ),
    "attest": Call("running", lambda _: client.attest(address("operator 0"), 52, said(52))),
    "veto_block": Call("running", lambda _: client.veto_block(address("guardian"), CHALLENGED)),
    "finalise": Call("running", lambda _: client.finalise(DUE)),
    "close_block": Call("running", lambda _: client.close_block(0, address("operator 0"))),
    "claim": Call("running", lambda _: claim("alice")),
    "vote_slash": Call(
        "running",
        lambda world: client.vote_slash(
            address("operator 2"), device(world, "worker"), NEW_EVIDENCE, SLASH_BPS
        ),
    ),
    "appeal_slash": Call(
        "running",
        lambda world: client.appeal_slash(device(world, "worker"), LATE_EVIDENCE, b"a" * 32),
    ),
    "veto_slash": Call(
        "running",
        lambda world: client.veto_slash(address("guardian"), device(world, "worker"), LATE_EVIDENCE),
    ),
    "execute_slash": Call(
        "running",
        lambda world: client.execute_slash(device(world, "slashed worker"), EVIDENCE),
    ),
    "lease_device": Call("staked", lambda world: lease_device(device(world, "worker"))),
    "free_device": Call("leased", lambda world: free_device(device(world, "worker"))),
    "record_lease": Call("served", lambda world: record_lease(device(world, "worker"))),
}
