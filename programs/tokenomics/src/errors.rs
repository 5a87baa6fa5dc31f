//! Every way an instruction can be refused. Numbers are never reused: append only.

use {anchor_lang::prelude::*, ionet_common::roles::Refusal};

/// Why tokenomics refused.
#[error_code]
pub enum TokenomicsError {
    #[msg("Only the program's upgrade authority can initialise it")]
    NotUpgradeAuthority,
    #[msg("Only the admin can do this")]
    NotAdmin,
    #[msg("Only the proposed admin can accept")]
    NotPendingAdmin,
    #[msg("Only the guardian can do this")]
    NotGuardian,
    #[msg("Only the allocation's beneficiary can do this")]
    NotBeneficiary,
    #[msg("Only the proposed beneficiary can accept")]
    NotPendingBeneficiary,
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
    #[msg("This is done before launch only")]
    AlreadyLaunched,
    #[msg("This is possible after launch only")]
    NotLaunched,
    #[msg("Allocations are added in order: the id is not the next one")]
    AllocationOutOfOrder,
    #[msg("The allocation's share at launch, cliff and tranches can't add up to its amount")]
    AllocationInvalid,
    #[msg("The allocations would pass the genesis supply")]
    AllocationsExceedGenesis,
    #[msg("The allocations don't add up to the genesis supply yet")]
    AllocationsIncomplete,
    #[msg("The emission's first month must start between now and a year from now")]
    StartMonthInvalid,
    #[msg("Nothing is due now; try again when the next hour or tranche has ended")]
    NothingDue,
    #[msg("This operation is paused by the guardian")]
    Paused,
    #[msg("The pause mask has bits that mean nothing")]
    PauseMaskInvalid,
    #[msg("A pause lasts at most seven days; renew it when it lapses")]
    PauseTooLong,
    #[msg("The destination is not the owner's associated token account for IO")]
    NotAssociatedAccount,
    #[msg("The season needs a root, at least one leaf, and pools that hold something")]
    SeasonInvalid,
    #[msg("Claims must open at least a day after the season is published")]
    SeasonNoticeTooShort,
    #[msg("Claims must stay open between 30 days and 10 years")]
    ClaimPeriodInvalid,
    #[msg("The season was vetoed, or its rest was paid back")]
    SeasonNotOpen,
    #[msg("The season was not vetoed, and its claims have not ended yet")]
    SeasonStillOpen,
    #[msg("Claims of this season have not opened yet")]
    ClaimsNotOpen,
    #[msg("Claims of this season have ended")]
    ClaimsEnded,
    #[msg("Claims of this season have opened: it can't be vetoed any more")]
    ClaimsOpen,
    #[msg("The page is past the season's last leaf")]
    PageOutOfRange,
    #[msg("The index is past the season's last leaf")]
    IndexOutOfRange,
    #[msg("The claim page is another season's or doesn't hold this index")]
    WrongPage,
    #[msg("This index was claimed before")]
    AlreadyClaimed,
    #[msg("The proof doesn't lead to the season's root")]
    InvalidProof,
    #[msg("The claims would pass the season's pools")]
    PoolsExhausted,
    #[msg("The rent goes back only to whoever paid it")]
    NotRentPayer,
    #[msg("The account is not the one recorded")]
    WrongAccount,
    #[msg("Only the proposed guardian can accept")]
    NotPendingGuardian,
    #[msg("The notice of another guardian has not ended yet")]
    GuardianNoticeNotOver,
    #[msg("Nothing that was proposed is waiting: it is in force, was dropped, or must be proposed first")]
    NothingProposed,
    #[msg("The account holds less than expected: tokens were burned or sent since; look at it again")]
    NotAsExpected,
}

impl From<Refusal> for TokenomicsError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::ZeroAddress => Self::ZeroAddress,
            Refusal::NothingProposed => Self::NothingProposed,
            Refusal::GuardianNoticeNotOver => Self::GuardianNoticeNotOver,
            Refusal::Paused => Self::Paused,
            Refusal::PauseMaskInvalid => Self::PauseMaskInvalid,
            Refusal::PauseTooLong => Self::PauseTooLong,
            Refusal::Overflow => Self::Overflow,
            // Of parameters, which this program has none of.
            Refusal::NoticeNotOver | Refusal::ParamsInvalid => Self::InvariantViolated,
        }
    }
}
