"""The jobs of the buyback: burning fees in IO, closing and starting auctions, bidding on them.

What is due is decided by :mod:`keeper.buyback.decide` from what is on chain alone, so that a restart, a
second run or another keeper changes nothing. A lot is sold whole and a bid names its auction: the same
keeper can't pay twice for one.
"""

from __future__ import annotations

from collections.abc import Callable

from solders.instruction import Instruction
from solders.pubkey import Pubkey
from structlog.typing import FilteringBoundLogger

from keeper.buyback import decide
from keeper.buyback.decide import BidLimits, Quote, Step, StepKind, View
from keeper.buyback.sources import PriceSource
from keeper.chain import ChainReader, Event
from keeper.chain.token import balance, create_associated, is_payable
from keeper.clients import buyback, tokenomics
from keeper.clients.buyback import PROGRAM
from keeper.jobs.port import Port, do, pick


async def read_view(chain: ChainReader) -> View | None:
    """What decisions are made from; None before ``initialize``."""
    config = await buyback.read_config(chain)
    if config is None:
        return None
    auction = await buyback.read_auction(chain, config.started - 1) if config.open else None
    vaults = await chain.accounts([config.io_vault, config.usdc_vault])
    io_vault, usdc_vault = map(balance, vaults)
    frozen = not is_payable(vaults[1], None, config.usdc_mint)
    return View((await chain.clock()).unix_timestamp, config, auction, io_vault, usdc_vault, frozen)


async def burn_fees(port: Port) -> list[Event]:
    """Burn all fees in IO."""
    return await _step(port, decide.burn, lambda view, step: buyback.burn_fees())


async def run_auctions(port: Port) -> list[Event]:
    """Close the auction that nobody took in time, then start the next one when it is due."""

    def starting(view: View, step: Step) -> Instruction:
        return buyback.start_auction(port.payer, step.number, view.config.usdc_vault)

    events = await _step(port, decide.close, lambda view, step: buyback.close_auction(step.number))
    return events + await _step(port, decide.start, starting)


async def bid_on_auction(port: Port, *, source: PriceSource, limits: BidLimits) -> list[Event]:
    """Take the open lot with the bidder's own IO, when it is cheaper than the source's price says."""
    if not (view := await _view(port)) or view.auction is None:
        return []
    quote = await source.quote(port.chain, port.log)
    inventory = await read_inventory(port.chain, port.payer)

    def bids(view: View) -> Step:
        return decide.bid(view, quote, limits, inventory)

    def bidding(view: View, step: Step) -> Instruction:
        assert view.auction is not None  # the step would not be due
        return buyback.bid(
            port.payer,
            step.number,
            view.config.usdc_mint,
            max_io=step.max_io,
            min_usdc=view.auction.lot,
        )

    opening = create_associated(port.payer, port.payer, view.config.usdc_mint)
    return await _step(port, bids, bidding, before=[opening])


async def read_inventory(chain: ChainReader, bidder: Pubkey) -> int:
    """IO that a bidder can pay with, base units."""
    (account,) = await chain.accounts([tokenomics.tokens_address(bidder)])
    return balance(account)


async def plan(
    chain: ChainReader, bidder: Pubkey, log: FilteringBoundLogger, *, source: PriceSource, limits: BidLimits
) -> tuple[View, Quote | None, list[Step]] | None:
    """Every step with its reason, as the jobs would decide now; None before ``initialize``."""
    view = await read_view(chain)
    if view is None:
        return None
    quote = await source.quote(chain, log)
    inventory = await read_inventory(chain, bidder)
    steps = [decide.burn(view), decide.close(view), decide.start(view)]
    return view, quote, [*steps, decide.bid(view, quote, limits, inventory)]


async def _view(port: Port) -> View | None:
    view = await read_view(port.chain)
    if view is None:
        port.log.info("buyback.not_initialised")
    return view


async def _step(
    port: Port,
    decided: Callable[[View], Step],
    instruction: Callable[[View, Step], Instruction],
    *,
    before: list[Instruction] | None = None,
) -> list[Event]:
    """Do a step if it is due; a refusal after which it isn't due any more means others were faster."""
    view = await _view(port)
    if view is None:
        return []
    step = decided(view)
    if not step.due:
        return []

    async def still_due() -> bool:
        now = await read_view(port.chain)
        again = decided(now) if now else None
        return again is not None and again.due and again.number == step.number

    instructions = [*(before or []), instruction(view, step)]
    events = await do(port, PROGRAM, instructions, still_due, key=_name(view, step))
    for event in events:
        name, *fields = LOGGED[event.name]
        port.log.info(name, **pick(event.fields, *fields))
    return events


def _name(view: View, step: Step) -> str:
    """What a step is called: fees burned go by what was burned before, all else by its auction."""
    if step.kind is StepKind.BURN:
        return f"fees:after:{view.config.burned_fees}"
    return f"auction:{step.number}:{step.kind.name.lower()}"


LOGGED = {
    "FeesBurned": ("fees.burned", "amount", "fees_io"),
    "AuctionUnsold": ("auction.unsold", "number", "lot", "void", "reference_price"),
    "AuctionStarted": (
        "auction.started",
        "number",
        "lot",
        "share_bps",
        "start_price",
        "floor_price",
        "ends_at",
    ),
    "AuctionSold": ("auction.sold", "number", "lot", "cost", "price"),
    "Repurchase": ("auction.repurchased", "amount_in", "amount_out"),
}
"""By event: its name in the log, and the fields that are worth a line."""
