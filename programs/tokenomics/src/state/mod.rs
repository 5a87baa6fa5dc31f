//! The accounts, each with the transitions that change it.

mod allocation;
mod claim_page;
mod config;
mod season;

pub use {allocation::*, claim_page::*, config::*, season::*};
