use {super::*, crate::events::SeasonClosed, anchor_lang::prelude::*, ionet_common::emit_event};

/// Ends a season whose claim period is over. Anyone may call it; the rest goes back to the funder.
#[event_cpi]
#[derive(Accounts)]
pub struct CloseSeason {
    pub season_end: Nested<SeasonEnd>,
}

pub fn close_season(ctx: &mut Context<CloseSeason>) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts.season_end;
    let season = a.season.season;
    let returned = a.season.expire(at)?;
    a.pay_back()?;
    emit_event!(ctx, SeasonClosed { season, cancelled: false, returned, at });
    Ok(())
}
