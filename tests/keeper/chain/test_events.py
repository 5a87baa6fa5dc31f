"""Events: what a program sent to itself is reported, whatever anybody else sends is not."""

import base64
import hashlib
from typing import Any

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.signature import Signature

from keeper.chain import Event, InnerInstruction, Program, TransactionRecord
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.framework import SYSTEM_PROGRAM
from keeper.chain.program import EVENT_TAG, UnexpectedData
from keeper.chain.records import MAX_CALL_BYTES
from keeper.clients.programs import PROGRAMS
from tests.keeper.chain.conftest import (
    ADMIN,
    ALICE,
    BOB,
    STAKING,
    STRANGER,
    TOKENOMICS,
    add_allocation,
    initialize,
    pay,
)

OURS, AUTHORITY = TOKENOMICS.address, TOKENOMICS.event_authority
OTHERS_AUTHORITY, _ = Pubkey.find_program_address([b"__event_authority"], STRANGER)


def payload(mask: int) -> bytes:
    """A PauseSet event: its discriminator and fields."""
    discriminator = hashlib.sha256(b"event:PauseSet").digest()[:8]
    return discriminator + mask.to_bytes(4, "little") + (99).to_bytes(8, "little")


def paused(mask: int) -> Event:
    return Event("PauseSet", {"mask": mask, "until": 99})


def call(
    height: int = 2,
    program: Pubkey = OURS,
    *,
    outer: int = 0,
    accounts: tuple[Pubkey, ...] = (AUTHORITY,),
    data: bytes = EVENT_TAG + payload(1),
) -> InnerInstruction:
    return InnerInstruction(outer, height, program, accounts, data)


def record(*inner: InnerInstruction, programs: tuple[Pubkey, ...] = (OURS,)) -> TransactionRecord:
    return TransactionRecord(Signature.default(), 1, 2, (), programs, inner, (), 0, 5_000)


def test_no_event_is_longer_than_the_calls_that_are_kept() -> None:
    sizes = {
        f"{program.name}.{event}": len(EVENT_TAG) + 8 + sum(size(program, each["type"]) for each in fields)
        for program in PROGRAMS.values()
        for event, fields in program.event_fields.items()
    }
    assert max(sizes.values()) <= MAX_CALL_BYTES, max(sizes, key=sizes.__getitem__)


def size(program: Program, kind: Any) -> int:
    """Bytes of a type of fixed size, as all in the events are."""
    widths = {"pubkey": 32, "u64": 8, "i64": 8, "u128": 16, "u32": 4, "u16": 2, "i16": 2, "u8": 1, "bool": 1}
    if isinstance(kind, str):
        return widths[kind]
    if "array" in kind:
        item, count = kind["array"]
        return size(program, item) * int(count)
    fields = program.definitions[kind["defined"]["name"]]["type"]["fields"]
    return sum(size(program, each["type"]) for each in fields)


# -- real transactions --------------------------------------------------------------------------


def test_the_event_of_a_real_transaction(embedded: EmbeddedChain) -> None:
    done = embedded.execute([initialize()], [ADMIN])
    expected = {
        "admin": ADMIN.pubkey(),
        "guardian": BOB.pubkey(),
        "mint": TOKENOMICS.pda("launch", "mint"),
        "staking_program": STAKING,
        "reward_vault": TOKENOMICS.pda("emit", "reward_vault"),
    }
    assert TOKENOMICS.events(done) == [Event("Initialized", expected)]


def test_events_of_several_instructions_in_order(embedded: EmbeddedChain) -> None:
    rows = [add_allocation(number, amount=10**8 + number) for number in range(3)]
    done = embedded.execute([initialize(), rows[0], pay(1), rows[1], rows[2]], [ADMIN, ALICE])
    assert done.error is None
    events = TOKENOMICS.events(done)
    assert [event.name for event in events] == ["Initialized"] + ["AllocationAdded"] * 3
    assert [event.fields["amount"] for event in events[1:]] == [10**8, 10**8 + 1, 10**8 + 2]
    assert events[3].fields["label"] == b"row 2".ljust(16, b"\0")


def test_a_failed_transaction_has_no_events(embedded: EmbeddedChain) -> None:
    failed = embedded.execute([initialize(), pay(10**15)], [ADMIN, ALICE])
    assert failed.error is not None
    assert any(each.data.startswith(EVENT_TAG) for each in failed.inner)
    assert TOKENOMICS.events(failed) == []


@pytest.mark.parametrize("authority", [AUTHORITY, ALICE.pubkey()], ids=["right", "own"])
def test_the_program_refuses_events_from_outside(embedded: EmbeddedChain, authority: Pubkey) -> None:
    """A user calls the program with the tag: nobody can sign for the event authority."""
    embedded.execute([initialize()], [ADMIN])
    is_signer = authority == ALICE.pubkey()
    forged = Instruction(OURS, EVENT_TAG + payload(1), [AccountMeta(authority, is_signer, False)])
    done = embedded.execute([forged], [ALICE])
    assert done.error is not None
    assert TOKENOMICS.events(done) == []


# -- made-up records ------------------------------------------------------------------------------


def test_the_made_up_event_would_count() -> None:
    """The baseline of the tests below: each changes one thing about it."""
    assert TOKENOMICS.events(record(call())) == [paused(1)]


FORGED = {
    "another program calls": record(call(), programs=(STRANGER,)),
    "another program is called": record(call(program=STRANGER)),
    "another program calls itself": record(call(program=STRANGER), programs=(STRANGER,)),
    "another program, called by ours, calls": record(call(2, STRANGER, data=b""), call(3), programs=(OURS,)),
    "ours returned before another calls": record(
        call(2, data=b"", accounts=()), call(2), programs=(STRANGER,)
    ),
    "its siblings are ours": record(call(outer=0, data=b""), call(outer=1), programs=(OURS, STRANGER)),
    "own authority": record(call(accounts=(OTHERS_AUTHORITY,))),
    "an account more": record(call(accounts=(AUTHORITY, STRANGER))),
    "no account": record(call(accounts=())),
    "no tag": record(call(data=payload(1))),
    "another tag": record(call(data=EVENT_TAG[::-1] + payload(1))),
    "failed": record(call())._replace(error="instruction 0: custom error 1"),
    "no inner instruction": record(),
}


@pytest.mark.parametrize("forged", FORGED.values(), ids=list(FORGED))
def test_forged_events(forged: TransactionRecord) -> None:
    assert TOKENOMICS.events(forged) == []


@pytest.mark.parametrize("data", [b"", bytes(20)], ids=["nothing", "another discriminator"])
def test_an_event_of_a_later_version_is_not_passed_over(data: bytes) -> None:
    """Nobody else can sign as the event authority: what is unknown there is the program's own."""
    with pytest.raises(UnexpectedData, match="an event of tokenomics that this version doesn't know"):
        TOKENOMICS.events(record(call(), call(data=EVENT_TAG + data)))


def test_events_deep_in_the_call_tree() -> None:
    """Another program calls ours, which calls third ones between its events, and later returns."""
    inner = [
        call(2, data=b"do", accounts=()),
        call(3, SYSTEM_PROGRAM, data=b""),
        call(3, data=EVENT_TAG + payload(1)),
        call(3, STRANGER, data=b""),
        call(4, SYSTEM_PROGRAM, data=b""),
        call(4, data=EVENT_TAG + payload(2)),
        call(3, data=EVENT_TAG + payload(3)),
        call(2, data=EVENT_TAG + payload(4)),
        call(2, outer=1, data=EVENT_TAG + payload(5)),
        call(2, outer=2, data=EVENT_TAG + payload(6)),
    ]
    found = TOKENOMICS.events(record(*inner, programs=(STRANGER, OURS, SYSTEM_PROGRAM)))
    assert found == [paused(1), paused(3), paused(5)]


# -- logged events ----------------------------------------------------------------------------------


def logged(mask: int) -> str:
    return f"Program data: {base64.b64encode(payload(mask)).decode()}"


def test_logged_events_follow_the_calls() -> None:
    logs = [
        logged(1),
        f"Program {OURS} invoke [1]",
        "Program log: Instruction: SetPause",
        logged(2),
        f"Program {STRANGER} invoke [2]",
        logged(3),
        f"Program {STRANGER} consumed 5 of 200000 compute units",
        f"Program {STRANGER} success",
        logged(4),
        f"Program return: {OURS} AQ==",
        f"Program {OURS} consumed 50 of 200000 compute units",
        f"Program {OURS} success",
        logged(5),
        f"Program {STRANGER} invoke [1]",
        f"Program log: Program {OURS} invoke [2]",
        f"Program log: Program {STRANGER} success",
        logged(6),
        f"Program {OURS} invoke [2]",
        logged(7),
        "Program data: AAAA",
        f"Program {OURS} failed: custom program error: 0x1",
        logged(8),
    ]
    assert TOKENOMICS.logged_events(logs) == [paused(2), paused(4), paused(7)]


def test_logged_events_of_real_logs(embedded: EmbeddedChain) -> None:
    """Tokenomics logs none: its events are calls, and nothing else in its logs is taken for one."""
    done = embedded.execute([initialize(), add_allocation(0)], [ADMIN])
    assert done.error is None
    assert TOKENOMICS.logged_events(done.logs) == []
    lines = list(done.logs)
    last = len(lines) - 1 - lines[::-1].index(f"Program {OURS} success")
    lines.insert(last, logged(9))
    assert TOKENOMICS.logged_events(lines) == [paused(9)]
    lines.insert(0, lines.pop(last))
    assert TOKENOMICS.logged_events(lines) == []
