use {
    super::park,
    crate::{
        errors::OrdersError as E,
        events::PayParked as Event,
        instructions::{leases::started, vault, Settlement},
        state::Parked,
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// Settles a lease whose supplier can't be paid now: its token account is gone, frozen, or somebody else's. Its part
/// waits in the parked vault, and the order, its other leases and its renter don't wait for it. Anyone may call it.
#[event_cpi]
#[derive(Accounts)]
pub struct ParkPay {
    /// Pays the record's rent if there is none yet.
    #[account(mut)]
    pub payer: Signer,
    pub money: Nested<Settlement>,
    #[account(mut, address = *money.config.parked(money.order.currency()?) @ E::WrongAccount)]
    pub parked_vault: UncheckedAccount,
    #[account(init_if_needed, payer = payer, seeds = [b"parked", money.payout_tokens.address()], bump)]
    pub record: Account<Parked>,
    pub system_program: Program<System>,
}

pub fn park_pay(ctx: &mut Context<ParkPay>) -> Result<()> {
    let a = &mut ctx.accounts;
    let settled = a.money.settle()?;
    let amount = settled.payment.net;
    require!(amount > 0, E::NothingDue);
    require!(!settled.payable, E::PayeePayable);
    let mint = *a.money.config.mint(a.money.order.currency()?);
    let (wallet, destination) = (a.money.lease.payout, a.money.lease.payout_tokens);
    let payer =
        park(&mut a.record, [&wallet, &mint, &destination], a.payer.address(), ctx.bumps.record, amount)?;
    let worked = a.money.worked(&settled)?;
    let (vault, to) = (a.money.vault.cpi_handle_mut(), a.parked_vault.cpi_handle_mut());
    vault::pay_out(&a.money.order, vault, to, &a.money.token_program, amount);
    let (lease, record) = (*a.money.lease.address(), *a.record.address());
    if settled.starts {
        emit_event!(ctx, started(&ctx.accounts.money.lease));
    }
    emit_event!(ctx, worked);
    emit_event!(ctx, Event { lease, record, wallet, mint, destination, amount, payer });
    if settled.fees > 0 {
        let earned = ctx.accounts.money.earn(settled.fees)?;
        emit_event!(ctx, earned);
    }
    Ok(())
}
