use {
    super::{emission, now},
    crate::{
        constants::*,
        errors::StakingError as E,
        events::{BlockFinalised, BlockReopened},
        state::{Block, Config, Known},
    },
    anchor_lang::{pinocchio::instruction::InstructionAccount, prelude::*, unchecked_invoke_signed_fixed},
    ionet_common::{emit_event, emitter::EMIT_DISCRIMINATOR},
};

/// Makes a block's root pay, after its challenge window and in the order of hours. Anyone may call
/// it; emission that the root needs and nobody minted yet is pulled first. A block whose operators changed so
/// that too few still say the same is open again instead.
#[event_cpi]
#[derive(Accounts)]
pub struct Finalise {
    #[account(mut, seeds = [b"config"], bump)]
    pub config: Known<Config>,
    #[account(mut)]
    pub block: Known<Block>,
    #[account(address = config.tokenomics_program @ E::WrongAccount)]
    pub tokenomics_program: UncheckedAccount,
    /// Tokenomics' config.
    #[account(mut, address = config.tokenomics @ E::WrongAccount)]
    pub tokenomics: UncheckedAccount,
    #[account(mut, address = config.mint @ E::WrongAccount)]
    pub mint: UncheckedAccount,
    #[account(mut, address = config.reward_vault @ E::WrongAccount)]
    pub reward_vault: UncheckedAccount,
    /// Signs tokenomics' events; that program checks it.
    pub tokenomics_events: UncheckedAccount,
    pub token_program: Program<Token>,
}

impl Finalise {
    /// Calls tokenomics' `emit`: its accounts are config, mint, reward vault, token program and the
    /// two for events.
    fn pull_emission(&mut self) {
        let handles = [
            self.tokenomics.cpi_handle_mut().into(),
            self.mint.cpi_handle_mut().into(),
            self.reward_vault.cpi_handle_mut().into(),
            self.token_program.cpi_handle(),
            self.tokenomics_events.cpi_handle(),
            self.tokenomics_program.cpi_handle(),
        ];
        let metas = [
            InstructionAccount::writable(handles[0].address()),
            InstructionAccount::writable(handles[1].address()),
            InstructionAccount::writable(handles[2].address()),
            InstructionAccount::readonly(handles[3].address()),
            InstructionAccount::readonly(handles[4].address()),
            InstructionAccount::readonly(handles[5].address()),
        ];
        let program = self.tokenomics_program.address();
        unchecked_invoke_signed_fixed(program, &EMIT_DISCRIMINATOR, &metas, &handles, &[]);
    }
}

pub fn finalise(ctx: &mut Context<Finalise>) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    a.config.require_running(PAUSE_REWARDS, at)?;
    let stands = a.block.finalise(&a.config, at)?;
    let (hour, total, revision) = (a.block.hour, a.block.total, a.block.revision);
    if !stands {
        emit_event!(ctx, BlockReopened { hour, revision });
        return Ok(());
    }
    a.config.finalise(hour, total)?;
    if emission(&a.tokenomics)?.emitted < total {
        a.pull_emission();
        require!(emission(&a.tokenomics)?.emitted >= total, E::TotalOutOfRange);
    }
    let (root, devices, data_hash) = (a.block.root, a.block.devices, a.block.data_hash);
    emit_event!(ctx, BlockFinalised { hour, root, total, devices, data_hash });
    Ok(())
}
