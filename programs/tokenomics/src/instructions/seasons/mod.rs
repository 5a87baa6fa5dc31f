//! Airdrop seasons: publish and fund, veto, claim, pay back.

mod cancel_season;
mod claim_season;
mod close_claim_page;
mod close_season;
mod open_claim_page;
mod open_season;

pub use {
    cancel_season::*, claim_season::*, close_claim_page::*, close_season::*, open_claim_page::*,
    open_season::*,
};

use super::now;
