use {
    super::{now, vault::pay_out},
    crate::{
        errors::OrdersError as E,
        events::{Earn, Worked},
        state::{Config, Lease, Order},
    },
    anchor_lang::prelude::*,
    anchor_spl::token::TokenAccount,
    ionet_common::emit_event,
};

/// Pays a lease's supplier what is due, and both fees on it to the network. Anyone may call it, at any time; where
/// nothing is due, nothing happens.
#[event_cpi]
#[derive(Accounts)]
pub struct Settle {
    #[account(seeds = [b"config"], bump)]
    pub config: Account<Config>,
    #[account(mut, address = lease.order @ E::WrongOrder)]
    pub order: Account<Order>,
    #[account(mut)]
    pub lease: Account<Lease>,
    #[account(mut, address = order.vault @ E::WrongAccount)]
    pub vault: UncheckedAccount,
    /// The associated token account of the lease's payout wallet.
    #[account(mut, address = lease.payout_tokens @ E::NotAssociatedAccount)]
    pub payout_tokens: Account<TokenAccount>,
    /// The buyback program's vault for the currency.
    #[account(mut)]
    pub fees: UncheckedAccount,
    pub token_program: Program<Token>,
}

pub fn settle(ctx: &mut Context<Settle>) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    let (currency, payout) = (a.order.currency()?, a.lease.payout);
    require!(a.fees.address() == a.config.fees(currency), E::WrongAccount);
    require!(*a.payout_tokens.owner() == payout, E::NotAssociatedAccount);
    let until = a.lease.due_until(a.order.settlement_lag, at);
    let payment = a.lease.settle(a.order.settlement_lag, a.order.supplier_fee_bps, at)?;
    if payment.is_nothing() {
        return Ok(());
    }
    a.order.pay(payment.amount, payment.renter_fee)?;
    let fees = payment.fee.checked_add(payment.renter_fee).ok_or(E::Overflow)?;
    let (working, earning) = (a.order.transaction()?, a.order.transaction()?);
    pay_out(
        &a.order,
        a.vault.cpi_handle_mut(),
        a.payout_tokens.cpi_handle_mut(),
        &a.token_program,
        payment.net,
    );
    pay_out(&a.order, a.vault.cpi_handle_mut(), a.fees.cpi_handle_mut(), &a.token_program, fees);
    let (lease, order) = (*a.lease.address(), *a.order.address());
    let worked = Worked {
        cluster_id: order,
        compute_minutes: until.saturating_sub(a.lease.start) / 60,
        amount: payment.amount,
        transaction_id: working,
        lease,
        payout,
        fee: payment.fee,
        renter_fee: payment.renter_fee,
        paid: a.lease.paid,
        until,
    };
    emit_event!(ctx, worked);
    emit_event!(ctx, Earn { transaction_id: earning, cluster_id: order, amount: fees, lease });
    Ok(())
}
