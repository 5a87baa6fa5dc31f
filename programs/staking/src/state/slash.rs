use {super::Config, crate::errors::StakingError as E, anchor_lang::prelude::*};

/// Where a slash stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum SlashStatus {
    /// Operators vote.
    Voting = 0,
    /// Enough voted; the appeal period runs.
    Pending = 1,
    /// The guardian vetoed it.
    Vetoed = 2,
    /// The stake was burned.
    Executed = 3,
}

/// A proposal to slash a device, for one piece of evidence. Stays for ever: the same evidence never
/// slashes twice.
#[account]
pub struct Slash {
    /// Layout version, [`ACCOUNT_VERSION`].
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// A [`SlashStatus`].
    pub status: u8,
    pub _pad: u8,
    /// Part of every stake on the device, basis points.
    pub bps: u16,
    /// Operators that voted, by bit, under `revision`.
    pub votes: u16,
    /// The config's revision that the votes are under.
    pub revision: u32,
    pub _pad2: [u8; 4],
    /// End of the appeal period, unix seconds; 0 while voting.
    pub appeal_until: u64,
    /// Burned, base units.
    pub burned: u64,
    /// The device's account.
    pub device: Address,
    /// SHA-256 of the published evidence.
    pub evidence: [u8; 32],
    /// SHA-256 of the supplier's published appeal, zero when there is none.
    pub appeal: [u8; 32],
}

impl Slash {
    /// Counts operator number `operator`'s vote; true when that makes enough.
    pub fn vote(&mut self, config: &Config, operator: usize, now: u64) -> Result<bool> {
        require!((1..=config.params.max_slash_bps).contains(&self.bps), E::SlashInvalid);
        require!(self.status == SlashStatus::Voting as u8, E::SlashState);
        if self.revision != config.revision {
            self.votes = 0;
            self.revision = config.revision;
        }
        let bit = 1u16.checked_shl(operator as u32).ok_or(E::NotOperator)?;
        require!(self.votes & bit == 0, E::AlreadyVoted);
        self.votes |= bit;
        let enough = self.votes.count_ones() >= config.params.threshold as u32;
        if enough {
            self.status = SlashStatus::Pending as u8;
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

    /// The guardian's veto.
    pub fn veto(&mut self, now: u64) -> Result<()> {
        self.require_pending()?;
        require!(now < self.appeal_until, E::AppealOver);
        self.status = SlashStatus::Vetoed as u8;
        Ok(())
    }

    /// Marks it as done, once the appeal period is over.
    pub fn execute(&mut self, now: u64) -> Result<()> {
        self.require_pending()?;
        require!(now >= self.appeal_until, E::AppealOpen);
        self.status = SlashStatus::Executed as u8;
        Ok(())
    }

    fn require_pending(&self) -> Result<()> {
        require!(self.status == SlashStatus::Pending as u8, E::SlashState);
        Ok(())
    }
}
