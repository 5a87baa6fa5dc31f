use {crate::errors::OrdersError as E, anchor_lang::prelude::*};

/// Money of a payee whose token account can't be paid now. It waits in the parked vault of its mint, which is the
/// config's associated token account, and holds up nobody else.
#[account]
pub struct Parked {
    /// Layout version, [`ACCOUNT_VERSION`](crate::constants::ACCOUNT_VERSION).
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    pub _pad: [u8; 6],
    /// In the parked vault, base units.
    pub amount: u64,
    /// Whose it is; for fees the fee vault itself.
    pub wallet: Address,
    /// The currency's mint.
    pub mint: Address,
    /// Where it goes: the wallet's associated token account, or the fee vault.
    pub destination: Address,
    /// Paid the rent; gets it back.
    pub payer: Address,
}

impl Parked {
    /// Counts what comes to it.
    pub fn add(&mut self, amount: u64) -> Result<()> {
        self.amount = self.amount.checked_add(amount).ok_or(E::Overflow)?;
        Ok(())
    }
}
