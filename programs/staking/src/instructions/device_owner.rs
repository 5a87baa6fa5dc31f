use {
    super::{minimum_of, now},
    crate::{
        errors::StakingError as E,
        events::{DeviceChanged, DeviceTerminated, OfferClosed, OfferOpened, PayoutChanged, Unstaked},
        state::{Class, Config, Device, Wallet},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// What the supplier alone does with its device, without moving tokens.
#[event_cpi]
#[derive(Accounts)]
pub struct DeviceOwner {
    #[account(address = device.supplier @ E::NotSupplier)]
    pub supplier: Signer,
    #[account(seeds = [b"config"], bump)]
    pub config: Account<Config>,
    pub class: Account<Class>,
    #[account(mut)]
    pub device: Account<Device>,
}

/// Changes asks, place and tier. A lease keeps what it was made for.
pub fn change_device(
    ctx: &mut Context<DeviceOwner>,
    tier: u8,
    country: [u8; 2],
    ask_io: u64,
    ask_usdc: u64,
) -> Result<()> {
    let row = &mut ctx.accounts.device;
    row.require_active()?;
    row.tier = tier;
    row.country = country;
    row.ask_io = ask_io;
    row.ask_usdc = ask_usdc;
    row.invariant()?;
    let device = *row.address();
    emit_event!(ctx, DeviceChanged { device, tier, country, ask_io, ask_usdc });
    Ok(())
}

/// Ends the device's life. Its stakes stay until they are taken out.
pub fn terminate_device(ctx: &mut Context<DeviceOwner>) -> Result<()> {
    let at = now()?;
    let row = &mut ctx.accounts.device;
    row.terminate()?;
    let device = *row.address();
    emit_event!(ctx, DeviceTerminated { device, at });
    Ok(())
}

/// Sends the own stake, and a co-stake with it, into the cooldown.
pub fn unstake(ctx: &mut Context<DeviceOwner>) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    let minimum = minimum_of(&a.device, &a.class, at)?;
    let (own, co) = a.device.unstake(minimum, a.config.params.cooldown, at)?;
    let (device, supplier, until) = (*a.device.address(), a.device.supplier, a.device.own_until);
    emit_event!(ctx, Unstaked { device, supplier, own, co, until });
    Ok(())
}

/// Looks for a co-staker.
pub fn open_offer(ctx: &mut Context<DeviceOwner>, amount: u64, reward_bps: u16) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    let minimum = minimum_of(&a.device, &a.class, at)?;
    a.device.open_offer(amount, reward_bps, minimum, a.config.params.cooldown, at)?;
    let device = *a.device.address();
    emit_event!(ctx, OfferOpened { device, amount, reward_bps });
    Ok(())
}

/// Withdraws an offer that nobody took.
pub fn close_offer(ctx: &mut Context<DeviceOwner>) -> Result<()> {
    let row = &mut ctx.accounts.device;
    row.withdraw_offer()?;
    let device = *row.address();
    emit_event!(ctx, OfferClosed { device });
    Ok(())
}

/// The supplier and the wallet that is to get its rewards.
#[event_cpi]
#[derive(Accounts)]
pub struct SetPayout {
    #[account(address = device.supplier @ E::NotSupplier)]
    pub supplier: Signer,
    #[account(mut)]
    pub device: Account<Device>,
    pub payout: Account<Wallet>,
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
