//! Orders: opened, cancelled, given back, closed.

mod cancel_order;
mod close_order;
mod create_order;
mod refund;

pub use {cancel_order::*, close_order::*, create_order::*, refund::*};

use {
    crate::{
        errors::OrdersError as E,
        state::{Config, Order},
    },
    anchor_lang::prelude::*,
    anchor_spl::token::TokenAccount,
    ionet_common::ata::is_associated,
};

/// Refuses an account that is not the renter's associated one for the order's currency.
fn require_renters(tokens: &Account<TokenAccount>, order: &Order, config: &Config) -> Result<()> {
    let mint = config.mint(order.currency()?);
    require!(
        *tokens.owner() == order.renter && is_associated(tokens.address(), &order.renter, mint),
        E::NotAssociatedAccount
    );
    Ok(())
}
