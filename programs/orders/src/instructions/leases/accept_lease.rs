use {
    super::now,
    crate::{
        constants::*,
        errors::OrdersError as E,
        events::LeaseAccepted,
        state::{Config, Lease, Order},
    },
    anchor_lang::prelude::*,
    anchor_spl::token::TokenAccount,
    ionet_common::{ata::is_associated, emit_event},
};

/// The device's worker accepts: the hours begin. The lease's own principal and the renter's fee on it stay set apart;
/// what was above both is free again. No token moves: the fee follows the service, see [`Lease::renter_fee`].
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
    /// The associated token account of the lease's payout wallet, which must be there: it is recorded, as finding
    /// it again at every settlement would cost more than the payment.
    pub payout_tokens: Account<TokenAccount>,
}

pub fn accept_lease(ctx: &mut Context<AcceptLease>) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    a.config.require_running(PAUSE_MATCHING, at)?;
    let (currency, payout) = (a.order.currency()?, a.lease.payout);
    require!(
        *a.payout_tokens.owner() == payout
            && is_associated(a.payout_tokens.address(), &payout, a.config.mint(currency)),
        E::NotAssociatedAccount
    );
    let released = a.lease.accept(a.payout_tokens.address(), at)?;
    a.order.accept(released)?;
    let (lease, order) = (*a.lease.address(), *a.order.address());
    let (start, stop, held) = (a.lease.start, a.lease.stop, a.lease.held);
    emit_event!(ctx, LeaseAccepted { lease, order, start, stop, held, released });
    Ok(())
}
