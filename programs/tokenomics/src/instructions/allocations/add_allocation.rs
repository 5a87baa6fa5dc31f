use {
    crate::{
        constants::*,
        errors::TokenomicsError as E,
        events::AllocationAdded,
        state::{Allocation, Config, Known},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// Adds a row to the genesis table, before launch.
#[event_cpi]
#[derive(Accounts)]
#[instruction(id: u8)]
pub struct AddAllocation {
    #[account(mut, address = config.admin @ E::NotAdmin)]
    pub admin: Signer,
    #[account(mut, seeds = [b"config"], bump)]
    pub config: Known<Config>,
    #[account(init, payer = admin, seeds = [b"allocation", id.to_le_bytes()], bump)]
    pub allocation: Known<Allocation>,
    pub system_program: Program<System>,
}

#[allow(clippy::too_many_arguments)] // a row of the genesis table
pub fn add_allocation(
    ctx: &mut Context<AddAllocation>,
    id: u8,
    label: [u8; 16],
    beneficiary: Address,
    amount: u64,
    tge_bps: u16,
    cliff_months: u16,
    tranches: u16,
) -> Result<()> {
    let a = &mut ctx.accounts;
    a.config.add_allocation(id, amount)?;
    let allocated = a.config.allocated;
    let row = &mut a.allocation;
    row.version = ACCOUNT_VERSION;
    row.bump = ctx.bumps.allocation;
    row.id = id;
    row.label = label;
    row.beneficiary = beneficiary;
    row.amount = amount;
    row.tge_bps = tge_bps;
    row.cliff_months = cliff_months;
    row.tranches = tranches;
    row.invariant()?;
    emit_event!(
        ctx,
        AllocationAdded { id, label, beneficiary, amount, tge_bps, cliff_months, tranches, allocated }
    );
    Ok(())
}
