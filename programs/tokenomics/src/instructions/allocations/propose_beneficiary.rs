use {
    crate::{
        errors::TokenomicsError as E,
        events::BeneficiaryProposed,
        state::{Allocation, Known},
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// First step of handing an allocation over: the beneficiary names a successor, who must accept.
#[event_cpi]
#[derive(Accounts)]
pub struct ProposeBeneficiary {
    #[account(address = allocation.beneficiary @ E::NotBeneficiary)]
    pub beneficiary: Signer,
    #[account(mut)]
    pub allocation: Known<Allocation>,
}

pub fn propose_beneficiary(ctx: &mut Context<ProposeBeneficiary>, pending: Address) -> Result<()> {
    let row = &mut ctx.accounts.allocation;
    row.propose_beneficiary(pending)?;
    let (allocation, beneficiary) = (row.id, row.beneficiary);
    emit_event!(ctx, BeneficiaryProposed { allocation, beneficiary, pending });
    Ok(())
}
