//! Classes of processors: what they are, their multiplier, the bounds of their prices. The admin changes them
//! with notice, and the guardian can drop each change before it holds.

mod add_class;
mod cancel_class;
mod change_bounds;
mod change_class;

pub use {add_class::*, cancel_class::*, change_bounds::*, change_class::*};

use {
    super::now,
    crate::{
        errors::StakingError as E,
        state::{Class, Config, Known},
    },
    anchor_lang::prelude::*,
};

/// The admin and the class that it changes.
#[event_cpi]
#[derive(Accounts)]
pub struct ChangeClass {
    #[account(address = config.admin @ E::NotAdmin)]
    pub admin: Signer,
    #[account(seeds = [b"config"], bump)]
    pub config: Known<Config>,
    #[account(mut)]
    pub class: Known<Class>,
}

/// The guardian and the class whose changes it drops.
#[event_cpi]
#[derive(Accounts)]
pub struct CancelClass {
    #[account(address = config.guardian @ E::NotGuardian)]
    pub guardian: Signer,
    #[account(seeds = [b"config"], bump)]
    pub config: Known<Config>,
    #[account(mut)]
    pub class: Known<Class>,
}
