use {
    super::unix_time,
    crate::{
        constants::*,
        events::Posted,
        state::{Config, Known, PostCounter},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// An operator states the hash of a file, so that the chain's clock says when it had it.
#[event_cpi]
#[derive(Accounts)]
pub struct Post {
    /// Pays its counter's rent with its first posting.
    #[account(mut)]
    pub operator: Signer,
    #[account(seeds = [b"config"], bump)]
    pub config: Known<Config>,
    #[account(
        init_if_needed, payer = operator, seeds = [b"post", operator.address()], bump = counter.bump
    )]
    pub counter: Known<PostCounter>,
    pub system_program: Program<System>,
}

pub fn post(ctx: &mut Context<Post>, number: u32, kind: u8, slot: u64, hash: [u8; 32]) -> Result<()> {
    let clock = Clock::get()?;
    let at = unix_time(&clock)?;
    let a = &mut ctx.accounts;
    let operator = *a.operator.address();
    a.config.params.operator(&operator)?;
    if a.counter.version == 0 {
        a.counter.version = ACCOUNT_VERSION;
        a.counter.bump = ctx.bumps.counter;
        a.counter.operator = operator;
    }
    a.counter.post(kind, at)?;
    let now_slot = clock.slot;
    emit_event!(ctx, Posted { operator, number, kind, slot, hash, now_slot, at });
    Ok(())
}
