//! Money whose payee can't be paid now: set aside, so that it holds up nobody else, and paid later.

mod park_fees;
mod park_pay;
mod pay_parked;

pub use {park_fees::*, park_pay::*, pay_parked::*};

use {
    crate::{
        constants::ACCOUNT_VERSION,
        state::{Known, Parked},
    },
    anchor_lang::prelude::*,
};

/// What is set aside, and for whom.
#[derive(Accounts)]
pub struct Parking {
    /// Pays the record's rent if there is none yet.
    #[account(mut)]
    pub payer: Signer,
    /// Where the money would go, in whatever state; the instruction checks its address.
    pub destination: UncheckedAccount,
    /// The config's associated token account for the currency; the instruction checks its address. Whoever is the
    /// first to park something creates it.
    #[account(mut)]
    pub parked_vault: UncheckedAccount,
    #[account(init_if_needed, payer = payer, seeds = [b"parked", destination.address()], bump)]
    pub record: Known<Parked>,
    pub system_program: Program<System>,
}

impl Parking {
    /// Counts `amount` in the record, which is new with its first.
    pub fn park(&mut self, wallet: &Address, mint: &Address, bump: u8, amount: u64) -> Result<()> {
        let record = &mut self.record;
        if record.version == 0 {
            record.version = ACCOUNT_VERSION;
            record.bump = bump;
            record.wallet = *wallet;
            record.mint = *mint;
            record.destination = *self.destination.address();
            record.payer = *self.payer.address();
        }
        record.add(amount)
    }
}
