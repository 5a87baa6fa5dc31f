use {
    super::changed,
    crate::{
        errors::StakingError as E,
        state::{Device, Known},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// The worker of a device.
#[event_cpi]
#[derive(Accounts)]
pub struct PauseDevice {
    #[account(address = device.worker @ E::NotWorker)]
    pub worker: Signer,
    #[account(mut)]
    pub device: Known<Device>,
}

/// Takes both asks away, so that no further lease comes: the machine says when it can't serve.
pub fn pause_device(ctx: &mut Context<PauseDevice>) -> Result<()> {
    let row = &mut ctx.accounts.device;
    row.pause()?;
    let event = changed(row);
    emit_event!(ctx, event);
    Ok(())
}
