use {
    super::started,
    crate::{
        constants::ACCOUNT_VERSION,
        errors::OrdersError as E,
        events::{Earn, Worked},
        instructions::{now, vault},
        state::{Config, Lease, Order, Payment},
    },
    anchor_lang::prelude::*,
    ionet_common::{emit_event, token::payable},
};

/// A lease's money: where it lies and where it goes.
#[derive(Accounts)]
pub struct Settlement {
    #[account(seeds = [b"config"], bump, constraint = config.version == ACCOUNT_VERSION @ E::UnknownVersion)]
    pub config: Account<Config>,
    #[account(mut, address = lease.order @ E::WrongOrder)]
    pub order: Account<Order>,
    #[account(mut)]
    pub lease: Account<Lease>,
    #[account(mut, address = order.vault @ E::WrongAccount)]
    pub vault: UncheckedAccount,
    /// The associated token account of the lease's payout wallet, in whatever state.
    #[account(mut, address = lease.payout_tokens @ E::NotAssociatedAccount)]
    pub payout_tokens: UncheckedAccount,
    /// The buyback program's vault for the currency, in whatever state.
    #[account(mut, address = *config.fees(order.currency()?) @ E::WrongAccount)]
    pub fees: UncheckedAccount,
    pub token_program: Program<Token>,
}

/// What a settlement did to the books, before any token moved.
pub struct Settled {
    /// The lease's gang was filled before.
    pub starts: bool,
    pub payment: Payment,
    /// Leave for the fee vault now, base units.
    pub fees: u64,
    /// The supplier can be paid.
    pub payable: bool,
    pub until: u64,
}

impl Settlement {
    /// Counts what is due.
    pub fn settle(&mut self) -> Result<Settled> {
        let at = now()?;
        let mint = *self.config.mint(self.order.currency()?);
        let starts = self.lease.start(self.order.filled_at)?;
        let until = self.lease.due_until(self.order.settlement_lag, at);
        let payment = self.lease.settle(self.order.settlement_lag, self.order.supplier_fee_bps, at)?;
        if !payment.is_nothing() {
            self.order.pay(&payment)?;
        }
        let fees = vault::take_fees(&mut self.order, &self.fees, &mint)?;
        let payable = payable(&self.payout_tokens, Some(&self.lease.payout), &mint);
        Ok(Settled { starts, payment, fees, payable, until })
    }

    /// What is told of the supplier's payment.
    pub fn worked(&mut self, settled: &Settled) -> Result<Worked> {
        let Settled { payment, until, .. } = settled;
        Ok(Worked {
            cluster_id: *self.order.address(),
            compute_minutes: until.saturating_sub(self.lease.start) / 60,
            amount: payment.amount,
            transaction_id: self.order.transaction()?,
            lease: *self.lease.address(),
            payout: self.lease.payout,
            fee: payment.fee,
            renter_fee: payment.renter_fee,
            paid: self.lease.paid,
            until: *until,
        })
    }

    /// Sends the fees off, if there are any.
    pub fn earn(&mut self, amount: u64) -> Result<Option<Earn>> {
        if amount == 0 {
            return Ok(None);
        }
        let transaction_id = self.order.transaction()?;
        let (vault, fees) = (self.vault.cpi_handle_mut(), self.fees.cpi_handle_mut());
        vault::pay_out(&self.order, vault, fees, &self.token_program, amount);
        Ok(Some(Earn { transaction_id, cluster_id: *self.order.address(), amount }))
    }
}

/// Pays a lease's supplier what is due, and the network its fees where they can be paid. Anyone may call it, at any
/// time; where nothing is due, nothing happens.
#[event_cpi]
#[derive(Accounts)]
pub struct Settle {
    pub money: Nested<crate::instructions::Settlement>,
}

pub fn settle(ctx: &mut Context<Settle>) -> Result<()> {
    let money: &mut Settlement = &mut ctx.accounts.money;
    let settled = money.settle()?;
    let net = settled.payment.net;
    require!(net == 0 || settled.payable, E::PayeeBlocked);
    let worked = if settled.payment.is_nothing() { None } else { Some(money.worked(&settled)?) };
    if net > 0 {
        vault::pay_out(
            &money.order,
            money.vault.cpi_handle_mut(),
            money.payout_tokens.cpi_handle_mut(),
            &money.token_program,
            net,
        );
    }
    let earned = money.earn(settled.fees)?;
    if settled.starts {
        emit_event!(ctx, started(&ctx.accounts.money.lease));
    }
    if let Some(worked) = worked {
        emit_event!(ctx, worked);
    }
    if let Some(earned) = earned {
        emit_event!(ctx, earned);
    }
    Ok(())
}
