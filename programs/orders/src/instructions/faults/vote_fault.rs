use {
    super::now,
    crate::{
        constants::*,
        errors::OrdersError as E,
        events::{FaultVoted, LeaseEnded},
        state::{Fault, Lease, LeaseStatus, Order},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
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
    pub call: Nested<super::DeviceCall>,
    pub system_program: Program<System>,
}

pub fn vote_fault(ctx: &mut Context<VoteFault>, evidence: [u8; 32], good_hours: u32) -> Result<()> {
    let at = now()?;
    let bump = ctx.bumps.call.lease_authority;
    let a = &mut ctx.accounts;
    let operator = *a.operator.address();
    let number = a.call.staking_config.params.operator(&operator).map_err(|_| E::NotOperator)?;
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
    let decided = a.fault.vote(&a.call.staking_config, number, a.lease.start)?;
    let (revision, votes) = (a.fault.revision, a.fault.votes);
    if !decided {
        emit_event!(ctx, FaultVoted { lease, evidence, good_hours, operator, revision, votes, decided });
        return Ok(());
    }
    let ran = a.lease.status == LeaseStatus::Running as u8;
    let released = a.lease.fault(good_hours, a.order.settlement_lag, at)?;
    a.order.release(released)?;
    if ran {
        a.call.free(a.device.cpi_handle_mut(), &lease, bump);
    }
    let (reason, stop, held) = (a.lease.reason, a.lease.stop, a.lease.held);
    emit_event!(ctx, FaultVoted { lease, evidence, good_hours, operator, revision, votes, decided });
    emit_event!(ctx, LeaseEnded { lease, order, device, reason, stop, held, released });
    Ok(())
}
