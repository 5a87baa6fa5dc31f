use {
    super::*,
    crate::{errors::TokenomicsError as E, events::SeasonClosed, state::Config},
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// The guardian's veto of a season whose claims have not opened. Everything, rent included, goes
/// back to its funder.
#[event_cpi]
#[derive(Accounts)]
pub struct CancelSeason {
    #[account(address = config.guardian @ E::NotGuardian)]
    pub guardian: Signer,
    #[account(seeds = [b"config"], bump)]
    pub config: Account<Config>,
    pub season_end: Nested<SeasonEnd>,
}

pub fn cancel_season(ctx: &mut Context<CancelSeason>) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts.season_end;
    let season = a.season.season;
    let returned = a.season.cancel(at)?;
    a.pay_back()?;
    emit_event!(ctx, SeasonClosed { season, cancelled: true, returned, at });
    Ok(())
}
