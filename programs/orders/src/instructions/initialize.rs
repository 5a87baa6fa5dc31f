use {
    crate::{
        constants::*,
        errors::OrdersError as E,
        events::Initialized,
        state::{Config, Known, Params},
    },
    anchor_lang::prelude::*,
    anchor_spl::{
        mint::Mint,
        token::{self, TokenAccount},
    },
    ionet_common::{emit_event, loader::upgrade_authority},
    staking::state::Config as StakingConfig,
};

/// Creates the config. Only the upgrade authority can, so nobody can run ahead of the deployment with
/// roles of their own.
#[event_cpi]
#[derive(Accounts)]
#[instruction(buyback_program: Address)]
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
    #[account(seeds = [b"config"], bump, seeds::program = staking::ID)]
    pub staking_config: Known<StakingConfig>,
    #[account(address = staking_config.mint @ E::WrongMint)]
    pub io_mint: Account<Mint>,
    #[account(
        constraint = usdc_mint.address() != io_mint.address() && usdc_mint.decimals() == USDC_DECIMALS
            @ E::WrongMint
    )]
    pub usdc_mint: Account<Mint>,
    /// The buyback program's vault for fees in IO.
    #[account(
        seeds = [b"fee_vault", io_mint.address()], bump, seeds::program = buyback_program,
        token::mint = io_mint
    )]
    pub io_fees: Account<TokenAccount>,
    /// The buyback program's vault for fees in USDC.
    #[account(
        seeds = [b"fee_vault", usdc_mint.address()], bump, seeds::program = buyback_program,
        token::mint = usdc_mint
    )]
    pub usdc_fees: Account<TokenAccount>,
    pub system_program: Program<System>,
}

pub fn initialize(
    ctx: &mut Context<Initialize>,
    buyback_program: Address,
    guardian: Address,
    params: Params,
) -> Result<()> {
    let a = &mut ctx.accounts;
    let admin = *a.admin.address();
    let (io_mint, usdc_mint) = (*a.io_mint.address(), *a.usdc_mint.address());
    let (io_fees, usdc_fees) = (*a.io_fees.address(), *a.usdc_fees.address());
    let staking_config = *a.staking_config.address();
    let config = &mut a.config;
    config.version = ACCOUNT_VERSION;
    config.bump = ctx.bumps.config;
    config.io_mint = io_mint;
    config.usdc_mint = usdc_mint;
    config.io_fees = io_fees;
    config.usdc_fees = usdc_fees;
    config.staking_config = staking_config;
    config.begin(admin, guardian, params)?;
    emit_event!(ctx, Initialized { admin, guardian, io_mint, usdc_mint, io_fees, usdc_fees, params });
    Ok(())
}
