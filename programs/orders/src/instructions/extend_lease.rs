use {
    super::{now, vault::pay_out},
    crate::{
        constants::*,
        errors::OrdersError as E,
        events::{Earn, Extend, Pay},
        state::{Config, Lease, Order},
    },
    anchor_lang::prelude::*,
    ionet_common::{emit_event, token::transfer},
};

/// The renter adds hours to a running lease, at its price and with the fee on them.
#[event_cpi]
#[derive(Accounts)]
pub struct ExtendLease {
    #[account(address = order.renter @ E::NotRenter)]
    pub renter: Signer,
    #[account(seeds = [b"config"], bump)]
    pub config: Account<Config>,
    #[account(mut, address = lease.order @ E::WrongOrder)]
    pub order: Account<Order>,
    #[account(mut)]
    pub lease: Account<Lease>,
    #[account(mut, address = order.vault @ E::WrongAccount)]
    pub vault: UncheckedAccount,
    /// Any token account of the renter for the currency; the token program checks both.
    #[account(mut)]
    pub renter_tokens: UncheckedAccount,
    /// The buyback program's vault for the currency.
    #[account(mut)]
    pub fees: UncheckedAccount,
    pub token_program: Program<Token>,
}

pub fn extend_lease(ctx: &mut Context<ExtendLease>, hours: u32) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    a.config.require_running(PAUSE_ORDERS, at)?;
    require!(a.fees.address() == a.config.fees(a.order.currency()?), E::WrongAccount);
    let extended_amount = a.lease.extend(hours, at)?;
    let fee = a.order.renter_fee(extended_amount)?;
    let amount = a.order.extend(extended_amount, fee)?;
    let (paying, earning) = (a.order.transaction()?, a.order.transaction()?);
    transfer(
        a.token_program.address(),
        a.renter_tokens.cpi_handle_mut(),
        a.vault.cpi_handle_mut(),
        a.renter.cpi_handle(),
        amount,
        &[],
    );
    pay_out(&a.order, a.vault.cpi_handle_mut(), a.fees.cpi_handle_mut(), &a.token_program, fee);
    let (lease, order, stop) = (*a.lease.address(), *a.order.address(), a.lease.stop);
    let extended_minutes = hours as u64 * 60;
    emit_event!(ctx, Extend { cluster_id: order, extended_minutes, extended_amount, lease, stop });
    emit_event!(ctx, Pay { transaction_id: paying, cluster_id: order, amount });
    emit_event!(ctx, Earn { transaction_id: earning, cluster_id: order, amount: fee, lease });
    Ok(())
}
