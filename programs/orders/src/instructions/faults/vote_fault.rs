use {
    crate::{
        constants::*,
        errors::OrdersError as E,
        events::{FaultVoted, LeaseEnded},
        instructions::{ended, now, start},
        state::{Fault, Known, Lease, LeaseStatus, Order},
    },
    anchor_lang::prelude::*,
    ionet_common::{emit_event, emit_shared_event},
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
    pub order: Known<Order>,
    #[account(mut)]
    pub lease: Known<Lease>,
    #[account(
        init_if_needed, payer = operator, bump,
        seeds = [b"fault", lease.address(), evidence, good_hours.to_le_bytes()]
    )]
    pub fault: Known<Fault>,
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
    let started = start(&mut a.lease, &a.order)?;
    require!(a.lease.start > 0, E::LeaseState);
    let lease = *a.lease.address();
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
    let ended = if decided { Some(a.end(good_hours, bump, at)?) } else { None };
    if let Some(started) = started {
        emit_shared_event!(ctx, started);
    }
    let voted =
        FaultVoted { lease, number, registered_at, evidence, good_hours, operator, revision, votes, decided };
    emit_event!(ctx, voted);
    if let Some(ended) = ended {
        emit_shared_event!(ctx, ended);
    }
    Ok(())
}

impl VoteFault {
    /// Ends the lease for a fault, or takes back what an earlier end left unpaid: then, its seconds are taken back,
    /// and what counted as done counts as failed.
    fn end(&mut self, good_hours: u32, bump: u8, now: u64) -> Result<LeaseEnded> {
        let ran = self.lease.status == LeaseStatus::Running as u8;
        let (done, stop) = (!self.lease.failed(), self.lease.stop);
        let ending = self.lease.fault(good_hours, self.order.settlement_lag, now)?;
        if ran {
            self.order.end_lease(&ending, now)?;
            self.call.free(self.device.cpi_handle_mut(), &self.lease, &ending, bump);
        } else {
            self.order.release(ending.released)?;
            let outcome = if done { LeaseOutcome::Failed } else { LeaseOutcome::None };
            let seconds = stop.saturating_sub(self.lease.stop);
            self.call.record(&mut self.device, &self.lease, outcome, seconds, bump);
        }
        Ok(ended(&self.lease, &self.order, ending.released, 0))
    }
}
