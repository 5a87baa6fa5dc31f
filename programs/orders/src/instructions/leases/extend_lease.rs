use {
    super::now,
    crate::{
        constants::*,
        errors::OrdersError as E,
        events::{Extend, Pay},
        state::{principal, Config, Lease, Order},
    },
    anchor_lang::prelude::*,
    ionet_common::{emit_event, token::transfer},
};

/// The renter adds hours to a running lease, at its price and with the fee on them: both go into the vault.
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
    pub token_program: Program<Token>,
}

pub fn extend_lease(ctx: &mut Context<ExtendLease>, hours: u32) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    a.config.require_running(PAUSE_ORDERS, at)?;
    let amount = a.lease.extend(hours, at)?;
    let extended_amount = principal(a.lease.rate, hours)?;
    a.order.extend(amount)?;
    let transaction_id = a.order.transaction()?;
    transfer(
        a.token_program.address(),
        a.renter_tokens.cpi_handle_mut(),
        a.vault.cpi_handle_mut(),
        a.renter.cpi_handle(),
        amount,
        &[],
    );
    let (lease, order, stop) = (*a.lease.address(), *a.order.address(), a.lease.stop);
    let extended_minutes = hours as u64 * 60;
    emit_event!(ctx, Extend { cluster_id: order, extended_minutes, extended_amount, lease, stop });
    emit_event!(ctx, Pay { transaction_id, cluster_id: order, amount });
    Ok(())
}
