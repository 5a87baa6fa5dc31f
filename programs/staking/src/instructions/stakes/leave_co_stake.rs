use {
    super::now,
    crate::{
        events::CoStakerLeft,
        state::{Config, Device, Known},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// The co-staker who leaves.
#[event_cpi]
#[derive(Accounts)]
pub struct LeaveCoStake {
    pub staker: Signer,
    #[account(seeds = [b"config"], bump)]
    pub config: Known<Config>,
    #[account(mut)]
    pub device: Known<Device>,
}

/// Starts the wait in which the co-stake still counts for the device, and earns nothing. A lease doesn't
/// hold it back.
pub fn leave_co_stake(ctx: &mut Context<LeaveCoStake>) -> Result<()> {
    let a = &mut ctx.accounts;
    let staker = *a.staker.address();
    let until = a.device.leave(&staker, a.config.params.co_stake_wait, now()?)?;
    let device = *a.device.address();
    emit_event!(ctx, CoStakerLeft { device, staker, until });
    Ok(())
}
