use {
    super::{emission, now},
    crate::{
        constants::*,
        errors::StakingError as E,
        events::{Attested, BlockReopened},
        state::{Attestation, Block, Config, Known, Vote},
    },
    anchor_lang::prelude::*,
    ionet_common::{
        calendar::{month_start, HOUR},
        emission::cumulative,
        emit_event,
    },
};

/// An operator says what an hour's reward block is.
#[event_cpi]
#[derive(Accounts)]
#[instruction(hour: u32)]
pub struct Attest {
    /// Pays the block's rent if it is the first to say something.
    #[account(mut)]
    pub operator: Signer,
    #[account(seeds = [b"config"], bump)]
    pub config: Known<Config>,
    /// Tokenomics' config, for the emission's calendar.
    #[account(address = config.tokenomics @ E::WrongAccount)]
    pub tokenomics: UncheckedAccount,
    #[account(init_if_needed, payer = operator, seeds = [b"block", hour.to_le_bytes()], bump = block.bump)]
    pub block: Known<Block>,
    pub system_program: Program<System>,
}

pub fn attest(
    ctx: &mut Context<Attest>,
    hour: u32,
    root: [u8; 32],
    total: u64,
    devices: u32,
    data_hash: [u8; 32],
) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    let (operator, config, block) = (*a.operator.address(), &*a.config, &mut *a.block);
    let number = config.params.operator(&operator)?;
    let next = config.next_hour;
    require!(hour >= next && hour - next < MAX_HOURS_AHEAD, E::HourOutOfRange);
    let hours = hour as u64 + 1;
    let start_month = emission(&a.tokenomics)?.start_month;
    let start = month_start(start_month).ok_or(E::InvalidClock)?;
    require!(at >= start && (at - start) / HOUR >= hours, E::HourNotEnded);
    let most = cumulative(start_month, hours).ok_or(E::InvalidClock)?;
    require!((config.final_total..=most).contains(&total), E::TotalOutOfRange);
    if block.version == 0 {
        block.version = ACCOUNT_VERSION;
        block.bump = ctx.bumps.block;
        block.hour = hour;
        block.revision = config.revision;
        block.payer = operator;
    }
    let attestation = Attestation { root, total, devices, data_hash };
    let Vote { agreed, conflict, reopened } = block.attest(config, number, &attestation, at)?;
    let revision = block.revision;
    if reopened {
        emit_event!(ctx, BlockReopened { hour, revision });
    }
    emit_event!(ctx, Attested { hour, operator, root, total, devices, data_hash, conflict, agreed, at });
    Ok(())
}
