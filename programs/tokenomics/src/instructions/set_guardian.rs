use {
    crate::{constants::*, errors::TokenomicsError as E, events::GuardianChanged, state::Config},
    anchor_lang::prelude::*,
};

/// The admin names another guardian.
#[event_cpi]
#[derive(Accounts)]
pub struct SetGuardian {
    #[account(address = config.admin @ E::NotAdmin)]
    pub admin: Signer,
    #[account(mut, seeds = [CONFIG_SEED], bump = config.bump)]
    pub config: Account<Config>,
}

pub fn set_guardian(ctx: &mut Context<SetGuardian>, guardian: Address) -> Result<()> {
    require!(guardian != Address::default(), E::ZeroAddress);
    let config = &mut ctx.accounts.config;
    let from = core::mem::replace(&mut config.guardian, guardian);
    config.invariant()?;
    emit_cpi!(GuardianChanged { from, to: guardian });
    Ok(())
}
