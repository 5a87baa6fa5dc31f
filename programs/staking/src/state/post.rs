use {
    crate::{constants::*, errors::StakingError as E},
    anchor_lang::prelude::*,
    ionet_common::calendar::HOUR,
};

/// How often an operator posted in an hour.
#[account]
pub struct PostCounter {
    /// Layout version, [`ACCOUNT_VERSION`].
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// Postings in that hour.
    pub count: u16,
    pub _pad: [u8; 4],
    /// The hour of the clock, from 1970.
    pub hour: u64,
    /// Whose postings they are.
    pub operator: Address,
}

impl PostCounter {
    /// Counts a posting of this kind.
    pub fn post(&mut self, kind: u8, now: u64) -> Result<()> {
        require!((1..=POST_KINDS).contains(&kind), E::PostInvalid);
        let hour = now / HOUR;
        if hour > self.hour {
            self.hour = hour;
            self.count = 0;
        }
        require!(self.count < MAX_POSTS, E::PostLimit);
        self.count += 1;
        Ok(())
    }
}
