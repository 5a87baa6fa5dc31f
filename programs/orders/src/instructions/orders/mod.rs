//! Orders: opened, cancelled, given back, closed.

mod cancel_order;
mod close_order;
mod create_order;
mod refund;

pub use {cancel_order::*, close_order::*, create_order::*, refund::*};

use {
    super::Purse, crate::errors::OrdersError as E, anchor_lang::prelude::*, anchor_spl::token::TokenAccount,
    ionet_common::ata::is_associated,
};

/// Refuses an account that is not the renter's associated one for the order's currency.
fn require_renters(tokens: &Account<TokenAccount>, purse: &Purse) -> Result<()> {
    let renter = &purse.order.renter;
    require!(
        tokens.owner() == renter && is_associated(tokens.address(), renter, purse.mint()?),
        E::NotAssociatedAccount
    );
    Ok(())
}
