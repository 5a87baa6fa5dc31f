use {
    crate::{
        errors::TokenomicsError as E,
        events::BeneficiaryChanged,
        state::{Allocation, Known},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// Second step of handing an allocation over: the successor accepts.
#[event_cpi]
#[derive(Accounts)]
pub struct AcceptBeneficiary {
    #[account(address = allocation.pending_beneficiary @ E::NotPendingBeneficiary)]
    pub new_beneficiary: Signer,
    #[account(mut)]
    pub allocation: Known<Allocation>,
}

pub fn accept_beneficiary(ctx: &mut Context<AcceptBeneficiary>) -> Result<()> {
    let row = &mut ctx.accounts.allocation;
    let from = row.accept_beneficiary()?;
    let (allocation, to) = (row.id, row.beneficiary);
    emit_event!(ctx, BeneficiaryChanged { allocation, from, to });
    Ok(())
}
