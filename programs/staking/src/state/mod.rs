//! One file per account: its layout, its transitions as pure functions, its invariant.

mod block;
mod class;
mod config;
mod device;
mod params;
mod slash;
mod wallet;

pub use {block::*, class::*, config::*, device::*, params::*, slash::*, wallet::*};
