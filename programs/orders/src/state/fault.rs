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
    /// Staking's revision at which the votes were last looked at.
    pub revision: u32,
    /// Operators that voted, by bit.
    pub votes: u16,
    pub _pad2: [u8; 2],
    /// The lease. Its address can be used again:
    pub lease: Address,
    /// the device's leases when it was matched, and
    pub number: u64,
    /// when the device was registered, name the one that the votes are on.
    pub registered_at: u64,
    /// SHA-256 of the published evidence.
    pub evidence: [u8; 32],
    /// Paid the rent; gets it back.
    pub payer: Address,
}

impl Fault {
    /// Counts operator number `operator`'s vote on the `lease` that is named; true when that makes enough.
    pub fn vote(
        &mut self,
        operators: &StakingConfig,
        operator: usize,
        number: u64,
        registered_at: u64,
    ) -> Result<bool> {
        // Votes on an earlier lease of the same address.
        if (self.number, self.registered_at) != (number, registered_at) {
            self.decided = false.into();
            self.votes = 0;
            self.number = number;
            self.registered_at = registered_at;
        }
        require!(!bool::from(self.decided), E::FaultDecided);
        self.carry(operators);
        let bit = 1u16.checked_shl(operator as u32).ok_or(E::NotOperator)?;
        let voted = self.votes & bit != 0;
        self.votes |= bit;
        let enough = self.votes.count_ones() >= operators.params.threshold as u32;
        // Enough votes are there already when the threshold was lowered; then one of them again decides.
        require!(!voted || enough, E::AlreadyVoted);
        self.decided = enough.into();
        Ok(enough)
    }

    /// Drops the votes of operators whose place another key took since the votes were last looked at.
    fn carry(&mut self, operators: &StakingConfig) {
        self.votes &= !operators.changed_since(self.revision);
        self.revision = operators.revision;
    }
}
