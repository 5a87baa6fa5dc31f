use {
    crate::{
        constants::*,
        errors::OrdersError as E,
        events::{FaultVoted, LeaseEnded},
        instructions::{now, start, Leased},
        state::{Fault, Known, LeaseStatus},
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
    pub leased: Nested<crate::instructions::Leased>,
    #[account(
        init_if_needed, payer = operator, bump,
        seeds = [b"fault", leased.lease.address(), evidence, good_hours.to_le_bytes()]
    )]
    pub fault: Known<Fault>,
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
    let bump = ctx.bumps.leased.call.lease_authority;
    let (operator, fault) = (*ctx.accounts.operator.address(), &mut ctx.accounts.fault);
    let leased: &mut Leased = &mut ctx.accounts.leased;
    let operators = &leased.call.staking_config;
    let slot = operators.params.operator(&operator).map_err(|_| E::NotOperator)?;
    let named = leased.lease.number == number && leased.lease.registered_at == registered_at;
    require!(named, E::WrongLease);
    let started = start(&mut leased.lease, &leased.order)?;
    require!(leased.lease.start > 0, E::LeaseState);
    let lease = *leased.lease.address();
    if fault.version == 0 {
        fault.version = ACCOUNT_VERSION;
        fault.bump = ctx.bumps.fault;
        fault.good_hours = good_hours;
        fault.revision = operators.revision;
        fault.lease = lease;
        fault.evidence = evidence;
        fault.payer = operator;
    }
    let decided = fault.vote(operators, slot, number, registered_at)?;
    let (revision, votes) = (fault.revision, fault.votes);
    let ended = if decided { Some(leased.ended_by_fault(good_hours, bump, at)?) } else { None };
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

impl Leased {
    /// Ends the lease for a fault, or takes back what an end in good faith left unpaid: then, what counted as done
    /// counts as failed.
    fn ended_by_fault(&mut self, good_hours: u32, bump: u8, now: u64) -> Result<LeaseEnded> {
        let ran = self.lease.status == LeaseStatus::Running as u8;
        let (done, stop) = (!self.lease.failed(), self.lease.stop);
        let ending = self.lease.fault(good_hours, self.order.settlement_lag, now)?;
        if ran {
            self.order.end_lease(&ending, now)?;
            self.call.free(self.device.cpi_handle_mut(), &self.lease, &ending, bump);
        } else {
            self.order.release(ending.released)?;
            if done {
                let seconds = stop.saturating_sub(self.lease.stop);
                self.call.record(&mut self.device, &self.lease, LeaseOutcome::Failed, seconds, bump);
            }
        }
        Ok(self.ended(ending.released, 0))
    }
}
