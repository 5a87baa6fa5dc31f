//! One file per account: its layout, its transitions as pure functions, its invariant.

mod auction;
mod config;
mod known;
mod params;

pub use {auction::*, config::*, known::*, params::*};
