//! Money whose payee can't be paid now: set aside, so that it holds up nobody else, and paid later.

mod park_fees;
mod park_pay;
mod pay_parked;

pub use {park_fees::*, park_pay::*, pay_parked::*};

use {
    crate::{constants::ACCOUNT_VERSION, state::Parked},
    anchor_lang::prelude::*,
};

/// Counts `amount` in a record, which is new with its first. Returns who paid its rent.
fn park(
    record: &mut Account<Parked>,
    payee: [&Address; 3],
    payer: &Address,
    bump: u8,
    amount: u64,
) -> Result<Address> {
    if record.version == 0 {
        let [wallet, mint, destination] = payee;
        record.version = ACCOUNT_VERSION;
        record.bump = bump;
        record.wallet = *wallet;
        record.mint = *mint;
        record.destination = *destination;
        record.payer = *payer;
    }
    record.add(amount)?;
    Ok(record.payer)
}
