//! Every way an instruction can be refused. Numbers are never reused: append only.

use anchor_lang::prelude::*;

/// Why orders refused.
#[error_code]
pub enum OrdersError {
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
    #[msg("Only the order's renter can do this")]
    NotRenter,
    #[msg("Only the device's worker can accept")]
    NotWorker,
    #[msg("Only an operator or the device's supplier can match it")]
    NotMatcher,
    #[msg("Only the renter, the supplier or the worker can do this now")]
    NotParty,
    #[msg("An address of zero is not allowed here")]
    ZeroAddress,
    #[msg("The account's version is not one this program knows")]
    UnknownVersion,
    #[msg("The clock is before 1970")]
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
    #[msg("A fee or a duration is past its bound")]
    ParamsInvalid,
    #[msg("Nothing that was proposed is waiting: it is in force, was dropped, or must be proposed first")]
    NothingProposed,
    #[msg("The notice period has not ended yet")]
    NoticeNotOver,
    #[msg("The account is not the one recorded")]
    WrongAccount,
    #[msg("The mint is not that of the order's currency")]
    WrongMint,
    #[msg("A currency is 0 for IO or 1 for USDC")]
    CurrencyInvalid,
    #[msg("An order is for 1 to 10,000 devices, of which a gang needs at least 1")]
    DevicesInvalid,
    #[msg("A device has 1 to 8 processors")]
    ProcessorsInvalid,
    #[msg("An order is for 1 to 8,760 hours, extensions included")]
    HoursInvalid,
    #[msg("A tier is 1 to 4")]
    TierInvalid,
    #[msg("Urgency is 0 to 2, colocation 0 or 1")]
    WishInvalid,
    #[msg("An order names 1 to 8 different classes, the given one first")]
    ClassesInvalid,
    #[msg("An order names up to 8 different countries of two capital letters")]
    CountriesInvalid,
    #[msg("A price of zero is not allowed")]
    PriceInvalid,
    #[msg("The order takes no more devices")]
    OrderClosed,
    #[msg("The order's time for matching is over")]
    MatchingOver,
    #[msg("Every device of the order is matched")]
    OrderFull,
    #[msg("The order still looks for devices, or has leases")]
    OrderBusy,
    #[msg("The order has leases that wait or run, so that nothing is left to cancel")]
    NothingToCancel,
    #[msg("There is nothing to give back now")]
    NothingToRefund,
    #[msg("The device's class is not one that the order names")]
    WrongClass,
    #[msg("The device has not the number of processors that the order asks for")]
    WrongProcessors,
    #[msg("The device's tier is below what the order asks for")]
    TierTooLow,
    #[msg("The device is not in a country that the order allows")]
    WrongCountry,
    #[msg("The device is not let for this currency")]
    NotLet,
    #[msg("The price is above the most that the order pays")]
    PriceTooHigh,
    #[msg("Not used any more: a price comes from the class")]
    PriceChanged,
    #[msg("A renter can't rent its own device")]
    OwnDevice,
    #[msg("The lease is not of this order")]
    WrongOrder,
    #[msg("The lease is not of this device")]
    WrongDevice,
    #[msg("The lease's state doesn't allow this")]
    LeaseState,
    #[msg("The time to accept is over")]
    AcceptanceOver,
    #[msg("The lease has ended")]
    LeaseOver,
    #[msg("The lease is still owed money, or held by the guardian")]
    LeaseNotPaid,
    #[msg("A hold lasts at most seven days, comes once, and can only be shortened")]
    HoldInvalid,
    #[msg("Nothing of this lease is unpaid")]
    NothingUnpaid,
    #[msg("Good hours reach past now, or leave nothing to take back")]
    FaultInvalid,
    #[msg("This operator voted already")]
    AlreadyVoted,
    #[msg("The vote was carried already")]
    FaultDecided,
    #[msg("The rent goes back only to whoever paid it")]
    NotRentPayer,
    #[msg("The destination is not the owner's associated token account for the currency")]
    NotAssociatedAccount,
    #[msg("The lease is still there")]
    LeaseExists,
    #[msg("Only the proposed guardian can accept")]
    NotPendingGuardian,
    #[msg("The notice of another guardian has not ended yet")]
    GuardianNoticeNotOver,
    #[msg("It is not this operator's turn in that tick")]
    NotYourTurn,
    #[msg("The tick is not after the order's opening")]
    TickTooEarly,
    #[msg("Only operators match the order yet")]
    ExclusiveTime,
    #[msg("Only operators match a gang, or choose a colocated order's country")]
    OperatorsOnly,
    #[msg("The device's worker must sign a match by its supplier")]
    WorkerMustSign,
    #[msg("The device's terms are not older than the order")]
    TermsTooYoung,
    #[msg("The class has no price in this currency")]
    NotPriced,
    #[msg("The device asks for more than the price")]
    AskTooHigh,
    #[msg("The class's price is stale, and the ask is not within its bounds")]
    AskOutOfBounds,
    #[msg("The order's free money doesn't pay for the device at this price, or not for all that its gang still waits for")]
    NotFunded,
    #[msg("The gang's time to fill is over, or half over, or its leases aren't closed")]
    GangOver,
    #[msg("A lease ends at most seven days after its extension")]
    ExtensionTooLong,
    #[msg("The vote names another lease of this address")]
    WrongLease,
    #[msg("The payee's token account is missing, frozen or somebody else's; park_pay sets its money aside")]
    PayeeBlocked,
    #[msg("The payee's token account can be paid: settle pays it")]
    PayeePayable,
    #[msg("The fee vault can't be paid; park_fees sets the fees aside")]
    FeesBlocked,
    #[msg("The fee vault can be paid: settle or close_order pays it")]
    FeesPayable,
    #[msg("Nothing is due now")]
    NothingDue,
    #[msg("The order puts down more than the renter's limit: the fees have changed")]
    DepositAboveLimit,
    #[msg("The extension costs more than the renter's limit: the lease is not as it was shown")]
    ExtensionAboveLimit,
    #[msg("The lease hasn't the hours expected: it was extended, or is another one; look at it again")]
    NotAsExpected,
}

ionet_common::named_refusals!(OrdersError);
