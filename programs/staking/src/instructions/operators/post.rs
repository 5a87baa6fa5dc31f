use {
    super::unix_time,
    crate::{
        constants::*,
        events::Posted,
        state::{Config, Known, Opening, PostCounter},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// Seed of an operator's counter, before its key.
const POST_SEED: &[u8] = b"post";

/// An operator states the hash of a file, so that the chain's clock says when it had it.
#[event_cpi]
#[derive(Accounts)]
pub struct Post {
    /// Pays its counter's rent with its first posting.
    #[account(mut)]
    pub operator: Signer,
    #[account(seeds = [b"config"], bump)]
    pub config: Known<Config>,
    /// The operator's counter, at `["post", operator]`.
    #[account(mut)]
    pub counter: Opening<PostCounter>,
    pub system_program: Program<System>,
}

pub fn post(ctx: &mut Context<Post>, number: u32, kind: u8, slot: u64, hash: [u8; 32]) -> Result<()> {
    let clock = Clock::get()?;
    let at = unix_time(&clock)?;
    let a = &mut ctx.accounts;
    let operator = *a.operator.address();
    a.config.params.operator(&operator)?;
    let (mut counter, created) = a.counter.open(a.operator.account(), [POST_SEED, operator.as_ref()])?;
    if let Some(bump) = created {
        counter.version = ACCOUNT_VERSION;
        counter.bump = bump;
        counter.operator = operator;
    }
    counter.post(&operator, kind, at)?;
    let now_slot = clock.slot;
    emit_event!(ctx, Posted { operator, number, kind, slot, hash, now_slot, at });
    Ok(())
}
