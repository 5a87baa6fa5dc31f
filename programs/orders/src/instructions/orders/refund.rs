use {
    super::{now, vault::pay_out},
    crate::{
        errors::OrdersError as E,
        events::Refund as Refunded,
        state::{Config, Order},
    },
    anchor_lang::prelude::*,
    anchor_spl::token::TokenAccount,
    ionet_common::{ata::is_associated, emit_event},
};

/// Gives back to the renter what no lease holds and no device that may still come needs. Anyone may call it.
#[event_cpi]
#[derive(Accounts)]
pub struct Refund {
    #[account(seeds = [b"config"], bump)]
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

/// Refuses an account that is not the renter's associated one for the order's currency.
pub fn require_renters(tokens: &Account<TokenAccount>, order: &Order, config: &Config) -> Result<()> {
    let mint = config.mint(order.currency()?);
    require!(
        *tokens.owner() == order.renter && is_associated(tokens.address(), &order.renter, mint),
        E::NotAssociatedAccount
    );
    Ok(())
}
