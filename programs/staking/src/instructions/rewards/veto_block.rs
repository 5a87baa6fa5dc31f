use {
    crate::{
        errors::StakingError as E,
        events::BlockVetoed,
        state::{Block, Config, Known},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// The guardian vetoes a block that is not final yet: the operators attest anew.
#[event_cpi]
#[derive(Accounts)]
pub struct VetoBlock {
    #[account(address = config.guardian @ E::NotGuardian)]
    pub guardian: Signer,
    #[account(seeds = [b"config"], bump)]
    pub config: Known<Config>,
    #[account(mut)]
    pub block: Known<Block>,
}

pub fn veto_block(ctx: &mut Context<VetoBlock>) -> Result<()> {
    let a = &mut ctx.accounts;
    let (hour, root) = (a.block.hour, a.block.root);
    a.block.veto()?;
    let vetoes = a.block.vetoes;
    emit_event!(ctx, BlockVetoed { hour, root, vetoes });
    Ok(())
}
