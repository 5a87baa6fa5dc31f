//! Limits and the supply's figures, all in the IDL, and the seeds of the addresses that sign.
//!
//! In account constraints seeds are written as literals: the framework then finds the address when
//! it compiles, and a check is one comparison instead of a hash and a curve test.

use {
    anchor_lang::prelude::*,
    ionet_common::{calendar::DAY, roles, supply},
};

/// Seed of the one [`Config`](crate::state::Config); it is the mint's authority and holds the genesis vault.
#[constant]
pub const CONFIG_SEED: &[u8] = b"config";
/// Seed of a [`Season`](crate::state::Season), with its number (u32, little endian).
#[constant]
pub const SEASON_SEED: &[u8] = b"season";

/// Decimals of the IO mint.
#[constant]
pub const IO_DECIMALS: u8 = supply::IO_DECIMALS;
/// Minted at launch, base units.
#[constant]
pub const GENESIS_SUPPLY: u64 = supply::GENESIS_SUPPLY;
/// Minted by emission over its whole life, base units.
#[constant]
pub const EMISSION_TOTAL: u64 = supply::EMISSION_TOTAL;
/// More than this can never have been minted, burned or not, base units.
#[constant]
pub const MAX_SUPPLY: u64 = supply::MAX_SUPPLY;
/// Months that the emission lasts.
#[constant]
pub const EMISSION_MONTHS: u32 = ionet_common::emission::EMISSION_MONTHS;

/// The emission's first month starts at most this long after launch, seconds.
#[constant]
pub const MAX_LAUNCH_AHEAD: u64 = 366 * DAY;
/// A season's claims open at least this long after its root is published, so that the guardian can veto it, seconds.
#[constant]
pub const SEASON_NOTICE: u64 = DAY;
/// A season's claims stay open at least this long, seconds.
#[constant]
pub const MIN_CLAIM_PERIOD: u64 = 30 * DAY;
/// A season's claims stay open at most this long, seconds.
#[constant]
pub const MAX_CLAIM_PERIOD: u64 = 3_650 * DAY;
/// Claims that one page records.
#[constant]
pub const PAGE_CLAIMS: u32 = 8_192;
/// Pools of a season: GPU suppliers, CPU suppliers, creators.
#[constant]
pub const POOLS: u8 = 3;

/// Pause bit: `emit`.
#[constant]
pub const PAUSE_EMISSION: u32 = 1;
/// Pause bit: `open_season`.
#[constant]
pub const PAUSE_SEASONS: u32 = 2;
/// A pause lapses after at most this long unless the guardian renews it, seconds.
#[constant]
pub const MAX_PAUSE: u64 = roles::MAX_PAUSE;

/// Another guardian is announced this long before it may accept, seconds.
#[constant]
pub const GUARDIAN_NOTICE: u64 = 7 * DAY;

/// Version byte of every account of this program.
#[constant]
pub const ACCOUNT_VERSION: u8 = 1;
