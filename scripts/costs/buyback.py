"""What buyback's instructions cost."""

from __future__ import annotations

from dataclasses import replace

from solders.pubkey import Pubkey

from keeper.chain import token
from keeper.clients import buyback as client
from keeper.clients import tokenomics
from keeper.clients.buyback import PROGRAM, Params
from keeper.economy.buyback import INTERVAL, USDC
from keeper.economy.supply import IO
from scripts.costs.meter import Meter, Row
from tests.programs.buyback.world import FIRST_PRICE, USDC_MINT, USDC_VAULT, BuybackWorld
from tests.programs.world import DAY

TARGETS = {"bid": 12_000, "burn_fees": 7_000, "start_auction": 6_000}
"""Compute units that a row of the table may take at most, over all its cases."""
AUCTIONS = 40
"""Auctions measured: their addresses' bumps differ."""


def measure() -> dict[str, Row]:
    """Run every case of buyback; rows in the order of the program's life."""
    world = BuybackWorld.launched()
    assert isinstance(world, BuybackWorld)
    world.create_usdc()
    meter = Meter(PROGRAM, world)
    admin, guardian = world.admin.pubkey(), world.guardian.pubkey()
    meter.run("", client.initialize(admin, guardian, USDC_MINT, Params()), world.admin)
    propose = client.propose_first_price(admin, FIRST_PRICE)
    meter.run("", propose, world.admin)
    meter.run("", client.cancel_first_price(guardian), world.guardian)
    meter.run("", propose, world.admin)
    _fees(meter)
    _auctions(meter)
    _roles(meter)
    return meter.measured()


def _fees(meter: Meter) -> None:
    world = meter.world
    alice = world.person("alice")
    world.give(alice.pubkey(), 2 * IO)
    source = tokenomics.tokens_address(alice.pubkey())
    for amount in (1, IO):
        world.do(token.transfer(source, client.IO_VAULT, alice.pubkey(), amount), signers=[alice])
        meter.run("a base unit" if amount == 1 else "an IO", client.burn_fees())


def _auctions(meter: Meter) -> None:
    """Each second one is taken; the largest lots need 128 bits."""
    world = meter.world
    assert isinstance(world, BuybackWorld)
    bob = world.bidder("bob", 10_000_000 * IO)
    for number in range(AUCTIONS):
        world.chain.warp_to(world.buyback_config().next_start)
        world.pay_usdc(100 * USDC if number % 4 else 10_000 * USDC)
        meter.run(f"bump {_bump(number)}", client.start_auction(bob.pubkey(), number, USDC_VAULT), bob)
        auction = world.auction(number)
        world.chain.advance(DAY // 2)
        if number % 2:
            world.chain.warp_to(auction.ends_at)
            meter.run("", client.close_auction(number))
        else:
            bid = client.bid(bob.pubkey(), number, USDC_MINT, max_io=2**64 - 1, min_usdc=auction.lot)
            size = "a large lot" if auction.lot > 1_000 * USDC else "a small lot"
            meter.run(size, bid, bob)


def _bump(number: int) -> int:
    seeds = [client.PROGRAM.constants["AUCTION_SEED"], number.to_bytes(4, "little")]
    return Pubkey.find_program_address(seeds, PROGRAM.address)[1]


def _roles(meter: Meter) -> None:
    world, admin, guardian = meter.world, meter.world.admin, meter.world.guardian
    heir = world.person("heir")
    propose = client.propose_params(admin.pubkey(), replace(Params(), notice=INTERVAL))
    meter.run("", propose, admin)
    meter.run("", client.cancel_params(guardian.pubkey()), guardian)
    meter.run("", propose, admin)
    world.chain.advance(7 * DAY)
    meter.run("", client.apply_params())
    meter.run("set", client.set_pause(guardian.pubkey(), 1, world.chain.now() + DAY), guardian)
    meter.run("lifted", client.set_pause(guardian.pubkey(), 0, 0), guardian)
    meter.run("", client.propose_guardian(admin.pubkey(), heir.pubkey()), admin)
    world.chain.advance(DAY)
    meter.run("", client.accept_guardian(heir.pubkey()), heir)
    meter.run("", client.propose_admin(admin.pubkey(), heir.pubkey()), admin)
    meter.run("", client.accept_admin(heir.pubkey()), heir)
