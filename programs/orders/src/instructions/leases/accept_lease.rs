use {
    crate::{
        constants::*,
        errors::OrdersError as E,
        events::LeaseAccepted,
        instructions::now,
        state::{Config, Known, Lease, Order},
    },
    anchor_lang::prelude::*,
    ionet_common::{ata::is_associated, emit_event, token::payable},
};

/// The device's worker accepts: the hours begin, in a gang once that is filled. No token moves: the fee follows
/// the service, see [`Lease::renter_fee`].
#[event_cpi]
#[derive(Accounts)]
pub struct AcceptLease {
    #[account(address = lease.worker @ E::NotWorker)]
    pub worker: Signer,
    #[account(seeds = [b"config"], bump)]
    pub config: Known<Config>,
    #[account(mut, address = lease.order @ E::WrongOrder)]
    pub order: Known<Order>,
    #[account(mut)]
    pub lease: Known<Lease>,
    /// The associated token account of the lease's payout wallet, which must be there: it is recorded, as finding
    /// it again at every settlement would cost more than the payment.
    #[account(
        constraint = is_associated(payout_tokens.address(), &lease.payout, config.mint(order.currency()?))
            @ E::NotAssociatedAccount,
        constraint = payable(&payout_tokens, Some(&lease.payout), config.mint(order.currency()?))
            @ E::PayeeBlocked
    )]
    pub payout_tokens: UncheckedAccount,
}

pub fn accept_lease(ctx: &mut Context<AcceptLease>) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    a.config.require_running(PAUSE_MATCHING, at)?;
    a.lease.accept(a.payout_tokens.address(), at)?;
    a.order.accept(at)?;
    if a.lease.starts(a.order.filled_at) {
        a.lease.begin(a.order.filled_at)?;
    }
    let accepted = LeaseAccepted {
        lease: *a.lease.address(),
        order: *a.order.address(),
        accepted_at: at,
        start: a.lease.start,
        stop: a.lease.stop,
        filled_at: a.order.filled_at,
    };
    emit_event!(ctx, accepted);
    Ok(())
}
