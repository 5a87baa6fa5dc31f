use {
    crate::{
        errors::OrdersError as E,
        events::{OrderClosed, Refund as Refunded},
        instructions::now,
    },
    anchor_lang::{prelude::*, AccountClose},
    anchor_spl::token::TokenAccount,
    ionet_common::{emit_event, emit_shared_event, token},
};

/// Ends an order to which nothing more can happen: what is left, and the rents, go to the renter, and fees that are
/// still due to the network. Anyone may call it; an order that nobody served is one when its time for matching is over.
#[event_cpi]
#[derive(Accounts)]
pub struct CloseOrder {
    pub purse: Nested<crate::instructions::Purse>,
    #[account(mut, address = purse.order.renter @ E::NotRenter)]
    pub renter: UncheckedAccount,
    /// The renter's associated token account.
    #[account(mut, constraint = purse.is_renters(&renter_tokens)? @ E::NotAssociatedAccount)]
    pub renter_tokens: Account<TokenAccount>,
    /// The buyback program's vault for the currency.
    #[account(mut, address = *purse.fees()? @ E::WrongAccount)]
    pub fees: UncheckedAccount,
}

pub fn close_order(ctx: &mut Context<CloseOrder>) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    let purse: &mut crate::instructions::Purse = &mut a.purse;
    let fees = purse.take_fees(&a.fees)?;
    let reason = purse.order.close_reason(at)?;
    let amount = purse.order.give_back(at)?;
    // What somebody sent to the vault beside the program would keep the account from closing.
    let there = token::amount(&purse.vault).ok_or(E::WrongAccount)?;
    let rest = there.checked_sub(fees).ok_or(E::InvariantViolated)?;
    let surplus = rest.checked_sub(amount).ok_or(E::InvariantViolated)?;
    let earned = purse.send_fees(&mut a.fees, fees)?;
    let transaction_id = purse.order.transaction()?;
    purse.pay_out(a.renter_tokens.cpi_handle_mut(), rest);
    purse.close_vault(a.renter.cpi_handle_mut());
    let order = *purse.order.address();
    let closed = OrderClosed {
        order,
        reason: reason as u8,
        deposit: purse.order.deposit,
        paid: purse.order.paid,
        fees: purse.order.fees,
        refunded: purse.order.refunded,
        surplus,
    };
    if let Some(earned) = earned {
        emit_shared_event!(ctx, earned);
    }
    if amount > 0 {
        emit_shared_event!(ctx, Refunded { transaction_id, cluster_id: order, amount });
    }
    emit_event!(ctx, closed);
    let renter = *ctx.accounts.renter.account();
    ctx.accounts.purse.order.close(renter)
}
