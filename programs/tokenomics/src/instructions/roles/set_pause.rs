use {
    super::now,
    crate::{
        errors::TokenomicsError as E,
        events::PauseSet,
        state::{Config, Known},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// The guardian stops operations for a while, or lifts the stop with a mask of 0. Releases and
/// claims have no bit: nobody can stop what already belongs to a user.
#[event_cpi]
#[derive(Accounts)]
pub struct SetPause {
    #[account(address = config.guardian @ E::NotGuardian)]
    pub guardian: Signer,
    #[account(mut, seeds = [b"config"], bump)]
    pub config: Known<Config>,
}

pub fn set_pause(ctx: &mut Context<SetPause>, mask: u32, until: u64) -> Result<()> {
    ctx.accounts.config.set_pause(mask, until, now()?)?;
    emit_event!(ctx, PauseSet { mask, until });
    Ok(())
}
