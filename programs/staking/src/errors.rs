//! Every way an instruction can be refused. Numbers are never reused: append only.

use anchor_lang::prelude::*;

/// Why staking refused.
#[error_code]
pub enum StakingError {
    #[msg("Only the program's upgrade authority can initialise it")]
    NotUpgradeAuthority,
    #[msg("Only the admin can do this")]
    NotAdmin,
    #[msg("Only the proposed admin can accept")]
    NotPendingAdmin,
    #[msg("Only the guardian can do this")]
    NotGuardian,
    #[msg("Only an operator can do this")]
    NotOperator,
    #[msg("Only the device's supplier can do this")]
    NotSupplier,
    #[msg("Only the device's co-staker can do this")]
    NotCoStaker,
    #[msg("An address of zero is not allowed here")]
    ZeroAddress,
    #[msg("An amount of zero is not allowed here")]
    ZeroAmount,
    #[msg("The account's version is not one this program knows")]
    UnknownVersion,
    #[msg("The clock is before 1970 or past the calendar's end")]
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
    #[msg("A duration or share is zero or past its bound")]
    ParamsInvalid,
    #[msg("Operators must be 1 to 12 different addresses, and the threshold more than half of them")]
    OperatorsInvalid,
    #[msg("Nothing that was proposed is waiting: it is in force, was dropped, or must be proposed first")]
    NothingProposed,
    #[msg("The notice period has not ended yet")]
    NoticeNotOver,
    #[msg("The class's name is empty, its pool or kind unknown, or its multiplier too large")]
    ClassInvalid,
    #[msg("There is no such class")]
    UnknownClass,
    #[msg("The class is not the device's")]
    WrongClass,
    #[msg("A device has 1 to 8 processors")]
    ProcessorsInvalid,
    #[msg("A tier is 1 to 4")]
    TierInvalid,
    #[msg("A country is two capital letters")]
    CountryInvalid,
    #[msg("The device was terminated")]
    DeviceTerminated,
    #[msg("The device is leased: wait for the lease's end")]
    DeviceLeased,
    #[msg("The device is not terminated, or still holds stake")]
    DeviceNotEmpty,
    #[msg("A slash of this device is not resolved yet, or was so shortly that another may come")]
    SlashPending,
    #[msg("The earlier stake is cooling: withdraw it first")]
    StillCooling,
    #[msg("Nothing is staked here")]
    NothingStaked,
    #[msg("More than the overflow, or of what beside a co-stake must be the supplier's own; unstake takes everything, with a cooldown")]
    ExceedsOverflow,
    #[msg("Nothing can be withdrawn now: the cooldown has not ended, or nothing cools")]
    NothingToWithdraw,
    #[msg("An offer is open already")]
    OfferOpen,
    #[msg("No offer is open")]
    NoOffer,
    #[msg("An offer asks for at most half of the minimum, and the own stake must cover the rest")]
    OfferInvalid,
    #[msg("A co-staker's share is between 5 and 100 percent")]
    RewardShareInvalid,
    #[msg("The offer is not the one expected")]
    OfferChanged,
    #[msg("The device has a co-staker")]
    CoStakerPresent,
    #[msg("The supplier and the worker can't co-stake their own device")]
    OwnCoStake,
    #[msg("A wallet holds at most two co-stakes")]
    TooManyCoStakes,
    #[msg("The hour has not ended yet")]
    HourNotEnded,
    #[msg("The hour is final already, or too far ahead")]
    HourOutOfRange,
    #[msg("The total is below the last final one, or above what the hours have emitted")]
    TotalOutOfRange,
    #[msg("It is not agreed on by enough operators")]
    NotAgreed,
    #[msg("It is agreed on or final already")]
    AlreadyAgreed,
    #[msg("The challenge window is open")]
    ChallengeOpen,
    #[msg("The block is final: nothing can be said against it any more")]
    ChallengeOver,
    #[msg("Blocks are finalised in the order of their hours")]
    BlockOutOfOrder,
    #[msg("The operators or the config changed: it must be attested anew")]
    StaleConfig,
    #[msg("The block is not final, or too old to claim from")]
    RootNotClaimable,
    #[msg("The proof doesn't lead to the block's root")]
    InvalidProof,
    #[msg("Everything in this leaf was claimed before")]
    NothingToClaim,
    #[msg("The wallet has all that its share since its account was opened allows")]
    WalletLimit,
    #[msg("The block may still be claimed from")]
    BlockStillKept,
    #[msg("The destination is not the owner's associated token account for IO")]
    NotAssociatedAccount,
    #[msg("A slash takes between 1 basis point and the config's maximum")]
    SlashInvalid,
    #[msg("The slash is not in the state that this needs")]
    SlashState,
    #[msg("This operator voted for this already")]
    AlreadyVoted,
    #[msg("The appeal period has not ended")]
    AppealOpen,
    #[msg("The appeal period has ended")]
    AppealOver,
    #[msg("The rent goes back only to whoever paid it")]
    NotRentPayer,
    #[msg("The account is not the one recorded")]
    WrongAccount,
    #[msg("Tokenomics is not launched yet")]
    NotLaunched,
    #[msg("Only the orders program can lease devices and free them")]
    NotOrders,
    #[msg("The stake on the device is below its minimum")]
    StakeInsufficient,
    #[msg("The device is not held by this lease")]
    WrongLease,
    #[msg("The outcome is not one that is counted here")]
    OutcomeInvalid,
    #[msg("Only the proposed guardian can accept")]
    NotPendingGuardian,
    #[msg("The notice of another guardian has not ended yet")]
    GuardianNoticeNotOver,
    #[msg("All that may be paid in this hour was paid; the next hour pays on")]
    ClaimLimit,
    #[msg("Only the device's worker can do this")]
    NotWorker,
    #[msg("The class is not open yet, or was cancelled before it was")]
    ClassNotOpen,
    #[msg("A currency's prices are all zero, or 1 <= low <= price <= high, and high at most 10^15")]
    PricesInvalid,
    #[msg("The prices of an hour are voted and applied in the next one, up to 20 minutes before its end")]
    PriceWindow,
    #[msg("A step is at most 1,250 basis points up or down")]
    StepTooLarge,
    #[msg("The class has the step of this hour, or of a later one, already")]
    StepApplied,
    #[msg("The hour's prices can still be voted or applied")]
    PricesStillOpen,
    #[msg("The device is barred for a while: it left a place unserved")]
    DeviceBarred,
    #[msg("The device's last lease was for this order: an order leases it once")]
    OrderServed,
    #[msg("A flag is 0 or 1")]
    FlagInvalid,
    #[msg("The slash is of an earlier device at this address")]
    DeviceReplaced,
    #[msg("A posting is of kind 1 (wave), 2 (evidence) or 3 (batch)")]
    PostInvalid,
    #[msg("An operator posts at most 512 times in an hour")]
    PostLimit,
    #[msg(
        "The supplier's stake on the device is not the one expected: it has changed since; look at it again"
    )]
    NotAsExpected,
}

ionet_common::named_refusals!(StakingError);
