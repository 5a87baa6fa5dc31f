//! Limits and figures, all in the IDL, and the seeds of the addresses that sign.

use {
    anchor_lang::prelude::*,
    ionet_common::{
        calendar::{DAY, HOUR},
        notice, roles,
        supply::IO,
    },
};

/// Seed of the one [`Config`](crate::state::Config); it is the stake vault's authority.
#[constant]
pub const CONFIG_SEED: &[u8] = b"config";
/// Seed of the address that pays rewards out of tokenomics' reward vault.
#[constant]
pub const REWARD_AUTHORITY_SEED: &[u8] = b"reward_authority";

/// Minimum stake of a processor whose multiplier is at most 1, base units.
#[constant]
pub const MIN_STAKE: u64 = 200 * IO;
/// A multiplier of 1.
#[constant]
pub const MULTIPLIER_UNIT: u64 = 100;
/// A class's multiplier is at most this (x 1,000), in hundredths.
#[constant]
pub const MAX_MULTIPLIER: u16 = 50_000;
/// Processors of a device.
#[constant]
pub const MAX_PROCESSORS: u8 = 8;
/// Connectivity tiers: 1 low, 2 medium, 3 high, 4 ultra.
#[constant]
pub const MAX_TIER: u8 = 4;
/// Lamports that registering a device locks beside its rent; back when the device is closed.
#[constant]
pub const DEVICE_DEPOSIT: u64 = 10_000_000;

/// A co-staker's share of a device's rewards is at least this, basis points.
#[constant]
pub const MIN_REWARD_BPS: u16 = 500;
/// A co-stake is at most this part of the minimum, basis points.
#[constant]
pub const MAX_CO_STAKE_BPS: u64 = 5_000;
/// Co-stakes that a wallet can hold at a time.
#[constant]
pub const MAX_CO_STAKES: u8 = 2;

/// Operators at most.
#[constant]
pub const MAX_OPERATORS: u8 = 12;
/// Final roots that can be claimed from; older ones only after their wallets' newer leaves.
#[constant]
pub const KEPT_ROOTS: u32 = 48;
/// Hours past the next one to be finalised that can be attested already.
#[constant]
pub const MAX_HOURS_AHEAD: u32 = 48;

/// A stake's cooldown takes this long at most, seconds.
#[constant]
pub const MAX_COOLDOWN: u64 = 30 * DAY;
/// A co-stake that is left counts for this long at most before it cools, seconds.
#[constant]
pub const MAX_CO_STAKE_WAIT: u64 = 30 * DAY;
/// An agreed block can be challenged for this long at most, seconds.
#[constant]
pub const MAX_CHALLENGE_WINDOW: u64 = 7 * DAY;
/// A slash that was carried can be appealed for this long at most, seconds.
#[constant]
pub const MAX_APPEAL: u64 = 90 * DAY;
/// A change of the parameters is announced this long before its effect at most, seconds.
#[constant]
pub const MAX_NOTICE: u64 = 90 * DAY;
/// No change makes the notice shorter than this, seconds; a network may be created with a shorter one.
#[constant]
pub const MIN_NOTICE: u64 = notice::MIN_NOTICE;
/// No slash takes more of a stake than this, basis points.
#[constant]
pub const MAX_SLASH_BPS: u16 = 5_000;
/// A wallet's lifetime rewards may be held to this part of all, but not to less, basis points.
#[constant]
pub const MIN_WALLET_SHARE_BPS: u16 = 100;
/// All claims of an hour may be held to this, but not to less: more than twice the largest hour's
/// emission, so that whatever was not claimed drains though half is a reserve, base units.
#[constant]
pub const MIN_CLAIM_LIMIT: u64 = 10_000 * IO;
/// Of an hour's limit half is a reserve for claims that wallets sign themselves; each gets at most this
/// of it in an hour, base units.
#[constant]
pub const SMALL_CLAIM: u64 = 1_000 * IO;

/// Pause bit: registering, staking and taking offers.
#[constant]
pub const PAUSE_STAKING: u32 = 1;
/// Pause bit: finalising reward blocks.
#[constant]
pub const PAUSE_REWARDS: u32 = 2;
/// A pause lapses after at most this long unless the guardian renews it, seconds.
#[constant]
pub const MAX_PAUSE: u64 = roles::MAX_PAUSE;

/// Once a slash was decided or voided nothing staked on the device goes out for at least this long, so that
/// operators can vote again, or on other evidence, seconds.
#[constant]
pub const REVOTE: u64 = DAY;
/// Cooled stake that so long nobody could bring to its owner's associated token account, as that is frozen or somebody
/// else's, may go to any account of the owner, seconds: somebody else may wait for it to go.
#[constant]
pub const LATE: u64 = 7 * DAY;

/// A price in base units of its currency is at most this: a step on it stays within 64 bits.
#[constant]
pub const MAX_PRICE: u64 = 10_000_000 * IO;
/// A price moves by at most this in an hour, basis points.
#[constant]
pub const MAX_STEP: i16 = 1_250;
/// From this long on after its last step could have been renewed, a price binds nobody, seconds.
#[constant]
pub const STALE: u64 = DAY;
/// A step is announced at least this long before it holds, seconds.
#[constant]
pub const PRICE_NOTICE: u64 = 1_200;
/// Seconds of a tick, by which operators match.
#[constant]
pub const TICK: u64 = 30;

/// A device's first bar, seconds; each further strike doubles it.
#[constant]
pub const BAR: u64 = HOUR;
/// No bar is longer, seconds.
#[constant]
pub const MAX_BAR: u64 = DAY;
/// Strikes are forgotten once the device has served this long since the last, seconds.
#[constant]
pub const CLEAR: u64 = DAY;

/// Postings of an operator in an hour of the clock.
#[constant]
pub const MAX_POSTS: u16 = 512;
/// What can be posted: 1 the file of a wave, 2 the evidence of an hour, 3 the matches of a tick.
#[constant]
pub const POST_KINDS: u8 = 3;

/// Version byte of every account of this program.
#[constant]
pub const ACCOUNT_VERSION: u8 = 2;
