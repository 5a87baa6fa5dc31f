use {
    super::now,
    crate::{
        errors::TokenomicsError as E,
        events::SeasonCancelled,
        state::{Config, Known, Season},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// The guardian's veto of a season whose claims have not opened.
///
/// It moves nothing, so that nobody's account can hold it up: [`close_season`](super::close_season) pays
/// back.
#[event_cpi]
#[derive(Accounts)]
pub struct CancelSeason {
    #[account(address = config.guardian @ E::NotGuardian)]
    pub guardian: Signer,
    #[account(seeds = [b"config"], bump)]
    pub config: Known<Config>,
    #[account(mut)]
    pub season: Known<Season>,
}

pub fn cancel_season(ctx: &mut Context<CancelSeason>) -> Result<()> {
    let at = now()?;
    let account = &mut ctx.accounts.season;
    account.cancel(at)?;
    let season = account.season;
    emit_event!(ctx, SeasonCancelled { season, at });
    Ok(())
}
