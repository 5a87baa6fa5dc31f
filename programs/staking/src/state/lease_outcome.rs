use {crate::errors::StakingError as E, anchor_lang::prelude::*};

/// What is counted of a lease, for the device's reputation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum LeaseOutcome {
    /// Served as agreed, to its end or until the renter ended it.
    Done = 0,
    /// The supplier broke it off, or operators attested a fault.
    Failed = 1,
    /// The guardian held its money back; the lease goes on.
    Disputed = 2,
    /// It was never served: nothing is counted. Found later: less of it was served, and it had failed already.
    None = 3,
}

impl LeaseOutcome {
    /// By its number.
    pub fn from_number(number: u8) -> Result<Self> {
        match number {
            0 => Ok(Self::Done),
            1 => Ok(Self::Failed),
            2 => Ok(Self::Disputed),
            3 => Ok(Self::None),
            _ => Err(E::OutcomeInvalid.into()),
        }
    }
}
