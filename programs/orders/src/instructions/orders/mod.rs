//! Orders: opened, cancelled, given back, closed.

mod cancel_order;
mod close_order;
mod create_order;
mod refund;

pub use {cancel_order::*, close_order::*, create_order::*, refund::*};
