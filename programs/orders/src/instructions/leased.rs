use {
    crate::{
        errors::OrdersError as E,
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
