use {
    super::started,
    crate::{
        errors::OrdersError as E,
        events::{LeaseEnded, OrderCancelled},
        instructions::now,
        state::{Lease, LeaseStatus, Order, Party},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
    staking::state::Device,
};

/// Ends a lease, frees its device and counts how it ended. The renter and the supplier may at any time, anybody once
/// its time is over; who calls it decides on the money, see [`Lease::end`].
#[event_cpi]
#[derive(Accounts)]
pub struct EndLease {
    pub caller: Signer,
    #[account(mut, address = lease.order @ E::WrongOrder)]
    pub order: Account<Order>,
    #[account(mut)]
    pub lease: Account<Lease>,
    /// Staking checks its version.
    #[account(mut, address = lease.device @ E::WrongDevice)]
    pub device: Account<Device>,
    pub call: Nested<crate::instructions::DeviceCall>,
}

pub fn end_lease(ctx: &mut Context<EndLease>) -> Result<()> {
    let at = now()?;
    let bump = ctx.bumps.call.lease_authority;
    let a = &mut ctx.accounts;
    let starts = a.lease.start(a.order.filled_at)?;
    if starts {
        emit_event!(ctx, started(&ctx.accounts.lease));
    }
    let a = &mut ctx.accounts;
    let party = a.party();
    let ending = a.lease.end(party, a.order.settlement_lag, at)?;
    let (charged, cancelled) = a.order.end_lease(&ending, at)?;
    a.call.free(a.device.cpi_handle_mut(), &a.lease, &ending, bump);
    let order = *a.order.address();
    let ended = LeaseEnded {
        lease: *a.lease.address(),
        order,
        device: *a.device.address(),
        reason: a.lease.reason,
        stop: a.lease.stop,
        held: a.lease.held,
        released: ending.released,
        charged,
        open: a.order.open,
        match_until: a.order.match_until,
    };
    if let Some(cancelled) = cancelled {
        emit_event!(ctx, OrderCancelled { order, open: cancelled.open, charged: cancelled.charged });
    }
    emit_event!(ctx, ended);
    Ok(())
}

impl EndLease {
    /// Who calls. The worker's key lies on the machine that is rented: it speaks for the supplier as long as the lease
    /// waits for it, and later only where the supplier lets it.
    fn party(&self) -> Party {
        let caller = self.caller.address();
        let waits = self.lease.status == LeaseStatus::Matched as u8;
        let worker = *caller == self.lease.worker && (waits || self.device.worker_may_end == 1);
        if *caller == self.order.renter {
            Party::Renter
        } else if *caller == self.lease.supplier || worker {
            Party::Supplier
        } else {
            Party::Stranger
        }
    }
}
