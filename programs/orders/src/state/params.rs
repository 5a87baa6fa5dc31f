use {
    super::{Currency, Terms},
    crate::{constants::*, errors::OrdersError as E},
    anchor_lang::{
        bytemuck::{Pod, Zeroable},
        prelude::*,
    },
};

/// What the admin sets: durations in seconds, fees in basis points. An order keeps those of its opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, IdlType)]
#[repr(C)]
pub struct Params {
    /// From an order's opening to the end of its matching.
    pub match_window: u64,
    /// From a match to the end of the worker's time to accept.
    pub accept_window: u64,
    /// How far settlement stays behind the clock, so that a fault still finds the money.
    pub settlement_lag: u64,
    /// From a change's proposal to its effect.
    pub notice: u64,
    /// From an order's opening, so long operators alone match it.
    pub exclusive: u64,
    /// Of a lease's principal, from the renter on top of it.
    pub renter_fee_bps: u16,
    /// Of what a supplier is paid, from the supplier.
    pub supplier_fee_bps: u16,
    /// From the renter beside the other fee when the order is in USDC.
    pub usdc_fee_bps: u16,
    /// From the renter beside the other fees when its order is soon: it buys a better place in the queue.
    pub soon_fee_bps: u16,
    /// The same when it is now.
    pub now_fee_bps: u16,
    pub _pad: [u8; 6],
}

// SAFETY: repr(C), every field is plain data, and the fields leave no gap.
unsafe impl Zeroable for Params {}
unsafe impl Pod for Params {}

impl Params {
    /// Refuses what is out of bounds. A lag of zero is allowed: then a fault takes back nothing.
    pub fn check(&self) -> Result<()> {
        let durations = [
            (self.match_window, MAX_MATCH_WINDOW),
            (self.accept_window, MAX_ACCEPT_WINDOW),
            (self.notice, MAX_NOTICE),
        ];
        require!(durations.iter().all(|(value, most)| (1..=*most).contains(value)), E::ParamsInvalid);
        require!(self.settlement_lag <= MAX_SETTLEMENT_LAG, E::ParamsInvalid);
        // Half of the window is left to suppliers, should the operators be gone.
        require!(self.exclusive <= self.match_window / 2, E::ParamsInvalid);
        let fees = [
            (self.renter_fee_bps, MAX_RENTER_FEE_BPS),
            (self.supplier_fee_bps, MAX_SUPPLIER_FEE_BPS),
            (self.usdc_fee_bps, MAX_USDC_FEE_BPS),
            (self.soon_fee_bps, MAX_URGENCY_FEE_BPS),
            (self.now_fee_bps, MAX_URGENCY_FEE_BPS),
        ];
        require!(fees.iter().all(|(value, most)| value <= most), E::ParamsInvalid);
        require!(self._pad == [0; 6], E::ParamsInvalid);
        Ok(())
    }

    /// What a renter pays on top of the principal, basis points: one rate, so that it is rounded once.
    pub fn renter_bps(&self, terms: &Terms) -> Result<u16> {
        let extra = match terms.currency()? {
            Currency::Io => 0,
            Currency::Usdc => self.usdc_fee_bps,
        };
        let urgency = match terms.urgency {
            0 => 0,
            1 => self.soon_fee_bps,
            2 => self.now_fee_bps,
            _ => return Err(E::WishInvalid.into()),
        };
        let sum = self.renter_fee_bps.checked_add(extra).and_then(|sum| sum.checked_add(urgency));
        Ok(sum.ok_or(E::Overflow)?)
    }
}
