use {
    super::require_renters,
    crate::{
        constants::ACCOUNT_VERSION,
        errors::OrdersError as E,
        events::Refund as Refunded,
        instructions::{now, vault::pay_out},
        state::{Config, Order},
    },
    anchor_lang::prelude::*,
    anchor_spl::token::TokenAccount,
    ionet_common::emit_event,
};

/// Gives back to the renter what no lease holds and no device that may still come needs. Anyone may call it.
#[event_cpi]
#[derive(Accounts)]
pub struct Refund {
    #[account(seeds = [b"config"], bump, constraint = config.version == ACCOUNT_VERSION @ E::UnknownVersion)]
    pub config: Account<Config>,
    #[account(mut)]
    pub order: Account<Order>,
    #[account(mut, address = order.vault @ E::WrongAccount)]
    pub vault: UncheckedAccount,
    /// The renter's associated token account; its owner is checked with the address.
    #[account(mut)]
    pub renter_tokens: Account<TokenAccount>,
    pub token_program: Program<Token>,
}

pub fn refund(ctx: &mut Context<Refund>) -> Result<()> {
    let at = now()?;
    let a = &mut ctx.accounts;
    require_renters(&a.renter_tokens, &a.order, &a.config)?;
    let amount = a.order.give_back(at)?;
    require!(amount > 0, E::NothingToRefund);
    let transaction_id = a.order.transaction()?;
    pay_out(&a.order, a.vault.cpi_handle_mut(), a.renter_tokens.cpi_handle_mut(), &a.token_program, amount);
    let cluster_id = *a.order.address();
    emit_event!(ctx, Refunded { transaction_id, cluster_id, amount });
    Ok(())
}
