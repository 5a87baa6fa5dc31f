use {
    crate::{constants::*, errors::TokenomicsError as E},
    anchor_lang::prelude::*,
};

/// Bytes of a page's bitmap.
pub const PAGE_BYTES: usize = PAGE_CLAIMS as usize / 8;

/// One bit for each of [`PAGE_CLAIMS`] leaves of a season: set once claimed.
#[account]
pub struct ClaimPage {
    /// Layout version, [`ACCOUNT_VERSION`].
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    pub _pad: [u8; 2],
    /// The season's number.
    pub season: u32,
    /// Position of this page: it holds the leaves from `page * PAGE_CLAIMS` on.
    pub page: u32,
    pub _pad2: [u8; 4],
    /// Paid the rent; gets it back once the season has ended.
    pub payer: Address,
    /// Bit `i % 8` of byte `i / 8` is leaf `page * PAGE_CLAIMS + i`.
    pub bits: [u8; PAGE_BYTES],
}

impl ClaimPage {
    /// Sets the bit of leaf `index` of `season`; refuses one that is set, or another page's.
    pub fn set(&mut self, season: u32, index: u32) -> Result<()> {
        require!(self.version == ACCOUNT_VERSION, E::UnknownVersion);
        require!(season == self.season && index / PAGE_CLAIMS == self.page, E::WrongPage);
        let bit = (index % PAGE_CLAIMS) as usize;
        let byte = self.bits.get_mut(bit / 8).ok_or(E::WrongPage)?;
        let mask = 1u8 << (bit % 8);
        require!(*byte & mask == 0, E::AlreadyClaimed);
        *byte |= mask;
        Ok(())
    }
}
