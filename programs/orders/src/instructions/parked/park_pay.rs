use {
    crate::{
        errors::OrdersError as E,
        events::PayParked as Event,
        instructions::{Settled, Settlement},
    },
    anchor_lang::prelude::*,
    ionet_common::{ata::is_associated, emit_event, emit_shared_event},
};

/// Settles a lease whose supplier can't be paid now: its token account is gone, frozen, or somebody else's. Its part
/// waits in the parked vault, and the order, its other leases and its renter don't wait for it. Anyone may call it.
#[event_cpi]
#[derive(Accounts)]
pub struct ParkPay {
    pub money: Nested<crate::instructions::Settlement>,
    /// The destination is the associated token account of the lease's payout wallet.
    pub parking: Nested<crate::instructions::Parking>,
}

pub fn park_pay(ctx: &mut Context<ParkPay>) -> Result<()> {
    let a = &mut ctx.accounts;
    let money: &mut Settlement = &mut a.money;
    let (wallet, mint) = (money.lease.payout, *money.purse.mint()?);
    let (destination, vault) = (*a.parking.destination.address(), a.parking.parked_vault.address());
    require!(destination == money.lease.payout_tokens, E::NotAssociatedAccount);
    require!(is_associated(vault, money.purse.config.address(), &mint), E::WrongAccount);
    require!(!money.pays_into(&a.parking.destination)?, E::PayeePayable);
    let Settled { started, payment, fees } = money.settle()?;
    let amount = payment.net;
    require!(amount > 0, E::NothingDue);
    a.parking.park(&wallet, &mint, ctx.bumps.parking.record, amount)?;
    money.purse.pay_out(a.parking.parked_vault.cpi_handle_mut(), amount);
    let (lease, record, payer) =
        (*money.lease.address(), *a.parking.record.address(), a.parking.record.payer);
    if let Some(started) = started {
        emit_shared_event!(ctx, started);
    }
    let worked = ctx.accounts.money.worked(&payment)?;
    emit_shared_event!(ctx, worked);
    emit_event!(ctx, Event { lease, record, wallet, mint, destination, amount, payer });
    let money: &mut Settlement = &mut ctx.accounts.money;
    if let Some(earned) = money.purse.send_fees(&mut money.fees, fees)? {
        emit_shared_event!(ctx, earned);
    }
    Ok(())
}
