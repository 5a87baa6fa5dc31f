"""The states of buyback that calls start from, each built once in a process."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from solders.pubkey import Pubkey

from keeper.chain import token
from keeper.chain.framework import associated_token_address
from keeper.clients import buyback as client
from keeper.clients import tokenomics
from keeper.clients.buyback import Params
from keeper.economy.buyback import USDC
from keeper.economy.supply import IO
from tests.programs.buyback.world import (
    FIRST_PRICE,
    ISSUER,
    USDC_MINT,
    USDC_VAULT,
    create_usdc,
    give_usdc,
    mint_usdc,
)
from tests.programs.world import DAY, START, World, key
from tests.security.people import DEPUTY, HEIR, address, do
from tests.security.tokenomics import stages
from tests.security.tokens import freeze, thaw

LOT = Params().min_lot
"""What each auction sells: the smallest lot, as these are the first sales."""
SOLD, UNSOLD, OPEN = 0, 1, 2
"""Auctions of the last stages."""
BIDDERS = ("alice", "bob", "mallory")


def usdc(name: str) -> Pubkey:
    """Somebody's token account for USDC."""
    return associated_token_address(address(name), USDC_MINT)


def bid(
    name: str, number: int = OPEN, *, max_io: int = 2**64 - 1, min_usdc: int = LOT, to: Pubkey | None = None
):
    """Somebody's bid."""
    return client.bid(address(name), number, USDC_MINT, max_io=max_io, min_usdc=min_usdc, to=to)


def start(number: int):
    """A start by a stranger."""
    return client.start_auction(address("mallory"), number, USDC_VAULT)


def config(world: World) -> client.Config:
    """Buyback's config."""
    return client.parse_config(world.account(client.CONFIG).data)


def auction(world: World, number: int = OPEN) -> client.Auction:
    """An auction."""
    return client.parse_auction(world.account(client.auction_address(number)).data)


def frozen(world: World, account: Pubkey, *, let_go: bool = False) -> None:
    """USDC's issuer freezes an account, or lets it go on."""
    build = thaw if let_go else freeze
    world.do(build(account, USDC_MINT, ISSUER.pubkey()), signers=[ISSUER])


def sold(world: World, second: int) -> int:
    """The next auction, taken by alice so many seconds after its start; the price."""
    number = config(world).started
    world.chain.warp_to(max(world.chain.now(), config(world).next_start))
    do(world, start(number))
    world.chain.advance(second)
    do(world, bid("alice", number, min_usdc=0))
    return auction(world, number).price


def unsold(world: World) -> client.Auction:
    """The next auction, which nobody takes."""
    number = config(world).started
    world.chain.warp_to(max(world.chain.now(), config(world).next_start))
    do(world, start(number))
    world.chain.warp_to(auction(world, number).ends_at)
    do(world, client.close_auction(number))
    return auction(world, number)


def empty() -> World:
    """Tokenomics is launched, buyback deployed; bidders hold IO and USDC."""
    world = stages.launched()
    create_usdc(world)
    for name in (*BIDDERS, "admin", "elsewhere"):
        give_usdc(world, address(name), USDC)
    world.chain.warp_to(START)
    return world


def initialized() -> World:
    """No price is set yet."""
    world = empty()
    do(world, client.initialize(address("admin"), address("guardian"), USDC_MINT, Params()))
    return world


def priced() -> World:
    """The first price's notice is over; nothing is in the vaults."""
    world = initialized()
    do(world, client.propose_first_price(address("admin"), FIRST_PRICE))
    world.chain.warp_to(config(world).first_price_at)
    return world


def due() -> World:
    """One auction was sold, one wasn't; the next can start. A proposal could be applied."""
    world = priced()
    mint_usdc(world, USDC_VAULT, LOT)
    do(world, start(SOLD))
    world.chain.advance(DAY // 2)
    do(world, bid("alice", SOLD))
    do(world, client.propose_params(address("admin"), Params(max_lot=LOT)))
    do(world, client.propose_admin(address("admin"), address(HEIR)))
    do(world, client.propose_guardian(address("admin"), address(DEPUTY)))
    world.chain.advance(7 * DAY)
    mint_usdc(world, USDC_VAULT, LOT)
    do(world, start(UNSOLD))
    world.chain.advance(DAY)
    do(world, client.close_auction(UNSOLD))
    source = tokenomics.tokens_address(address("bob"))
    world.do(token.transfer(source, client.IO_VAULT, address("bob"), 7 * IO), signers=[key("bob")])
    return world


def whole() -> World:
    """Five lots were sold, each for what the last one was: the next is a whole one, of ten that are left."""
    world = priced()
    world.give(address("alice"), 10**6 * IO)
    mint_usdc(world, USDC_VAULT, 110_000 * USDC)
    for _ in range(5):
        # 8 IO fall to 2 in a day: they are at 4 after two thirds of it.
        assert sold(world, DAY * 2 // 3) == FIRST_PRICE
    world.chain.warp_to(config(world).next_start)
    return world


def running() -> World:
    """Six hours into an auction."""
    world = due()
    do(world, start(OPEN))
    world.chain.advance(DAY // 4)
    return world


def ended() -> World:
    """An auction's time is over, and nobody has closed it."""
    world = due()
    do(world, start(OPEN))
    world.chain.advance(DAY)
    return world


STAGES: dict[str, Callable[[], World]] = {
    "empty": empty,
    "initialized": initialized,
    "priced": priced,
    "due": due,
    "running": running,
    "ended": ended,
}


@cache
def stage(name: str) -> World:
    """The one world of a stage, for calls that are refused."""
    return STAGES[name]()
