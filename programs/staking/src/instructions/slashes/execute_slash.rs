use {
    super::{minimum_of, now},
    crate::{
        constants::*,
        errors::StakingError as E,
        events::{SlashVoided, Slashed},
        state::{Class, Config, Device, Known, Slash},
    },
    anchor_lang::prelude::*,
    ionet_common::{emit_event, supply::IO_DECIMALS, token::burn},
};

/// Burns a slashed device's stake, once nobody vetoed it in the appeal period. Anyone may call it.
/// Both sides bear it in proportion; a share that rounds to nothing is not taken. Where the operators changed
/// so that too few still voted for it, nothing is burned: the stakes are frozen for a while, so that they can
/// vote again.
#[event_cpi]
#[derive(Accounts)]
pub struct ExecuteSlash {
    #[account(mut, seeds = [b"config"], bump)]
    pub config: Known<Config>,
    pub class: Known<Class>,
    #[account(mut)]
    pub device: Known<Device>,
    #[account(mut, constraint = slash.device == *device.address() @ E::WrongAccount)]
    pub slash: Known<Slash>,
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
    let minimum = minimum_of(&a.device, &a.class, at)?;
    let stands = a.slash.execute(&a.config, at)?;
    let evidence = a.slash.evidence;
    if !stands {
        let (revision, frozen_until) = (a.slash.revision, a.slash.frozen_until);
        a.device.void_slash(frozen_until);
        emit_event!(ctx, SlashVoided { device, evidence, revision, frozen_until });
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
    let (own, own_cooling) = (a.device.own, a.device.own_cooling);
    let (co, leaving) = (a.device.co.amount, a.device.leaving.amount);
    let frozen_until = a.device.frozen_until;
    let event = Slashed { device, evidence, bps, burned, own, own_cooling, co, leaving, frozen_until };
    emit_event!(ctx, event);
    Ok(())
}
