use {
    super::now,
    crate::{constants::*, errors::BuybackError as E, events::ParamsApplied, state::Config},
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// Puts proposed parameters in force once their notice is over. Anyone may call it, and gains nothing by
/// when: an open auction keeps what it started with.
#[event_cpi]
#[derive(Accounts)]
pub struct ApplyParams {
    #[account(
        mut, seeds = [b"config"], bump, constraint = config.version == ACCOUNT_VERSION @ E::UnknownVersion
    )]
    pub config: Account<Config>,
}

pub fn apply_params(ctx: &mut Context<ApplyParams>) -> Result<()> {
    let revision = ctx.accounts.config.apply(now()?)?;
    emit_event!(ctx, ParamsApplied { revision });
    Ok(())
}
