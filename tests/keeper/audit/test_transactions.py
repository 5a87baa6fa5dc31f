"""Transactions shown otherwise: left out, forged, reordered, with other events, other balances."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from solders.signature import Signature

from keeper.audit.findings import Code, Finding
from keeper.chain import Program, TransactionRecord
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.records import Listed
from keeper.chain.whole import Signed
from keeper.clients import staking
from keeper.clients.programs import PROGRAMS
from tests.keeper.audit.falsified import Falsified, audited
from tests.programs.world import key

GAP = {
    Code.EVENT_IMPOSSIBLE,
    Code.EVENT_CONTRADICTS,
    Code.FIELD_DIFFERS,
    Code.ACCOUNT_MISSING,
    Code.ACCOUNT_UNFOUNDED,
    Code.VAULT_MOVED_UNSEEN,
    Code.MINT_DIFFERS,
}
"""What a transaction that nobody lists shows by: none of them is blamed on a signer."""


@dataclass(frozen=True)
class Sent:
    """An event, and where: its transaction, and the place of its call among the inner ones."""

    program: Program
    name: str
    record: TransactionRecord
    at: int

    def __str__(self) -> str:
        return f"{self.program.name} {self.name}"


def sent(chain: EmbeddedChain) -> Iterator[Sent]:
    """The first event of each kind."""
    known = set()
    for record in chain.transactions():
        for program in PROGRAMS.values():
            for each in program.located_events(record):
                at = [i for i, call in enumerate(record.inner) if call.outer == each.outer][each.inner]
                if (program.name, each.event.name) not in known:
                    known.add((program.name, each.event.name))
                    yield Sent(program, each.event.name, record, at)


EVENTS = [
    "tokenomics Launched",
    "tokenomics Emitted",
    "tokenomics Released",
    "tokenomics SeasonOpened",
    "tokenomics SeasonClaimed",
    "tokenomics Burned",
    "staking WalletOpened",
    "staking ClassAdded",
    "staking DeviceRegistered",
    "staking Staked",
    "staking CoStaked",
    "staking OverflowWithdrawn",
    "staking Withdrawn",
    "staking Slashed",
    "staking SlashVoted",
    "staking Attested",
    "staking BlockFinalised",
    "staking RewardClaimed",
    "staking Posted",
    "staking PricesVoted",
    "staking PriceApplied",
    "staking ParamsProposed",
    "staking ParamsApplied",
    "orders BookProduct",
    "orders Pay",
    "orders LeaseMatched",
    "orders LeaseAccepted",
    "orders Worked",
    "orders Refund",
    "orders Earn",
    "orders LeaseEnded",
    "orders LeaseClosed",
    "orders FaultVoted",
    "orders PayParked",
    "buyback AuctionStarted",
    "buyback AuctionSold",
    "buyback FeesBurned",
]
"""Whose transactions are left out and falsified, one by one."""


PLACED = [
    "tokenomics Emitted",
    "tokenomics Released",
    "staking DeviceRegistered",
    "staking Attested",
    "staking Posted",
    "staking PriceApplied",
    "orders BookProduct",
    "orders LeaseAccepted",
    "buyback AuctionStarted",
    "buyback AuctionSold",
]
"""Those that say when they were."""


@pytest.fixture(scope="session")
def events(true: EmbeddedChain) -> dict[str, Sent]:
    found = {str(each): each for each in sent(true)}
    assert set(EVENTS) <= found.keys()
    return found


def whole(chain: EmbeddedChain, name: Signature) -> Signed:
    found = chain.whole(name)
    assert found is not None
    return found.signed()


async def findings(chain: Falsified) -> tuple[Finding, ...]:
    return (await audited(chain)).findings


@pytest.mark.parametrize("event", EVENTS)
async def test_a_transaction_that_a_programs_list_leaves_out(true, events, event: str) -> None:
    """An account or a vault that it names has it: it is read there, and named."""
    each = events[event]
    name = each.record.signature
    found = await findings(
        Falsified(true, hidden=frozenset([name]), hidden_from=frozenset([each.program.address]))
    )
    assert [(one.code, one.where, one.row) for one in found] == [
        (Code.TRANSACTION_UNLISTED, str(name), f"list of {each.program.address}")
    ]


@pytest.mark.parametrize("event", EVENTS)
async def test_a_transaction_that_every_list_leaves_out(true, events, event: str) -> None:
    """What it changed shows, where it changed it; nobody's signature is blamed for it."""
    record = events[event].record
    part = await audited(Falsified(true, hidden=frozenset([record.signature])))
    assert part.findings
    assert {each.code for each in part.findings} <= GAP, part.findings
    assert {each.signer for each in part.findings} == {None}


@pytest.mark.parametrize("event", EVENTS)
async def test_a_transaction_that_is_listed_and_not_to_be_had(true, events, event: str) -> None:
    """What can't be known then is said, and nothing is called wrong."""
    each = events[event]
    name = each.record.signature
    part = await audited(Falsified(true, records_shown={name: None}, signed_shown={name: None}))
    assert part.findings == ()
    what = [gap.what for gap in part.unchecked]
    assert what[0] == f"transaction {name}" and f"accounts of {each.program.name}" in what


@pytest.mark.parametrize("event", EVENTS)
async def test_an_event_that_is_cut_out(true, events, event: str) -> None:
    """Tokens that moved without a word are named with the transaction and its signers; accounts differ."""
    each = events[event]
    inner = each.record.inner[: each.at] + each.record.inner[each.at + 1 :]
    shown = {each.record.signature: each.record._replace(inner=inner)}
    found = await findings(Falsified(true, records_shown=shown))
    untold = [one for one in found if one.code is Code.VAULT_MOVED_UNTOLD]
    assert found and {one.code for one in found} <= GAP | {Code.VAULT_MOVED_UNTOLD}
    assert {one.where for one in untold} <= {str(each.record.signature)}
    moves = {"Launched", "Emitted", "Released", "SeasonClaimed", "Staked", "CoStaked", "Withdrawn", "Slashed"}
    if each.name in moves | {"RewardClaimed", "Refund", "Worked", "Pay", "AuctionSold", "FeesBurned"}:
        assert untold or any(one.code is Code.EVENT_IMPOSSIBLE for one in found), found


@pytest.mark.parametrize("event", EVENTS)
async def test_an_event_with_a_field_that_is_another(true, events, event: str) -> None:
    """Each of its fields in turn: by what was signed, by tokens, by time, or by the account."""
    each = events[event]
    call = each.record.inner[each.at]
    silent = []
    offset = 16
    for field in each.program.event_fields[each.name]:
        size = _size(each.program, field["type"])
        data = bytearray(call.data)
        data[offset] ^= 1
        offset += size
        inner = list(each.record.inner)
        inner[each.at] = call._replace(data=bytes(data))
        shown = {each.record.signature: each.record._replace(inner=tuple(inner))}
        found = await findings(Falsified(true, records_shown=shown))
        if not found:
            silent.append(field["name"])
            continue
        where = {one.where for one in found if one.signer is not None}
        assert where <= {str(each.record.signature)}, (field["name"], found)
    assert silent == SILENT.get(event, []), silent


SILENT = {
    "staking Staked": ["sufficient_since"],
    "staking SlashVoted": ["pending", "appeal_until"],
    "staking Attested": ["conflict", "agreed"],
    "staking PricesVoted": ["agreed", "revision"],
    "buyback AuctionStarted": ["fees_usdc"],
    "buyback AuctionSold": ["fees_usdc"],
}
"""What no account has any more, as a later event put it right, and no token moved by; or is for people."""


@pytest.mark.parametrize("event", EVENTS)
async def test_bytes_that_nobody_signed(true, events, event: str) -> None:
    """The last byte of what is signed is another: no signature is over that."""
    record = events[event].record
    signed = whole(true, record.signature)
    wire = signed.wire[:-2] + bytes([signed.wire[-2] ^ 1]) + signed.wire[-1:]
    shown = {record.signature: signed._replace(wire=wire)}
    found = await findings(Falsified(true, signed_shown=shown))
    codes = {one.code for one in found if one.where == str(record.signature)}
    assert Code.TRANSACTION_UNSIGNED in codes
    assert {one.where for one in found} == {str(record.signature)}


async def test_another_transaction_in_its_place(true, events) -> None:
    first, other = events["staking Staked"].record, events["staking CoStaked"].record
    signed = whole(true, other.signature)
    found = await findings(Falsified(true, signed_shown={first.signature: signed}))
    assert [(each.code, each.where, each.row) for each in found] == [
        (Code.TRANSACTION_ELSEWHERE, str(first.signature), "signature")
    ]


@pytest.mark.parametrize("row", ["signers", "programs"])
async def test_others_are_said_to_have_signed_or_been_called(true, events, row: str) -> None:
    record = events["staking Posted"].record
    others = (key("somebody").pubkey(), *getattr(record, row)[1:])
    shown = {record.signature: record._replace(**{row: others})}
    found = await findings(Falsified(true, records_shown=shown))
    assert (Code.TRANSACTION_ELSEWHERE, str(record.signature), row) in {
        (each.code, each.where, each.row) for each in found
    }


@pytest.mark.parametrize("event", PLACED)
async def test_a_transaction_at_another_place(true, events, event: str) -> None:
    """It is listed in the slot of an earlier one, and its record says so, too: it says itself when it was."""
    record = events[event].record
    at = true.transactions().index(record)
    earlier = next(each for each in reversed(true.transactions()[:at]) if each.time < record.time)
    moved = record._replace(slot=earlier.slot, time=earlier.time)
    listed = Listed(record.signature, earlier.slot, False, 1)
    found = await findings(
        Falsified(true, records_shown={record.signature: moved}, listed_shown={record.signature: listed})
    )
    assert str(record.signature) in {each.where for each in found if each.code is Code.EVENT_TIME}, found


async def test_a_list_and_a_record_that_differ(true, events) -> None:
    record = events["staking Staked"].record
    listed = Listed(record.signature, record.slot + 1, False, 0)
    found = await findings(Falsified(true, listed_shown={record.signature: listed}))
    assert (Code.TRANSACTION_ELSEWHERE, str(record.signature), "slot and outcome") in {
        (each.code, each.where, each.row) for each in found
    }


async def test_a_transaction_that_is_said_to_have_failed(true, events) -> None:
    record = events["staking Staked"].record
    shown = {record.signature: record._replace(error="it failed")}
    found = await findings(Falsified(true, records_shown=shown))
    assert (Code.TRANSACTION_ELSEWHERE, str(record.signature), "slot and outcome") in {
        (each.code, each.where, each.row) for each in found
    }


@pytest.mark.parametrize("side", ["before", "after"])
async def test_balances_of_a_vault_that_are_others(true, events, side: str) -> None:
    record = events["staking Staked"].record
    signed = whole(true, record.signature)
    keys = [*signed.transaction().message.account_keys, *signed.writable, *signed.readonly]
    tokens = tuple(
        each._replace(**{side: getattr(each, side) + 1}) if keys[each.place] == staking.STAKE_VAULT else each
        for each in signed.tokens
    )
    shown = {record.signature: signed._replace(tokens=tokens)}
    found = await findings(Falsified(true, signed_shown=shown))
    assert {each.code for each in found} == {Code.VAULT_MOVED_UNTOLD, Code.VAULT_MOVED_UNSEEN}
    for each in found:
        assert str(staking.STAKE_VAULT) in (each.where, each.row.split()[-1])


def _size(program: Program, kind: Any) -> int:
    """Bytes of a type of fixed size."""
    sizes = {"bool": 1, "u8": 1, "i8": 1, "u16": 2, "i16": 2, "u32": 4, "u64": 8, "i64": 8, "pubkey": 32}
    if isinstance(kind, str):
        return sizes[kind]
    if "array" in kind:
        inner, length = kind["array"]
        return _size(program, inner) * length
    fields = program.definitions[kind["defined"]["name"]]["type"]["fields"]
    return sum(_size(program, each["type"]) for each in fields)
