"""The demo's buyback: fees are burned or auctioned day by day to competing bidders, every figure checked.

It works on whatever the fee vaults hold when it begins, and on what comes in while it goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import ceil

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper import deploy
from keeper.buyback.decide import BidLimits
from keeper.buyback.sources import OwnHistory
from keeper.chain import Event, TransactionFailed
from keeper.chain.framework import associated_token_address
from keeper.chain.token import create_associated, read_token_account, transfer
from keeper.clients import buyback, tokenomics
from keeper.clients.buyback import Auction, AuctionStatus
from keeper.clients.tokenomics import Supply
from keeper.demo.airdrop import person
from keeper.demo.network import LAMPORTS, Network
from keeper.economy.buyback import USDC, Path
from keeper.economy.calendar import DAY, HOUR
from keeper.economy.orders import Currency
from keeper.economy.supply import GENESIS_SUPPLY, IO
from keeper.jobs.buyback import bid_on_auction

PARAMS = buyback.Params(max_lot=25 * USDC, min_lot=10 * USDC, notice=DAY)
"""The protocol's own, but for a day's notice and smaller lots: fees of two days of 60 orders fill several."""
FIRST_PRICE = 4 * IO
"""IO per USDC that the admin announces before the first auction."""
WORTH = {
    "bidder 1": (360, 390, 370, 365, 310, 420),
    "bidder 2": (405, 340, 380, 380, 300, 390),
    "bidder 3": (380, 375, 400, 370, 320, 415),
}
"""What a USDC is worth to each bidder on each day, hundredths of an IO; then the days repeat."""
AWAY = 2
"""On this day nobody bids: the lot goes to the next auction, whose price falls twice as far."""
PURSE = 5_000 * IO
"""What each bidder, the keeper too, has for bids; base units of IO."""
KEEPER_NAME = "keeper"
KEEPER = BidLimits(max_io=PURSE, margin_bps=200)


@dataclass(frozen=True, slots=True)
class Round:
    """One day: what was burned of the IO fees, and the auction if there was one."""

    day: int
    burned_fees: int
    auction: Auction | None
    winner: str
    late: int
    """Bids that came in the same second as the winning one, and were refused."""


@dataclass(slots=True)
class Buyback:
    """The fee vaults of a network, who bids for them, and what came of it."""

    network: Network
    rounds: list[Round] = field(default_factory=list)
    supplies: list[Supply] = field(default_factory=list)
    """Before the first day and after the last."""
    fees_in: Mapping[Currency, int] = field(default_factory=dict)
    """All that came into the vaults, base units."""
    left: dict[Currency, int] = field(default_factory=dict)
    """What they hold at the end."""

    # -- what happens --------------------------------------------------------------------------

    async def initialise(self) -> None:
        """Set up the program and announce the first price; the first auction can start a day later."""
        network, admin = self.network, self.network.admin
        guardian = person("guardian").pubkey()
        await deploy.buyback_genesis(
            network.chain, admin, guardian=guardian, usdc_mint=network.usdc, params=PARAMS
        )
        await network.chain.send([buyback.propose_first_price(admin.pubkey(), FIRST_PRICE)], [admin])

    async def open(self) -> None:
        """Hand out IO to bid with, mint what is due, and wait until an auction can start."""
        for name in (*WORTH, KEEPER_NAME):
            await self._fund(self._wallet(name).pubkey())
        await self.network.job("emission")
        self.supplies.append(await self._supply())
        next_start = (await self._config()).next_start
        self.network.chain.warp_to(max(self.network.chain.now(), next_start))

    async def goes_on(self) -> bool:
        """Whether there is still a lot to sell."""
        config = await self._config()
        return config.open or self._tokens(config.usdc_vault) >= config.params.min_lot

    async def day(self) -> None:
        """Mint, burn, close, start; then 24 hours in which bidders look at the price."""
        network, day = self.network, len(self.rounds)
        await network.job("emission")
        burned = sum(event.fields["amount"] for event in await network.job("fees"))
        started = await network.job("auctions")
        winner, late = "", 0
        end = network.chain.now() + DAY
        while network.chain.now() < end:
            network.chain.advance(HOUR)
            if started and not winner and day != AWAY and network.chain.now() < end:
                winner, late = await self._look(day)
        number = (await self._config()).started - 1
        auction = await buyback.read_auction(network.chain, number) if started else None
        self.rounds.append(Round(day, burned, auction, winner, late))

    async def _look(self, day: int) -> tuple[str, int]:
        """Everybody compares the price with what a USDC is worth to them, the most eager first.

        Returns who got the lot, "" if nobody did, and how many came too late.
        """
        number = (await self._config()).started - 1
        auction = await buyback.read_auction(self.network.chain, number)
        assert auction is not None  # it started today
        price = auction.path.price(self.network.chain.now())
        assert price is not None  # the day is not over
        worth = {name: days[day % len(days)] * IO // 100 for name, days in WORTH.items()}
        eager = sorted((name for name in worth if worth[name] >= price), key=lambda name: -worth[name])
        supply = (await self._supply()).supply
        events = {name: await self._bid(name, auction) for name in eager}
        if not eager:
            port = self.network.port(self.network.keeper)
            done = await bid_on_auction(port, source=OwnHistory(), limits=KEEPER)
            events = {KEEPER_NAME: done[0]} if done else {}
        won = [(name, event) for name, event in events.items() if event]
        if not won:
            return "", 0
        ((winner, sale),) = won
        await self._check_sale(auction.path, sale, supply)
        self.network.checks.equal("winner", sale.fields["bidder"], self._wallet(winner).pubkey())
        return winner, len(events) - 1

    async def _bid(self, name: str, auction: Auction) -> Event | None:
        """Bid, and return the sale; None when another bid in the same second was first."""
        bidder = self._wallet(name)
        cost = auction.path.cost(self.network.chain.now())
        assert cost is not None  # the price was looked at in the same second
        before = self._tokens(tokenomics.tokens_address(bidder.pubkey()))
        usdc = self.network.usdc
        bid = buyback.bid(bidder.pubkey(), auction.number, usdc, max_io=cost, min_usdc=auction.lot)
        try:
            record = await self.network.chain.send([bid], [bidder])
        except TransactionFailed as failure:
            self.network.checks.equal("a late bid", failure.code, buyback.ERROR["AuctionClosed"])
            after = self._tokens(tokenomics.tokens_address(bidder.pubkey()))
            self.network.checks.equal("what a late bid cost", before - after, 0)
            return None
        return next(event for event in buyback.PROGRAM.events(record) if event.name == "AuctionSold")

    # -- what must hold ------------------------------------------------------------------------

    async def _check_sale(self, path: Path, sale: Event, supply: int) -> None:
        """The price is the line's, rounded up by less than a base unit; the whole cost is burned."""
        checks, fields = self.network.checks, sale.fields
        part = Fraction(fields["at"] - path.started_at, path.ends_at - path.started_at)
        price = ceil(path.start - (path.start - path.floor) * part)
        checks.equal("clearing price", fields["price"], price)
        checks.equal("cost", fields["cost"], ceil(Fraction(path.lot * price, USDC)))
        checks.equal("lot", fields["lot"], path.lot)
        checks.equal("burned by the bid", supply - (await self._supply()).supply, fields["cost"])

    async def finish(self, fees_in: Mapping[Currency, int]) -> None:
        """Count all burns and compare every total; ``fees_in`` is what came into the vaults."""
        network, checks = self.network, self.network.checks
        await network.job("burns")
        self.rounds = [await self._ended(each) for each in self.rounds]
        config, supply = await self._config(), await self._supply()
        self.supplies.append(supply)
        self.fees_in = fees_in
        vaults = {Currency.IO: config.io_vault, Currency.USDC: config.usdc_vault}
        self.left = {currency: self._tokens(vault) for currency, vault in vaults.items()}
        sold = [
            each.auction for each in self.rounds if each.auction and each.auction.status == AuctionStatus.SOLD
        ]
        checks.equal("auctions sold", config.sold, len(sold))
        checks.equal("USDC sold", config.usdc_sold, sum(each.lot for each in sold))
        checks.equal("IO burned by bidders", config.burned_auctions, sum(each.cost for each in sold))
        checks.equal("IO burned from fees", config.burned_fees, sum(each.burned_fees for each in self.rounds))
        for currency, out in ((Currency.IO, config.burned_fees), (Currency.USDC, config.usdc_sold)):
            came = out + self.left[currency]
            checks.equal(f"fees in {currency.name}", came, fees_in[currency])
        burned, first = config.burned_auctions + config.burned_fees, self.supplies[0]
        checks.equal("burns that tokenomics counts", supply.burned - first.burned, burned)
        checks.equal("supply", supply.supply, GENESIS_SUPPLY + supply.emitted - supply.burned)
        emitted = supply.emitted - first.emitted
        checks.equal("supply after the auctions", supply.supply, first.supply + emitted - burned)
        for name in (*WORTH, KEEPER_NAME):
            lots = sum(r.auction.lot for r in self.rounds if r.auction and r.winner == name)
            held = self._tokens(associated_token_address(self._wallet(name).pubkey(), network.usdc))
            checks.equal(f"USDC of {name}", held, lots)

    async def _ended(self, seen: Round) -> Round:
        """A round with its auction as a later day's jobs left it."""
        if seen.auction is None:
            return seen
        return replace(seen, auction=await buyback.read_auction(self.network.chain, seen.auction.number))

    # -- shorthand -----------------------------------------------------------------------------

    def _wallet(self, name: str) -> Keypair:
        return self.network.keeper if name == KEEPER_NAME else person(name)

    async def _fund(self, wallet: Pubkey) -> None:
        """Lamports, both token accounts, and IO from the treasury."""
        network = self.network
        network.chain.airdrop(wallet, LAMPORTS)
        payer, treasury = network.keeper.pubkey(), network.admin.pubkey()
        source, to = (tokenomics.tokens_address(key) for key in (treasury, wallet))
        instructions = [
            create_associated(payer, wallet, tokenomics.MINT),
            create_associated(payer, wallet, network.usdc),
            transfer(source, to, treasury, PURSE),
        ]
        await network.chain.send(instructions, [network.keeper, network.admin])

    async def _config(self) -> buyback.Config:
        config = await buyback.read_config(self.network.chain)
        assert config is not None  # it was initialised
        return config

    async def _supply(self) -> Supply:
        return await tokenomics.read_supply(self.network.chain)

    def _tokens(self, address: Pubkey) -> int:
        account = self.network.chain.get(address)
        return read_token_account(account.data).amount if account else 0
