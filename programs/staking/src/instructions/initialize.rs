use {
    crate::{
        constants::*,
        errors::StakingError as E,
        events::Initialized,
        state::{Config, Known, Params},
    },
    anchor_lang::prelude::*,
    anchor_spl::{
        mint::Mint,
        token::{self, TokenAccount},
    },
    ionet_common::{emit_event, emitter, loader::upgrade_authority},
};

/// Creates the config and the stake vault. Only the upgrade authority can, so nobody can run ahead
/// of the deployment with roles of their own.
#[event_cpi]
#[derive(Accounts)]
#[instruction(orders_program: Address)]
pub struct Initialize {
    /// The program's upgrade authority; becomes the admin.
    #[account(mut)]
    pub admin: Signer,
    /// Where the upgradeable loader keeps this program's upgrade authority.
    pub program_data: UncheckedAccount,
    #[account(init, payer = admin, seeds = [b"config"], bump)]
    pub config: Known<Config>,
    pub mint: Account<Mint>,
    /// Tokenomics' config: the mint's authority proves it.
    pub tokenomics: UncheckedAccount,
    #[account(
        init, payer = admin, seeds = [b"stake_vault"], bump,
        token::mint = mint, token::authority = config
    )]
    pub stake_vault: Account<TokenAccount>,
    #[account(seeds = [b"reward_authority"], bump)]
    pub reward_authority: UncheckedAccount,
    /// The orders program's own address that leases devices.
    #[account(seeds = [b"lease_authority"], bump, seeds::program = orders_program)]
    pub lease_authority: UncheckedAccount,
    #[account(token::mint = mint, token::authority = reward_authority)]
    pub reward_vault: Account<TokenAccount>,
    pub token_program: Program<Token>,
    pub system_program: Program<System>,
}

pub fn initialize(
    ctx: &mut Context<Initialize>,
    orders_program: Address,
    guardian: Address,
    params: Params,
) -> Result<()> {
    let a = &mut ctx.accounts;
    let admin = *a.admin.address();
    // Not above: as a constraint, it makes the compiler inline 2,500 bytes, and `attest` cost 32 units more.
    let authority = upgrade_authority(&crate::ID, &a.program_data);
    require!(authority == Some(admin), E::NotUpgradeAuthority);
    require!(orders_program != Address::default(), E::ZeroAddress);
    let tokenomics = *a.tokenomics.address();
    require!(a.mint.mint_authority() == Some(&tokenomics), E::WrongAccount);
    let tokenomics_program = *a.tokenomics.account().owner();
    let minted_into = emitter::reward_vault(&a.tokenomics.account().try_borrow()?);
    require!(minted_into == Some(a.reward_vault.address().to_bytes()), E::WrongAccount);
    let (mint, stake_vault) = (*a.mint.address(), *a.stake_vault.address());
    let reward_vault = *a.reward_vault.address();
    let lease_authority = *a.lease_authority.address();
    let config = &mut a.config;
    config.version = ACCOUNT_VERSION;
    config.bump = ctx.bumps.config;
    config.reward_bump = ctx.bumps.reward_authority;
    config.mint = mint;
    config.stake_vault = stake_vault;
    config.reward_vault = reward_vault;
    config.tokenomics = tokenomics;
    config.tokenomics_program = tokenomics_program;
    config.lease_authority = lease_authority;
    config.begin(admin, guardian, params)?;
    emit_event!(
        ctx,
        Initialized { admin, guardian, mint, stake_vault, reward_vault, lease_authority, params }
    );
    Ok(())
}
