use {
    crate::{errors::OrdersError as E, events::OrderCancelled, state::Order},
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// The renter wants no more devices: leases that are there go on, the rest can be given back.
#[event_cpi]
#[derive(Accounts)]
pub struct CancelOrder {
    #[account(address = order.renter @ E::NotRenter)]
    pub renter: Signer,
    #[account(mut)]
    pub order: Account<Order>,
}

pub fn cancel_order(ctx: &mut Context<CancelOrder>) -> Result<()> {
    let row = &mut ctx.accounts.order;
    let open = row.cancel()?;
    let order = *row.address();
    emit_event!(ctx, OrderCancelled { order, open });
    Ok(())
}
