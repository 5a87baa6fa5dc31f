use {
    super::start,
    crate::{
        errors::OrdersError as E,
        events::{LeaseStarted, Worked},
        instructions::{now, Purse},
        state::{Known, Lease, Payment},
    },
    anchor_lang::prelude::*,
    ionet_common::{emit_shared_event, token::payable},
};

/// A lease's money: where it lies, and where both fees go.
#[derive(Accounts)]
pub struct Settlement {
    pub purse: Nested<crate::instructions::Purse>,
    #[account(mut, constraint = lease.order == *purse.order.address() @ E::WrongOrder)]
    pub lease: Known<Lease>,
    /// The buyback program's vault for the currency, in whatever state.
    #[account(mut, address = *purse.fees()? @ E::WrongAccount)]
    pub fees: UncheckedAccount,
}

/// What a settlement did to the books, before any token moved.
pub struct Settled {
    /// Of a lease whose gang was filled before.
    pub started: Option<LeaseStarted>,
    pub payment: Payment,
    /// Leave for the fee vault now, base units.
    pub fees: u64,
}

impl Settlement {
    /// Counts what is due.
    #[inline(never)]
    pub fn settle(&mut self) -> Result<Settled> {
        let at = now()?;
        let purse: &mut Purse = &mut self.purse;
        let (lag, fee_bps) = (purse.order.settlement_lag, purse.order.supplier_fee_bps);
        let started = start(&mut self.lease, &purse.order)?;
        let payment = self.lease.settle(lag, fee_bps, at)?;
        if !payment.is_nothing() {
            purse.order.pay(&payment)?;
        }
        let fees = purse.take_fees(&self.fees)?;
        Ok(Settled { started, payment, fees })
    }

    /// Whether the supplier can be paid into its token account.
    pub fn pays_into(&self, tokens: &UncheckedAccount) -> Result<bool> {
        Ok(payable(tokens, Some(&self.lease.payout), self.purse.mint()?))
    }

    /// What is told of a payment.
    #[inline(always)]
    pub fn worked(&mut self, payment: &Payment) -> Result<Worked> {
        Ok(Worked {
            cluster_id: *self.purse.order.address(),
            compute_minutes: payment.until.saturating_sub(self.lease.start) / 60,
            amount: payment.amount,
            transaction_id: self.purse.order.transaction()?,
            lease: *self.lease.address(),
            payout: self.lease.payout,
            fee: payment.fee,
            renter_fee: payment.renter_fee,
            paid: self.lease.paid,
            until: payment.until,
        })
    }
}

/// Pays a lease's supplier what is due, and the network its fees where they can be paid. Anyone may call it, at any
/// time; where nothing is due, nothing happens.
#[event_cpi]
#[derive(Accounts)]
pub struct Settle {
    pub money: Nested<crate::instructions::Settlement>,
    /// The associated token account of the lease's payout wallet, in whatever state.
    #[account(mut, address = money.lease.payout_tokens @ E::NotAssociatedAccount)]
    pub payout_tokens: UncheckedAccount,
}

pub fn settle(ctx: &mut Context<Settle>) -> Result<()> {
    let a = &mut ctx.accounts;
    let money: &mut Settlement = &mut a.money;
    let Settled { started, payment, fees } = money.settle()?;
    require!(payment.net == 0 || money.pays_into(&a.payout_tokens)?, E::PayeeBlocked);
    if payment.net > 0 {
        money.purse.pay_out(a.payout_tokens.cpi_handle_mut(), payment.net);
    }
    if let Some(started) = started {
        emit_shared_event!(ctx, started);
    }
    if !payment.is_nothing() {
        let worked = ctx.accounts.money.worked(&payment)?;
        emit_shared_event!(ctx, worked);
    }
    let money: &mut Settlement = &mut ctx.accounts.money;
    if let Some(earned) = money.purse.send_fees(&mut money.fees, fees)? {
        emit_shared_event!(ctx, earned);
    }
    Ok(())
}
