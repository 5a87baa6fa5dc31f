//! Money out of an order's vault, signed by the order; the caller has written it down.

use {
    crate::{constants::ORDER_SEED, state::Order},
    anchor_lang::prelude::*,
    ionet_common::token,
};

/// Moves `amount` out of the order's vault, to where the caller has checked.
#[inline(never)]
pub fn pay_out<'a>(
    order: &'a Account<Order>,
    vault: CpiHandleMut<'a>,
    to: CpiHandleMut<'a>,
    token_program: &'a Program<Token>,
    amount: u64,
) {
    let (renter, id, bump) = (order.renter, order.id.to_le_bytes(), [order.bump]);
    token::transfer(
        token_program.address(),
        vault,
        to,
        order.cpi_handle(),
        amount,
        &[&[ORDER_SEED, renter.as_ref(), &id, &bump]],
    );
}

/// Closes the order's empty vault; its rent goes to the renter.
pub fn close<'a>(
    order: &'a Account<Order>,
    vault: CpiHandleMut<'a>,
    renter: CpiHandleMut<'a>,
    token_program: &'a Program<Token>,
) {
    let (owner, id, bump) = (order.renter, order.id.to_le_bytes(), [order.bump]);
    token::close(
        token_program.address(),
        vault,
        renter,
        order.cpi_handle(),
        &[&[ORDER_SEED, owner.as_ref(), &id, &bump]],
    );
}

/// Takes the fees that are due off the order's books, if the fee vault can be paid; otherwise none, and they wait.
pub fn take_fees(order: &mut Order, fees: &UncheckedAccount, mint: &Address) -> Result<u64> {
    if order.fees_due == 0 || !token::payable(fees, None, mint) {
        return Ok(0);
    }
    order.take_fees()
}
