use {
    super::now,
    crate::{
        events::ParamsApplied,
        state::{Config, Known},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// Puts proposed parameters in force once their notice is over. Anyone may call it, and gains nothing by
/// when: an open auction keeps what it started with.
#[event_cpi]
#[derive(Accounts)]
pub struct ApplyParams {
    #[account(mut, seeds = [b"config"], bump)]
    pub config: Known<Config>,
}

pub fn apply_params(ctx: &mut Context<ApplyParams>) -> Result<()> {
    let revision = ctx.accounts.config.apply(now()?)?;
    emit_event!(ctx, ParamsApplied { revision });
    Ok(())
}
