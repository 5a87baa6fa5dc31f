use {
    crate::{constants::*, errors::TokenomicsError as E, events::AdminProposed, state::Config},
    anchor_lang::prelude::*,
};

/// First step of handing the admin role over: the admin names a successor, who must accept.
#[event_cpi]
#[derive(Accounts)]
pub struct ProposeAdmin {
    #[account(address = config.admin @ E::NotAdmin)]
    pub admin: Signer,
    #[account(mut, seeds = [CONFIG_SEED], bump = config.bump)]
    pub config: Account<Config>,
}

pub fn propose_admin(ctx: &mut Context<ProposeAdmin>, pending: Address) -> Result<()> {
    let a = &mut ctx.accounts;
    a.config.pending_admin = pending;
    a.config.invariant()?;
    let admin = a.config.admin;
    emit_cpi!(AdminProposed { admin, pending });
    Ok(())
}
