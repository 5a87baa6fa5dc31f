use {
    crate::{constants::*, errors::BuybackError as E},
    anchor_lang::{
        bytemuck::{Pod, Zeroable},
        prelude::*,
    },
};

/// What the admin sets: amounts in base units of USDC, prices in base units of IO per USDC, durations
/// in seconds, shares in basis points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, IdlType)]
#[repr(C)]
pub struct Params {
    /// One auction sells at most this.
    pub max_lot: u64,
    /// One auction sells at least this.
    pub min_lot: u64,
    /// No auction ends below this price.
    pub min_price: u64,
    /// From an auction's start to its end.
    pub duration: u64,
    /// From a change's proposal to its effect.
    pub notice: u64,
    /// An auction starts at this part of the reference price, more than the whole of it.
    pub start_bps: u32,
    /// It ends at this part of the reference price.
    pub floor_bps: u16,
    pub _pad: [u8; 2],
}

// SAFETY: repr(C), every field is plain data, and the fields leave no gap.
unsafe impl Zeroable for Params {}
unsafe impl Pod for Params {}

impl Params {
    /// Refuses what is out of bounds.
    pub fn check(&self) -> Result<()> {
        require!(
            (MIN_LOT..=self.max_lot).contains(&self.min_lot)
                && self.max_lot <= MAX_LOT
                && (1..=MAX_PRICE).contains(&self.min_price)
                && (MIN_DURATION..=MAX_DURATION).contains(&self.duration)
                && (MIN_NOTICE..=MAX_NOTICE).contains(&self.notice)
                && (MIN_START_BPS..=MAX_START_BPS).contains(&self.start_bps)
                && (MIN_FLOOR_BPS..=MAX_FLOOR_BPS).contains(&self.floor_bps)
                && self._pad == [0; 2],
            E::ParamsInvalid
        );
        Ok(())
    }
}
