"""The reference model of the tokenomics program: what each instruction does, in plain Python.

No chain and none of the keeper's code. A method that stands for an instruction refuses with
:class:`~tests.model.state.Refused` and changes nothing, or changes the state and returns its event.
Refusals come in the program's order: accounts that lack (or exist already), then constraints
on accounts, then the handler's own checks, then the token program's.
"""

from __future__ import annotations

from tests.model import schedule
from tests.model.roles import AdminRoles, require_somebody
from tests.model.schedule import DAY, GENESIS
from tests.model.state import (
    CANCELLED,
    CLOSED,
    GENESIS_VAULT,
    OPEN,
    REWARD_VAULT,
    U64,
    ZERO,
    Address,
    Event,
    Refused,
    Tokens,
    require,
    wallet,
)
from tests.model.tokenomics.ledger import Ledger
from tests.model.tokenomics.state import Allocation, Config, Page, PageKey, Season, season_vault

PAGE_CLAIMS = 8_192
PAUSE_EMISSION, PAUSE_SEASONS = 1, 2
GUARDIAN_NOTICE = 7 * DAY


class Tokenomics(Ledger, AdminRoles):
    """A method for each instruction, and for what people do on the token program directly."""

    # -- setting up ----------------------------------------------------------------------------

    def initialize(self, admin: Address, staking_program: Address, guardian: Address) -> Event:
        require(self.config is None, "AccountInUse")
        require(admin == self.upgrade_authority, "NotUpgradeAuthority")
        require_somebody(guardian, staking_program)
        self.config = Config(admin, guardian, staking_program)
        self.tokens |= {GENESIS_VAULT: 0, REWARD_VAULT: 0}
        return "Initialized", {
            "admin": admin,
            "guardian": guardian,
            "mint": self.mint,
            "staking_program": staking_program,
            "reward_vault": self.reward_vault,
        }

    def add_allocation(self, admin: Address, row: Allocation) -> Event:
        config = self._config()
        require(row.id not in self.allocations, "AccountInUse")
        require(admin == config.admin, "NotAdmin")
        require(not config.launched, "AlreadyLaunched")
        require(row.id == config.allocations, "AllocationOutOfOrder")
        allocated = config.allocated + row.amount
        require(allocated <= U64, "Overflow")
        require(allocated <= GENESIS, "AllocationsExceedGenesis")
        at_once = row.tge_bps == 10_000
        parts_fit = row.tranches == 0 and row.cliff_months == 0 if at_once else row.tranches > 0
        require(row.amount > 0 and row.tge_bps <= 10_000 and parts_fit, "AllocationInvalid")
        require(row.beneficiary != ZERO, "ZeroAddress")
        config.allocated = allocated
        config.allocations += 1
        self.allocations[row.id] = row
        return "AllocationAdded", {
            "id": row.id,
            "label": row.label,
            "beneficiary": row.beneficiary,
            "amount": row.amount,
            "tge_bps": row.tge_bps,
            "cliff_months": row.cliff_months,
            "tranches": row.tranches,
            "allocated": allocated,
        }

    def launch(self, admin: Address, start_month: int) -> Event:
        config = self._config()
        require(admin == config.admin, "NotAdmin")
        now = self._clock()
        require(not config.launched, "AlreadyLaunched")
        require(config.allocated == GENESIS, "AllocationsIncomplete")
        try:
            start = schedule.begin(start_month)
        except ValueError as error:
            raise Refused("StartMonthInvalid") from error
        require(0 <= start - now <= 366 * DAY, "StartMonthInvalid")
        config.launched, config.launched_at, config.start_month = True, now, start_month
        self._mint(GENESIS_VAULT, GENESIS)
        return "Launched", {"at": now, "start_month": start_month, "minted": GENESIS}

    # -- vesting -------------------------------------------------------------------------------

    def release(self, number: int, to: Tokens) -> Event:
        config = self._config()
        row = self._allocation(number)
        self._require_exists(to)
        require(config.launched, "NotLaunched")
        require(to == wallet(row.beneficiary), "NotAssociatedAccount")
        now = self._clock()
        require(row.tranches == 0 or now <= schedule.LAST_SECOND, "InvalidClock")
        vested = schedule.vested(
            row.amount, row.tge_bps, row.cliff_months, row.tranches, config.start_month, now
        )
        due = vested - row.released
        require(due > 0, "NothingDue")
        row.released = vested
        config.released += due
        self._move(GENESIS_VAULT, to, due)
        return "Released", {
            "allocation": number,
            "beneficiary": row.beneficiary,
            "amount": due,
            "released": vested,
            "at": now,
        }

    def propose_beneficiary(self, beneficiary: Address, number: int, pending: Address) -> Event:
        row = self._allocation(number)
        require(beneficiary == row.beneficiary, "NotBeneficiary")
        row.pending_beneficiary = pending
        fields = {"allocation": number, "beneficiary": beneficiary, "pending": pending}
        return "BeneficiaryProposed", fields

    def accept_beneficiary(self, successor: Address, number: int) -> Event:
        row = self._allocation(number)
        require(successor == row.pending_beneficiary, "NotPendingBeneficiary")
        require(successor != ZERO, "ZeroAddress")
        before, row.beneficiary, row.pending_beneficiary = row.beneficiary, successor, ZERO
        return "BeneficiaryChanged", {"allocation": number, "from": before, "to": successor}

    # -- seasons -------------------------------------------------------------------------------

    def open_season(self, admin: Address, terms: Season, source: Tokens) -> Event:
        config = self._config()
        require(terms.season not in self.seasons, "AccountInUse")
        require(admin == config.admin, "NotAdmin")
        require(config.launched, "NotLaunched")
        now = self._clock()
        self._require_running(PAUSE_SEASONS)
        require(terms.claim_start - now >= DAY, "SeasonNoticeTooShort")
        require(30 * DAY <= terms.claim_end - terms.claim_start <= 3_650 * DAY, "ClaimPeriodInvalid")
        require(terms.total <= U64, "Overflow")
        require(terms.total > 0 and terms.leaves > 0 and terms.root != ZERO, "SeasonInvalid")
        self._require_spendable(source, admin, terms.total)
        self.seasons[terms.season] = terms
        self.tokens[season_vault(terms.season)] = 0
        self._move(source, season_vault(terms.season), terms.total)
        names = ("season", "root", "data_hash", "leaves", "pools", "claim_start", "claim_end", "funder")
        return "SeasonOpened", {name: getattr(terms, name) for name in names}

    def open_claim_page(self, payer: Address, key: PageKey) -> Event:
        season = self._season(key.season)
        require(key not in self.pages, "AccountInUse")
        now = self._clock()
        require(season.status == OPEN, "SeasonNotOpen")
        require(now < season.claim_end, "ClaimsEnded")
        require(key.page * PAGE_CLAIMS < season.leaves, "PageOutOfRange")
        self.pages[key] = Page(payer)
        return "ClaimPageOpened", {"season": key.season, "page": key.page, "payer": payer}

    def claim_season(
        self,
        number: int,
        key: PageKey,
        vault: Tokens,
        claimant: Address,
        to: Tokens,
        *,
        index: int,
        amount: int,
        proof: bytes,
        signed: bool = False,
    ) -> Event:
        season, page = self._season(number), self._page(key)
        self._require_exists(to)
        require(vault == season_vault(number), "WrongAccount")
        self._require_payee(to, claimant, signed)
        now = self._clock()
        require(key == PageKey(number, index // PAGE_CLAIMS), "WrongPage")
        require(index % PAGE_CLAIMS not in page.claimed, "AlreadyClaimed")
        require(season.status == OPEN, "SeasonNotOpen")
        require(now >= season.claim_start, "ClaimsNotOpen")
        require(now < season.claim_end, "ClaimsEnded")
        require(index < season.leaves, "IndexOutOfRange")
        require(amount > 0, "ZeroAmount")
        hashed = schedule.leaf(self.program, self.mint, number, index, claimant, amount)
        require(schedule.proves(season.root, hashed, proof), "InvalidProof")
        claimed = season.claimed + amount
        require(claimed <= U64, "Overflow")
        require(claimed <= season.total, "PoolsExhausted")
        season.claimed = claimed
        season.claims += 1
        page.claimed.add(index % PAGE_CLAIMS)
        self._move(vault, to, amount)
        return "SeasonClaimed", {
            "season": number,
            "index": index,
            "wallet": claimant,
            "amount": amount,
            "claimed": claimed,
        }

    def cancel_season(self, guardian: Address, number: int) -> Event:
        config, season = self._config(), self._season(number)
        require(guardian == config.guardian, "NotGuardian")
        now = self._clock()
        require(season.status == OPEN, "SeasonNotOpen")
        require(now < season.claim_start, "ClaimsOpen")
        season.status = CANCELLED
        return "SeasonCancelled", {"season": number, "at": now}

    def close_season(
        self, number: int, vault: Tokens, funder: Address, to: Tokens, *, signed: bool = False
    ) -> Event:
        """Give the vault to the funder, strangers' donations included, and close it."""
        season = self._season(number)
        self._require_exists(vault)
        self._require_exists(to)
        require(vault == season_vault(number), "WrongAccount")
        require(funder == season.funder, "WrongAccount")
        self._require_payee(to, funder, signed)
        now = self._clock()
        # Its vault would be there no more: accounts that are missing come first.
        assert season.status != CLOSED
        require(season.has_ended(now), "SeasonStillOpen")
        season.status, season.returned = CLOSED, season.total - season.claimed
        self._move(vault, to, self.tokens[vault])
        del self.tokens[vault]
        return "SeasonClosed", {"season": number, "returned": season.returned, "at": now}

    def close_claim_page(self, payer: Address, number: int, key: PageKey) -> Event:
        season, page = self._season(number), self._page(key)
        require(payer == page.payer, "NotRentPayer")
        require(key.season == number, "WrongPage")
        require(season.has_ended(self._clock()), "SeasonStillOpen")
        del self.pages[key]
        return "ClaimPageClosed", {"season": key.season, "page": key.page, "payer": payer}

    # -- emission and burns --------------------------------------------------------------------

    def emit(self) -> Event:
        config = self._config()
        now = self._clock()
        require(config.launched, "NotLaunched")
        self._require_running(PAUSE_EMISSION)
        try:
            hours = schedule.hours_ended(config.start_month, now)
        except ValueError as error:
            raise Refused("InvalidClock") from error
        require(hours > config.emitted_hours, "NothingDue")
        emitted = schedule.emitted(config.start_month, hours)
        amount, before = emitted - config.emitted, config.emitted_hours
        config.emitted, config.emitted_hours = emitted, hours
        self._mint(REWARD_VAULT, amount)
        return "Emitted", {
            "from_hour": before,
            "to_hour": hours,
            "amount": amount,
            "emitted": emitted,
            "at": now,
        }

    def burn(self, owner: Address, source: Tokens, amount: int, expected: int) -> Event:
        config = self._config()
        require(amount > 0, "ZeroAmount")
        require(amount <= self.supply, "Overflow")
        self._require_spendable(source, owner, amount)
        require(self.tokens[source] >= expected, "NotAsExpected")
        by_others = self._uncounted()
        config.burned += by_others + amount
        self._burn(source, amount)
        return "Burned", {"owner": owner, "amount": amount, "by_others": by_others, "burned": config.burned}

    def sync_burned(self) -> Event:
        config = self._config()
        amount = self._uncounted()
        require(amount > 0, "NothingDue")
        config.burned += amount
        return "BurnsCounted", {"amount": amount, "burned": config.burned, "supply": self.supply}

    # -- roles and pause -----------------------------------------------------------------------

    def _guardian_notice(self) -> int:
        return GUARDIAN_NOTICE

    # -- the token program, used directly --------------------------------------------------------

    def create_tokens(self, account: Tokens) -> None:
        """A wallet's token account comes to be; nothing happens when it exists."""
        self.tokens.setdefault(account, 0)

    def transfer(self, owner: Address, source: Tokens, to: Tokens, amount: int) -> None:
        require(to in self.tokens, "InvalidAccountData")
        self._require_spendable(source, owner, amount)
        self._move(source, to, amount)

    def token_burn(self, owner: Address, source: Tokens, amount: int) -> None:
        self._require_spendable(source, owner, amount)
        self._burn(source, amount)
