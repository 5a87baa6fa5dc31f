use {crate::errors::OrdersError as E, anchor_lang::prelude::*, staking::state::Config as StakingConfig};

/// Operators' votes that a lease was not served after so many good hours, for one piece of evidence.
#[account]
pub struct Fault {
    /// Layout version, [`ACCOUNT_VERSION`](crate::constants::ACCOUNT_VERSION).
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// 1 once enough have voted.
    pub decided: PodBool,
    pub _pad: u8,
    /// Hours from the lease's start that were served.
    pub good_hours: u32,
    /// Staking's revision that the votes are under.
    pub revision: u32,
    /// Operators that voted, by bit, under `revision`.
    pub votes: u16,
    pub _pad2: [u8; 2],
    /// The lease.
    pub lease: Address,
    /// When the lease that the votes are on started, unix seconds: its address can be used again.
    pub lease_start: u64,
    /// SHA-256 of the published evidence.
    pub evidence: [u8; 32],
    /// Paid the rent; gets it back.
    pub payer: Address,
}

impl Fault {
    /// Counts operator number `operator`'s vote; true when that makes enough. Votes under an earlier list of
    /// operators, or on an earlier lease of the same address, are void.
    pub fn vote(&mut self, operators: &StakingConfig, operator: usize, lease_start: u64) -> Result<bool> {
        if self.lease_start != lease_start {
            self.decided = false.into();
            self.votes = 0;
            self.lease_start = lease_start;
        }
        require!(!bool::from(self.decided), E::FaultDecided);
        if self.revision != operators.revision {
            self.votes = 0;
            self.revision = operators.revision;
        }
        let bit = 1u16.checked_shl(operator as u32).ok_or(E::NotOperator)?;
        require!(self.votes & bit == 0, E::AlreadyVoted);
        self.votes |= bit;
        let enough = self.votes.count_ones() >= operators.params.threshold as u32;
        self.decided = enough.into();
        Ok(enough)
    }
}
