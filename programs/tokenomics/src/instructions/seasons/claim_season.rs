use {
    super::now,
    crate::{
        constants::*,
        errors::TokenomicsError as E,
        events::SeasonClaimed,
        state::{ClaimPage, Known, Season},
    },
    anchor_lang::prelude::*,
    anchor_spl::token::TokenAccount,
    ionet_common::{ata::is_associated, emit_event, token::transfer},
};

/// Pays a wallet its amount of a season, once. Anyone may call it; the money goes to the wallet.
#[event_cpi]
#[derive(Accounts)]
pub struct ClaimSeason {
    #[account(mut)]
    pub season: Known<Season>,
    /// The page of the leaf's index; `page = index / PAGE_CLAIMS`.
    #[account(mut)]
    pub claim_page: Known<ClaimPage>,
    #[account(mut, address = season.vault @ E::WrongAccount)]
    pub season_vault: UncheckedAccount,
    /// The leaf's wallet; may sign.
    pub wallet: UncheckedAccount,
    /// The wallet's associated token account; any of its token accounts for IO when it signs.
    #[account(
        mut,
        constraint = wallet_tokens.owner() == wallet.address()
            && (wallet.account().is_signer()
                || is_associated(wallet_tokens.address(), wallet.address(), &season.mint))
            @ E::NotAssociatedAccount
    )]
    pub wallet_tokens: Account<TokenAccount>,
    pub token_program: Program<Token>,
}

pub fn claim_season(ctx: &mut Context<ClaimSeason>, index: u32, amount: u64, proof: &[u8]) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    let wallet = *a.wallet.address();
    // The page first: whoever claims twice is told so, not that the pools are exhausted.
    a.claim_page.set(a.season.season, index)?;
    a.season.claim(index, &wallet, amount, proof, at)?;
    let (season, claimed, bump) = (a.season.season, a.season.claimed, [a.season.bump]);
    transfer(
        a.token_program.address(),
        a.season_vault.cpi_handle_mut(),
        a.wallet_tokens.cpi_handle_mut(),
        a.season.cpi_handle(),
        amount,
        &[&[SEASON_SEED, &season.to_le_bytes(), &bump]],
    );
    emit_event!(ctx, SeasonClaimed { season, index, wallet, amount, claimed });
    Ok(())
}
