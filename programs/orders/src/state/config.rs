use {
    super::{Currency, Params},
    crate::{constants::*, errors::OrdersError as E},
    anchor_lang::prelude::*,
    ionet_common::notice,
};

/// The program's one root account: roles, parameters, and where fees go. Orders only read it, so that
/// they don't wait for each other.
#[account]
pub struct Config {
    /// Layout version, [`ACCOUNT_VERSION`].
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    pub _pad: [u8; 2],
    /// Operations that the guardian stopped, by bit.
    pub pause_mask: u32,
    /// When the pause lapses, unix seconds.
    pub pause_until: u64,
    /// May propose changes and name a guardian.
    pub admin: Address,
    /// Proposed successor of the admin, zero when there is none.
    pub pending_admin: Address,
    /// May pause, and hold a lease's unpaid money back; can never move tokens.
    pub guardian: Address,
    /// The IO mint.
    pub io_mint: Address,
    /// The USDC mint.
    pub usdc_mint: Address,
    /// The buyback program's vault for fees in IO.
    pub io_fees: Address,
    /// The buyback program's vault for fees in USDC.
    pub usdc_fees: Address,
    /// Staking's config: who operates, and how many must agree.
    pub staking_config: Address,
    /// In force for the orders opened from now on.
    pub params: Params,
    /// Proposed, in force from `pending_at` on once somebody applies it.
    pub pending: Params,
    /// When the proposal may be applied, unix seconds; 0 when there is none.
    pub pending_at: u64,
    /// Raised whenever the parameters change.
    pub revision: u32,
    pub _pad2: [u8; 4],
    /// Proposed successor of the guardian, zero when there is none.
    pub pending_guardian: Address,
    /// When it may accept, unix seconds; 0 when there is none.
    pub guardian_at: u64,
    /// For later versions; zero.
    pub _reserved: [u64; 11],
}

impl Config {
    /// The mint of a currency.
    pub fn mint(&self, currency: Currency) -> &Address {
        match currency {
            Currency::Io => &self.io_mint,
            Currency::Usdc => &self.usdc_mint,
        }
    }

    /// Where fees in a currency go.
    pub fn fees(&self, currency: Currency) -> &Address {
        match currency {
            Currency::Io => &self.io_fees,
            Currency::Usdc => &self.usdc_fees,
        }
    }

    /// Refuses while one of the operations of `mask` is stopped: a pause lapses by itself.
    pub fn require_running(&self, mask: u32, now: u64) -> Result<()> {
        require!(self.pause_mask & mask == 0 || now >= self.pause_until, E::Paused);
        Ok(())
    }

    /// Stops the operations of `mask` until `until`; a mask of 0 lifts the pause.
    pub fn set_pause(&mut self, mask: u32, until: u64, now: u64) -> Result<()> {
        require!(mask & !(PAUSE_ORDERS | PAUSE_MATCHING) == 0, E::PauseMaskInvalid);
        require!(until.saturating_sub(now) <= MAX_PAUSE, E::PauseTooLong);
        self.pause_mask = mask;
        self.pause_until = until;
        self.invariant()
    }

    /// Proposes parameters, in place of an earlier proposal; the notice stays a day at least.
    pub fn propose(&mut self, params: Params, now: u64) -> Result<()> {
        params.check()?;
        require!(notice::may_become(self.params.notice, params.notice), E::ParamsInvalid);
        self.pending = params;
        self.pending_at = now.checked_add(self.params.notice).ok_or(E::Overflow)?;
        self.invariant()
    }

    /// Drops the proposal: the guardian's veto.
    pub fn cancel(&mut self) -> Result<()> {
        require!(self.pending_at > 0, E::NothingProposed);
        self.pending_at = 0;
        self.invariant()
    }

    /// Puts the proposal in force, once its notice is over.
    pub fn apply(&mut self, now: u64) -> Result<()> {
        require!(self.pending_at > 0, E::NothingProposed);
        require!(now >= self.pending_at, E::NoticeNotOver);
        self.params = self.pending;
        self.pending_at = 0;
        self.revision = self.revision.checked_add(1).ok_or(E::Overflow)?;
        self.invariant()
    }

    /// Names another guardian, in place of an earlier proposal; zero withdraws it. Returns when the
    /// proposed one may accept, 0 when there is none.
    ///
    /// Not at once: an admin's key in the wrong hands would replace whoever can veto what it proposes.
    pub fn propose_guardian(&mut self, pending: Address, now: u64) -> Result<u64> {
        let at = now.checked_add(self.params.notice).ok_or(E::Overflow)?;
        self.pending_guardian = pending;
        self.guardian_at = if pending == Address::default() { 0 } else { at };
        self.invariant()?;
        Ok(self.guardian_at)
    }

    /// Puts the proposed guardian in office, once the notice is over. Returns the one before.
    pub fn accept_guardian(&mut self, now: u64) -> Result<Address> {
        require!(now >= self.guardian_at, E::GuardianNoticeNotOver);
        let to = core::mem::take(&mut self.pending_guardian);
        let from = core::mem::replace(&mut self.guardian, to);
        self.guardian_at = 0;
        self.invariant()?;
        Ok(from)
    }

    /// What holds between instructions; last call of every transition.
    pub fn invariant(&self) -> Result<()> {
        require!(self.version == ACCOUNT_VERSION, E::UnknownVersion);
        self.params.check()
    }
}
