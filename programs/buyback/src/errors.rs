//! Every way an instruction can be refused. Numbers are never reused: append only.

use anchor_lang::prelude::*;

/// Why buyback refused.
#[error_code]
pub enum BuybackError {
    #[msg("Only the program's upgrade authority can initialise it")]
    NotUpgradeAuthority,
    #[msg("Only the admin can do this")]
    NotAdmin,
    #[msg("Only the proposed admin can accept")]
    NotPendingAdmin,
    #[msg("Only the guardian can do this")]
    NotGuardian,
    #[msg("An address of zero is not allowed here")]
    ZeroAddress,
    #[msg("The account is not the one recorded")]
    WrongAccount,
    #[msg("The mint is not IO by tokenomics, or not USDC with 6 decimals")]
    WrongMint,
    #[msg("The account's version is not one this program knows")]
    UnknownVersion,
    #[msg("The clock is before 1970 or before the auction's start")]
    InvalidClock,
    #[msg("A sum left the range of 64 bits")]
    Overflow,
    #[msg("A recorded total would contradict another; nothing was changed")]
    InvariantViolated,
    #[msg("This operation is paused by the guardian")]
    Paused,
    #[msg("The pause mask has bits that mean nothing")]
    PauseMaskInvalid,
    #[msg("A pause lasts at most seven days; renew it when it lapses")]
    PauseTooLong,
    #[msg("A parameter is out of its bounds")]
    ParamsInvalid,
    #[msg("Nothing that was proposed is waiting: it is in force, was dropped, or must be proposed first")]
    NothingProposed,
    #[msg("The notice period has not ended yet")]
    NoticeNotOver,
    #[msg("An auction has used the first price: only sales move it now")]
    FirstPriceSet,
    #[msg("No first price is announced")]
    NoFirstPrice,
    #[msg("The price is below the config's lowest or above the program's highest")]
    PriceOutOfBounds,
    #[msg("The earlier auction is open still: it must be bid on or closed first")]
    AuctionOpen,
    #[msg("This is not the next auction's number")]
    WrongNumber,
    #[msg("A day has not passed since the last auction's start")]
    TooEarly,
    #[msg("The vault holds less than the smallest lot")]
    LotTooSmall,
    #[msg("The auction was sold or closed")]
    AuctionClosed,
    #[msg("The auction's time has ended: nobody can bid any more")]
    AuctionOver,
    #[msg("The auction runs still")]
    AuctionRunning,
    #[msg("Bids were stopped during this auction: it takes no more, its lot goes to the next one")]
    AuctionVoid,
    #[msg("The lot costs more IO than the bid's limit")]
    CostAboveLimit,
    #[msg("The lot is smaller than the bid's limit")]
    LotBelowLimit,
    #[msg("The vault holds less than the lot")]
    VaultShort,
    #[msg("The vault holds nothing to burn")]
    NothingToBurn,
    #[msg("Only the proposed guardian can accept")]
    NotPendingGuardian,
    #[msg("The notice of another guardian has not ended yet")]
    GuardianNoticeNotOver,
    #[msg("The vault is frozen by the mint's issuer: it could not pay a bidder")]
    VaultFrozen,
}

ionet_common::named_refusals!(BuybackError);
