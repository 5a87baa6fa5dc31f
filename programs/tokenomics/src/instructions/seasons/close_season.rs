use {
    super::now,
    crate::{
        constants::*,
        errors::TokenomicsError as E,
        events::SeasonClosed,
        state::{Known, Season},
    },
    anchor_lang::prelude::*,
    anchor_spl::token::TokenAccount,
    ionet_common::{
        ata::is_associated,
        emit_event,
        token::{close, transfer},
    },
};

/// Pays the rest of a season back, once it was vetoed or its claim period is over: tokens and the vault's
/// rent go to its funder. Anyone may call it, again and again until it succeeds.
#[event_cpi]
#[derive(Accounts)]
pub struct CloseSeason {
    #[account(mut)]
    pub season: Known<Season>,
    #[account(mut, address = season.vault @ E::WrongAccount)]
    pub season_vault: Account<TokenAccount>,
    /// Funded the season; gets the vault's rent. May sign.
    #[account(mut, address = season.funder @ E::WrongAccount)]
    pub funder: UncheckedAccount,
    /// The funder's associated token account; any of its token accounts for IO when it signs.
    #[account(
        mut,
        constraint = funder_tokens.owner() == funder.address()
            && (funder.account().is_signer()
                || is_associated(funder_tokens.address(), funder.address(), &season.mint))
            @ E::NotAssociatedAccount
    )]
    pub funder_tokens: Account<TokenAccount>,
    pub token_program: Program<Token>,
}

pub fn close_season(ctx: &mut Context<CloseSeason>) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    let returned = a.season.pay_back(at)?;
    let (season, number, bump) = (a.season.season, a.season.season.to_le_bytes(), [a.season.bump]);
    let seeds: [&[u8]; 3] = [SEASON_SEED, &number, &bump];
    // Tokens that strangers sent to the vault go along: a vault that isn't empty can't be closed.
    let held = a.season_vault.amount();
    transfer(
        a.token_program.address(),
        a.season_vault.cpi_handle_mut(),
        a.funder_tokens.cpi_handle_mut(),
        a.season.cpi_handle(),
        held,
        &[&seeds],
    );
    close(
        a.token_program.address(),
        a.season_vault.cpi_handle_mut(),
        a.funder.cpi_handle_mut(),
        a.season.cpi_handle(),
        &[&seeds],
    );
    emit_event!(ctx, SeasonClosed { season, returned, at });
    Ok(())
}
