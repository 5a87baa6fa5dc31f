use {
    crate::{
        errors::OrdersError as E,
        events::LeaseEnded,
        state::{Known, Lease, Order},
    },
    anchor_lang::prelude::*,
};

/// A lease with its order, and what it takes to tell staking about its device.
#[derive(Accounts)]
pub struct Leased {
    #[account(mut, address = lease.order @ E::WrongOrder)]
    pub order: Known<Order>,
    #[account(mut)]
    pub lease: Known<Lease>,
    /// Gone when the lease outlived it.
    #[account(mut, address = lease.device @ E::WrongDevice)]
    pub device: UncheckedAccount,
    pub call: Nested<super::DeviceCall>,
}

impl Leased {
    /// What is told of the lease's end.
    pub fn ended(&self, released: u64, charged: u64) -> LeaseEnded {
        LeaseEnded {
            lease: *self.lease.address(),
            order: *self.order.address(),
            device: *self.device.address(),
            reason: self.lease.reason,
            stop: self.lease.stop,
            held: self.lease.held,
            released,
            charged,
            open: self.order.open,
            match_until: self.order.match_until,
        }
    }
}
