use {
    super::Params,
    crate::{constants::*, errors::StakingError as E},
    anchor_lang::prelude::*,
    ionet_common::{calendar::HOUR, notice},
};

/// The program's one root account: roles, parameters, and every total.
#[account]
pub struct Config {
    /// Layout version, [`ACCOUNT_VERSION`].
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// Bump of the address that pays rewards.
    pub reward_bump: u8,
    pub _pad: u8,
    /// Operations that the guardian stopped, by bit.
    pub pause_mask: u32,
    /// When the pause lapses, unix seconds.
    pub pause_until: u64,
    /// May propose changes, add classes and name a guardian.
    pub admin: Address,
    /// Proposed successor of the admin, zero when there is none.
    pub pending_admin: Address,
    /// May pause and veto; can never move tokens.
    pub guardian: Address,
    /// The IO mint.
    pub mint: Address,
    /// Holds all stakes, active and cooling.
    pub stake_vault: Address,
    /// Tokenomics' account that rewards are paid from.
    pub reward_vault: Address,
    /// Tokenomics' config, the mint's authority.
    pub tokenomics: Address,
    /// The program that owns it.
    pub tokenomics_program: Address,
    /// Signs for the orders program: the only one that leases devices and frees them.
    pub lease_authority: Address,
    /// Owed to stakers, active, waiting or cooling: the stake vault holds at least this, base units.
    pub staked: u64,
    /// Burned by slashes so far, base units.
    pub slashed: u64,
    /// All leaves of the last final root, base units.
    pub final_total: u64,
    /// Paid to claimants so far, base units.
    pub claimed: u64,
    /// The hour that is finalised next, from the first hour of emission.
    pub next_hour: u32,
    /// Raised whenever the parameters change: what was attested before is void.
    pub revision: u32,
    /// In force.
    pub params: Params,
    /// Proposed, in force from `pending_at` on once somebody applies it.
    pub pending: Params,
    /// When the proposal may be applied, unix seconds; 0 when there is none.
    pub pending_at: u64,
    /// Proposed successor of the guardian, zero when there is none.
    pub pending_guardian: Address,
    /// When it may accept, unix seconds; 0 when there is none.
    pub guardian_at: u64,
    /// The hour of the last claim, from 1970.
    pub claim_hour: u64,
    /// Paid to claimants in that hour, base units.
    pub claimed_in_hour: u64,
    /// For later versions; zero.
    pub _reserved: [u8; 24],
}

impl Config {
    /// Refuses while one of the operations of `mask` is stopped: a pause lapses by itself.
    pub fn require_running(&self, mask: u32, now: u64) -> Result<()> {
        require!(self.pause_mask & mask == 0 || now >= self.pause_until, E::Paused);
        Ok(())
    }

    /// Stops the operations of `mask` until `until`; a mask of 0 lifts the pause.
    pub fn set_pause(&mut self, mask: u32, until: u64, now: u64) -> Result<()> {
        require!(mask & !(PAUSE_STAKING | PAUSE_REWARDS) == 0, E::PauseMaskInvalid);
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

    /// Puts the proposal in force, once its notice is over; attestations and votes from before are void.
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

    /// Counts stake that comes in.
    pub fn stake(&mut self, amount: u64) -> Result<()> {
        self.staked = self.staked.checked_add(amount).ok_or(E::Overflow)?;
        self.invariant()
    }

    /// Counts stake that goes back to its owner.
    pub fn unstake(&mut self, amount: u64) -> Result<()> {
        self.staked = self.staked.checked_sub(amount).ok_or(E::InvariantViolated)?;
        self.invariant()
    }

    /// Counts stake that is burned.
    pub fn slash(&mut self, amount: u64) -> Result<()> {
        self.slashed = self.slashed.checked_add(amount).ok_or(E::Overflow)?;
        self.unstake(amount)
    }

    /// Counts a reward that is paid: `amount`, or what is left of the hour's limit; returns it.
    ///
    /// Operators' keys, stolen, can give what nobody has claimed to a thief, but not within an hour.
    pub fn claim(&mut self, amount: u64, now: u64) -> Result<u64> {
        let hour = now / HOUR;
        if hour > self.claim_hour {
            self.claim_hour = hour;
            self.claimed_in_hour = 0;
        }
        // Nothing is left, too, when the limit was lowered below what was paid already.
        let left = self.params.claim_limit.saturating_sub(self.claimed_in_hour);
        require!(left > 0, E::ClaimLimit);
        let paid = amount.min(left);
        self.claimed_in_hour = self.claimed_in_hour.checked_add(paid).ok_or(E::Overflow)?;
        self.claimed = self.claimed.checked_add(paid).ok_or(E::Overflow)?;
        self.invariant()?;
        Ok(paid)
    }

    /// Moves on to the hour after `hour`, whose root's leaves add up to `total`.
    pub fn finalise(&mut self, hour: u32, total: u64) -> Result<()> {
        require!(hour == self.next_hour, E::BlockOutOfOrder);
        require!(total >= self.final_total, E::TotalOutOfRange);
        self.final_total = total;
        self.next_hour = hour.checked_add(1).ok_or(E::Overflow)?;
        self.invariant()
    }

    /// What holds between instructions; last call of every transition.
    pub fn invariant(&self) -> Result<()> {
        require!(self.version == ACCOUNT_VERSION, E::UnknownVersion);
        require!(self.claimed <= self.final_total, E::InvariantViolated);
        Ok(())
    }
}
