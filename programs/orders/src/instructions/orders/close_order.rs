use {
    super::require_renters,
    crate::{
        constants::ACCOUNT_VERSION,
        errors::OrdersError as E,
        events::{Earn, OrderClosed, Refund as Refunded},
        instructions::{now, vault},
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
    #[account(seeds = [b"config"], bump, constraint = config.version == ACCOUNT_VERSION @ E::UnknownVersion)]
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
    /// The buyback program's vault for the currency.
    #[account(mut, address = *config.fees(order.currency()?) @ E::WrongAccount)]
    pub fees: UncheckedAccount,
    pub token_program: Program<Token>,
}

pub fn close_order(ctx: &mut Context<CloseOrder>) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    require_renters(&a.renter_tokens, &a.order, &a.config)?;
    let mint = *a.config.mint(a.order.currency()?);
    let fees = vault::take_fees(&mut a.order, &a.fees, &mint)?;
    let reason = a.order.close_reason(at)?;
    let amount = a.order.give_back(at)?;
    // What somebody sent to the vault beside the program: it would keep the account from closing.
    let rest = a.vault.amount().checked_sub(fees).ok_or(E::InvariantViolated)?;
    let surplus = rest.checked_sub(amount).ok_or(E::InvariantViolated)?;
    let order = *a.order.address();
    let earned = if fees > 0 {
        let transaction_id = a.order.transaction()?;
        vault::pay_out(&a.order, a.vault.cpi_handle_mut(), a.fees.cpi_handle_mut(), &a.token_program, fees);
        Some(Earn { transaction_id, cluster_id: order, amount: fees })
    } else {
        None
    };
    let transaction_id = a.order.transaction()?;
    vault::pay_out(
        &a.order,
        a.vault.cpi_handle_mut(),
        a.renter_tokens.cpi_handle_mut(),
        &a.token_program,
        rest,
    );
    vault::close(&a.order, a.vault.cpi_handle_mut(), a.renter.cpi_handle_mut(), &a.token_program);
    let (deposit, paid) = (a.order.deposit, a.order.paid);
    let (fees, refunded) = (a.order.fees, a.order.refunded);
    if let Some(earned) = earned {
        emit_event!(ctx, earned);
    }
    if amount > 0 {
        emit_event!(ctx, Refunded { transaction_id, cluster_id: order, amount });
    }
    emit_event!(ctx, OrderClosed { order, reason: reason as u8, deposit, paid, fees, refunded, surplus });
    Ok(())
}
