//! Configs and auctions to begin from.

// Each test binary uses some of these.
#![allow(dead_code)]

use {
    anchor_lang::{bytemuck::Zeroable, prelude::*},
    buyback::{
        constants::*,
        errors::BuybackError as E,
        state::{Auction, Config, Params, Terms},
    },
    ionet_common::{calendar::DAY, supply::IO},
};

pub const BIDDER: Address = Address::new_from_array([7; 32]);
pub const ADMIN: Address = Address::new_from_array([6; 32]);
pub const GUARDIAN: Address = Address::new_from_array([8; 32]);
pub const HEIR: Address = Address::new_from_array([9; 32]);
pub const NOW: u64 = 1_720_000_000;
pub const PRICE: u64 = 4 * IO;
/// Basis points of a whole lot.
pub const WHOLE: u32 = 10_000;

#[track_caller]
pub fn refused<T>(result: Result<T>, error: E) {
    let found = result.err().expect("it succeeded");
    assert_eq!(found, ProgramError::from(error));
}

pub fn params() -> Params {
    Params {
        max_lot: 10_000 * USDC,
        min_lot: 100 * USDC,
        min_price: IO / 100,
        duration: DAY,
        notice: 7 * DAY,
        start_bps: 20_000,
        floor_bps: 5_000,
        _pad: [0; 2],
    }
}

/// A config as it begins.
pub fn fresh() -> Config {
    let mut config = Config { version: ACCOUNT_VERSION, ..Config::zeroed() };
    config.begin(ADMIN, GUARDIAN, params()).unwrap();
    config
}

/// A config as after sales of whole lots at [`PRICE`]; its counters stand at 0.
pub fn config() -> Config {
    Config { reference_price: PRICE, anchor_price: PRICE, next_share_bps: WHOLE, ..fresh() }
}

pub fn auction(terms: &Terms) -> Auction {
    Auction {
        version: ACCOUNT_VERSION,
        lot: terms.lot,
        share_bps: terms.share_bps,
        start_price: terms.start_price,
        floor_price: terms.floor_price,
        started_at: NOW,
        ends_at: terms.ends_at,
        ..Auction::zeroed()
    }
}

/// Terms of a whole lot of so many base units, from one price to another.
pub fn terms(lot: u64, start_price: u64, floor_price: u64, ends_at: u64) -> Terms {
    Terms { lot, share_bps: WHOLE, start_price, floor_price, ends_at }
}
