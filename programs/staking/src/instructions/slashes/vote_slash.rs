use {
    super::now,
    crate::{
        constants::*,
        errors::StakingError as E,
        events::SlashVoted,
        state::{Config, Device, Known, Slash},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// An operator votes to slash a device for a piece of evidence. Enough votes for the same part start the
/// appeal period; until it is resolved, nothing staked on the device goes out.
#[event_cpi]
#[derive(Accounts)]
#[instruction(evidence: [u8; 32])]
pub struct VoteSlash {
    /// Pays the rent if it is the first to vote.
    #[account(mut)]
    pub operator: Signer,
    #[account(seeds = [b"config"], bump)]
    pub config: Known<Config>,
    #[account(mut)]
    pub device: Known<Device>,
    #[account(
        init_if_needed, payer = operator, bump = slash.bump,
        seeds = [b"slash", device.address(), evidence]
    )]
    pub slash: Known<Slash>,
    pub system_program: Program<System>,
}

pub fn vote_slash(ctx: &mut Context<VoteSlash>, evidence: [u8; 32], bps: u16) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    let operator = *a.operator.address();
    let number = a.config.params.operator(&operator)?;
    let device = *a.device.address();
    if a.slash.version == 0 {
        a.slash.version = ACCOUNT_VERSION;
        a.slash.bump = ctx.bumps.slash;
        a.slash.device = device;
        a.slash.evidence = evidence;
        a.slash.revision = a.config.revision;
        a.slash.registered_at = a.device.registered_at;
    }
    require!(a.slash.registered_at == a.device.registered_at, E::DeviceReplaced);
    let pending = a.slash.vote(&a.config, number, bps, at)?;
    if pending {
        require!(!bool::from(a.device.slash_pending), E::SlashPending);
        a.device.slash_pending = true.into();
    }
    let appeal_until = a.slash.appeal_until;
    emit_event!(ctx, SlashVoted { device, evidence, bps, operator, pending, appeal_until });
    Ok(())
}
