use {
    super::now,
    crate::{
        errors::StakingError as E,
        events::SlashAppealed,
        state::{Device, Known, Slash},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// The supplier appeals: the hash of its published statement goes on record for the guardian.
#[event_cpi]
#[derive(Accounts)]
pub struct AppealSlash {
    #[account(address = device.supplier @ E::NotSupplier)]
    pub supplier: Signer,
    pub device: Known<Device>,
    #[account(mut, constraint = slash.device == *device.address() @ E::WrongAccount)]
    pub slash: Known<Slash>,
}

pub fn appeal_slash(ctx: &mut Context<AppealSlash>, statement: [u8; 32]) -> Result<()> {
    let a = &mut ctx.accounts;
    let device = *a.device.address();
    a.slash.appeal(statement, now()?)?;
    let evidence = a.slash.evidence;
    emit_event!(ctx, SlashAppealed { device, evidence, statement });
    Ok(())
}
