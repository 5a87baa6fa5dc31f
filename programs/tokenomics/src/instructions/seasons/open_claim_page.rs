use {
    super::now,
    crate::{
        constants::*,
        events::ClaimPageOpened,
        state::{ClaimPage, Known, Season},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// Creates a page of claim bits. Anyone may pay its rent, and gets it back after the season.
#[event_cpi]
#[derive(Accounts)]
#[instruction(page: u32)]
pub struct OpenClaimPage {
    #[account(mut)]
    pub payer: Signer,
    pub season: Known<Season>,
    #[account(
        init, payer = payer, bump,
        seeds = [b"claim_page", season.season.to_le_bytes(), page.to_le_bytes()]
    )]
    pub claim_page: Known<ClaimPage>,
    pub system_program: Program<System>,
}

pub fn open_claim_page(ctx: &mut Context<OpenClaimPage>, page: u32) -> Result<()> {
    let a = &mut ctx.accounts;
    a.season.require_page(page, now()?)?;
    let (season, payer) = (a.season.season, *a.payer.address());
    let account = &mut a.claim_page;
    account.version = ACCOUNT_VERSION;
    account.bump = ctx.bumps.claim_page;
    account.season = season;
    account.page = page;
    account.payer = payer;
    emit_event!(ctx, ClaimPageOpened { season, page, payer });
    Ok(())
}
