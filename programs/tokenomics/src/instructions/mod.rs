//! One file per instruction: its accounts with their checks, and a thin handler.

// The accounts macro binds instruction arguments in generated functions that don't all read them.
#![allow(unused_variables)]

mod accept_admin;
mod accept_beneficiary;
mod accept_guardian;
mod add_allocation;
mod burn;
mod cancel_season;
mod claim_season;
mod close_claim_page;
mod close_season;
mod emit;
mod initialize;
mod launch;
mod open_claim_page;
mod open_season;
mod propose_admin;
mod propose_beneficiary;
mod propose_guardian;
mod release;
mod season_end;
mod set_pause;
mod sync_burned;

pub use {
    accept_admin::*, accept_beneficiary::*, accept_guardian::*, add_allocation::*, burn::*, cancel_season::*,
    claim_season::*, close_claim_page::*, close_season::*, emit::*, initialize::*, launch::*,
    open_claim_page::*, open_season::*, propose_admin::*, propose_beneficiary::*, propose_guardian::*,
    release::*, season_end::*, set_pause::*, sync_burned::*,
};

use {crate::errors::TokenomicsError as E, anchor_lang::prelude::*};

/// The clock's unix time; times are unsigned here, as signed division doesn't exist on chain.
fn now() -> Result<u64> {
    let clock = Clock::get()?;
    Ok(u64::try_from(clock.unix_timestamp).map_err(|_| E::InvalidClock)?)
}
