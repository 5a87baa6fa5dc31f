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
    /// Paid until here, unix seconds.
    pub until: u64,
}

impl Settlement {
    /// Counts what is due.
    #[inline(never)]
    pub fn settle(&mut self) -> Result<Settled> {
        let at = now()?;
        let purse: &mut Purse = &mut self.purse;
        let (lag, fee_bps) = (purse.order.settlement_lag, purse.order.supplier_fee_bps);
        let started = start(&mut self.lease, &purse.order)?;
        let until = self.lease.due_until(lag, at);
        let payment = self.lease.settle(lag, fee_bps, at)?;
        if !payment.is_nothing() {
            purse.order.pay(&payment)?;
        }
        let fees = purse.take_fees(&self.fees)?;
        Ok(Settled { started, payment, fees, until })
    }

    /// Whether the supplier can be paid into its token account.
    pub fn pays_into(&self, tokens: &UncheckedAccount) -> Result<bool> {
        Ok(payable(tokens, Some(&self.lease.payout), self.purse.mint()?))
    }

    /// What is told of a payment.
    #[inline(never)]
    pub fn worked(&mut self, settled: &Settled) -> Result<Worked> {
        let Settled { payment, until, .. } = settled;
        Ok(Worked {
            cluster_id: *self.purse.order.address(),
            compute_minutes: until.saturating_sub(self.lease.start) / 60,
            amount: payment.amount,
            transaction_id: self.purse.order.transaction()?,
            lease: *self.lease.address(),
            payout: self.lease.payout,
            fee: payment.fee,
            renter_fee: payment.renter_fee,
            paid: self.lease.paid,
            until: *until,
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
    let settled = money.settle()?;
    let net = settled.payment.net;
    require!(net == 0 || money.pays_into(&a.payout_tokens)?, E::PayeeBlocked);
    let worked = if settled.payment.is_nothing() { None } else { Some(money.worked(&settled)?) };
    if net > 0 {
        money.purse.pay_out(a.payout_tokens.cpi_handle_mut(), net);
    }
    let earned = money.purse.send_fees(&mut money.fees, settled.fees)?;
    if let Some(started) = settled.started {
        emit_shared_event!(ctx, started);
    }
    if let Some(worked) = worked {
        emit_shared_event!(ctx, worked);
    }
    if let Some(earned) = earned {
        emit_shared_event!(ctx, earned);
    }
    Ok(())
}
