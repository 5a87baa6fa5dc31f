//! One event for each change of state, sent by self-CPI: logs can be cut, inner instructions can't.
//! From these alone a reader rebuilds every balance. Amounts are base units of the order's currency, times
//! unix seconds. `BookProduct`, `Pay`, `Extend`, `Worked`, `Refund` and `Earn` are named, and begin with the fields, as
//! the network names them: a cluster is an order, a transaction a movement of an order's money by its number.
//! `Repurchase` is the buyback program's: IO is bought there, for many orders at a time.

use {
    crate::state::{Params, Terms},
    anchor_lang::prelude::*,
};

/// The config exists.
#[event]
pub struct Initialized {
    pub admin: Address,
    pub guardian: Address,
    pub io_mint: Address,
    pub usdc_mint: Address,
    pub io_fees: Address,
    pub usdc_fees: Address,
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

/// The proposal is in force, for orders opened from now on.
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

/// An order was opened.
#[event]
pub struct BookProduct {
    pub customer_id: Address,
    pub cluster_id: Address,
    /// 0 IO, 1 USDC.
    pub currency: u8,
    /// Of the first class: 0 GPU, 1 CPU, 2 Apple.
    pub hardware_type: u8,
    /// Processors.
    pub hardware_quantity: u32,
    /// At the highest price, with fees.
    pub total_cost: u64,
    /// Of all devices.
    pub compute_minutes_hired: u64,
    pub compute_minutes_worked: u64,
    pub worked_amount: u64,
    pub paid: u64,
    pub id: u64,
    pub at: u64,
    /// Until then operators alone match it.
    pub exclusive_until: u64,
    pub match_until: u64,
    pub accept_window: u64,
    pub settlement_lag: u64,
    pub renter_fee_bps: u16,
    pub supplier_fee_bps: u16,
    pub terms: Terms,
}

/// Money came in from the renter.
#[event]
pub struct Pay {
    pub transaction_id: u64,
    pub cluster_id: Address,
    pub amount: u64,
}

/// The renter added hours to a lease.
#[event]
pub struct Extend {
    pub cluster_id: Address,
    pub extended_minutes: u64,
    /// The principal of the new hours; the fee on them comes on top, in the `Pay`.
    pub extended_amount: u64,
    pub lease: Address,
    pub stop: u64,
}

/// Time served was paid for; or, with an amount of 0, only the rest of the renter's fee was charged.
#[event]
pub struct Worked {
    pub cluster_id: Address,
    /// Whole minutes served and paid since the start.
    pub compute_minutes: u64,
    /// Of the principal now: the supplier's part and its fee.
    pub amount: u64,
    pub transaction_id: u64,
    pub lease: Address,
    pub payout: Address,
    /// Of the amount, the network's.
    pub fee: u64,
    /// Beside the amount, the network's from the renter.
    pub renter_fee: u64,
    /// The lease's sum of amounts.
    pub paid: u64,
    /// Paid until here.
    pub until: u64,
}

/// Money went back to the renter.
#[event]
pub struct Refund {
    pub transaction_id: u64,
    pub cluster_id: Address,
    pub amount: u64,
}

/// Fees that were due went to the buyback program's vault: those of a `Worked`, and what was charged before and
/// had not left yet.
#[event]
pub struct Earn {
    pub transaction_id: u64,
    pub cluster_id: Address,
    pub amount: u64,
}

/// Fees that were due went to the parked vault, as the buyback program's can't be paid now.
#[event]
pub struct FeesParked {
    pub transaction_id: u64,
    pub cluster_id: Address,
    pub record: Address,
    pub mint: Address,
    /// The buyback program's vault.
    pub destination: Address,
    pub amount: u64,
    /// Paid the record's rent.
    pub payer: Address,
}

/// The supplier's part of a `Worked` went to the parked vault, as its payee can't be paid now.
#[event]
pub struct PayParked {
    pub lease: Address,
    pub record: Address,
    pub wallet: Address,
    pub mint: Address,
    /// The wallet's associated token account.
    pub destination: Address,
    pub amount: u64,
    /// Paid the record's rent.
    pub payer: Address,
}

/// What was parked went to its payee; the record is gone.
#[event]
pub struct ParkedPaid {
    pub record: Address,
    pub wallet: Address,
    pub mint: Address,
    pub destination: Address,
    pub amount: u64,
}

/// The renter wants no more devices; `open` were not matched, and `charged` is the fee on an hour of each.
#[event]
pub struct OrderCancelled {
    pub order: Address,
    pub open: u16,
    pub charged: u64,
}

/// The order's account is gone. `surplus` was in the vault beside the order's own money and went to the renter.
#[event]
pub struct OrderClosed {
    pub order: Address,
    pub reason: u8,
    pub deposit: u64,
    /// To suppliers, without any fee.
    pub paid: u64,
    pub fees: u64,
    pub refunded: u64,
    pub surplus: u64,
}

/// A device is set apart for an order, and the money for it.
#[event]
pub struct LeaseMatched {
    pub lease: Address,
    pub order: Address,
    pub device: Address,
    /// The device's, and so the order's if its devices must be together: two ASCII capital letters, ISO 3166-1; the
    /// bytes 67, 72 are `CH`.
    pub country: [u8; 2],
    pub supplier: Address,
    pub worker: Address,
    pub payout: Address,
    pub matcher: Address,
    /// The operator's tick; 0 when the supplier matched it.
    pub tick: u32,
    /// The device's leases so far, this one included, and when it was registered: they name the lease.
    pub number: u64,
    pub registered_at: u64,
    pub rate: u64,
    pub hours: u32,
    /// The principal and the renter's fee on it.
    pub held: u64,
    /// For a gang that isn't filled, the end of its time to fill.
    pub accept_until: u64,
}

/// The worker accepted: the hours begin, or, in a gang that isn't filled, wait for it.
#[event]
pub struct LeaseAccepted {
    pub lease: Address,
    pub order: Address,
    pub accepted_at: u64,
    /// 0 while the gang isn't filled.
    pub start: u64,
    pub stop: u64,
    /// When enough of the order's leases were accepted; 0 while not.
    pub filled_at: u64,
}

/// A gang was filled earlier, and this lease of it runs since `start`.
#[event]
pub struct LeaseStarted {
    pub lease: Address,
    pub order: Address,
    pub start: u64,
    pub stop: u64,
}

/// A lease ended, by an `EndReason`'s number. It is owed what `held` says, until `stop`, with the rest of the
/// renter's fee.
#[event]
pub struct LeaseEnded {
    pub lease: Address,
    pub order: Address,
    pub device: Address,
    pub reason: u8,
    pub stop: u64,
    pub held: u64,
    /// Free again.
    pub released: u64,
    /// Of what is free, the fee on an hour of a lease that the renter withdrew.
    pub charged: u64,
    /// The order's open places now.
    pub open: u16,
    /// The end of the order's matching now.
    pub match_until: u64,
}

/// The guardian holds a lease's unpaid money back, or shortened that.
#[event]
pub struct LeaseHeld {
    pub lease: Address,
    pub from: u64,
    pub until: u64,
}

/// An operator voted that a lease was not served.
#[event]
pub struct FaultVoted {
    pub lease: Address,
    /// The device's lease number and registration, which name the lease.
    pub number: u64,
    pub registered_at: u64,
    pub evidence: [u8; 32],
    pub good_hours: u32,
    pub operator: Address,
    /// Staking's revision that the votes are under.
    pub revision: u32,
    /// Operators that voted so far, by bit, under `revision`.
    pub votes: u16,
    /// Enough have.
    pub decided: bool,
}

/// A lease's account is gone.
#[event]
pub struct LeaseClosed {
    pub lease: Address,
    pub order: Address,
    pub device: Address,
}

/// A fault's account is gone.
#[event]
pub struct FaultClosed {
    pub lease: Address,
    pub evidence: [u8; 32],
    pub good_hours: u32,
}
