use {
    crate::{
        errors::OrdersError as E,
        events::OrderCancelled,
        instructions::now,
        state::{Known, Order},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_shared_event,
};

/// The renter wants no more devices: leases that are there go on, the rest can be given back.
#[event_cpi]
#[derive(Accounts)]
pub struct CancelOrder {
    #[account(address = order.renter @ E::NotRenter)]
    pub renter: Signer,
    #[account(mut)]
    pub order: Known<Order>,
}

pub fn cancel_order(ctx: &mut Context<CancelOrder>) -> Result<()> {
    let cancelled = ctx.accounts.order.cancel(now()?)?;
    let (order, open, charged) = (*ctx.accounts.order.address(), cancelled.open, cancelled.charged);
    emit_shared_event!(ctx, OrderCancelled { order, open, charged });
    Ok(())
}
