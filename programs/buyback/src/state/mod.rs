//! One file per account: its layout, its transitions as pure functions, its invariant.

mod auction;
mod config;
mod params;

pub use {auction::*, config::*, params::*};
