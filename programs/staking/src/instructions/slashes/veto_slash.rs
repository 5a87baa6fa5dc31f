use {
    super::now,
    crate::{
        errors::StakingError as E,
        events::SlashVetoed,
        state::{Config, Device, Known, Slash},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// The guardian vetoes a slash inside its appeal period, or while it still freezes: the device is free of it,
/// and its stakes a day later.
#[event_cpi]
#[derive(Accounts)]
pub struct VetoSlash {
    #[account(address = config.guardian @ E::NotGuardian)]
    pub guardian: Signer,
    #[account(seeds = [b"config"], bump)]
    pub config: Known<Config>,
    #[account(mut)]
    pub device: Known<Device>,
    #[account(mut, constraint = slash.device == *device.address() @ E::WrongAccount)]
    pub slash: Known<Slash>,
}

pub fn veto_slash(ctx: &mut Context<VetoSlash>) -> Result<()> {
    let a = &mut ctx.accounts;
    let device = *a.device.address();
    let at = now()?;
    let pending = a.slash.veto(at)?;
    a.device.veto_slash(pending, a.slash.frozen_until, at)?;
    let (evidence, frozen_until) = (a.slash.evidence, a.device.frozen_until);
    emit_event!(ctx, SlashVetoed { device, evidence, frozen_until });
    Ok(())
}
