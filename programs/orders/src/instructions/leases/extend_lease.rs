use {
    super::{match_device::ask, start},
    crate::{
        constants::*,
        errors::OrdersError as E,
        events::{Extend, Pay},
        instructions::{now, Purse},
        state::{principal, Known, Lease},
    },
    anchor_lang::prelude::*,
    ionet_common::{emit_event, emit_shared_event, token::transfer},
    staking::state::Device,
};

/// The renter adds hours to a running lease, at its price and with the fee on them: both go into the vault. The
/// supplier agrees as long as its device asks for no more than that.
#[event_cpi]
#[derive(Accounts)]
pub struct ExtendLease {
    #[account(address = purse.order.renter @ E::NotRenter)]
    pub renter: Signer,
    pub purse: Nested<crate::instructions::Purse>,
    #[account(mut, constraint = lease.order == *purse.order.address() @ E::WrongOrder)]
    pub lease: Known<Lease>,
    #[account(address = lease.device @ E::WrongDevice)]
    pub device: Known<Device>,
    /// Any token account of the renter for the currency; the token program checks both.
    #[account(mut)]
    pub renter_tokens: UncheckedAccount,
}

/// `max_amount` is the most that the renter pays for `hours` more, the fee included, base units; `expected` are the
/// hours that the lease has before.
pub fn extend_lease(
    ctx: &mut Context<ExtendLease>,
    hours: u32,
    max_amount: u64,
    expected: u32,
) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    let purse: &mut Purse = &mut a.purse;
    purse.config.require_running(PAUSE_ORDERS, at)?;
    let started = start(&mut a.lease, &purse.order)?;
    a.lease.require_hours(expected)?;
    let amount = a.lease.extend(hours, max_amount, at)?;
    let ask = ask(&a.device, purse.order.currency()?);
    require!(ask > 0, E::NotLet);
    require!(purse.order.terms.rate(ask)? <= a.lease.rate, E::AskTooHigh);
    let extended_amount = principal(a.lease.rate, hours)?;
    purse.order.extend(amount)?;
    let transaction_id = purse.order.transaction()?;
    transfer(
        purse.token_program.address(),
        a.renter_tokens.cpi_handle_mut(),
        purse.vault.cpi_handle_mut(),
        a.renter.cpi_handle(),
        amount,
        &[],
    );
    let (lease, order, stop) = (*a.lease.address(), *purse.order.address(), a.lease.stop);
    let extended_minutes = hours as u64 * 60;
    if let Some(started) = started {
        emit_shared_event!(ctx, started);
    }
    emit_event!(ctx, Extend { cluster_id: order, extended_minutes, extended_amount, lease, stop });
    emit_event!(ctx, Pay { transaction_id, cluster_id: order, amount });
    Ok(())
}
