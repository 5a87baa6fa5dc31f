use {
    super::now,
    crate::{
        constants::*,
        errors::TokenomicsError as E,
        events::SeasonOpened,
        state::{Config, Known, Season, SeasonTerms},
    },
    anchor_lang::prelude::*,
    anchor_spl::{
        mint::Mint,
        token::{self, TokenAccount},
    },
    ionet_common::{emit_event, token::transfer},
};

/// Publishes a season's root and funds its pools. Claims open after a notice in which the guardian
/// can veto.
#[event_cpi]
#[derive(Accounts)]
#[instruction(season: u32)]
pub struct OpenSeason {
    /// Funds the season; gets back what nobody claims.
    #[account(mut, address = config.admin @ E::NotAdmin)]
    pub admin: Signer,
    #[account(
        seeds = [b"config"], bump,
        constraint = config.is_launched() @ E::NotLaunched
    )]
    pub config: Known<Config>,
    #[account(init, payer = admin, seeds = [b"season", season.to_le_bytes()], bump)]
    pub season_account: Known<Season>,
    #[account(seeds = [b"mint"], bump)]
    pub mint: Account<Mint>,
    #[account(
        init, payer = admin, seeds = [b"season_vault", season.to_le_bytes()], bump,
        token::mint = mint, token::authority = season_account
    )]
    pub season_vault: Account<TokenAccount>,
    /// Any token account of the admin for IO; the token program checks both.
    #[account(mut)]
    pub funder_tokens: UncheckedAccount,
    pub token_program: Program<Token>,
    pub system_program: Program<System>,
}

#[allow(clippy::too_many_arguments)] // the season's terms
pub fn open_season(
    ctx: &mut Context<OpenSeason>,
    season: u32,
    root: [u8; 32],
    data_hash: [u8; 32],
    leaves: u32,
    pools: [u64; 3],
    claim_start: u64,
    claim_end: u64,
) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    a.config.require_running(PAUSE_SEASONS, at)?;
    let terms = SeasonTerms { season, root, data_hash, leaves, pools, claim_start, claim_end };
    let funder = *a.admin.address();
    let account = &mut a.season_account;
    account.bump = ctx.bumps.season_account;
    account.mint = *a.mint.address();
    account.vault = *a.season_vault.address();
    account.funder = funder;
    account.open(&terms, at)?;
    let total = account.total;
    transfer(
        a.token_program.address(),
        a.funder_tokens.cpi_handle_mut(),
        a.season_vault.cpi_handle_mut(),
        a.admin.cpi_handle(),
        total,
        &[],
    );
    emit_event!(ctx, SeasonOpened { season, root, data_hash, leaves, pools, claim_start, claim_end, funder });
    Ok(())
}
