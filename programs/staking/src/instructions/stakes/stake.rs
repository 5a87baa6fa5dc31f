use {
    super::{minimum_of, now},
    crate::{
        constants::*,
        errors::StakingError as E,
        events::Staked,
        state::{Class, Config, Device, Known},
    },
    anchor_lang::prelude::*,
    ionet_common::{emit_event, token::transfer},
};

/// The supplier adds to its device's stake.
#[event_cpi]
#[derive(Accounts)]
pub struct Stake {
    #[account(address = device.supplier @ E::NotSupplier)]
    pub supplier: Signer,
    #[account(mut, seeds = [b"config"], bump)]
    pub config: Known<Config>,
    pub class: Known<Class>,
    #[account(mut)]
    pub device: Known<Device>,
    /// Any token account of the supplier for IO; the token program checks both.
    #[account(mut)]
    pub supplier_tokens: UncheckedAccount,
    #[account(mut, seeds = [b"stake_vault"], bump)]
    pub stake_vault: UncheckedAccount,
    pub token_program: Program<Token>,
}

/// `expected` is the own stake that counts before, base units.
pub fn stake(ctx: &mut Context<Stake>, amount: u64, expected: u64) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    a.config.require_running(PAUSE_STAKING, at)?;
    let minimum = minimum_of(&a.device, &a.class, at)?;
    a.device.require_own(expected)?;
    a.device.stake(amount, minimum, a.config.params.cooldown, at)?;
    a.config.stake(amount)?;
    transfer(
        a.token_program.address(),
        a.supplier_tokens.cpi_handle_mut(),
        a.stake_vault.cpi_handle_mut(),
        a.supplier.cpi_handle(),
        amount,
        &[],
    );
    let (device, supplier, own) = (*a.device.address(), a.device.supplier, a.device.own);
    let sufficient_since = a.device.sufficient_since;
    emit_event!(ctx, Staked { device, supplier, amount, own, sufficient_since });
    Ok(())
}
