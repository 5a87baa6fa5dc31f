"""What the reference model keeps, and what always holds about it."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.model import schedule
from tests.model.schedule import EMISSION, GENESIS, MAX_SUPPLY
from tests.model.state import CANCELLED, CLOSED, GENESIS_VAULT, Address, Refused, Tokens, require, wallet
from tests.model.tokenomics.state import Allocation, Config, Page, PageKey, Season, season_vault


@dataclass
class Ledger:
    """The whole state; ``now`` is the chain's clock, which only the caller moves."""

    program: Address
    mint: Address
    reward_vault: Address
    upgrade_authority: Address
    now: int
    config: Config | None = None
    allocations: dict[int, Allocation] = field(default_factory=dict)
    seasons: dict[int, Season] = field(default_factory=dict)
    pages: dict[PageKey, Page] = field(default_factory=dict)
    tokens: dict[Tokens, int] = field(default_factory=dict)
    supply: int = 0

    def invariants(self) -> None:
        """The protocol's invariants as far as this program goes; AssertionError where one is broken."""
        assert sum(self.tokens.values()) == self.supply
        config = self.config
        if config is None:
            assert not self.supply
            return
        genesis = GENESIS if config.launched else 0
        burned = genesis + config.emitted - self.supply
        assert genesis + config.emitted <= MAX_SUPPLY
        assert 0 <= config.burned <= burned, "counted as burned what was not"
        rows = self.allocations.values()
        assert config.allocated == sum(row.amount for row in rows) <= GENESIS
        assert config.released == sum(row.released for row in rows)
        assert all(row.released <= row.amount for row in rows)
        if config.launched:
            assert self.tokens[GENESIS_VAULT] >= config.allocated - config.released
        if config.emitted_hours:
            due = schedule.hours_ended(config.start_month, self.now)
            assert config.emitted == schedule.emitted(config.start_month, config.emitted_hours) <= EMISSION
            assert config.emitted_hours <= due, "an hour was minted before it ended"
        for season in self.seasons.values():
            assert season.claimed + season.returned <= season.total == sum(season.pools)
            if season.status == CLOSED:
                assert season_vault(season.season) not in self.tokens
                assert season.claimed + season.returned == season.total
            else:
                assert season.returned == 0
                assert self.tokens[season_vault(season.season)] >= season.total - season.claimed
            assert season.status != CANCELLED or season.claimed == season.claims == 0

    # -- what a check needs ----------------------------------------------------------------------

    def _config(self) -> Config:
        if self.config is None:
            raise Refused("AccountMissing")
        return self.config

    def _allocation(self, number: int) -> Allocation:
        require(number in self.allocations, "AccountMissing")
        return self.allocations[number]

    def _season(self, number: int) -> Season:
        require(number in self.seasons, "AccountMissing")
        return self.seasons[number]

    def _page(self, key: PageKey) -> Page:
        require(key in self.pages, "AccountMissing")
        return self.pages[key]

    def _clock(self) -> int:
        require(self.now >= 0, "InvalidClock")
        return self.now

    def _uncounted(self) -> int:
        """Burned directly on the token program and not counted yet."""
        config = self._config()
        minted = (GENESIS if config.launched else 0) + config.emitted
        return minted - self.supply - config.burned

    def _require_exists(self, account: Tokens) -> None:
        require(account in self.tokens, "AccountMissing")

    def _require_payee(self, account: Tokens, owner: Address, signed: bool) -> None:
        """Who signs may name any account of its own; else the associated one is paid."""
        own = account.owner == owner if signed else account == wallet(owner)
        require(own, "NotAssociatedAccount")

    def _require_spendable(self, source: Tokens, owner: Address, amount: int) -> None:
        """The token program's own checks."""
        require(source in self.tokens, "InvalidAccountData")
        require(amount <= self.tokens[source], "InsufficientFunds")
        require(source.owner == owner, "OwnerMismatch")

    # -- what changes ----------------------------------------------------------------------------

    def _mint(self, to: Tokens, amount: int) -> None:
        self.supply += amount
        self.tokens[to] += amount

    def _move(self, source: Tokens, to: Tokens, amount: int) -> None:
        self.tokens[source] -= amount
        self.tokens[to] += amount

    def _burn(self, source: Tokens, amount: int) -> None:
        self.tokens[source] -= amount
        self.supply -= amount
