//! Admin, guardian, pause and parameters, as in every program.

mod accept_admin;
mod accept_guardian;
mod apply_params;
mod cancel_params;
mod propose_admin;
mod propose_guardian;
mod propose_params;
mod set_pause;

pub use {
    accept_admin::*, accept_guardian::*, apply_params::*, cancel_params::*, propose_admin::*,
    propose_guardian::*, propose_params::*, set_pause::*,
};

use {
    super::now,
    crate::{
        errors::BuybackError as E,
        state::{Config, Known},
    },
    anchor_lang::prelude::*,
};

/// What the admin alone proposes.
#[event_cpi]
#[derive(Accounts)]
pub struct AdminOnly {
    #[account(address = config.admin @ E::NotAdmin)]
    pub admin: Signer,
    #[account(mut, seeds = [b"config"], bump)]
    pub config: Known<Config>,
}

/// What the guardian alone does to the config: stop operations for a while, drop a proposal.
/// Burning fees and closing auctions have no pause bit.
#[event_cpi]
#[derive(Accounts)]
pub struct GuardianOnly {
    #[account(address = config.guardian @ E::NotGuardian)]
    pub guardian: Signer,
    #[account(mut, seeds = [b"config"], bump)]
    pub config: Known<Config>,
}
