//! Who governs: admin and guardian with their successors, the parameters with their notice, the pause. All of
//! it behaves as `ionet_common::roles` says, in every program.

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
        errors::StakingError as E,
        state::{Config, Known},
    },
    anchor_lang::prelude::*,
};

/// What the admin alone changes in the config.
#[event_cpi]
#[derive(Accounts)]
pub struct AdminOnly {
    #[account(address = config.admin @ E::NotAdmin)]
    pub admin: Signer,
    #[account(mut, seeds = [b"config"], bump)]
    pub config: Known<Config>,
}

/// What the guardian alone does to the config: stop operations for a while, drop a proposal.
/// Exits have no pause bit: nobody can stop what already belongs to a user.
#[event_cpi]
#[derive(Accounts)]
pub struct GuardianOnly {
    #[account(address = config.guardian @ E::NotGuardian)]
    pub guardian: Signer,
    #[account(mut, seeds = [b"config"], bump)]
    pub config: Known<Config>,
}
