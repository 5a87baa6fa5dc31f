use {
    crate::{
        constants::*,
        errors::TokenomicsError as E,
        events::Initialized,
        state::{Config, Known},
    },
    anchor_lang::prelude::*,
    anchor_spl::{
        mint::{self, Mint},
        token::{self, TokenAccount},
    },
    ionet_common::{emit_event, loader::upgrade_authority, roles::is_nobody},
};

/// Creates the config, the mint and both vaults. Only the upgrade authority can, so nobody can
/// run ahead of the deployment with roles of their own.
#[event_cpi]
#[derive(Accounts)]
#[instruction(staking_program: Address)]
pub struct Initialize {
    /// The program's upgrade authority; becomes the admin.
    #[account(mut)]
    pub admin: Signer,
    /// Where the upgradeable loader keeps this program's upgrade authority.
    #[account(
        constraint = upgrade_authority(&crate::ID, &program_data) == Some(*admin.address())
            @ E::NotUpgradeAuthority
    )]
    pub program_data: UncheckedAccount,
    #[account(init, payer = admin, seeds = [b"config"], bump)]
    pub config: Known<Config>,
    #[account(
        init, payer = admin, seeds = [b"mint"], bump,
        mint::decimals = IO_DECIMALS, mint::authority = config
    )]
    pub mint: Account<Mint>,
    #[account(
        init, payer = admin, seeds = [b"genesis_vault"], bump,
        token::mint = mint, token::authority = config
    )]
    pub genesis_vault: Account<TokenAccount>,
    /// The staking program's own address that pays rewards out.
    #[account(seeds = [b"reward_authority"], bump, seeds::program = staking_program)]
    pub reward_authority: UncheckedAccount,
    #[account(
        init, payer = admin, seeds = [b"reward_vault"], bump,
        token::mint = mint, token::authority = reward_authority
    )]
    pub reward_vault: Account<TokenAccount>,
    pub token_program: Program<Token>,
    pub system_program: Program<System>,
}

pub fn initialize(ctx: &mut Context<Initialize>, staking_program: Address, guardian: Address) -> Result<()> {
    let a = &mut ctx.accounts;
    let admin = *a.admin.address();
    require!(!is_nobody(&staking_program), E::ZeroAddress);
    let (mint, reward_vault) = (*a.mint.address(), *a.reward_vault.address());
    let config = &mut a.config;
    config.version = ACCOUNT_VERSION;
    config.bump = ctx.bumps.config;
    config.mint = mint;
    config.genesis_vault = *a.genesis_vault.address();
    config.reward_vault = reward_vault;
    config.staking_program = staking_program;
    config.appoint(admin, guardian)?;
    emit_event!(ctx, Initialized { admin, guardian, mint, staking_program, reward_vault });
    Ok(())
}
