//! The genesis table's rows, from their addition to their last payment.

mod accept_beneficiary;
mod add_allocation;
mod propose_beneficiary;
mod release;

pub use {accept_beneficiary::*, add_allocation::*, propose_beneficiary::*, release::*};

use super::now;
