use {
    crate::{
        errors::OrdersError as E,
        events::LeaseClosed,
        state::{Known, Lease, Order},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// Closes a lease that has ended and is owed nothing; its rent goes to whoever paid it. Anyone may call it.
#[event_cpi]
#[derive(Accounts)]
pub struct CloseLease {
    #[account(mut, address = lease.payer @ E::NotRentPayer)]
    pub payer: UncheckedAccount,
    #[account(mut, address = lease.order @ E::WrongOrder)]
    pub order: Known<Order>,
    #[account(mut, close = payer)]
    pub lease: Known<Lease>,
}

pub fn close_lease(ctx: &mut Context<CloseLease>) -> Result<()> {
    let a = &mut ctx.accounts;
    a.lease.require_done()?;
    a.order.forget_lease()?;
    let (lease, order, device) = (*a.lease.address(), *a.order.address(), a.lease.device);
    emit_event!(ctx, LeaseClosed { lease, order, device });
    Ok(())
}
