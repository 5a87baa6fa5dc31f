//! What a lease costs: one price for each class and currency, moved once an hour by a step that the operators
//! vote and anybody applies, and that the guardian can drop before it holds.

mod apply_price;
mod cancel_price;
mod close_prices;
mod vote_prices;

pub use {apply_price::*, cancel_price::*, close_prices::*, vote_prices::*};

use super::{now, CancelClass};
