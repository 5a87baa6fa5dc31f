//! Rewards hour by hour: operators attest a block, it becomes final after its challenge window, and wallets
//! claim by its root.

mod attest;
mod claim;
mod close_block;
mod finalise;
mod open_wallet;
mod veto_block;

pub use {attest::*, claim::*, close_block::*, finalise::*, open_wallet::*, veto_block::*};

use {
    super::now,
    crate::errors::StakingError as E,
    anchor_lang::prelude::*,
    ionet_common::emitter::{self, Emission},
};

/// Reads tokenomics' config, which the accounts' checks have compared with the recorded address.
fn emission(account: &UncheckedAccount) -> Result<Emission> {
    let data = account.account().try_borrow()?;
    Ok(emitter::read(&data).ok_or(E::NotLaunched)?)
}
