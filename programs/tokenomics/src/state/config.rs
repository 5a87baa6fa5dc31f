use {
    crate::{constants::*, errors::TokenomicsError as E},
    anchor_lang::prelude::*,
    ionet_common::{calendar, emission, pause_of, roles, roles_of},
};

/// The program's one root account: roles, calendar, and every total of the supply.
#[account]
pub struct Config {
    /// Layout version, [`ACCOUNT_VERSION`].
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// Rows of the genesis table so far; the next allocation's id.
    pub allocations: u8,
    /// 1 once the genesis supply is minted.
    pub launched: PodBool,
    /// Operations that the guardian stopped, by bit; see [`Config::require_running`].
    pub pause_mask: u32,
    /// When the pause lapses, unix seconds.
    pub pause_until: u64,
    /// May add allocations, launch, open seasons and name a guardian.
    pub admin: Address,
    /// Proposed successor of the admin, zero when there is none.
    pub pending_admin: Address,
    /// May pause and veto; can never move tokens to itself.
    pub guardian: Address,
    /// The IO mint.
    pub mint: Address,
    /// Holds what vesting has not released.
    pub genesis_vault: Address,
    /// What emission is minted into; only the staking program can pay from it.
    pub reward_vault: Address,
    /// The program that owns the reward vault's authority.
    pub staking_program: Address,
    /// Sum of the genesis table so far, base units.
    pub allocated: u64,
    /// Paid out by vesting so far, base units.
    pub released: u64,
    /// Minted by emission so far, base units.
    pub emitted: u64,
    /// Hours of emission minted so far.
    pub emitted_hours: u64,
    /// Counted as burned so far, base units.
    pub burned: u64,
    /// When the genesis supply was minted, unix seconds.
    pub launched_at: u64,
    /// First month of emission, months since January 1970.
    pub start_month: u32,
    pub _pad: [u8; 4],
    /// Proposed successor of the guardian, zero when there is none.
    pub pending_guardian: Address,
    /// When it may accept, unix seconds; 0 when there is none.
    pub guardian_at: u64,
    /// For later versions; zero.
    pub _reserved: [u64; 11],
}

/// What one call of `emit` mints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Emission {
    /// Hours minted before it.
    pub from_hour: u64,
    /// Hours minted after it.
    pub to_hour: u64,
    /// Base units.
    pub amount: u64,
}

impl Config {
    /// Minted so far, base units, burned or not.
    pub fn minted(&self) -> Result<u64> {
        let genesis = if self.is_launched() { GENESIS_SUPPLY } else { 0 };
        Ok(genesis.checked_add(self.emitted).ok_or(E::Overflow)?)
    }

    /// Fills both offices for the first time.
    pub fn appoint(&mut self, admin: Address, guardian: Address) -> Result<()> {
        roles_of!(self).appoint(admin, guardian).map_err(E::from)?;
        self.invariant()
    }

    /// See [`roles::Roles::propose_admin`].
    pub fn propose_admin(&mut self, pending: Address) -> Result<()> {
        roles_of!(self).propose_admin(pending);
        self.invariant()
    }

    /// See [`roles::Roles::accept_admin`].
    pub fn accept_admin(&mut self) -> Result<Address> {
        let from = roles_of!(self).accept_admin().map_err(E::from)?;
        self.invariant()?;
        Ok(from)
    }

    /// See [`roles::Roles::propose_guardian`].
    pub fn propose_guardian(&mut self, pending: Address, now: u64) -> Result<u64> {
        let at = roles_of!(self).propose_guardian(pending, GUARDIAN_NOTICE, now).map_err(E::from)?;
        self.invariant()?;
        Ok(at)
    }

    /// See [`roles::Roles::accept_guardian`].
    pub fn accept_guardian(&mut self, now: u64) -> Result<Address> {
        let from = roles_of!(self).accept_guardian(now).map_err(E::from)?;
        self.invariant()?;
        Ok(from)
    }

    /// See [`roles::Pause::set`].
    pub fn set_pause(&mut self, mask: u32, until: u64, now: u64) -> Result<()> {
        let mut pause = pause_of!(self);
        pause.set(mask, PAUSE_EMISSION | PAUSE_SEASONS, until, now).map_err(E::from)?;
        self.invariant()
    }

    /// See [`roles::require_running`].
    pub fn require_running(&self, operations: u32, now: u64) -> Result<()> {
        Ok(roles::require_running(self.pause_mask, self.pause_until, operations, now).map_err(E::from)?)
    }

    /// Counts a row of the genesis table and gives it its id.
    pub fn add_allocation(&mut self, id: u8, amount: u64) -> Result<()> {
        require!(!self.is_launched(), E::AlreadyLaunched);
        require!(id == self.allocations, E::AllocationOutOfOrder);
        let allocated = self.allocated.checked_add(amount).ok_or(E::Overflow)?;
        require!(allocated <= GENESIS_SUPPLY, E::AllocationsExceedGenesis);
        self.allocated = allocated;
        self.allocations = id.checked_add(1).ok_or(E::Overflow)?;
        self.invariant()
    }

    /// Fixes the emission's calendar; the caller mints [`GENESIS_SUPPLY`].
    pub fn launch(&mut self, start_month: u32, now: u64) -> Result<()> {
        require!(!self.is_launched(), E::AlreadyLaunched);
        require!(self.allocated == GENESIS_SUPPLY, E::AllocationsIncomplete);
        let start = calendar::month_start(start_month).ok_or(E::StartMonthInvalid)?;
        let ahead = start.checked_sub(now).ok_or(E::StartMonthInvalid)?;
        require!(ahead <= MAX_LAUNCH_AHEAD, E::StartMonthInvalid);
        self.launched = true.into();
        self.launched_at = now;
        self.start_month = start_month;
        self.invariant()
    }

    /// Counts what the hours that have ended at `now` mint beyond what was minted, all missed ones at once.
    pub fn emit(&mut self, now: u64) -> Result<Emission> {
        require!(self.is_launched(), E::NotLaunched);
        self.require_running(PAUSE_EMISSION, now)?;
        let hours = emission::hours_ended(self.start_month, now).ok_or(E::InvalidClock)?;
        require!(hours > self.emitted_hours, E::NothingDue);
        let emitted = emission::cumulative(self.start_month, hours).ok_or(E::InvalidClock)?;
        let amount = emitted.checked_sub(self.emitted).ok_or(E::InvariantViolated)?;
        let from_hour = core::mem::replace(&mut self.emitted_hours, hours);
        self.emitted = emitted;
        self.invariant()?;
        Ok(Emission { from_hour, to_hour: hours, amount })
    }

    /// Counts a release of `amount` out of the genesis vault.
    pub fn release(&mut self, amount: u64) -> Result<()> {
        self.released = self.released.checked_add(amount).ok_or(E::Overflow)?;
        self.invariant()
    }

    /// Brings the burn counter in line with the mint's `supply`; returns what was not counted yet.
    ///
    /// Whatever was minted and is not in the supply was burned, by whichever program.
    pub fn count_burns(&mut self, supply: u64) -> Result<u64> {
        let burned = self.minted()?.checked_sub(supply).ok_or(E::InvariantViolated)?;
        let new = burned.checked_sub(self.burned).ok_or(E::InvariantViolated)?;
        self.burned = burned;
        self.invariant()?;
        Ok(new)
    }

    /// Whether the genesis supply is minted.
    pub fn is_launched(&self) -> bool {
        self.launched.into()
    }

    /// What holds between instructions; last call of every transition.
    pub fn invariant(&self) -> Result<()> {
        require!(self.version == ACCOUNT_VERSION, E::UnknownVersion);
        let minted = self.minted()?;
        require!(
            minted <= MAX_SUPPLY
                && self.emitted <= EMISSION_TOTAL
                && self.burned <= minted
                && self.allocated <= GENESIS_SUPPLY
                && self.released <= self.allocated,
            E::InvariantViolated
        );
        Ok(())
    }
}
