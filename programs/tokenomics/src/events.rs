//! One event for each change of state, sent by self-CPI: logs can be cut, inner instructions can't.
//! From these alone a reader rebuilds every balance. Amounts are base units, times unix seconds.

use anchor_lang::prelude::*;

/// The config, the mint and the vaults exist.
#[event]
pub struct Initialized {
    pub admin: Address,
    pub guardian: Address,
    pub mint: Address,
    pub staking_program: Address,
    pub reward_vault: Address,
}

/// A row of the genesis table.
#[event]
pub struct AllocationAdded {
    pub id: u8,
    pub label: [u8; 16],
    pub beneficiary: Address,
    pub amount: u64,
    pub tge_bps: u16,
    pub cliff_months: u16,
    pub tranches: u16,
    /// Sum of all rows so far.
    pub allocated: u64,
}

/// The genesis supply was minted and the emission's calendar fixed.
#[event]
pub struct Launched {
    pub at: u64,
    /// Months since January 1970.
    pub start_month: u32,
    pub minted: u64,
}

/// A beneficiary got what was due.
#[event]
pub struct Released {
    pub allocation: u8,
    pub beneficiary: Address,
    pub amount: u64,
    /// Of this allocation so far.
    pub released: u64,
    pub at: u64,
}

/// A beneficiary named a successor (zero withdraws the proposal).
#[event]
pub struct BeneficiaryProposed {
    pub allocation: u8,
    pub beneficiary: Address,
    pub pending: Address,
}

/// The successor took the allocation over.
#[event]
pub struct BeneficiaryChanged {
    pub allocation: u8,
    pub from: Address,
    pub to: Address,
}

/// A season was funded and its root published.
#[event]
pub struct SeasonOpened {
    pub season: u32,
    pub root: [u8; 32],
    /// SHA-256 of the published file of points.
    pub data_hash: [u8; 32],
    pub leaves: u32,
    /// GPU suppliers, CPU suppliers, creators.
    pub pools: [u64; 3],
    pub claim_start: u64,
    pub claim_end: u64,
    pub funder: Address,
}

/// A page of claim bits exists.
#[event]
pub struct ClaimPageOpened {
    pub season: u32,
    pub page: u32,
    pub payer: Address,
}

/// A page's rent went back.
#[event]
pub struct ClaimPageClosed {
    pub season: u32,
    pub page: u32,
    pub payer: Address,
}

/// A wallet got its season's amount.
#[event]
pub struct SeasonClaimed {
    pub season: u32,
    pub index: u32,
    pub wallet: Address,
    pub amount: u64,
    /// Of this season so far.
    pub claimed: u64,
}

/// The guardian vetoed a season before its claims opened.
#[event]
pub struct SeasonCancelled {
    pub season: u32,
    pub at: u64,
}

/// What nobody claimed of a season that was vetoed or has ended went back to its funder.
#[event]
pub struct SeasonClosed {
    pub season: u32,
    pub returned: u64,
    pub at: u64,
}

/// Ended hours were minted into the reward vault.
#[event]
pub struct Emitted {
    /// Hours minted before.
    pub from_hour: u64,
    /// Hours minted now.
    pub to_hour: u64,
    pub amount: u64,
    /// Of the whole emission so far.
    pub emitted: u64,
    pub at: u64,
}

/// Tokens were burned through this program.
#[event]
pub struct Burned {
    pub owner: Address,
    pub amount: u64,
    /// Burned directly on the token program since the last count.
    pub by_others: u64,
    /// Through this program and by others, so far.
    pub burned: u64,
}

/// Burns made directly on the token program were counted.
#[event]
pub struct BurnsCounted {
    pub amount: u64,
    /// Through this program and by others, so far.
    pub burned: u64,
    /// Of the mint.
    pub supply: u64,
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
