use {
    crate::{errors::OrdersError as E, events::PayParked as Event, instructions::Settlement},
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
    require!(*a.parking.destination.address() == money.lease.payout_tokens, E::NotAssociatedAccount);
    require!(
        is_associated(a.parking.parked_vault.address(), money.purse.config.address(), &mint),
        E::WrongAccount
    );
    require!(!money.pays_into(&a.parking.destination)?, E::PayeePayable);
    let settled = money.settle()?;
    let amount = settled.payment.net;
    require!(amount > 0, E::NothingDue);
    a.parking.park(&wallet, &mint, ctx.bumps.parking.record, amount)?;
    let worked = money.worked(&settled)?;
    money.purse.pay_out(a.parking.parked_vault.cpi_handle_mut(), amount);
    let earned = money.purse.send_fees(&mut money.fees, settled.fees)?;
    let parked = Event {
        lease: *money.lease.address(),
        record: *a.parking.record.address(),
        wallet,
        mint,
        destination: *a.parking.destination.address(),
        amount,
        payer: a.parking.record.payer,
    };
    if let Some(started) = settled.started {
        emit_shared_event!(ctx, started);
    }
    emit_shared_event!(ctx, worked);
    emit_event!(ctx, parked);
    if let Some(earned) = earned {
        emit_shared_event!(ctx, earned);
    }
    Ok(())
}
