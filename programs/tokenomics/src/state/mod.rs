//! The accounts, each with the transitions that change it.
//!
//! An instruction that takes an existing allocation, season or page checks its owner and its
//! discriminator and doesn't derive its address again: only this program's own `init` makes such an
//! account, at the one address its seeds give, and its number is in its data. Nine derivations less
//! are 11 KB of binary and 500 units each.

mod allocation;
mod claim_page;
mod config;
mod known;
mod season;

pub use {allocation::*, claim_page::*, config::*, known::*, season::*};
