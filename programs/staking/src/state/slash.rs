use {
    super::{carry, tally, Config},
    crate::{constants::*, errors::StakingError as E},
    anchor_lang::prelude::*,
};

/// Where a slash stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum SlashStatus {
    /// Operators vote.
    Voting = 0,
    /// Enough voted for the same part; the appeal period runs.
    Pending = 1,
    /// The guardian vetoed it.
    Vetoed = 2,
    /// The stake was burned.
    Executed = 3,
}

/// A proposal to slash a device, for one piece of evidence. Stays for ever: the same evidence never
/// slashes twice, whatever part operators vote for, and not at all once it was vetoed.
#[account]
pub struct Slash {
    /// Layout version, [`ACCOUNT_VERSION`].
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// A [`SlashStatus`].
    pub status: u8,
    pub _pad: u8,
    /// The config's revision under which the votes were last looked at.
    pub revision: u32,
    /// Part of every stake on the device that enough voted for, basis points; 0 while voting.
    pub bps: u16,
    /// The part that each operator voted for; 0 for no vote yet.
    pub votes: [u16; MAX_OPERATORS as usize],
    pub _pad2: [u8; 6],
    /// End of the appeal period, unix seconds; 0 while voting.
    pub appeal_until: u64,
    /// Until when the device's stakes are frozen because it was voided last, unix seconds; 0 when it never was.
    pub frozen_until: u64,
    /// Burned, base units.
    pub burned: u64,
    /// When the device that this is about was registered, unix seconds: its address can be used again.
    pub registered_at: u64,
    /// The device's account.
    pub device: Address,
    /// SHA-256 of the published evidence.
    pub evidence: [u8; 32],
    /// SHA-256 of the supplier's published appeal, zero when there is none.
    pub appeal: [u8; 32],
}

impl Slash {
    /// Counts operator number `operator`'s vote for `bps`, in place of an earlier one; true when that
    /// makes enough for the same part, and a whole appeal period begins. The same vote again is refused
    /// unless it decides: others may have come, or the threshold fallen.
    pub fn vote(&mut self, config: &Config, operator: usize, bps: u16, now: u64) -> Result<bool> {
        require!((1..=config.params.max_slash_bps).contains(&bps), E::SlashInvalid);
        require!(self.status == SlashStatus::Voting as u8, E::SlashState);
        carry(config, &mut self.revision, &mut self.votes);
        let vote = self.votes.get_mut(operator).ok_or(E::NotOperator)?;
        let again = core::mem::replace(vote, bps) == bps;
        let enough = tally(config, &self.votes, &bps).enough;
        require!(enough || !again, E::AlreadyVoted);
        if enough {
            self.status = SlashStatus::Pending as u8;
            self.bps = bps;
            self.appeal_until = now.checked_add(config.params.appeal).ok_or(E::Overflow)?;
        }
        Ok(enough)
    }

    /// Records the supplier's appeal.
    pub fn appeal(&mut self, statement: [u8; 32], now: u64) -> Result<()> {
        self.require_pending()?;
        require!(now < self.appeal_until, E::AppealOver);
        require!(statement != [0; 32], E::SlashInvalid);
        self.appeal = statement;
        Ok(())
    }

    /// The guardian's veto, while an appeal can be heard; true. Also of a voided one that still freezes; false.
    pub fn veto(&mut self, now: u64) -> Result<bool> {
        let voided = self.status == SlashStatus::Voting as u8 && self.frozen_until > 0;
        if !voided {
            self.require_pending()?;
        }
        let end = if voided { self.frozen_until } else { self.appeal_until };
        require!(now < end, E::AppealOver);
        self.status = SlashStatus::Vetoed as u8;
        Ok(!voided)
    }

    /// Marks it as done, once the appeal period is over; true: its part is to be burned.
    ///
    /// False, at any time, when the operators changed so that too few still voted for it: it is void, what the
    /// others voted stays, and the stakes are frozen until its own appeal would have ended, and for [`REVOTE`]
    /// at least. Whoever chooses the moment of that gains nothing.
    pub fn execute(&mut self, config: &Config, now: u64) -> Result<bool> {
        self.require_pending()?;
        if self.revision != config.revision {
            carry(config, &mut self.revision, &mut self.votes);
            if !tally(config, &self.votes, &self.bps).enough {
                self.void(now)?;
                return Ok(false);
            }
        }
        require!(now >= self.appeal_until, E::AppealOpen);
        self.status = SlashStatus::Executed as u8;
        Ok(true)
    }

    fn void(&mut self, now: u64) -> Result<()> {
        self.status = SlashStatus::Voting as u8;
        self.frozen_until = self.appeal_until.max(now.checked_add(REVOTE).ok_or(E::Overflow)?);
        self.bps = 0;
        self.appeal_until = 0;
        self.appeal = [0; 32];
        Ok(())
    }

    fn require_pending(&self) -> Result<()> {
        require!(self.status == SlashStatus::Pending as u8, E::SlashState);
        Ok(())
    }
}
