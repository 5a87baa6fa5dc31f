use {
    super::park,
    crate::{
        errors::OrdersError as E,
        events::PayParked as Event,
        instructions::{leases::started, vault, Settlement},
        state::Parked,
    },
    anchor_lang::prelude::*,
    ionet_common::emit_event,
};

/// Settles a lease whose supplier can't be paid now: its token account is gone, frozen, or somebody else's. Its part
/// waits in the parked vault, and the order, its other leases and its renter don't wait for it. Anyone may call it.
#[event_cpi]
#[derive(Accounts)]
pub struct ParkPay {
    /// Pays the record's rent if there is none yet.
    #[account(mut)]
    pub payer: Signer,
    pub money: Nested<crate::instructions::Settlement>,
    #[account(mut, address = *money.config.parked(money.order.currency()?) @ E::WrongAccount)]
    pub parked_vault: UncheckedAccount,
    #[account(init_if_needed, payer = payer, seeds = [b"parked", money.payout_tokens.address()], bump)]
    pub record: Account<Parked>,
    pub system_program: Program<System>,
}

pub fn park_pay(ctx: &mut Context<ParkPay>) -> Result<()> {
    let a = &mut ctx.accounts;
    let money: &mut Settlement = &mut a.money;
    let settled = money.settle()?;
    let amount = settled.payment.net;
    require!(amount > 0, E::NothingDue);
    require!(!settled.payable, E::PayeePayable);
    let mint = *money.config.mint(money.order.currency()?);
    let (wallet, destination) = (money.lease.payout, money.lease.payout_tokens);
    let payee = [&wallet, &mint, &destination];
    let payer = park(&mut a.record, payee, a.payer.address(), ctx.bumps.record, amount)?;
    let worked = money.worked(&settled)?;
    vault::pay_out(
        &money.order,
        money.vault.cpi_handle_mut(),
        a.parked_vault.cpi_handle_mut(),
        &money.token_program,
        amount,
    );
    let earned = money.earn(settled.fees)?;
    let (lease, record) = (*money.lease.address(), *a.record.address());
    if settled.starts {
        emit_event!(ctx, started(&ctx.accounts.money.lease));
    }
    emit_event!(ctx, worked);
    emit_event!(ctx, Event { lease, record, wallet, mint, destination, amount, payer });
    if let Some(earned) = earned {
        emit_event!(ctx, earned);
    }
    Ok(())
}
