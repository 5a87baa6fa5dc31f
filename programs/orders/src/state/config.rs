use {
    super::{Currency, Params},
    crate::{constants::*, errors::OrdersError as E},
    anchor_lang::prelude::*,
    ionet_common::{pause_of, proposal_of, roles, roles_of},
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
    /// Until when matching was stopped by an earlier pause, unix seconds: who could not accept is not to blame.
    pub matching_stopped_until: u64,
    /// For later versions; zero.
    pub _reserved: [u64; 10],
}

impl Config {
    /// Fills both offices and sets the parameters, for the first time.
    pub fn begin(&mut self, admin: Address, guardian: Address, params: Params) -> Result<()> {
        roles_of!(self).appoint(admin, guardian).map_err(E::from)?;
        params.check()?;
        self.params = params;
        self.invariant()
    }

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
        Ok(roles::require_running(self.pause_mask, self.pause_until, mask, now).map_err(E::from)?)
    }

    /// Whether matching and accepting were stopped at some time from `since` on.
    pub fn matching_stopped_since(&self, since: u64) -> bool {
        let stops = self.pause_mask & PAUSE_MATCHING != 0;
        self.matching_stopped_until > since || (stops && self.pause_until > since)
    }

    /// Stops the operations of `mask` until `until`; a mask of 0 lifts the pause.
    pub fn set_pause(&mut self, mask: u32, until: u64, now: u64) -> Result<()> {
        if self.pause_mask & PAUSE_MATCHING != 0 {
            self.matching_stopped_until = self.matching_stopped_until.max(self.pause_until.min(now));
        }
        pause_of!(self).set(mask, PAUSE_ORDERS | PAUSE_MATCHING, until, now).map_err(E::from)?;
        self.invariant()
    }

    /// Proposes parameters, in place of an earlier proposal. Returns when they may be applied.
    pub fn propose(&mut self, params: Params, now: u64) -> Result<u64> {
        params.check()?;
        let notice = self.params.notice;
        let at = proposal_of!(self).propose(params, notice, params.notice, now).map_err(E::from)?;
        self.invariant()?;
        Ok(at)
    }

    /// Drops the proposal: the guardian's veto.
    pub fn cancel(&mut self) -> Result<()> {
        proposal_of!(self).cancel().map_err(E::from)?;
        self.invariant()
    }

    /// Puts the proposal in force, once its notice is over. Returns the revision.
    pub fn apply(&mut self, now: u64) -> Result<u32> {
        let revision = proposal_of!(self).apply(now).map_err(E::from)?;
        self.invariant()?;
        Ok(revision)
    }

    /// Names the next admin; zero withdraws.
    pub fn propose_admin(&mut self, pending: Address) -> Result<()> {
        roles_of!(self).propose_admin(pending);
        self.invariant()
    }

    /// Puts the proposed admin in office. Returns the one before.
    pub fn accept_admin(&mut self) -> Result<Address> {
        let from = roles_of!(self).accept_admin().map_err(E::from)?;
        self.invariant()?;
        Ok(from)
    }

    /// Names another guardian; zero withdraws. Returns when it may accept, 0 when there is none.
    pub fn propose_guardian(&mut self, pending: Address, now: u64) -> Result<u64> {
        let notice = self.params.notice;
        let at = roles_of!(self).propose_guardian(pending, notice, now).map_err(E::from)?;
        self.invariant()?;
        Ok(at)
    }

    /// Puts the proposed guardian in office, once the notice is over. Returns the one before.
    pub fn accept_guardian(&mut self, now: u64) -> Result<Address> {
        let from = roles_of!(self).accept_guardian(now).map_err(E::from)?;
        self.invariant()?;
        Ok(from)
    }

    /// What holds between instructions; last call of every transition.
    pub fn invariant(&self) -> Result<()> {
        self.params.check()
    }
}
