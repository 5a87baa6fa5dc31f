"""What an audit finds: in plain values, each finding named as itself, and what couldn't be looked at.

A finding says which rule is broken (its code), where, what follows from what is signed, and what is there
instead. What an audit couldn't look at is never silence: it is said, and has an exit code of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum


class Code(Enum):
    """What can be wrong: a name that stays, and a sentence for people."""

    # transactions and what they say
    TRANSACTION_UNSIGNED = "a transaction's signature isn't its signers'"
    TRANSACTION_UNLISTED = "a program's list leaves out a transaction that another list has"
    TRANSACTION_ELSEWHERE = "a transaction is shown as another one, at another place, or with another outcome"
    EVENT_IMPOSSIBLE = "an event can't have happened to the accounts as they were: one before it is missing"
    EVENT_UNREADABLE = "an event isn't as the program's interface describes it"
    EVENT_TIME = "an event says another time or slot than the block that it is in"
    EVENT_CONTRADICTS = "an event's total, or what it repeats of an account, isn't what came before it"
    EVENT_UNASKED = "an event says something else than the instruction that was signed"
    # accounts of the four programs
    ACCOUNT_MISSING = "an account that follows from the events isn't there"
    ACCOUNT_UNFOUNDED = "an account is there that follows from no event"
    ACCOUNT_UNREADABLE = "an account isn't as the program's interface describes it"
    FIELD_DIFFERS = "an account's field isn't what the transactions that are listed made it"
    # tokens
    VAULT_MOVED_UNTOLD = "tokens left or entered a vault in a transaction whose events say nothing of it"
    VAULT_MOVED_UNSEEN = "a vault changed between two transactions: by none that the node lists"
    VAULT_MISSING = "a vault that transactions name isn't there"
    VAULT_SHORT = "a vault has less than what is recorded as owed"
    VAULT_CHANGED_HANDS = "a vault's owner, mint, delegate or state isn't the program's"
    MINT_DIFFERS = "the mint's supply isn't genesis and emission less what was burned"
    MINT_CHANGED_HANDS = "the mint can be minted from, or its accounts frozen, by another than the program"
    # schedules and rules of time
    EMISSION_EARLY = "more was emitted than the formula allows for the hours that have ended"
    VESTING_EARLY = "more was released than the allocation's schedule allows"
    SEASON_OVERPAID = "a season paid out more than it was funded with, or after its end"
    NOTICE_SHORT = "a change came into force before its notice was over"
    # published hours
    FILE_MISSING = "a file that has to be published isn't there"
    FILE_UNFOUNDED = "a file is there that nothing stands behind"
    FILE_UNREADABLE = "a file isn't of the form that it has to have"
    RECORD_DIFFERS = "pow.json isn't what follows from the chain's blocks and the operators' files"
    FILE_LEFT_OUT = "an operator's file that counts isn't among those that an hour was judged by"
    VERDICT_DIFFERS = "a verdict isn't what follows from the operators' files"
    OBSERVED_DIFFERS = "what was observed of a device isn't what follows from verdicts and pings"
    INPUT_DIFFERS = "what rewards were computed from isn't what the chain and the observations say"
    CLASS_DIFFERS = "a class isn't as the chain has it"
    REWARD_DIFFERS = "a device's reward isn't what the rule gives"
    WALLET_DIFFERS = "what a wallet has earned isn't what the rewards come to"
    MANIFEST_DIFFERS = "a manifest doesn't state what its files are and come to"
    CHAIN_BROKEN = "a manifest doesn't go on from that of the hour before"
    ATTESTATION_DIFFERS = "an operator attested an hour that doesn't follow from the chain and the files"
    ATTESTATION_CONFLICT = "operators attested different things for one hour"
    BLOCK_UNAGREED = "an hour became final as something that too few operators attested"
    CLAIM_UNFOUNDED = "a wallet was paid more than its leaf says"
    # operators' files of proofs of work
    EVIDENCE_MISSING = "a file or an opening whose hash an operator posted can't be had"
    EVIDENCE_BYTES = "a file isn't the one whose hash its operator posted"
    EVIDENCE_UNREADABLE = "a file that an operator posted isn't of the form that it has to have"
    EVIDENCE_UNSIGNED = "a commit in an operator's file isn't signed by the device that it is of"
    EVIDENCE_UNFOUNDED = "a file is among an operator's that nobody posted"
    POSTING_SECOND = "an operator posted two hashes for one file"
    ROOTS_CONFLICT = "a device signed two roots for one wave"
    # the market
    BATCH_DIFFERS = "a batch's files aren't what the rule gives from the chain's state"
    BATCH_UNPOSTED = "an operator matched in a tick, and never posted its batch"
    POSTING_DIFFERS = "what an operator posted of a batch isn't what its files are"
    MATCH_UNFOUNDED = "a match is on the chain that the rule doesn't give"
    STEPS_DIFFER = "published steps of prices aren't what the rule gives from the hour's samples"
    VOTE_DIFFERS = "an operator voted for other steps of prices than the rule gives"
    PRICE_DIFFERS = "a class's price isn't what follows from its steps"
    # leases
    FAULT_UNFOUNDED = "operators voted for a fault that their published evidence doesn't show"
    # a database
    ROW_MISSING = "a database lacks a row that follows from the chain"
    ROW_UNFOUNDED = "a database has a row that nothing on the chain stands behind"
    ROW_DIFFERS = "a database's row isn't what follows from the chain"
    ROW_UNREADABLE = "a database's row isn't of the form that its table has"
    # programs
    PROGRAM_MISSING = "a program isn't on the chain"
    PROGRAM_BYTES = "a program's bytes aren't the published ones"
    PROGRAM_AUTHORITY = "a program may be upgraded by another key than the one that is named"
    PROGRAM_UNSEEN = "a program's bytes were put there by no transaction that is listed"
    PACKAGE_BYTES = "a binary of this installation isn't the one that its own manifest names"

    @property
    def label(self) -> str:
        """The name that stays, for programs."""
        return self.name.lower()


Value = str | int | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    ``where`` is an account's or a transaction's address or a file's name, ``row`` the field, row or value in
    it ("" for the whole), ``expected`` what follows from what is signed. ``signer`` is whose signature stands
    under what is wrong: addresses, or None where nobody's does, as with what a node alone says.
    """

    part: str
    code: Code
    where: str
    row: str
    slot: int | None
    expected: Value
    found: Value
    signer: str | None


@dataclass(frozen=True, slots=True)
class Unchecked:
    """Something that couldn't be looked at, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody with a role changed: told, whether it was right or not."""

    slot: int
    time: int
    who: str
    what: str
    before: Value
    after: Value
    signature: str


@dataclass(frozen=True, slots=True)
class Share:
    """What somebody put into an order and got of it, base units of its currency, by what moved.

    ``role`` is renter, supplier or network; vault for what is in the order's own still, of nobody's name.
    """

    role: str
    who: str
    currency: str
    put_in: int
    got: int


@dataclass(frozen=True, slots=True)
class Part:
    """What came of one: how much was looked at (what, how many), what is wrong, what wasn't looked at."""

    name: str
    checked: Mapping[str, int] = field(default_factory=dict)
    unchecked: tuple[Unchecked, ...] = ()
    findings: tuple[Finding, ...] = ()
    changes: tuple[Change, ...] = ()
    told: tuple[str, ...] = ()
    """What is so, for people to judge: nothing says what it should be."""
    shares: tuple[Share, ...] = ()
    """Of an order: whose its money is."""


class Exit(IntEnum):
    """How an audit ends, for whoever runs it: 2 is also a wrong way to call it, as nothing was checked."""

    CLEAN = 0
    FOUND = 1
    UNCHECKED = 2


@dataclass(frozen=True, slots=True)
class Report:
    """All parts of an audit of ``source``, as of ``slot`` where the chain was looked at."""

    source: str
    parts: tuple[Part, ...]
    slot: int | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All that is wrong."""
        return tuple(each for part in self.parts for each in part.findings)

    @property
    def exit(self) -> Exit:
        """What is wrong counts more than what couldn't be checked."""
        if self.findings:
            return Exit.FOUND
        return Exit.UNCHECKED if any(part.unchecked for part in self.parts) else Exit.CLEAN
