// Written by python -m scripts.web_texts from idl/: change it there.

type Errors = Record<number, readonly [name: string, words: string]>;

/** By a program's address. */
export const ERRORS: Record<string, Errors> = {
 "EUo8NUme2md4PjYcKvcX7tNrE3GQGoJt7sYDJqfmiKcx": {
  "6000": [
   "NotUpgradeAuthority",
   "Only the program's upgrade authority can initialise it"
  ],
  "6001": [
   "NotAdmin",
   "Only the admin can do this"
  ],
  "6002": [
   "NotPendingAdmin",
   "Only the proposed admin can accept"
  ],
  "6003": [
   "NotGuardian",
   "Only the guardian can do this"
  ],
  "6004": [
   "NotBeneficiary",
   "Only the allocation's beneficiary can do this"
  ],
  "6005": [
   "NotPendingBeneficiary",
   "Only the proposed beneficiary can accept"
  ],
  "6006": [
   "ZeroAddress",
   "An address of zero is not allowed here"
  ],
  "6007": [
   "ZeroAmount",
   "An amount of zero is not allowed here"
  ],
  "6008": [
   "UnknownVersion",
   "The account's version is not one this program knows"
  ],
  "6009": [
   "InvalidClock",
   "The clock is before 1970 or past the calendar's end"
  ],
  "6010": [
   "Overflow",
   "A sum left the range of 64 bits"
  ],
  "6011": [
   "InvariantViolated",
   "A recorded total would contradict another; nothing was changed"
  ],
  "6012": [
   "AlreadyLaunched",
   "This is done before launch only"
  ],
  "6013": [
   "NotLaunched",
   "This is possible after launch only"
  ],
  "6014": [
   "AllocationOutOfOrder",
   "Allocations are added in order: the id is not the next one"
  ],
  "6015": [
   "AllocationInvalid",
   "The allocation's share at launch, cliff and tranches can't add up to its amount"
  ],
  "6016": [
   "AllocationsExceedGenesis",
   "The allocations would pass the genesis supply"
  ],
  "6017": [
   "AllocationsIncomplete",
   "The allocations don't add up to the genesis supply yet"
  ],
  "6018": [
   "StartMonthInvalid",
   "The emission's first month must start between now and a year from now"
  ],
  "6019": [
   "NothingDue",
   "Nothing is due now; try again when the next hour or tranche has ended"
  ],
  "6020": [
   "Paused",
   "This operation is paused by the guardian"
  ],
  "6021": [
   "PauseMaskInvalid",
   "The pause mask has bits that mean nothing"
  ],
  "6022": [
   "PauseTooLong",
   "A pause lasts at most seven days; renew it when it lapses"
  ],
  "6023": [
   "NotAssociatedAccount",
   "The destination is not the owner's associated token account for IO"
  ],
  "6024": [
   "SeasonInvalid",
   "The season needs a root, at least one leaf, and pools that hold something"
  ],
  "6025": [
   "SeasonNoticeTooShort",
   "Claims must open at least a day after the season is published"
  ],
  "6026": [
   "ClaimPeriodInvalid",
   "Claims must stay open between 30 days and 10 years"
  ],
  "6027": [
   "SeasonNotOpen",
   "The season was vetoed, or its rest was paid back"
  ],
  "6028": [
   "SeasonStillOpen",
   "The season was not vetoed, and its claims have not ended yet"
  ],
  "6029": [
   "ClaimsNotOpen",
   "Claims of this season have not opened yet"
  ],
  "6030": [
   "ClaimsEnded",
   "Claims of this season have ended"
  ],
  "6031": [
   "ClaimsOpen",
   "Claims of this season have opened: it can't be vetoed any more"
  ],
  "6032": [
   "PageOutOfRange",
   "The page is past the season's last leaf"
  ],
  "6033": [
   "IndexOutOfRange",
   "The index is past the season's last leaf"
  ],
  "6034": [
   "WrongPage",
   "The claim page is another season's or doesn't hold this index"
  ],
  "6035": [
   "AlreadyClaimed",
   "This index was claimed before"
  ],
  "6036": [
   "InvalidProof",
   "The proof doesn't lead to the season's root"
  ],
  "6037": [
   "PoolsExhausted",
   "The claims would pass the season's pools"
  ],
  "6038": [
   "NotRentPayer",
   "The rent goes back only to whoever paid it"
  ],
  "6039": [
   "WrongAccount",
   "The account is not the one recorded"
  ],
  "6040": [
   "NotPendingGuardian",
   "Only the proposed guardian can accept"
  ],
  "6041": [
   "GuardianNoticeNotOver",
   "The notice of another guardian has not ended yet"
  ],
  "6042": [
   "NothingProposed",
   "Nothing that was proposed is waiting: it is in force, was dropped, or must be proposed first"
  ],
  "6043": [
   "NotAsExpected",
   "The account holds less than expected: tokens were burned or sent since; look at it again"
  ]
 },
 "D4pBv5fxVpoMtTBRezVr1h8HTywCY6NwvzCCkfzoPuCC": {
  "6000": [
   "NotUpgradeAuthority",
   "Only the program's upgrade authority can initialise it"
  ],
  "6001": [
   "NotAdmin",
   "Only the admin can do this"
  ],
  "6002": [
   "NotPendingAdmin",
   "Only the proposed admin can accept"
  ],
  "6003": [
   "NotGuardian",
   "Only the guardian can do this"
  ],
  "6004": [
   "NotOperator",
   "Only an operator can do this"
  ],
  "6005": [
   "NotSupplier",
   "Only the device's supplier can do this"
  ],
  "6006": [
   "NotCoStaker",
   "Only the device's co-staker can do this"
  ],
  "6007": [
   "ZeroAddress",
   "An address of zero is not allowed here"
  ],
  "6008": [
   "ZeroAmount",
   "An amount of zero is not allowed here"
  ],
  "6009": [
   "UnknownVersion",
   "The account's version is not one this program knows"
  ],
  "6010": [
   "InvalidClock",
   "The clock is before 1970 or past the calendar's end"
  ],
  "6011": [
   "Overflow",
   "A sum left the range of 64 bits"
  ],
  "6012": [
   "InvariantViolated",
   "A recorded total would contradict another; nothing was changed"
  ],
  "6013": [
   "Paused",
   "This operation is paused by the guardian"
  ],
  "6014": [
   "PauseMaskInvalid",
   "The pause mask has bits that mean nothing"
  ],
  "6015": [
   "PauseTooLong",
   "A pause lasts at most seven days; renew it when it lapses"
  ],
  "6016": [
   "ParamsInvalid",
   "A duration or share is zero or past its bound"
  ],
  "6017": [
   "OperatorsInvalid",
   "Operators must be 1 to 12 different addresses, and the threshold more than half of them"
  ],
  "6018": [
   "NothingProposed",
   "Nothing that was proposed is waiting: it is in force, was dropped, or must be proposed first"
  ],
  "6019": [
   "NoticeNotOver",
   "The notice period has not ended yet"
  ],
  "6020": [
   "ClassInvalid",
   "The class's name is empty, its pool or kind unknown, or its multiplier too large"
  ],
  "6021": [
   "UnknownClass",
   "There is no such class"
  ],
  "6022": [
   "WrongClass",
   "The class is not the device's"
  ],
  "6023": [
   "ProcessorsInvalid",
   "A device has 1 to 8 processors"
  ],
  "6024": [
   "TierInvalid",
   "A tier is 1 to 4"
  ],
  "6025": [
   "CountryInvalid",
   "A country is two capital letters"
  ],
  "6026": [
   "DeviceTerminated",
   "The device was terminated"
  ],
  "6027": [
   "DeviceLeased",
   "The device is leased: wait for the lease's end"
  ],
  "6028": [
   "DeviceNotEmpty",
   "The device is not terminated, or still holds stake"
  ],
  "6029": [
   "SlashPending",
   "A slash of this device is not resolved yet, or was so shortly that another may come"
  ],
  "6030": [
   "StillCooling",
   "The earlier stake is cooling: withdraw it first"
  ],
  "6031": [
   "NothingStaked",
   "Nothing is staked here"
  ],
  "6032": [
   "ExceedsOverflow",
   "More than the overflow, or of what beside a co-stake must be the supplier's own; unstake takes everything, with a cooldown"
  ],
  "6033": [
   "NothingToWithdraw",
   "Nothing can be withdrawn now: the cooldown has not ended, or nothing cools"
  ],
  "6034": [
   "OfferOpen",
   "An offer is open already"
  ],
  "6035": [
   "NoOffer",
   "No offer is open"
  ],
  "6036": [
   "OfferInvalid",
   "An offer asks for at most half of the minimum, and the own stake must cover the rest"
  ],
  "6037": [
   "RewardShareInvalid",
   "A co-staker's share is between 5 and 100 percent"
  ],
  "6038": [
   "OfferChanged",
   "The offer is not the one expected"
  ],
  "6039": [
   "CoStakerPresent",
   "The device has a co-staker"
  ],
  "6040": [
   "OwnCoStake",
   "The supplier and the worker can't co-stake their own device"
  ],
  "6041": [
   "TooManyCoStakes",
   "A wallet holds at most two co-stakes"
  ],
  "6042": [
   "HourNotEnded",
   "The hour has not ended yet"
  ],
  "6043": [
   "HourOutOfRange",
   "The hour is final already, or too far ahead"
  ],
  "6044": [
   "TotalOutOfRange",
   "The total is below the last final one, or above what the hours have emitted"
  ],
  "6045": [
   "NotAgreed",
   "It is not agreed on by enough operators"
  ],
  "6046": [
   "AlreadyAgreed",
   "It is agreed on or final already"
  ],
  "6047": [
   "ChallengeOpen",
   "The challenge window is open"
  ],
  "6048": [
   "ChallengeOver",
   "The block is final: nothing can be said against it any more"
  ],
  "6049": [
   "BlockOutOfOrder",
   "Blocks are finalised in the order of their hours"
  ],
  "6050": [
   "StaleConfig",
   "The operators or the config changed: it must be attested anew"
  ],
  "6051": [
   "RootNotClaimable",
   "The block is not final, or too old to claim from"
  ],
  "6052": [
   "InvalidProof",
   "The proof doesn't lead to the block's root"
  ],
  "6053": [
   "NothingToClaim",
   "Everything in this leaf was claimed before"
  ],
  "6054": [
   "WalletLimit",
   "The wallet has all that its share since its account was opened allows"
  ],
  "6055": [
   "BlockStillKept",
   "The block may still be claimed from"
  ],
  "6056": [
   "NotAssociatedAccount",
   "The destination is not the owner's associated token account for IO"
  ],
  "6057": [
   "SlashInvalid",
   "A slash takes between 1 basis point and the config's maximum"
  ],
  "6058": [
   "SlashState",
   "The slash is not in the state that this needs"
  ],
  "6059": [
   "AlreadyVoted",
   "This operator voted for this already"
  ],
  "6060": [
   "AppealOpen",
   "The appeal period has not ended"
  ],
  "6061": [
   "AppealOver",
   "The appeal period has ended"
  ],
  "6062": [
   "NotRentPayer",
   "The rent goes back only to whoever paid it"
  ],
  "6063": [
   "WrongAccount",
   "The account is not the one recorded"
  ],
  "6064": [
   "NotLaunched",
   "Tokenomics is not launched yet"
  ],
  "6065": [
   "NotOrders",
   "Only the orders program can lease devices and free them"
  ],
  "6066": [
   "StakeInsufficient",
   "The stake on the device is below its minimum"
  ],
  "6067": [
   "WrongLease",
   "The device is not held by this lease"
  ],
  "6068": [
   "OutcomeInvalid",
   "The outcome is not one that is counted here"
  ],
  "6069": [
   "NotPendingGuardian",
   "Only the proposed guardian can accept"
  ],
  "6070": [
   "GuardianNoticeNotOver",
   "The notice of another guardian has not ended yet"
  ],
  "6071": [
   "ClaimLimit",
   "All that may be paid in this hour was paid; the next hour pays on"
  ],
  "6072": [
   "NotWorker",
   "Only the device's worker can do this"
  ],
  "6073": [
   "ClassNotOpen",
   "The class is not open yet, or was cancelled before it was"
  ],
  "6074": [
   "PricesInvalid",
   "A currency's prices are all zero, or 1 <= low <= price <= high, and high at most 10^15"
  ],
  "6075": [
   "PriceWindow",
   "The prices of an hour are voted and applied in the next one, up to 20 minutes before its end"
  ],
  "6076": [
   "StepTooLarge",
   "A step is at most 1,250 basis points up or down"
  ],
  "6077": [
   "StepApplied",
   "The class has the step of this hour, or of a later one, already"
  ],
  "6078": [
   "PricesStillOpen",
   "The hour's prices can still be voted or applied"
  ],
  "6079": [
   "DeviceBarred",
   "The device is barred for a while: it left a place unserved"
  ],
  "6080": [
   "OrderServed",
   "The device's last lease was for this order: an order leases it once"
  ],
  "6081": [
   "FlagInvalid",
   "A flag is 0 or 1"
  ],
  "6082": [
   "DeviceReplaced",
   "The slash is of an earlier device at this address"
  ],
  "6083": [
   "PostInvalid",
   "A posting is of kind 1 (wave), 2 (evidence) or 3 (batch)"
  ],
  "6084": [
   "PostLimit",
   "An operator posts at most 512 times in an hour"
  ],
  "6085": [
   "NotAsExpected",
   "The supplier's stake on the device is not the one expected: it has changed since; look at it again"
  ]
 },
 "FD6ii14SfE5AHRqyvXi5pMsEabCcavJDqVa1FBbVySkn": {
  "6000": [
   "NotUpgradeAuthority",
   "Only the program's upgrade authority can initialise it"
  ],
  "6001": [
   "NotAdmin",
   "Only the admin can do this"
  ],
  "6002": [
   "NotPendingAdmin",
   "Only the proposed admin can accept"
  ],
  "6003": [
   "NotGuardian",
   "Only the guardian can do this"
  ],
  "6004": [
   "ZeroAddress",
   "An address of zero is not allowed here"
  ],
  "6005": [
   "WrongAccount",
   "The account is not the one recorded"
  ],
  "6006": [
   "WrongMint",
   "The mint is not IO by tokenomics, or not USDC with 6 decimals"
  ],
  "6007": [
   "UnknownVersion",
   "The account's version is not one this program knows"
  ],
  "6008": [
   "InvalidClock",
   "The clock is before 1970 or before the auction's start"
  ],
  "6009": [
   "Overflow",
   "A sum left the range of 64 bits"
  ],
  "6010": [
   "InvariantViolated",
   "A recorded total would contradict another; nothing was changed"
  ],
  "6011": [
   "Paused",
   "This operation is paused by the guardian"
  ],
  "6012": [
   "PauseMaskInvalid",
   "The pause mask has bits that mean nothing"
  ],
  "6013": [
   "PauseTooLong",
   "A pause lasts at most seven days; renew it when it lapses"
  ],
  "6014": [
   "ParamsInvalid",
   "A parameter is out of its bounds"
  ],
  "6015": [
   "NothingProposed",
   "Nothing that was proposed is waiting: it is in force, was dropped, or must be proposed first"
  ],
  "6016": [
   "NoticeNotOver",
   "The notice period has not ended yet"
  ],
  "6017": [
   "FirstPriceSet",
   "An auction has used the first price: only sales move it now"
  ],
  "6018": [
   "NoFirstPrice",
   "No first price is announced"
  ],
  "6019": [
   "PriceOutOfBounds",
   "The price is below the config's lowest or above the program's highest"
  ],
  "6020": [
   "AuctionOpen",
   "The earlier auction is open still: it must be bid on or closed first"
  ],
  "6021": [
   "WrongNumber",
   "This is not the next auction's number"
  ],
  "6022": [
   "TooEarly",
   "A day has not passed since the last auction's start"
  ],
  "6023": [
   "LotTooSmall",
   "The vault holds less than the smallest lot"
  ],
  "6024": [
   "AuctionClosed",
   "The auction was sold or closed"
  ],
  "6025": [
   "AuctionOver",
   "The auction's time has ended: nobody can bid any more"
  ],
  "6026": [
   "AuctionRunning",
   "The auction runs still"
  ],
  "6027": [
   "AuctionVoid",
   "Bids were stopped during this auction: it takes no more, its lot goes to the next one"
  ],
  "6028": [
   "CostAboveLimit",
   "The lot costs more IO than the bid's limit"
  ],
  "6029": [
   "LotBelowLimit",
   "The lot is smaller than the bid's limit"
  ],
  "6030": [
   "VaultShort",
   "The vault holds less than the lot"
  ],
  "6031": [
   "NothingToBurn",
   "The vault holds nothing to burn"
  ],
  "6032": [
   "NotPendingGuardian",
   "Only the proposed guardian can accept"
  ],
  "6033": [
   "GuardianNoticeNotOver",
   "The notice of another guardian has not ended yet"
  ],
  "6034": [
   "VaultFrozen",
   "The vault is frozen by the mint's issuer: it could not pay a bidder"
  ]
 },
 "7BjxE8cE2vxCNTCuA2KqsnKXMbUYzNivGLQRh7BqXiFg": {
  "6000": [
   "NotUpgradeAuthority",
   "Only the program's upgrade authority can initialise it"
  ],
  "6001": [
   "NotAdmin",
   "Only the admin can do this"
  ],
  "6002": [
   "NotPendingAdmin",
   "Only the proposed admin can accept"
  ],
  "6003": [
   "NotGuardian",
   "Only the guardian can do this"
  ],
  "6004": [
   "NotOperator",
   "Only an operator can do this"
  ],
  "6005": [
   "NotRenter",
   "Only the order's renter can do this"
  ],
  "6006": [
   "NotWorker",
   "Only the device's worker can accept"
  ],
  "6007": [
   "NotMatcher",
   "Only an operator or the device's supplier can match it"
  ],
  "6008": [
   "NotParty",
   "Only the renter, the supplier or the worker can do this now"
  ],
  "6009": [
   "ZeroAddress",
   "An address of zero is not allowed here"
  ],
  "6010": [
   "UnknownVersion",
   "The account's version is not one this program knows"
  ],
  "6011": [
   "InvalidClock",
   "The clock is before 1970"
  ],
  "6012": [
   "Overflow",
   "A sum left the range of 64 bits"
  ],
  "6013": [
   "InvariantViolated",
   "A recorded total would contradict another; nothing was changed"
  ],
  "6014": [
   "Paused",
   "This operation is paused by the guardian"
  ],
  "6015": [
   "PauseMaskInvalid",
   "The pause mask has bits that mean nothing"
  ],
  "6016": [
   "PauseTooLong",
   "A pause lasts at most seven days; renew it when it lapses"
  ],
  "6017": [
   "ParamsInvalid",
   "A fee or a duration is past its bound"
  ],
  "6018": [
   "NothingProposed",
   "Nothing that was proposed is waiting: it is in force, was dropped, or must be proposed first"
  ],
  "6019": [
   "NoticeNotOver",
   "The notice period has not ended yet"
  ],
  "6020": [
   "WrongAccount",
   "The account is not the one recorded"
  ],
  "6021": [
   "WrongMint",
   "The mint is not that of the order's currency"
  ],
  "6022": [
   "CurrencyInvalid",
   "A currency is 0 for IO or 1 for USDC"
  ],
  "6023": [
   "DevicesInvalid",
   "An order is for 1 to 10,000 devices, of which a gang needs at least 1"
  ],
  "6024": [
   "ProcessorsInvalid",
   "A device has 1 to 8 processors"
  ],
  "6025": [
   "HoursInvalid",
   "An order is for 1 to 8,760 hours, extensions included"
  ],
  "6026": [
   "TierInvalid",
   "A tier is 1 to 4"
  ],
  "6027": [
   "WishInvalid",
   "Urgency is 0 to 2, colocation 0 or 1"
  ],
  "6028": [
   "ClassesInvalid",
   "An order names 1 to 8 different classes, the given one first"
  ],
  "6029": [
   "CountriesInvalid",
   "An order names up to 8 different countries of two capital letters"
  ],
  "6030": [
   "PriceInvalid",
   "A price of zero is not allowed"
  ],
  "6031": [
   "OrderClosed",
   "The order takes no more devices"
  ],
  "6032": [
   "MatchingOver",
   "The order's time for matching is over"
  ],
  "6033": [
   "OrderFull",
   "Every device of the order is matched"
  ],
  "6034": [
   "OrderBusy",
   "The order still looks for devices, or has leases"
  ],
  "6035": [
   "NothingToCancel",
   "The order has leases that wait or run, so that nothing is left to cancel"
  ],
  "6036": [
   "NothingToRefund",
   "There is nothing to give back now"
  ],
  "6037": [
   "WrongClass",
   "The device's class is not one that the order names"
  ],
  "6038": [
   "WrongProcessors",
   "The device has not the number of processors that the order asks for"
  ],
  "6039": [
   "TierTooLow",
   "The device's tier is below what the order asks for"
  ],
  "6040": [
   "WrongCountry",
   "The device is not in a country that the order allows"
  ],
  "6041": [
   "NotLet",
   "The device is not let for this currency"
  ],
  "6042": [
   "PriceTooHigh",
   "The price is above the most that the order pays"
  ],
  "6043": [
   "PriceChanged",
   "Not used any more: a price comes from the class"
  ],
  "6044": [
   "OwnDevice",
   "A renter can't rent its own device"
  ],
  "6045": [
   "WrongOrder",
   "The lease is not of this order"
  ],
  "6046": [
   "WrongDevice",
   "The lease is not of this device"
  ],
  "6047": [
   "LeaseState",
   "The lease's state doesn't allow this"
  ],
  "6048": [
   "AcceptanceOver",
   "The time to accept is over"
  ],
  "6049": [
   "LeaseOver",
   "The lease has ended"
  ],
  "6050": [
   "LeaseNotPaid",
   "The lease is still owed money, or held by the guardian"
  ],
  "6051": [
   "HoldInvalid",
   "A hold lasts at most seven days, comes once, and can only be shortened"
  ],
  "6052": [
   "NothingUnpaid",
   "Nothing of this lease is unpaid"
  ],
  "6053": [
   "FaultInvalid",
   "Good hours reach past now, or leave nothing to take back"
  ],
  "6054": [
   "AlreadyVoted",
   "This operator voted already"
  ],
  "6055": [
   "FaultDecided",
   "The vote was carried already"
  ],
  "6056": [
   "NotRentPayer",
   "The rent goes back only to whoever paid it"
  ],
  "6057": [
   "NotAssociatedAccount",
   "The destination is not the owner's associated token account for the currency"
  ],
  "6058": [
   "LeaseExists",
   "The lease is still there"
  ],
  "6059": [
   "NotPendingGuardian",
   "Only the proposed guardian can accept"
  ],
  "6060": [
   "GuardianNoticeNotOver",
   "The notice of another guardian has not ended yet"
  ],
  "6061": [
   "NotYourTurn",
   "It is not this operator's turn in that tick"
  ],
  "6062": [
   "TickTooEarly",
   "The tick is not after the order's opening"
  ],
  "6063": [
   "ExclusiveTime",
   "Only operators match the order yet"
  ],
  "6064": [
   "OperatorsOnly",
   "Only operators match a gang, or choose a colocated order's country"
  ],
  "6065": [
   "WorkerMustSign",
   "The device's worker must sign a match by its supplier"
  ],
  "6066": [
   "TermsTooYoung",
   "The device's terms are not older than the order"
  ],
  "6067": [
   "NotPriced",
   "The class has no price in this currency"
  ],
  "6068": [
   "AskTooHigh",
   "The device asks for more than the price"
  ],
  "6069": [
   "AskOutOfBounds",
   "The class's price is stale, and the ask is not within its bounds"
  ],
  "6070": [
   "NotFunded",
   "The order's free money doesn't pay for the device at this price, or not for all that its gang still waits for"
  ],
  "6071": [
   "GangOver",
   "The gang's time to fill is over, or half over, or its leases aren't closed"
  ],
  "6072": [
   "ExtensionTooLong",
   "A lease ends at most seven days after its extension"
  ],
  "6073": [
   "WrongLease",
   "The vote names another lease of this address"
  ],
  "6074": [
   "PayeeBlocked",
   "The payee's token account is missing, frozen or somebody else's; park_pay sets its money aside"
  ],
  "6075": [
   "PayeePayable",
   "The payee's token account can be paid: settle pays it"
  ],
  "6076": [
   "FeesBlocked",
   "The fee vault can't be paid; park_fees sets the fees aside"
  ],
  "6077": [
   "FeesPayable",
   "The fee vault can be paid: settle or close_order pays it"
  ],
  "6078": [
   "NothingDue",
   "Nothing is due now"
  ],
  "6079": [
   "DepositAboveLimit",
   "The order puts down more than the renter's limit: the fees have changed"
  ],
  "6080": [
   "ExtensionAboveLimit",
   "The extension costs more than the renter's limit: the lease is not as it was shown"
  ],
  "6081": [
   "NotAsExpected",
   "The lease hasn't the hours expected: it was extended, or is another one; look at it again"
  ]
 }
};

/** Of the framework, in any of the programs. */
export const FRAMEWORK: Errors = {
 "2000": [
  "ConstraintMut",
  "an account that must be writable is read-only"
 ],
 "2001": [
  "ConstraintHasOne",
  "an account is not the one another account names"
 ],
 "2003": [
  "ConstraintRaw",
  "a condition on the accounts doesn't hold"
 ],
 "2005": [
  "ConstraintRentExempt",
  "an account is not rent exempt"
 ],
 "2007": [
  "ConstraintExecutable",
  "an account that must be a program isn't"
 ],
 "2011": [
  "ConstraintClose",
  "an account can't be closed into itself"
 ],
 "2012": [
  "ConstraintAddress",
  "an account's address is not the recorded one"
 ],
 "2013": [
  "ConstraintZero",
  "an account that must be empty isn't"
 ],
 "2019": [
  "ConstraintSpace",
  "an account has another size"
 ],
 "2020": [
  "ConstraintAccountIsNone",
  "an optional account is needed here"
 ],
 "2040": [
  "ConstraintDuplicateMutableAccount",
  "the same writable account was given twice"
 ]
};
