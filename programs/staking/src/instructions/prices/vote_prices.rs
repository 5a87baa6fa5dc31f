use {
    super::now,
    crate::{
        constants::*,
        events::PricesVoted,
        state::{Config, Known, Prices},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// An operator votes the root over all classes' steps of an hour.
#[event_cpi]
#[derive(Accounts)]
#[instruction(hour: u32)]
pub struct VotePrices {
    /// Pays the rent if it is the first to vote.
    #[account(mut)]
    pub operator: Signer,
    #[account(seeds = [b"config"], bump)]
    pub config: Known<Config>,
    #[account(init_if_needed, payer = operator, seeds = [b"prices", hour.to_le_bytes()], bump = prices.bump)]
    pub prices: Known<Prices>,
    pub system_program: Program<System>,
}

pub fn vote_prices(ctx: &mut Context<VotePrices>, hour: u32, root: [u8; 32]) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    let operator = *a.operator.address();
    let number = a.config.params.operator(&operator)?;
    if a.prices.version == 0 {
        a.prices.version = ACCOUNT_VERSION;
        a.prices.bump = ctx.bumps.prices;
        a.prices.hour = hour;
        a.prices.revision = a.config.revision;
        a.prices.payer = operator;
    }
    let agreed = a.prices.vote(&a.config, number, root, at)?;
    let revision = a.prices.revision;
    emit_event!(ctx, PricesVoted { hour, operator, root, agreed, revision });
    Ok(())
}
