use {
    super::now,
    crate::{
        constants::*,
        errors::StakingError as E,
        events::DeviceRegistered,
        state::{Class, Config, Device, Known, Wallet},
    },
    anchor_lang::{
        prelude::*,
        system_program::{self, Transfer},
    },
    ionet_common::emit_event,
};

/// Registers a device. The worker's key signs too, so that nobody can register a stranger's machine;
/// the supplier locks a deposit, back when the device is closed. Supplier and worker are two keys: the
/// framework refuses one account in both places.
#[event_cpi]
#[derive(Accounts)]
pub struct RegisterDevice {
    #[account(mut)]
    pub supplier: Signer,
    pub worker: Signer,
    #[account(seeds = [b"config"], bump)]
    pub config: Known<Config>,
    /// Any class; read by hand so that an unknown one has its own error.
    pub class: UncheckedAccount,
    /// Of the wallet that gets the supplier's rewards.
    pub payout: Known<Wallet>,
    #[account(init, payer = supplier, seeds = [b"device", worker.address()], bump)]
    pub device: Known<Device>,
    pub system_program: Program<System>,
}

pub fn register_device(
    ctx: &mut Context<RegisterDevice>,
    processors: u8,
    tier: u8,
    country: [u8; 2],
    ask_io: u64,
    ask_usdc: u64,
    worker_may_end: u8,
) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    a.config.require_running(PAUSE_STAKING, at)?;
    let (supplier, worker) = (*a.supplier.address(), *a.worker.address());
    let (class, payout) = (class_number(&a.class)?, a.payout.wallet);
    let device = &mut a.device;
    device.version = ACCOUNT_VERSION;
    device.bump = ctx.bumps.device;
    device.worker = worker;
    device.supplier = supplier;
    device.payout = payout;
    device.class = class;
    device.processors = processors;
    device.tier = tier;
    device.country = country;
    device.ask_io = ask_io;
    device.ask_usdc = ask_usdc;
    device.worker_may_end = worker_may_end;
    device.registered_at = at;
    device.changed_at = at;
    device.invariant()?;
    let accounts = Transfer { from: a.supplier.cpi_handle_mut(), to: a.device.cpi_handle_mut() };
    system_program::transfer(CpiContext::new(a.system_program.address(), accounts), DEVICE_DEPOSIT)?;
    let device = *a.device.address();
    emit_event!(
        ctx,
        DeviceRegistered {
            device,
            worker,
            supplier,
            payout,
            class,
            processors,
            tier,
            country,
            ask_io,
            ask_usdc,
            worker_may_end,
            at
        }
    );
    Ok(())
}

/// The number of a class, by its account.
fn class_number(account: &UncheckedAccount) -> Result<u16> {
    let class = Known::<Class>::load(*account.account());
    Ok(class.map_err(|_| E::UnknownClass)?.id)
}
