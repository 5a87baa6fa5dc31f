use {
    super::{minimum_of, now},
    crate::{
        constants::*,
        errors::StakingError as E,
        events::{SlashVoided, Slashed},
        state::{Class, Config, Device, Slash},
    },
    anchor_lang::prelude::*,
    ionet_common::{emit_event, supply::IO_DECIMALS, token::burn},
};

/// Burns a slashed device's stake, once nobody vetoed it in the appeal period. Anyone may call it.
/// Both sides bear it in proportion; a share that rounds to nothing is not taken. After a change of
/// operators or config nothing is burned: the votes are void, the device is free until there are new ones.
#[event_cpi]
#[derive(Accounts)]
pub struct ExecuteSlash {
    #[account(mut, seeds = [b"config"], bump)]
    pub config: Account<Config>,
    pub class: Account<Class>,
    #[account(mut)]
    pub device: Account<Device>,
    #[account(mut)]
    pub slash: Account<Slash>,
    #[account(mut, seeds = [b"stake_vault"], bump)]
    pub stake_vault: UncheckedAccount,
    #[account(mut, address = config.mint @ E::WrongAccount)]
    pub mint: UncheckedAccount,
    pub token_program: Program<Token>,
}

pub fn execute_slash(ctx: &mut Context<ExecuteSlash>) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    let device = *a.device.address();
    require!(a.slash.device == device, E::WrongAccount);
    let minimum = minimum_of(&a.device, &a.class, at)?;
    if !a.slash.execute(&a.config, at)? {
        a.device.slash_pending = false.into();
        let (evidence, revision) = (a.slash.evidence, a.slash.revision);
        emit_event!(ctx, SlashVoided { device, evidence, revision });
        return Ok(());
    }
    let bps = a.slash.bps;
    a.device.settle(a.config.params.cooldown, at)?;
    let burned = a.device.slash(bps, minimum, at)?;
    a.slash.burned = burned;
    a.config.slash(burned)?;
    let bump = [a.config.bump];
    burn(
        a.token_program.address(),
        a.stake_vault.cpi_handle_mut(),
        a.mint.cpi_handle_mut(),
        a.config.cpi_handle(),
        burned,
        IO_DECIMALS,
        &[&[CONFIG_SEED, &bump]],
    );
    let (evidence, own, own_cooling) = (a.slash.evidence, a.device.own, a.device.own_cooling);
    let (co, leaving) = (a.device.co.amount, a.device.leaving.amount);
    emit_event!(ctx, Slashed { device, evidence, bps, burned, own, own_cooling, co, leaving });
    Ok(())
}
