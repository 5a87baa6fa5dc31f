use {
    super::{Params, Wallet},
    crate::{constants::*, errors::StakingError as E},
    anchor_lang::prelude::*,
    ionet_common::{calendar::HOUR, pause_of, proposal_of, roles, roles_of},
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
    /// Raised whenever the parameters change.
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
    /// Of that, taken out of the reserve for small claims, base units.
    pub reserve_in_hour: u64,
    /// The revision at which each operator slot last changed its key: votes from before it are void.
    pub slot_since: [u32; MAX_OPERATORS as usize],
    /// For later versions; zero.
    pub _reserved: [u8; 24],
}

/// What a claim is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paid {
    /// All of it, base units.
    pub amount: u64,
    /// The part of it that came out of the reserve, base units.
    pub reserve: u64,
}

impl Config {
    /// Fills both offices and sets the parameters, for the first time.
    pub fn begin(&mut self, admin: Address, guardian: Address, params: Params) -> Result<()> {
        roles_of!(self).appoint(admin, guardian).map_err(E::from)?;
        params.check()?;
        self.params = params;
        self.invariant()
    }

    /// Refuses while one of the operations of `mask` is stopped: a pause lapses by itself.
    pub fn require_running(&self, mask: u32, now: u64) -> Result<()> {
        Ok(roles::require_running(self.pause_mask, self.pause_until, mask, now).map_err(E::from)?)
    }

    /// Stops the operations of `mask` until `until`; a mask of 0 lifts the pause.
    pub fn set_pause(&mut self, mask: u32, until: u64, now: u64) -> Result<()> {
        let mut pause = pause_of!(self);
        pause.set(mask, PAUSE_STAKING | PAUSE_REWARDS, until, now).map_err(E::from)?;
        self.invariant()
    }

    /// Proposes parameters, in place of an earlier proposal; the notice stays a day at least. Returns when
    /// they may be applied.
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

    /// Puts the proposal in force, once its notice is over. Notes each slot whose key changes: the votes of
    /// that slot are void from now on, those of all others stay.
    pub fn apply(&mut self, now: u64) -> Result<()> {
        let before = self.params.operators;
        let revision = proposal_of!(self).apply(now).map_err(E::from)?;
        for ((since, old), new) in self.slot_since.iter_mut().zip(&before).zip(&self.params.operators) {
            if old != new {
                *since = revision;
            }
        }
        self.invariant()
    }

    /// The slots whose key has changed after `revision`, by bit.
    pub fn changed_since(&self, revision: u32) -> u16 {
        if revision == self.revision {
            return 0;
        }
        let slots = self.slot_since.iter().enumerate();
        slots.fold(0, |changed, (slot, since)| changed | u16::from(*since > revision) << slot)
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

    /// Names another guardian, in place of an earlier proposal; zero withdraws it. Returns when the
    /// proposed one may accept, 0 when there is none.
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

    /// Counts a reward that `wallet` is paid: `due`, or what of it the hour's limit leaves.
    ///
    /// Operators' keys, stolen, can give what nobody has claimed to a thief, but not within an hour. Half of
    /// the limit is a reserve for claims that wallets sign themselves, [`SMALL_CLAIM`] each: nobody can use
    /// up the hour by claiming for others, or by claiming much. All else comes out of the other half.
    pub fn claim(&mut self, wallet: &mut Wallet, due: u64, signed: bool, now: u64) -> Result<Paid> {
        let hour = now / HOUR;
        if hour > self.claim_hour {
            self.claim_hour = hour;
            self.claimed_in_hour = 0;
            self.reserve_in_hour = 0;
        }
        // Nothing is left, too, when the limit was lowered below what was paid already.
        let limit = self.params.claim_limit;
        let whole = limit.saturating_sub(self.claimed_in_hour);
        let reserve = (limit / 2).saturating_sub(self.reserve_in_hour).min(whole);
        let small = if signed { due.min(reserve).min(wallet.small_left(self.claim_hour)) } else { 0 };
        let amount = due.min(whole - reserve + small);
        require!(amount > 0, E::ClaimLimit);
        self.reserve_in_hour = self.reserve_in_hour.checked_add(small).ok_or(E::Overflow)?;
        self.claimed_in_hour = self.claimed_in_hour.checked_add(amount).ok_or(E::Overflow)?;
        self.claimed = self.claimed.checked_add(amount).ok_or(E::Overflow)?;
        wallet.claim(amount, small, self.claim_hour)?;
        self.invariant()?;
        Ok(Paid { amount, reserve: small })
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
        require!(self.claimed <= self.final_total, E::InvariantViolated);
        Ok(())
    }
}
