use {
    super::{now, refund::require_renters, vault},
    crate::{
        errors::OrdersError as E,
        events::{OrderClosed, Refund as Refunded},
        state::{Config, Order},
    },
    anchor_lang::prelude::*,
    anchor_spl::token::TokenAccount,
    ionet_common::emit_event,
};

/// Ends an order to which nothing more can happen: what is left, and the rents, go to the renter. Anyone may
/// call it; an order that nobody served is one when its time for matching is over.
#[event_cpi]
#[derive(Accounts)]
pub struct CloseOrder {
    #[account(seeds = [b"config"], bump)]
    pub config: Account<Config>,
    #[account(mut, address = order.renter @ E::NotRenter)]
    pub renter: UncheckedAccount,
    #[account(mut, close = renter)]
    pub order: Account<Order>,
    #[account(mut, address = order.vault @ E::WrongAccount)]
    pub vault: Account<TokenAccount>,
    /// The renter's associated token account; its owner is checked with the address.
    #[account(mut)]
    pub renter_tokens: Account<TokenAccount>,
    pub token_program: Program<Token>,
}

pub fn close_order(ctx: &mut Context<CloseOrder>) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    require_renters(&a.renter_tokens, &a.order, &a.config)?;
    let reason = a.order.close_reason(at)?;
    let amount = a.order.give_back(at)?;
    // What somebody sent to the vault beside the program: it would keep the account from closing.
    let surplus = a.vault.amount().checked_sub(amount).ok_or(E::InvariantViolated)?;
    let all = a.vault.amount();
    let transaction_id = a.order.transaction()?;
    vault::pay_out(
        &a.order,
        a.vault.cpi_handle_mut(),
        a.renter_tokens.cpi_handle_mut(),
        &a.token_program,
        all,
    );
    vault::close(&a.order, a.vault.cpi_handle_mut(), a.renter.cpi_handle_mut(), &a.token_program);
    let (order, deposit, paid) = (*a.order.address(), a.order.deposit, a.order.paid);
    let (fees, refunded) = (a.order.fees, a.order.refunded);
    if amount > 0 {
        emit_event!(ctx, Refunded { transaction_id, cluster_id: order, amount });
    }
    emit_event!(ctx, OrderClosed { order, reason: reason as u8, deposit, paid, fees, refunded, surplus });
    Ok(())
}
