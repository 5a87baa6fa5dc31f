use {
    crate::{
        errors::OrdersError as E,
        events::FaultClosed,
        state::{Fault, Known},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// Closes a fault's account once its lease's is gone; its rent goes to whoever paid it. Anyone may call it.
#[event_cpi]
#[derive(Accounts)]
pub struct CloseFault {
    #[account(mut, address = fault.payer @ E::NotRentPayer)]
    pub payer: UncheckedAccount,
    /// The lease's address, empty.
    #[account(
        address = fault.lease @ E::WrongAccount,
        constraint = !lease.account().owned_by(&crate::ID) @ E::LeaseExists
    )]
    pub lease: UncheckedAccount,
    #[account(mut, close = payer)]
    pub fault: Known<Fault>,
}

pub fn close_fault(ctx: &mut Context<CloseFault>) -> Result<()> {
    let a = &ctx.accounts;
    let (lease, evidence, good_hours) = (a.fault.lease, a.fault.evidence, a.fault.good_hours);
    emit_event!(ctx, FaultClosed { lease, evidence, good_hours });
    Ok(())
}
