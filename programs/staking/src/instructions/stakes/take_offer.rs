use {
    super::{minimum_of, now},
    crate::{
        constants::*,
        errors::StakingError as E,
        events::CoStaked,
        state::{Class, CoStakeState, Config, Device, Known, Wallet},
    },
    anchor_lang::prelude::*,
    ionet_common::{emit_event, token::transfer},
};

/// A wallet takes a device's offer.
#[event_cpi]
#[derive(Accounts)]
pub struct TakeOffer {
    pub staker: Signer,
    #[account(mut, seeds = [b"config"], bump)]
    pub config: Known<Config>,
    pub class: Known<Class>,
    #[account(mut)]
    pub device: Known<Device>,
    #[account(mut, constraint = wallet.wallet == *staker.address() @ E::WrongAccount)]
    pub wallet: Known<Wallet>,
    /// Any token account of the staker for IO; the token program checks both.
    #[account(mut)]
    pub staker_tokens: UncheckedAccount,
    #[account(mut, seeds = [b"stake_vault"], bump)]
    pub stake_vault: UncheckedAccount,
    pub token_program: Program<Token>,
}

/// `amount` and `reward_bps` are what the co-staker has seen: an offer that changed is refused.
pub fn take_offer(ctx: &mut Context<TakeOffer>, amount: u64, reward_bps: u16) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    let staker = *a.staker.address();
    a.config.require_running(PAUSE_STAKING, at)?;
    let minimum = minimum_of(&a.device, &a.class, at)?;
    let cooldown = a.config.params.cooldown;
    a.device.settle(cooldown, at)?;
    let replaced = if a.device.co.state == CoStakeState::Waiting as u8 {
        a.device.co.staker
    } else {
        Address::default()
    };
    a.device.take_offer(&staker, amount, reward_bps, minimum, cooldown, at)?;
    a.wallet.take()?;
    a.config.stake(amount)?;
    transfer(
        a.token_program.address(),
        a.staker_tokens.cpi_handle_mut(),
        a.stake_vault.cpi_handle_mut(),
        a.staker.cpi_handle(),
        amount,
        &[],
    );
    let (device, sufficient_since) = (*a.device.address(), a.device.sufficient_since);
    emit_event!(ctx, CoStaked { device, staker, amount, reward_bps, replaced, sufficient_since });
    Ok(())
}
