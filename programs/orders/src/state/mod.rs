//! One file per account: its layout, its transitions as pure functions, its invariant.

mod config;
mod fault;
mod known;
mod lease;
mod order;
mod params;
mod parked;
mod terms;

pub use {config::*, fault::*, known::*, lease::*, order::*, params::*, parked::*, terms::*};

pub use staking::state::Currency;
