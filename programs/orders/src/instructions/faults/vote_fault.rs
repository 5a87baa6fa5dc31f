use {
    crate::{
        constants::*,
        errors::OrdersError as E,
        events::{FaultVoted, LeaseEnded},
        instructions::{leases::started, now},
        state::{Fault, Lease, LeaseStatus, Order},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
    staking::state::LeaseOutcome,
};

/// An operator votes that a lease was served for `good_hours` from its start and no longer. With enough equal
/// votes it ends there, and what isn't due by then is the renter's again.
#[event_cpi]
#[derive(Accounts)]
#[instruction(evidence: [u8; 32], good_hours: u32)]
pub struct VoteFault {
    /// Pays the rent if it is the first to vote.
    #[account(mut)]
    pub operator: Signer,
    #[account(mut, address = lease.order @ E::WrongOrder)]
    pub order: Account<Order>,
    #[account(mut)]
    pub lease: Account<Lease>,
    #[account(
        init_if_needed, payer = operator, bump,
        seeds = [b"fault", lease.address(), evidence, good_hours.to_le_bytes()]
    )]
    pub fault: Account<Fault>,
    /// Gone when the lease outlived it.
    #[account(mut, address = lease.device @ E::WrongDevice)]
    pub device: UncheckedAccount,
    pub call: Nested<crate::instructions::DeviceCall>,
    pub system_program: Program<System>,
}

/// The lease is named by its device's lease `number` and registration: its address can be used again.
pub fn vote_fault(
    ctx: &mut Context<VoteFault>,
    evidence: [u8; 32],
    good_hours: u32,
    number: u64,
    registered_at: u64,
) -> Result<()> {
    let at = now()?;
    let bump = ctx.bumps.call.lease_authority;
    let a = &mut ctx.accounts;
    let operator = *a.operator.address();
    let slot = a.call.staking_config.params.operator(&operator).map_err(|_| E::NotOperator)?;
    require!(a.lease.number == number && a.lease.registered_at == registered_at, E::WrongLease);
    let starts = a.lease.start(a.order.filled_at)?;
    require!(a.lease.start > 0, E::LeaseState);
    let (lease, order, device) = (*a.lease.address(), *a.order.address(), *a.device.address());
    if a.fault.version == 0 {
        a.fault.version = ACCOUNT_VERSION;
        a.fault.bump = ctx.bumps.fault;
        a.fault.good_hours = good_hours;
        a.fault.revision = a.call.staking_config.revision;
        a.fault.lease = lease;
        a.fault.evidence = evidence;
        a.fault.payer = operator;
    }
    let decided = a.fault.vote(&a.call.staking_config, slot, number, registered_at)?;
    let (revision, votes) = (a.fault.revision, a.fault.votes);
    let voted =
        FaultVoted { lease, number, registered_at, evidence, good_hours, operator, revision, votes, decided };
    let mut released = 0;
    if decided {
        let ran = a.lease.status == LeaseStatus::Running as u8;
        let (counted, before) = (!a.lease.failed(), a.lease.stop);
        let ending = a.lease.fault(good_hours, a.order.settlement_lag, at)?;
        released = ending.released;
        if ran {
            a.order.end_lease(&ending, at)?;
            a.call.free(a.device.cpi_handle_mut(), &a.lease, &ending, bump);
        } else {
            a.order.release(released)?;
            // It had counted as done.
            if counted {
                let seconds = before.saturating_sub(a.lease.stop);
                a.call.record(&mut a.device, &a.lease, LeaseOutcome::Failed, seconds, bump);
            }
        }
    }
    let ended = LeaseEnded {
        lease,
        order,
        device,
        reason: a.lease.reason,
        stop: a.lease.stop,
        held: a.lease.held,
        released,
        charged: 0,
        open: a.order.open,
        match_until: a.order.match_until,
    };
    if starts {
        emit_event!(ctx, started(&ctx.accounts.lease));
    }
    emit_event!(ctx, voted);
    if decided {
        emit_event!(ctx, ended);
    }
    Ok(())
}
