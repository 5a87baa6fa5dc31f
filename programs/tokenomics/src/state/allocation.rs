use {
    crate::{constants::*, errors::TokenomicsError as E},
    anchor_lang::prelude::*,
    ionet_common::{roles::is_nobody, vesting::Schedule},
};

/// A row of the genesis table: who gets how much, when.
#[account]
pub struct Allocation {
    /// Layout version, [`ACCOUNT_VERSION`].
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// Position in the genesis table.
    pub id: u8,
    pub _pad: [u8; 5],
    /// Name, UTF-8, padded with zeros.
    pub label: [u8; 16],
    /// Gets what vests, at its associated token account.
    pub beneficiary: Address,
    /// Proposed successor of the beneficiary, zero when there is none.
    pub pending_beneficiary: Address,
    /// The whole allocation, base units.
    pub amount: u64,
    /// Paid so far, base units.
    pub released: u64,
    /// Share due at launch, basis points.
    pub tge_bps: u16,
    /// Months from the emission's first month to the first tranche.
    pub cliff_months: u16,
    /// Number of equal monthly tranches.
    pub tranches: u16,
    pub _pad2: [u8; 2],
    /// For later versions; zero.
    pub _reserved: [u8; 64],
}

impl Allocation {
    /// The row's schedule.
    pub fn schedule(&self) -> Schedule {
        Schedule {
            amount: self.amount,
            tge_bps: self.tge_bps,
            cliff_months: self.cliff_months,
            tranches: self.tranches,
        }
    }

    /// Counts everything that is due at `now` as paid and returns it, base units.
    pub fn release(&mut self, start_month: u32, now: u64) -> Result<u64> {
        let vested = self.schedule().vested(start_month, now).ok_or(E::InvalidClock)?;
        let due = vested.saturating_sub(self.released);
        require!(due > 0, E::NothingDue);
        self.released = vested;
        self.invariant()?;
        Ok(due)
    }

    /// Names the next beneficiary, in place of an earlier one; zero withdraws.
    pub fn propose_beneficiary(&mut self, pending: Address) -> Result<()> {
        self.pending_beneficiary = pending;
        self.invariant()
    }

    /// Makes the proposed beneficiary the beneficiary; returns the old one.
    pub fn accept_beneficiary(&mut self) -> Result<Address> {
        let from = core::mem::replace(&mut self.beneficiary, self.pending_beneficiary);
        self.pending_beneficiary = Address::default();
        self.invariant()?;
        Ok(from)
    }

    /// What holds between instructions; last call of every transition.
    pub fn invariant(&self) -> Result<()> {
        require!(self.version == ACCOUNT_VERSION, E::UnknownVersion);
        require!(self.schedule().is_valid(), E::AllocationInvalid);
        require!(!is_nobody(&self.beneficiary), E::ZeroAddress);
        require!(self.released <= self.amount, E::InvariantViolated);
        Ok(())
    }
}
