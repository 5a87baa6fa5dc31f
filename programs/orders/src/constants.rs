//! Limits and figures, all in the IDL, and the seeds of the addresses that sign.

use {
    anchor_lang::prelude::*,
    ionet_common::{calendar::DAY, notice, roles},
};

/// Seed of an [`Order`](crate::state::Order), the authority of its vault.
#[constant]
pub const ORDER_SEED: &[u8] = b"order";
/// Seed of the one [`Config`](crate::state::Config), the authority of the parked vaults.
#[constant]
pub const CONFIG_SEED: &[u8] = b"config";
/// Seed of the address that may lease devices in staking.
#[constant]
pub const LEASE_AUTHORITY_SEED: &[u8] = b"lease_authority";

/// Decimals of the USDC mint.
#[constant]
pub const USDC_DECIMALS: u8 = 6;
/// Devices of an order at most.
#[constant]
pub const MAX_DEVICES: u16 = 10_000;
/// Hours of a lease at most, extensions included: a year.
#[constant]
pub const MAX_HOURS: u32 = 8_760;
/// Classes that an order can name.
#[constant]
pub const MAX_CLASSES: u8 = 8;
/// Countries that an order can name; none means any.
#[constant]
pub const MAX_COUNTRIES: u8 = 8;
/// Urgency: 0 ordinary, 1 soon, 2 now.
#[constant]
pub const MAX_URGENCY: u8 = 2;

/// Turns of a tick begin so many seconds after it: the slot of its snapshot is final by then.
#[constant]
pub const FIRST: u64 = 16;
/// Each operator's turn begins so many seconds after the one before.
#[constant]
pub const TURN: u64 = 6;
/// A tick can be matched until so many seconds after it.
#[constant]
pub const REACH: u64 = 120;
/// A renter that ends a lease early pays its fee on what was earned and on at most so much more, seconds.
#[constant]
pub const MIN_TAIL: u64 = DAY;
/// After an extension a lease ends at most so many seconds from now.
#[constant]
pub const MAX_EXTENSION: u64 = 7 * DAY;

/// A renter's fee on top of the principal is this at most, basis points.
#[constant]
pub const MAX_RENTER_FEE_BPS: u16 = 100;
/// A supplier's fee out of what it is paid is this at most, basis points.
#[constant]
pub const MAX_SUPPLIER_FEE_BPS: u16 = 100;
/// A renter's further fee on an order in USDC is this at most, basis points.
#[constant]
pub const MAX_USDC_FEE_BPS: u16 = 500;
/// A fee for an order's urgency is this at most, basis points.
#[constant]
pub const MAX_URGENCY_FEE_BPS: u16 = 500;
/// An order looks for devices for this long at most, seconds: a price is announced so long before it holds, at
/// least, so that a quote is exact for an order's whole window.
#[constant]
pub const MAX_MATCH_WINDOW: u64 = 1_200;
/// A match waits for its worker's acceptance for this long at most, seconds.
#[constant]
pub const MAX_ACCEPT_WINDOW: u64 = DAY;
/// Settlement stays this far behind the clock at most, seconds.
#[constant]
pub const MAX_SETTLEMENT_LAG: u64 = DAY;
/// A change of the parameters is announced this long before its effect at most, seconds.
#[constant]
pub const MAX_NOTICE: u64 = 90 * DAY;
/// No change makes the notice shorter than this, seconds; a network may be created with a shorter one.
#[constant]
pub const MIN_NOTICE: u64 = notice::MIN_NOTICE;
/// The guardian can hold a lease's unpaid money back for this long, once, seconds.
#[constant]
pub const MAX_HOLD: u64 = 7 * DAY;

/// Pause bit: creating and extending.
#[constant]
pub const PAUSE_ORDERS: u32 = 1;
/// Pause bit: matching and accepting.
#[constant]
pub const PAUSE_MATCHING: u32 = 2;
/// A pause lapses after at most this long unless the guardian renews it, seconds.
#[constant]
pub const MAX_PAUSE: u64 = roles::MAX_PAUSE;

/// Version byte of every account of this program.
#[constant]
pub const ACCOUNT_VERSION: u8 = 2;
