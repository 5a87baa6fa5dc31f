"""Accounts shown otherwise: every field of every kind, accounts left out, accounts added."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest
from solders.pubkey import Pubkey

from keeper.audit.findings import Code, Part
from keeper.chain import Account, Program
from keeper.chain.embedded import EmbeddedChain
from keeper.clients.programs import PROGRAMS
from tests.keeper.audit.falsified import Falsified, audited
from tests.programs.world import finish, key

KINDS = [(program, kind) for program in PROGRAMS.values() for kind in program.account_fields]
MOST_FIELDS = max(len(program.account_fields[kind]) for program, kind in KINDS)
IDS = [f"{program.name} {kind}" for program, kind in KINDS]


def one(chain: EmbeddedChain, program: Program, kind: str) -> tuple[Pubkey, Account]:
    """An account of a kind; the network has some of each."""
    found = finish(chain.program_accounts(program.address))
    return next((at, each) for at, each in found.items() if program.kind_of(each.data) == kind)


def found_of(part: Part) -> set[tuple[Code, str, str]]:
    assert all(each.signer is None for each in part.findings)  # nobody signed what a node says
    return {(each.code, each.where, each.row) for each in part.findings}


@pytest.mark.parametrize("number", range(MOST_FIELDS))
async def test_a_field_that_is_another(true: EmbeddedChain, number: int) -> None:
    """The field of this number of every kind of account at once: each is named, and nothing else is."""
    shown, expected = {}, set()
    for program, kind in KINDS:
        names = [each["name"] for each in program.account_fields[kind]]
        if number >= len(names):
            continue
        address, account = one(true, program, kind)
        fields = program.dtype(kind).fields
        assert fields is not None
        _, at = fields[names[number]][:2]
        data = bytearray(account.data)
        data[at] ^= 1
        shown[address] = replace(account, data=bytes(data))
        expected.add((Code.FIELD_DIFFERS, str(address), f"{kind} {names[number]}"))
    part = await audited(Falsified(true, shown))
    assert found_of(part) == expected and not part.unchecked


@pytest.mark.parametrize(("program", "kind"), KINDS, ids=IDS)
async def test_an_account_that_is_left_out(true: EmbeddedChain, program: Program, kind: str) -> None:
    address, _ = one(true, program, kind)
    part = await audited(Falsified(true, {address: None}))
    assert found_of(part) == {(Code.ACCOUNT_MISSING, str(address), program.name)}


@pytest.mark.parametrize(("program", "kind"), KINDS, ids=IDS)
async def test_an_account_too_many(true: EmbeddedChain, program: Program, kind: str) -> None:
    _, account = one(true, program, kind)
    elsewhere = key("elsewhere").pubkey()
    (finding,) = (await audited(Falsified(true, {elsewhere: account}))).findings
    assert (finding.code, finding.where) == (Code.ACCOUNT_UNFOUNDED, str(elsewhere))
    assert (finding.expected, finding.found, finding.signer) == (None, kind, None)


@pytest.mark.parametrize(("program", "kind"), KINDS, ids=IDS)
@pytest.mark.parametrize("how", ["another kind", "longer", "shorter"])
async def test_bytes_that_are_no_such_account(
    true: EmbeddedChain, program: Program, kind: str, how: str
) -> None:
    address, account = one(true, program, kind)
    data = {
        "another kind": bytes(8) + account.data[8:],
        "longer": account.data + b"\1",
        "shorter": account.data[:-1],
    }[how]
    part = await audited(Falsified(true, {address: replace(account, data=data)}))
    assert found_of(part) == {(Code.ACCOUNT_UNREADABLE, str(address), kind)}


async def test_an_account_of_zeros_that_anybody_can_give_a_program_is_none(true: EmbeddedChain) -> None:
    numbers = count()
    given = {
        key(f"given {next(numbers)}").pubkey(): Account(1, bytes(100), program.address)
        for program in PROGRAMS.values()
    }
    assert (await audited(Falsified(true, given))).findings == ()
