use {
    crate::{
        errors::TokenomicsError as E,
        events::ClaimPageClosed,
        state::{ClaimPage, Season, SeasonStatus},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// Closes a page of an ended season. Anyone may call it; the rent goes back to whoever paid it.
#[event_cpi]
#[derive(Accounts)]
pub struct CloseClaimPage {
    #[account(mut, address = claim_page.payer @ E::NotRentPayer)]
    pub payer: UncheckedAccount,
    pub season: Account<Season>,
    #[account(mut, close = payer)]
    pub claim_page: Account<ClaimPage>,
}

pub fn close_claim_page(ctx: &mut Context<CloseClaimPage>) -> Result<()> {
    let a = &ctx.accounts;
    require!(a.claim_page.season == a.season.season, E::WrongPage);
    require!(a.season.status != SeasonStatus::Open as u8, E::SeasonStillOpen);
    let (season, page, payer) = (a.season.season, a.claim_page.page, *a.payer.address());
    emit_event!(ctx, ClaimPageClosed { season, page, payer });
    Ok(())
}
