use {
    super::{now, vault::pay_out},
    crate::{
        constants::*,
        errors::OrdersError as E,
        events::{Earn, LeaseAccepted},
        state::{principal, Config, Lease, Order},
    },
    anchor_lang::prelude::*,
    anchor_spl::token::TokenAccount,
    ionet_common::{ata::is_associated, emit_event},
};

/// The device's worker accepts: the hours begin, and the renter's fee on the lease's own principal goes to
/// the network. What was set apart above both is free again.
#[event_cpi]
#[derive(Accounts)]
pub struct AcceptLease {
    #[account(address = lease.worker @ E::NotWorker)]
    pub worker: Signer,
    #[account(seeds = [b"config"], bump)]
    pub config: Account<Config>,
    #[account(mut, address = lease.order @ E::WrongOrder)]
    pub order: Account<Order>,
    #[account(mut)]
    pub lease: Account<Lease>,
    #[account(mut, address = order.vault @ E::WrongAccount)]
    pub vault: UncheckedAccount,
    /// The associated token account of the lease's payout wallet, which must be there: it is recorded, as finding
    /// it again at every settlement would cost more than the payment.
    pub payout_tokens: Account<TokenAccount>,
    /// The buyback program's vault for the currency.
    #[account(mut)]
    pub fees: UncheckedAccount,
    pub token_program: Program<Token>,
}

pub fn accept_lease(ctx: &mut Context<AcceptLease>) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    a.config.require_running(PAUSE_MATCHING, at)?;
    let (currency, payout) = (a.order.currency()?, a.lease.payout);
    require!(a.fees.address() == a.config.fees(currency), E::WrongAccount);
    require!(
        *a.payout_tokens.owner() == payout
            && is_associated(a.payout_tokens.address(), &payout, a.config.mint(currency)),
        E::NotAssociatedAccount
    );
    let fee = a.order.renter_fee(principal(a.lease.rate, a.lease.hours)?)?;
    let released = a.lease.accept(a.payout_tokens.address(), fee, at)?;
    a.order.accept(fee, released)?;
    let transaction_id = a.order.transaction()?;
    pay_out(&a.order, a.vault.cpi_handle_mut(), a.fees.cpi_handle_mut(), &a.token_program, fee);
    let (lease, order) = (*a.lease.address(), *a.order.address());
    let (start, stop, held) = (a.lease.start, a.lease.stop, a.lease.held);
    emit_event!(ctx, LeaseAccepted { lease, order, start, stop, held, released });
    emit_event!(ctx, Earn { transaction_id, cluster_id: order, amount: fee, lease });
    Ok(())
}
