use {
    super::{ended, start},
    crate::{
        events::OrderCancelled,
        instructions::{now, Leased},
        state::{Known, LeaseStatus, Party},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_shared_event,
    staking::state::Device,
};

/// Ends a lease, frees its device and counts how it ended. The renter and the supplier may at any time, anybody once
/// its time is over; who calls it decides on the money, see [`Lease::end`](crate::state::Lease::end).
#[event_cpi]
#[derive(Accounts)]
pub struct EndLease {
    pub caller: Signer,
    pub leased: Nested<crate::instructions::Leased>,
}

pub fn end_lease(ctx: &mut Context<EndLease>) -> Result<()> {
    let at = now()?;
    let bump = ctx.bumps.leased.call.lease_authority;
    let leased: &mut Leased = &mut ctx.accounts.leased;
    let started = start(&mut leased.lease, &leased.order)?;
    let party = party(ctx.accounts.caller.address(), leased)?;
    let stranded = leased.order.is_stranded(at);
    let ending = leased.lease.end(party, leased.order.settlement_lag, stranded, at)?;
    let (charged, cancelled) = leased.order.end_lease(&ending, at)?;
    leased.call.free(leased.device.cpi_handle_mut(), &leased.lease, &ending, bump);
    let (order, ended) = (leased.lease.order, ended(&leased.lease, &leased.order, ending.released, charged));
    if let Some(started) = started {
        emit_shared_event!(ctx, started);
    }
    if let Some(cancelled) = cancelled {
        let (open, charged) = (cancelled.open, cancelled.charged);
        emit_shared_event!(ctx, OrderCancelled { order, open, charged });
    }
    emit_shared_event!(ctx, ended);
    Ok(())
}

/// Who calls. The worker's key lies on the machine that is rented: it speaks for the supplier as long as the lease
/// waits for it, and later only where the supplier lets it.
fn party(caller: &Address, leased: &Leased) -> Result<Party> {
    let lease = &leased.lease;
    if *caller == leased.order.renter {
        return Ok(Party::Renter);
    }
    let worker = *caller == lease.worker;
    let supplies = *caller == lease.supplier
        || (worker && (lease.status == LeaseStatus::Matched as u8 || may_end(leased)?));
    Ok(if supplies { Party::Supplier } else { Party::Stranger })
}

/// Whether the device's supplier lets its worker end what runs, now.
fn may_end(leased: &Leased) -> Result<bool> {
    Ok(Known::<Device>::load(*leased.device.account())?.worker_may_end == 1)
}
