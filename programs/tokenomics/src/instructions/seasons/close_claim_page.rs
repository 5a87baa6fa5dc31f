use {
    super::now,
    crate::{
        errors::TokenomicsError as E,
        events::ClaimPageClosed,
        state::{ClaimPage, Known, Season},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// Closes a page of a season that has ended, whether or not its rest was paid back yet. Anyone may call
/// it; the rent goes back to whoever paid it.
#[event_cpi]
#[derive(Accounts)]
pub struct CloseClaimPage {
    #[account(mut, address = claim_page.payer @ E::NotRentPayer)]
    pub payer: UncheckedAccount,
    pub season: Known<Season>,
    #[account(
        mut, close = payer,
        constraint = claim_page.season == season.season @ E::WrongPage
    )]
    pub claim_page: Known<ClaimPage>,
}

pub fn close_claim_page(ctx: &mut Context<CloseClaimPage>) -> Result<()> {
    let a = &ctx.accounts;
    a.season.require_ended(now()?)?;
    let (season, page, payer) = (a.season.season, a.claim_page.page, *a.payer.address());
    emit_event!(ctx, ClaimPageClosed { season, page, payer });
    Ok(())
}
