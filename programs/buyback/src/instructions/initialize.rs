use {
    crate::{
        constants::*,
        errors::BuybackError as E,
        events::Initialized,
        state::{Config, Known, Params},
    },
    anchor_lang::prelude::*,
    anchor_spl::{
        mint::Mint,
        token::{self, TokenAccount},
    },
    ionet_common::{emit_event, emitter, loader::upgrade_authority, supply::IO_DECIMALS},
};

/// Creates the config and both fee vaults. Only the upgrade authority can, so nobody can run ahead
/// of the deployment with roles of their own.
#[event_cpi]
#[derive(Accounts)]
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
        constraint = io_mint.mint_authority() == Some(tokenomics.address()) @ E::WrongMint,
        constraint = io_mint.decimals() == IO_DECIMALS @ E::WrongMint
    )]
    pub io_mint: Account<Mint>,
    /// Tokenomics' config: the IO mint's authority proves it.
    pub tokenomics: UncheckedAccount,
    #[account(constraint = usdc_mint.decimals() == USDC_DECIMALS @ E::WrongMint)]
    pub usdc_mint: Account<Mint>,
    #[account(
        init, payer = admin, seeds = [b"fee_vault", io_mint.address().as_ref()], bump,
        token::mint = io_mint, token::authority = config
    )]
    pub io_vault: Account<TokenAccount>,
    #[account(
        init, payer = admin, seeds = [b"fee_vault", usdc_mint.address().as_ref()], bump,
        token::mint = usdc_mint, token::authority = config
    )]
    pub usdc_vault: Account<TokenAccount>,
    pub token_program: Program<Token>,
    pub system_program: Program<System>,
}

pub fn initialize(ctx: &mut Context<Initialize>, guardian: Address, params: Params) -> Result<()> {
    let a = &mut ctx.accounts;
    let admin = *a.admin.address();
    require!(emitter::is_known(&a.tokenomics.account().try_borrow()?), E::WrongMint);
    let tokenomics = *a.tokenomics.address();
    let (io_mint, usdc_mint) = (*a.io_mint.address(), *a.usdc_mint.address());
    let (io_vault, usdc_vault) = (*a.io_vault.address(), *a.usdc_vault.address());
    let config = &mut a.config;
    config.version = ACCOUNT_VERSION;
    config.bump = ctx.bumps.config;
    config.io_mint = io_mint;
    config.usdc_mint = usdc_mint;
    config.io_vault = io_vault;
    config.usdc_vault = usdc_vault;
    config.tokenomics = tokenomics;
    config.begin(admin, guardian, params)?;
    emit_event!(ctx, Initialized { admin, guardian, io_mint, usdc_mint, io_vault, usdc_vault, params });
    Ok(())
}
