use {
    crate::{
        errors::TokenomicsError as E,
        events::BurnsCounted,
        state::{Config, Known},
    },
    anchor_lang::prelude::*,
    anchor_spl::mint::Mint,
    ionet_common::emit_event,
};

/// Counts burns that were made directly on the token program. Anyone may call it.
#[event_cpi]
#[derive(Accounts)]
pub struct SyncBurned {
    #[account(mut, seeds = [b"config"], bump)]
    pub config: Known<Config>,
    #[account(seeds = [b"mint"], bump)]
    pub mint: Account<Mint>,
}

pub fn sync_burned(ctx: &mut Context<SyncBurned>) -> Result<()> {
    let a = &mut ctx.accounts;
    let supply = a.mint.supply();
    let amount = a.config.count_burns(supply)?;
    require!(amount > 0, E::NothingDue);
    let burned = a.config.burned;
    emit_event!(ctx, BurnsCounted { amount, burned, supply });
    Ok(())
}
