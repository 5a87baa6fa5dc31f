use {
    super::now,
    crate::{
        constants::*,
        errors::TokenomicsError as E,
        events::SeasonClaimed,
        state::{ClaimPage, Season},
    },
    anchor_lang::prelude::*,
    anchor_spl::{
        mint::Mint,
        token::{self, TokenAccount},
    },
    ionet_common::{ata::is_associated, token::transfer},
};

/// Pays a wallet its amount of a season, once. Anyone may call it; the money goes to the wallet.
#[event_cpi]
#[derive(Accounts)]
pub struct ClaimSeason {
    #[account(mut, seeds = [SEASON_SEED, season.season.to_le_bytes()], bump = season.bump)]
    pub season: Account<Season>,
    /// The page of the leaf's index; `page = index / PAGE_CLAIMS`.
    #[account(
        mut, bump = claim_page.bump,
        seeds = [CLAIM_PAGE_SEED, season.season.to_le_bytes(), claim_page.page.to_le_bytes()]
    )]
    pub claim_page: Account<ClaimPage>,
    #[account(address = season.mint @ E::WrongAccount)]
    pub mint: Account<Mint>,
    #[account(mut, token::mint = mint, token::authority = season)]
    pub season_vault: Account<TokenAccount>,
    /// The leaf's wallet; it need not sign.
    pub wallet: UncheckedAccount,
    /// The wallet's associated token account.
    #[account(mut, token::mint = mint, token::authority = wallet)]
    pub wallet_tokens: Account<TokenAccount>,
    pub token_program: Program<Token>,
}

pub fn claim_season(ctx: &mut Context<ClaimSeason>, index: u32, amount: u64, proof: &[u8]) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    let wallet = *a.wallet.address();
    a.season.claim(index, &wallet, amount, proof, at)?;
    a.claim_page.set(index)?;
    require!(is_associated(a.wallet_tokens.address(), &wallet, a.mint.address()), E::NotAssociatedAccount);
    let (season, claimed, bump) = (a.season.season, a.season.claimed, [a.season.bump]);
    transfer(
        a.token_program.address(),
        a.season_vault.cpi_handle_mut(),
        a.mint.cpi_handle(),
        a.wallet_tokens.cpi_handle_mut(),
        a.season.cpi_handle(),
        amount,
        IO_DECIMALS,
        &[&[SEASON_SEED, &season.to_le_bytes(), &bump]],
    );
    emit_cpi!(SeasonClaimed { season, index, wallet, amount, claimed });
    Ok(())
}
