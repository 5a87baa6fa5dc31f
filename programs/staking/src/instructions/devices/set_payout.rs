use {
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

/// Sends the supplier's rewards of the hours to come to another wallet.
pub fn set_payout(ctx: &mut Context<SetPayout>) -> Result<()> {
    let a = &mut ctx.accounts;
    let to = a.payout.wallet;
    let from = core::mem::replace(&mut a.device.payout, to);
    a.device.invariant()?;
    let device = *a.device.address();
    emit_event!(ctx, PayoutChanged { device, from, to });
    Ok(())
}
