//! One event for each change of state, sent by self-CPI: logs can be cut, inner instructions can't.
//! From these alone a reader rebuilds every balance. Amounts are base units, times unix seconds.

use {
    crate::state::{Bounds, ClassPrices, Params},
    anchor_lang::prelude::*,
};

/// The config and the stake vault exist.
#[event]
pub struct Initialized {
    pub admin: Address,
    pub guardian: Address,
    pub mint: Address,
    pub stake_vault: Address,
    pub reward_vault: Address,
    pub lease_authority: Address,
    pub params: Params,
}

/// Parameters were proposed, in force from `at` on once applied.
#[event]
pub struct ParamsProposed {
    pub params: Params,
    pub at: u64,
}

/// The guardian dropped the proposal.
#[event]
pub struct ParamsCancelled {
    pub revision: u32,
}

/// The proposal is in force; votes of slots whose key changed are void.
#[event]
pub struct ParamsApplied {
    pub revision: u32,
}

/// The guardian set or lifted a pause.
#[event]
pub struct PauseSet {
    pub mask: u32,
    pub until: u64,
}

/// The admin named a successor (zero withdraws the proposal).
#[event]
pub struct AdminProposed {
    pub admin: Address,
    pub pending: Address,
}

/// The successor took over.
#[event]
pub struct AdminChanged {
    pub from: Address,
    pub to: Address,
}

/// The admin named another guardian, who may accept from `at` on (zeros withdraw the proposal).
#[event]
pub struct GuardianProposed {
    /// In office until then.
    pub guardian: Address,
    pub pending: Address,
    pub at: u64,
}

/// Another guardian took over.
#[event]
pub struct GuardianChanged {
    pub from: Address,
    pub to: Address,
}

/// A class of processors was added.
#[event]
pub struct ClassAdded {
    pub id: u16,
    pub name: [u8; 24],
    /// Holds from `opens_at` on.
    pub multiplier: u16,
    pub pool: u8,
    pub kind: u8,
    pub prices: ClassPrices,
    pub opens_at: u64,
}

/// A class's multiplier changes at `at`.
#[event]
pub struct ClassChanged {
    pub id: u16,
    pub from: u16,
    pub to: u16,
    pub at: u64,
}

/// A class's bounds change at `at`.
#[event]
pub struct BoundsChanged {
    pub id: u16,
    pub bounds: Bounds,
    pub at: u64,
    /// The prices of now, and when that is: what held by then was written down.
    pub price_io: u64,
    pub price_usdc: u64,
    pub now: u64,
}

/// The guardian dropped what was announced of a class and didn't hold yet; each figure is what it is now.
#[event]
pub struct ClassCancelled {
    pub id: u16,
    /// 0 when no multiplier waits any more.
    pub pending_at: u64,
    /// 0 when no bounds wait any more.
    pub bounds_at: u64,
    /// The largest number when the class never opens.
    pub opens_at: u64,
}

/// An operator voted the root over an hour's steps.
#[event]
pub struct PricesVoted {
    pub hour: u32,
    pub operator: Address,
    pub root: [u8; 32],
    /// Enough have: the steps can be applied.
    pub agreed: bool,
    pub revision: u32,
}

/// A class's step is announced: it holds from two hours after `hour` began.
#[event]
pub struct PriceApplied {
    pub class: u16,
    pub hour: u32,
    pub step_io: i16,
    pub step_usdc: i16,
    /// The prices before it.
    pub price_io: u64,
    pub price_usdc: u64,
    pub at: u64,
}

/// The guardian dropped a class's announced step.
#[event]
pub struct PriceCancelled {
    pub class: u16,
    pub hour: u32,
}

/// The account of an hour's steps is gone, its rent went back.
#[event]
pub struct PricesClosed {
    pub hour: u32,
}

/// A wallet can earn and claim.
#[event]
pub struct WalletOpened {
    pub wallet: Address,
    pub opened_total: u64,
}

/// A device was registered.
#[event]
pub struct DeviceRegistered {
    pub device: Address,
    pub worker: Address,
    pub supplier: Address,
    pub payout: Address,
    pub class: u16,
    pub processors: u8,
    pub tier: u8,
    pub country: [u8; 2],
    pub ask_io: u64,
    pub ask_usdc: u64,
    pub worker_may_end: u8,
    pub at: u64,
}

/// What its supplier states of it changed, or its worker took its asks away.
#[event]
pub struct DeviceChanged {
    pub device: Address,
    pub tier: u8,
    pub country: [u8; 2],
    pub ask_io: u64,
    pub ask_usdc: u64,
    pub worker_may_end: u8,
    /// Orders opened before or at that time don't get the device.
    pub changed_at: u64,
}

/// Another wallet gets the supplier's rewards.
#[event]
pub struct PayoutChanged {
    pub device: Address,
    pub from: Address,
    pub to: Address,
    /// Orders opened before or at that time don't get the device.
    pub changed_at: u64,
}

/// The device earns and is leased no more.
#[event]
pub struct DeviceTerminated {
    pub device: Address,
    pub at: u64,
}

/// The device's account is gone, its lamports went back.
#[event]
pub struct DeviceClosed {
    pub device: Address,
    pub supplier: Address,
}

/// Own stake came in.
#[event]
pub struct Staked {
    pub device: Address,
    pub supplier: Address,
    pub amount: u64,
    /// The own stake now.
    pub own: u64,
    pub sufficient_since: u64,
}

/// Own stake that the minimum didn't need went back.
#[event]
pub struct OverflowWithdrawn {
    pub device: Address,
    pub supplier: Address,
    pub amount: u64,
    /// The own stake now.
    pub own: u64,
}

/// The own stake, and a co-stake with it, started to cool.
#[event]
pub struct Unstaked {
    pub device: Address,
    pub supplier: Address,
    pub own: u64,
    pub co: u64,
    pub until: u64,
}

/// Cooled own stake went back.
#[event]
pub struct Withdrawn {
    pub device: Address,
    pub supplier: Address,
    pub amount: u64,
}

/// The supplier looks for a co-staker.
#[event]
pub struct OfferOpened {
    pub device: Address,
    pub amount: u64,
    pub reward_bps: u16,
}

/// The supplier withdrew its offer.
#[event]
pub struct OfferClosed {
    pub device: Address,
}

/// A co-staker took the offer.
#[event]
pub struct CoStaked {
    pub device: Address,
    pub staker: Address,
    pub amount: u64,
    pub reward_bps: u16,
    /// A co-staker that was leaving and made room, zero for none; its cooldown started.
    pub replaced: Address,
    pub sufficient_since: u64,
}

/// A co-staker leaves: the wait ends, and its cooldown starts, at `until`.
#[event]
pub struct CoStakerLeft {
    pub device: Address,
    pub staker: Address,
    pub until: u64,
}

/// A cooled co-stake went back.
#[event]
pub struct CoStakeWithdrawn {
    pub device: Address,
    pub staker: Address,
    pub amount: u64,
}

/// Time or a class's change was written down in a device.
#[event]
pub struct DeviceSettled {
    pub device: Address,
    pub counted: u64,
    pub minimum: u64,
    pub sufficient_since: u64,
}

/// An operator said what an hour's block is.
#[event]
pub struct Attested {
    pub hour: u32,
    pub operator: Address,
    pub root: [u8; 32],
    pub total: u64,
    pub devices: u32,
    pub data_hash: [u8; 32],
    /// Another operator has said something else.
    pub conflict: bool,
    /// Enough operators say the same: the challenge window runs from `at` on.
    pub agreed: bool,
    pub at: u64,
}

/// The operators changed so that too few still say what was agreed: the block is open again, and what those
/// who stayed said stands.
#[event]
pub struct BlockReopened {
    pub hour: u32,
    pub revision: u32,
}

/// The guardian vetoed a block before it was final.
#[event]
pub struct BlockVetoed {
    pub hour: u32,
    pub root: [u8; 32],
    pub vetoes: u8,
}

/// A block's root pays.
#[event]
pub struct BlockFinalised {
    pub hour: u32,
    pub root: [u8; 32],
    pub total: u64,
    pub devices: u32,
    pub data_hash: [u8; 32],
}

/// A block's account is gone, its rent went back.
#[event]
pub struct BlockClosed {
    pub hour: u32,
}

/// A wallet got rewards: all of its leaf, or what its share and the hour's limit allowed.
#[event]
pub struct RewardClaimed {
    pub wallet: Address,
    pub amount: u64,
    /// Lifetime rewards of the wallet that are paid now.
    pub claimed: u64,
    /// The block whose root was claimed by.
    pub hour: u32,
    /// The clock's hour, from 1970.
    pub claim_hour: u64,
    /// Paid to all in that hour.
    pub claimed_in_hour: u64,
    /// What of `amount` came out of the reserve for small claims.
    pub reserve: u64,
    /// Taken out of the reserve by all in that hour.
    pub reserve_in_hour: u64,
}

/// An operator voted to slash a device.
#[event]
pub struct SlashVoted {
    pub device: Address,
    pub evidence: [u8; 32],
    pub bps: u16,
    pub operator: Address,
    /// Enough have for this part: the supplier can appeal until `appeal_until`.
    pub pending: bool,
    pub appeal_until: u64,
}

/// The supplier appealed.
#[event]
pub struct SlashAppealed {
    pub device: Address,
    pub evidence: [u8; 32],
    pub statement: [u8; 32],
}

/// The guardian vetoed a slash.
#[event]
pub struct SlashVetoed {
    pub device: Address,
    pub evidence: [u8; 32],
    /// Until when nothing staked on the device goes out.
    pub frozen_until: u64,
}

/// The operators changed so that too few still voted for a pending slash: they may vote again, and at least
/// until `frozen_until` nothing staked on the device goes out.
#[event]
pub struct SlashVoided {
    pub device: Address,
    pub evidence: [u8; 32],
    pub revision: u32,
    pub frozen_until: u64,
}

/// Stake was burned.
#[event]
pub struct Slashed {
    pub device: Address,
    pub evidence: [u8; 32],
    pub bps: u16,
    pub burned: u64,
    /// What is left of each stake on the device.
    pub own: u64,
    pub own_cooling: u64,
    pub co: u64,
    pub leaving: u64,
    /// Until when nothing staked on the device goes out.
    pub frozen_until: u64,
}

/// The orders program leased the device.
#[event]
pub struct DeviceLeased {
    pub device: Address,
    pub lease: Address,
    pub order: Address,
    /// When the order was opened.
    pub opened_at: u64,
    /// The device's leases so far, this one included.
    pub number: u64,
}

/// The device can be leased again, once no bar holds. What became of the lease was counted: the counters are
/// the device's now.
#[event]
pub struct DeviceFreed {
    pub device: Address,
    pub lease: Address,
    pub outcome: u8,
    pub hired_seconds: u64,
    pub leases_done: u64,
    pub leases_failed: u64,
    pub disputes: u64,
    pub strikes: u8,
    pub barred_until: u64,
}

/// What was found later about a lease was counted; the counters are the device's now.
#[event]
pub struct LeaseRecorded {
    pub device: Address,
    pub outcome: u8,
    pub hired_seconds: u64,
    pub leases_done: u64,
    pub leases_failed: u64,
    pub disputes: u64,
}

/// An operator stated the hash of a file; the first posting of a kind, number and slot counts.
#[event]
pub struct Posted {
    pub operator: Address,
    /// The hour of the emission, or the market's tick.
    pub number: u32,
    /// 1 wave, 2 evidence, 3 batch.
    pub kind: u8,
    /// The slot that the file is about.
    pub slot: u64,
    pub hash: [u8; 32],
    /// The slot of the posting.
    pub now_slot: u64,
    pub at: u64,
}
