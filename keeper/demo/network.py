"""The demo's network: what happens on it, and the comparison of each step with the rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol

from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from structlog.typing import FilteringBoundLogger

from keeper import deploy
from keeper.chain import Event, TransactionRecord
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.token import create_associated
from keeper.clients import buyback, staking, tokenomics
from keeper.clients.tokenomics import Supply
from keeper.demo.airdrop import Airdrop, airdrop, person
from keeper.demo.checks import Checks
from keeper.demo.quiet import quiet_log
from keeper.economy import emission
from keeper.economy.buyback import USDC
from keeper.economy.calendar import DAY, HOUR, month_start, parse_month
from keeper.economy.genesis import read_start_month, read_table
from keeper.economy.seasons import points_file
from keeper.economy.supply import EMISSION_TOTAL, GENESIS_SUPPLY, IO, MAX_SUPPLY
from keeper.jobs import registry
from keeper.jobs.port import Direct

LISTING = month_start(parse_month("2024-06")) + 10 * DAY + 12 * HOUR
"""The day the token was listed on the network this is modelled on; genesis happens here."""
KEEPER_DELAY = 20
"""Seconds after the hour at which the keeper looks."""
CLAIM_DAYS = 180
GENESIS = sha256(b"ionet demo: 0").digest()
"""The chain's identity, from which its blocks' hashes follow, and with them when waves and pings are."""
LAMPORTS = 10**13
TEST_USDC = 10_000_000 * USDC
"""The real USDC isn't on this chain: the treasury gets this much of one made for it."""
TREASURY = "community"
"""The allocation that funds the airdrops, whose share at launch is large enough."""

PUBLISHED_MONTHS = (
    *(3_333_333, 3_299_497, 3_266_003, 3_232_850, 3_200_033, 3_167_549),
    *(3_135_395, 3_103_568, 3_072_063, 3_040_879, 3_010_011, 2_979_456),
)
"""The network's own table, months 1 to 12 (July 2024 to June 2025), whole IO."""


@dataclass(slots=True)
class Month:
    """One month of emission as it happened; amounts in base units."""

    number: int
    emitted: int
    released: int
    supply: Supply


class Guide(Protocol):
    """Somebody for whom time may not just pass."""

    async def lead(self, until: int) -> None:
        """Do all that is due up to a time, each at its own."""
        ...


@dataclass(slots=True)
class Network:
    """An embedded chain with tokenomics on it, its keeper, and what was seen."""

    chain: EmbeddedChain
    admin: Keypair
    keeper: Keypair
    start_month: int = field(default_factory=read_start_month)
    """The first month of emission, of the genesis table."""
    usdc: Pubkey = field(default_factory=Pubkey.default)
    """USDC's mint, from genesis on."""
    checks: Checks = field(default_factory=Checks)
    hours: list[Event] = field(default_factory=list)
    airdrops: list[Airdrop] = field(default_factory=list)
    months: list[Month] = field(default_factory=list)
    guide: Guide | None = None
    """Whoever the time is led by, while waves and pings go on."""

    @classmethod
    def empty(cls) -> Network:
        """A chain at the day of listing, with the programs deployed and nothing done."""
        # The community's treasury doubles as admin here: it owns what seasons are funded with.
        network = cls(
            EmbeddedChain(now=LISTING, genesis=Hash(GENESIS), own_clock=True),
            admin=person(TREASURY),
            keeper=person("keeper"),
        )
        for each in (network.admin, network.keeper):
            network.chain.airdrop(each.pubkey(), LAMPORTS)
        deploy.load_programs(network.chain, network.admin.pubkey())
        return network

    @property
    def log(self) -> FilteringBoundLogger:
        """A log that keeps nothing short of critical: what jobs do is shown in tables instead."""
        return quiet_log()

    def port(self, signer: Keypair) -> Direct:
        """What a job of ``signer``'s keeper gets."""
        return Direct(self.chain, signer, self.log)

    async def job(self, name: str) -> list[Event]:
        """Run one of the keeper's jobs, as its loop would."""
        events = await registry.ALL[name](self.port(self.keeper))
        await self.look()
        return events

    # -- what happens --------------------------------------------------------------------------

    async def genesis(self) -> None:
        """Create mints and vaults, write the genesis table, launch, release what is free at once."""
        table = read_table()
        await deploy.genesis(
            self.chain,
            self.admin,
            table=table,
            beneficiaries={row.label: person(row.label).pubkey() for row in table},
            guardian=person("guardian").pubkey(),
            staking_program=deploy.staking_program(),
            start_month=self.start_month,
        )
        self.usdc = await deploy.make_test_usdc(self.chain, self.admin, TEST_USDC)
        await self.job("vesting")
        supply = await tokenomics.read_supply(self.chain)
        self.checks.equal("supply at genesis", supply.supply, GENESIS_SUPPLY)
        self.checks.equal("free at launch", supply.circulating, 94_400_000 * IO)

    async def open_season(self, number: int) -> Airdrop:
        """Publish a season and open its claim page; its claims start after the notice."""
        season = airdrop(number)
        distribution = season.distribution
        start = self.chain.now() + tokenomics.SEASON_NOTICE
        admin = self.admin.pubkey()
        instructions = [
            tokenomics.open_season(admin, distribution, start, start + CLAIM_DAYS * DAY),
            tokenomics.open_claim_page(admin, number, 0),
        ]
        await self.chain.send(instructions, [self.admin])
        self.airdrops.append(season)
        return season

    async def claim(self, season: Airdrop, each: Callable[[], None]) -> None:
        """Make the claims of a season; anyone may pay for them, here the keeper's key does."""
        payer = self.keeper.pubkey()
        number = season.distribution.season
        for claim in season.claiming:
            instructions = [
                create_associated(payer, claim.wallet, tokenomics.MINT),
                tokenomics.claim_season(
                    number, claim.index, claim.wallet, claim.amount, season.distribution.proof(claim)
                ),
            ]
            await self.chain.send(instructions, [self.keeper])
            each()
        (on_chain,) = [s for s in await tokenomics.read_seasons(self.chain) if s.season == number]
        claimed = sum(claim.amount for claim in season.claiming)
        self.checks.equal(f"season {number} claimed", on_chain.claimed, claimed)
        self.checks.equal("root", on_chain.root, season.distribution.root)
        self.checks.equal("data hash", on_chain.data_hash, sha256(points_file(season.points)).digest())

    def begin(self) -> None:
        """Let the first hour of emission begin."""
        self.chain.warp_to(month_start(self.start_month) + KEEPER_DELAY)

    async def go_to(self, time: int) -> None:
        """Let time pass up to a time, and all happen that does by itself."""
        if self.guide is not None:
            await self.guide.lead(time)
        self.chain.warp_to(time)

    async def send(
        self, instructions: Sequence[Instruction], signers: Sequence[Keypair]
    ) -> TransactionRecord:
        """Execute a transaction, and let happen what its slot brings."""
        record = await self.chain.send(instructions, signers)
        await self.look()
        return record

    async def look(self) -> None:
        """Let happen what the last transactions' slots have brought."""
        if self.guide is not None:
            await self.guide.lead(self.chain.now())

    async def hour(self, number: int) -> None:
        """Let hour ``number`` (1 is the first) of the emission end, and the keeper look."""
        start = self.start_month
        await self.go_to(month_start(start) + number * HOUR + KEEPER_DELAY)
        (event,) = await self.job("emission")
        self.checks.equal(f"hour {number}", event.fields["amount"], emission.block(start, number - 1))
        self.hours.append(event)

    async def month(self, index: int) -> None:
        """Let month ``index`` (0 is the first) of the emission end, and the keeper run every job."""
        start = self.start_month
        self.chain.warp_to(month_start(start + index + 1) + KEEPER_DELAY)
        await self.job("emission")
        released = await self.job("vesting")
        await self.job("seasons")
        supply = await tokenomics.read_supply(self.chain)
        before = self.months[-1].supply.emitted if self.months else 0
        paid = sum(event.fields["amount"] for event in released)
        self.months.append(Month(start + index, supply.emitted - before, paid, supply))
        await self._check_month(index)

    # -- what must hold ------------------------------------------------------------------------

    async def _check_month(self, index: int) -> None:
        start = self.start_month
        month = self.months[index]
        supply = month.supply
        figures = emission.cumulative_by_month()
        self.checks.equal(f"emitted in month {index + 1}", month.emitted, figures[index + 1] - figures[index])
        if index < len(PUBLISHED_MONTHS):
            published = PUBLISHED_MONTHS[index]
            self.checks.equal(f"published month {index + 1}", round(month.emitted / IO), published)
        self.checks.equal("mint supply", supply.supply, GENESIS_SUPPLY + supply.emitted - supply.burned)
        stakes = await staking.read_config(self.chain)
        claimed = stakes.claimed if stakes else 0
        self.checks.equal("reward vault", supply.rewards, supply.emitted - claimed)
        self.checks.holds("supply is above 800,000,000 IO", supply.supply <= MAX_SUPPLY)
        locked = 0
        for row in await tokenomics.read_allocations(self.chain):
            vested = row.schedule.vested(start, self.chain.now())
            self.checks.equal(f"{row.label} released", row.released, vested)
            locked += row.schedule.amount - vested
        self.checks.equal("locked", supply.locked, locked)

    async def check_end(self) -> None:
        """What must hold when the schedule has ended."""
        supply = await tokenomics.read_supply(self.chain)
        self.checks.equal("emitted in all", supply.emitted, EMISSION_TOTAL)
        self.checks.equal("supply at the end", supply.supply, MAX_SUPPLY - supply.burned)
        stakes, fees = await staking.read_config(self.chain), await buyback.read_config(self.chain)
        assert stakes is not None and fees is not None  # all programs are initialised
        burned = stakes.slashed + fees.burned_fees + fees.burned_auctions
        self.checks.equal("burned by all programs", supply.burned, burned)
        self.checks.equal("locked at the end", supply.locked, 0)
        self.checks.equal("left in seasons", supply.seasons, 0)
        self.checks.equal("claim pages left", await tokenomics.read_claim_pages(self.chain), [])
        for season in await tokenomics.read_seasons(self.chain):
            self.checks.equal("season adds up", season.claimed + season.returned, season.total)
