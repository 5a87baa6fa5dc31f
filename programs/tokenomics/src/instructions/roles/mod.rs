//! Admin, guardian and pause, as in every program.

mod accept_admin;
mod accept_guardian;
mod propose_admin;
mod propose_guardian;
mod set_pause;

pub use {accept_admin::*, accept_guardian::*, propose_admin::*, propose_guardian::*, set_pause::*};

use {
    super::now,
    crate::{
        errors::TokenomicsError as E,
        state::{Config, Known},
    },
    anchor_lang::prelude::*,
};

/// What the admin alone proposes: its own successor, or another guardian.
#[event_cpi]
#[derive(Accounts)]
pub struct AdminOnly {
    #[account(address = config.admin @ E::NotAdmin)]
    pub admin: Signer,
    #[account(mut, seeds = [b"config"], bump)]
    pub config: Known<Config>,
}
