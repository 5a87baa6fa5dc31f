use {
    crate::{
        errors::StakingError as E,
        events::BlockClosed,
        state::{Block, Config, Known},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// Closes a block that later ones have replaced; its rent goes to whoever paid it. Anyone may call it.
#[event_cpi]
#[derive(Accounts)]
pub struct CloseBlock {
    #[account(seeds = [b"config"], bump)]
    pub config: Known<Config>,
    #[account(mut, address = block.payer @ E::NotRentPayer)]
    pub payer: UncheckedAccount,
    #[account(mut, close = payer)]
    pub block: Known<Block>,
}

pub fn close_block(ctx: &mut Context<CloseBlock>) -> Result<()> {
    let a = &ctx.accounts;
    let hour = a.block.hour;
    require!(hour < a.config.next_hour && !a.block.is_kept(&a.config), E::BlockStillKept);
    emit_event!(ctx, BlockClosed { hour });
    Ok(())
}
