use {
    super::now,
    crate::{
        errors::StakingError as E,
        events::ClassChanged,
        state::{Class, Config},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// Changes a class's multiplier, after the notice period: minimum stakes and rewards follow from it.
#[event_cpi]
#[derive(Accounts)]
pub struct ChangeClass {
    #[account(address = config.admin @ E::NotAdmin)]
    pub admin: Signer,
    #[account(seeds = [b"config"], bump)]
    pub config: Account<Config>,
    #[account(mut)]
    pub class: Account<Class>,
}

pub fn change_class(ctx: &mut Context<ChangeClass>, multiplier: u16) -> Result<()> {
    let a = &mut ctx.accounts;
    a.class.change(multiplier, a.config.params.notice, now()?)?;
    let (id, from, at) = (a.class.id, a.class.multiplier, a.class.pending_at);
    emit_event!(ctx, ClassChanged { id, from, to: multiplier, at });
    Ok(())
}
