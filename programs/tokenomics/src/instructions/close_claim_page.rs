use {
    crate::{
        constants::*,
        errors::TokenomicsError as E,
        events::ClaimPageClosed,
        state::{ClaimPage, Season, SeasonStatus},
    },
    anchor_lang::prelude::*,
};

/// Closes a page of an ended season. Anyone may call it; the rent goes back to whoever paid it.
#[event_cpi]
#[derive(Accounts)]
pub struct CloseClaimPage {
    #[account(mut, address = claim_page.payer @ E::NotRentPayer)]
    pub payer: UncheckedAccount,
    #[account(seeds = [SEASON_SEED, season.season.to_le_bytes()], bump = season.bump)]
    pub season: Account<Season>,
    #[account(
        mut, close = payer, bump = claim_page.bump,
        seeds = [CLAIM_PAGE_SEED, season.season.to_le_bytes(), claim_page.page.to_le_bytes()]
    )]
    pub claim_page: Account<ClaimPage>,
}

pub fn close_claim_page(ctx: &mut Context<CloseClaimPage>) -> Result<()> {
    let a = &ctx.accounts;
    require!(a.season.status != SeasonStatus::Open as u8, E::SeasonStillOpen);
    let (season, page, payer) = (a.season.season, a.claim_page.page, *a.payer.address());
    emit_cpi!(ClaimPageClosed { season, page, payer });
    Ok(())
}
