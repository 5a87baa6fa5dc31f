use {
    super::AdminOnly,
    crate::{errors::TokenomicsError as E, events::GuardianChanged},
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

pub fn set_guardian(ctx: &mut Context<AdminOnly>, guardian: Address) -> Result<()> {
    require!(guardian != Address::default(), E::ZeroAddress);
    let config = &mut ctx.accounts.config;
    let from = core::mem::replace(&mut config.guardian, guardian);
    config.invariant()?;
    emit_event!(ctx, GuardianChanged { from, to: guardian });
    Ok(())
}
