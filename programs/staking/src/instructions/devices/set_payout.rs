use {
    super::now,
    crate::{
        errors::StakingError as E,
        events::PayoutChanged,
        state::{Device, Known, Wallet},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// The supplier and the wallet that is to get its rewards.
#[event_cpi]
#[derive(Accounts)]
pub struct SetPayout {
    #[account(address = device.supplier @ E::NotSupplier)]
    pub supplier: Signer,
    #[account(mut)]
    pub device: Known<Device>,
    pub payout: Known<Wallet>,
}

/// Sends the supplier's rewards of the hours to come to another wallet. Open orders don't get the device any more.
pub fn set_payout(ctx: &mut Context<SetPayout>) -> Result<()> {
    let a = &mut ctx.accounts;
    let to = a.payout.wallet;
    let from = a.device.set_payout(&to, now()?)?;
    let (device, changed_at) = (*a.device.address(), a.device.changed_at);
    emit_event!(ctx, PayoutChanged { device, from, to, changed_at });
    Ok(())
}
