//! One file per account, and per part of one: its layout, its transitions as pure functions, its invariant.

mod block;
mod class;
mod co_stake;
mod config;
mod device;
mod known;
mod lease_outcome;
mod params;
mod post;
mod prices;
mod slash;
mod votes;
mod wallet;

pub use {
    block::*, class::*, co_stake::*, config::*, device::*, known::*, lease_outcome::*, params::*, post::*,
    prices::*, slash::*, votes::*, wallet::*,
};

/// In the IDL of a program that only reads these accounts they have no place: their names may be its own too.
#[cfg(all(feature = "idl-guest", not(feature = "idl-build")))]
mod guest {
    use {super::*, anchor_lang::idl_build::IdlAccountType};

    impl IdlAccountType for Class {}
    impl IdlAccountType for Config {}
    impl IdlAccountType for Device {}
}
