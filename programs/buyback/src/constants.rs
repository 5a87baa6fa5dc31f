//! Limits and figures, all in the IDL, and the seeds of the addresses that sign.

use {
    anchor_lang::prelude::*,
    ionet_common::{calendar::DAY, notice, roles, supply::IO},
};

/// Seed of the one [`Config`](crate::state::Config); it is the fee vaults' authority.
#[constant]
pub const CONFIG_SEED: &[u8] = b"config";
/// Seed of a fee vault, followed by its mint.
#[constant]
pub const FEE_VAULT_SEED: &[u8] = b"fee_vault";
/// Seed of an [`Auction`](crate::state::Auction), followed by its number.
#[constant]
pub const AUCTION_SEED: &[u8] = b"auction";

/// Decimals of the USDC mint.
#[constant]
pub const USDC_DECIMALS: u8 = 6;
/// Base units in one USDC. A price is base units of IO for this much.
#[constant]
pub const USDC: u64 = 1_000_000;

/// From the start of an auction to the start of the next at least, seconds: the config's largest
/// lot is the most that is sold in a day.
#[constant]
pub const INTERVAL: u64 = DAY;

/// The largest lot may be this at most, base units of USDC (10 million).
#[constant]
pub const MAX_LOT: u64 = 10_000_000 * USDC;
/// The smallest lot may be this at least, base units of USDC: lots of dust would move the price for nothing.
#[constant]
pub const MIN_LOT: u64 = USDC;
/// No price is above this, base units of IO per USDC (a million IO).
#[constant]
pub const MAX_PRICE: u64 = 1_000_000 * IO;
/// An auction takes this long at least: a shorter one could pass unseen.
#[constant]
pub const MIN_DURATION: u64 = 3_600;
/// An auction takes this long at most.
#[constant]
pub const MAX_DURATION: u64 = 7 * DAY;
/// A change of the parameters is announced this long before its effect at least.
#[constant]
pub const MIN_NOTICE: u64 = notice::MIN_NOTICE;
/// A change of the parameters is announced this long before its effect at most.
#[constant]
pub const MAX_NOTICE: u64 = 90 * DAY;
/// An auction starts at this multiple of the reference price at least, basis points: a price that
/// could not rise would only fall.
#[constant]
pub const MIN_START_BPS: u32 = 11_000;
/// An auction starts at this multiple of the reference price at most, basis points.
#[constant]
pub const MAX_START_BPS: u32 = 50_000;
/// An auction ends at this part of the reference price at least, basis points: a lot is never given away.
#[constant]
pub const MIN_FLOOR_BPS: u16 = 1_000;
/// An auction ends at this part of the reference price at most, basis points: a price that nobody
/// pays must fall.
#[constant]
pub const MAX_FLOOR_BPS: u16 = 9_000;

/// The first lot is at most this part of a whole one, basis points: nobody has paid its price yet.
#[constant]
pub const FIRST_SHARE_BPS: u32 = 625;
/// A lot is never less than this part of a whole one, basis points.
#[constant]
pub const MIN_SHARE_BPS: u32 = 100;
/// A lot's share is at most this many times that of the last one sold.
#[constant]
pub const SHARE_GROWTH: u32 = 2;
/// A whole lot that is sold below the anchor price draws it down by this part of the difference, one in so
/// many; a smaller share draws it less in proportion.
#[constant]
pub const ANCHOR_FALL: u64 = 4;
/// An auction starts at this multiple of its floor at most: over more, the price would fall by too much in a
/// second.
#[constant]
pub const MAX_SPREAD: u64 = 256;

/// Pause bit: starting auctions.
#[constant]
pub const PAUSE_START: u32 = 1;
/// Pause bit: bidding, and with it starting. An auction that is open then takes no bid any more.
#[constant]
pub const PAUSE_BID: u32 = 2;
/// A pause lapses after at most this long unless the guardian renews it, seconds.
#[constant]
pub const MAX_PAUSE: u64 = roles::MAX_PAUSE;

/// Version byte of every account of this program.
#[constant]
pub const ACCOUNT_VERSION: u8 = 2;
