use {
    crate::{constants::*, errors::TokenomicsError as E, events::BurnsCounted, state::Config},
    anchor_lang::prelude::*,
    anchor_spl::mint::Mint,
};

/// Counts burns that were made directly on the token program. Anyone may call it.
#[event_cpi]
#[derive(Accounts)]
pub struct SyncBurned {
    #[account(mut, seeds = [CONFIG_SEED], bump = config.bump)]
    pub config: Account<Config>,
    #[account(address = config.mint @ E::WrongAccount)]
    pub mint: Account<Mint>,
}

pub fn sync_burned(ctx: &mut Context<SyncBurned>) -> Result<()> {
    let a = &mut ctx.accounts;
    let supply = a.mint.supply();
    let amount = a.config.count_burns(supply)?;
    require!(amount > 0, E::NothingDue);
    let burned = a.config.burned;
    emit_cpi!(BurnsCounted { amount, burned, supply });
    Ok(())
}
