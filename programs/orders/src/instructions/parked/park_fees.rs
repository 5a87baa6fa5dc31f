use {
    crate::{errors::OrdersError as E, events::FeesParked, instructions::Purse},
    anchor_lang::prelude::*,
    ionet_common::{ata::is_associated, emit_event, token::payable},
};

/// Sets an order's fees aside when the fee vault can't be paid, so that the order can be closed. Anyone may call it.
#[event_cpi]
#[derive(Accounts)]
pub struct ParkFees {
    pub purse: Nested<crate::instructions::Purse>,
    /// The destination is the buyback program's vault for the currency.
    pub parking: Nested<crate::instructions::Parking>,
}

pub fn park_fees(ctx: &mut Context<ParkFees>) -> Result<()> {
    let a = &mut ctx.accounts;
    let purse: &mut Purse = &mut a.purse;
    let (mint, destination) = (*purse.mint()?, *a.parking.destination.address());
    require!(destination == *purse.fees()?, E::WrongAccount);
    require!(is_associated(a.parking.parked_vault.address(), purse.config.address(), &mint), E::WrongAccount);
    require!(!payable(&a.parking.destination, None, &mint), E::FeesPayable);
    let amount = purse.order.take_fees();
    require!(amount > 0, E::NothingDue);
    // The fee vault stands for its owner, which is the buyback program's own business.
    a.parking.park(&destination, &mint, ctx.bumps.parking.record, amount)?;
    let transaction_id = purse.order.transaction()?;
    purse.pay_out(a.parking.parked_vault.cpi_handle_mut(), amount);
    let (cluster_id, record) = (*purse.order.address(), *a.parking.record.address());
    let payer = a.parking.record.payer;
    emit_event!(ctx, FeesParked { transaction_id, cluster_id, record, mint, destination, amount, payer });
    Ok(())
}
