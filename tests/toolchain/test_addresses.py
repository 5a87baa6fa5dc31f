"""The addresses that the IDLs state, derived again for a call of each instruction that succeeds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from solders.instruction import Instruction
from solders.pubkey import Pubkey

from keeper.chain import types
from keeper.chain.program import Program
from keeper.clients.programs import PROGRAMS
from keeper.clients.tokenomics import MINT
from tests.programs.world import World
from tests.security.every import EVERY, SUBJECTS
from toolchain import addresses
from toolchain.programs import ROOT

IDLS: Mapping[str, Any] = {name: json.loads((ROOT / f"idl/{name}.json").read_text()) for name in SUBJECTS}
CHOSEN = {
    "new_admin, new_beneficiary, new_guardian": "whom a proposal names",
    "admin, beneficiary, bidder, caller, matcher, operator, payer, renter, staker, supplier": "signs",
    "guardian, worker": "signs",
    "owner, wallet": "whose tokens or rewards they are",
}
"""Accounts that are somebody's own, by why no address follows from anything."""
BY_CURRENCY = "IO or USDC, by the order's currency, which seeds can't choose by"
UNSAID = {
    ("staking", "associated"): "optional: where the owner's tokens are paid into another account",
    ("orders", "class"): "the number is in a list of the order's terms, or in an account of staking",
    ("orders", "destination"): BY_CURRENCY,
    ("orders", "fees"): BY_CURRENCY,
    ("orders", "mint"): BY_CURRENCY,
    ("orders", "payout_tokens"): BY_CURRENCY,
    ("orders", "renter_tokens"): BY_CURRENCY,
    ("orders", "lease"): "of a fault whose lease is gone; the fault has its address",
    ("orders", "usdc_mint"): "whose network it is",
    ("buyback", "usdc_mint"): "whose network it is",
    ("tokenomics", "funder"): "the season has its address",
}
"""Accounts whose derivation the format can't express everywhere, and why."""


MAKES = {"match_device", "park_fees", "park_pay", "register_device"}
"""Instructions that make an account which holds a seed: before that, its derivation has nothing to read."""


class NotMadeYet(Exception):
    """A seed is in an account that the call itself makes."""


class Derivation:
    """Derives a call's accounts as a client does that has an IDL and reads the chain."""

    def __init__(self, program: Program, world: World, call: Instruction) -> None:
        decoded = program.decode_instruction(bytes(call.data))
        assert decoded
        self.program, self.world = program, world
        self.name, self.arguments = decoded
        self.slots = IDLS[program.name]["instructions"]
        self.slots = next(each for each in self.slots if each["name"] == self.name)
        names = [each["name"] for each in self.slots["accounts"]]
        self.accounts = dict(zip(names, [each.pubkey for each in call.accounts], strict=True))

    def address(self, pda: Mapping[str, Any]) -> Pubkey:
        program = Pubkey(self.seed(pda["program"])) if "program" in pda else self.program.address
        return Pubkey.find_program_address([self.seed(each) for each in pda["seeds"]], program)[0]

    def seed(self, seed: Mapping[str, Any]) -> bytes:
        if seed["kind"] == "const":
            return bytes(seed["value"])
        if seed["kind"] == "arg":
            kind = next(each["type"] for each in self.slots["args"] if each["name"] == seed["path"])
            return self.bytes_of(kind, self.arguments[seed["path"]])
        slot, _, field = seed["path"].partition(".")
        if not field:
            return bytes(self.accounts[slot])
        if self.world.chain.get(self.accounts[slot]) is None:
            raise NotMadeYet
        account = self.world.account(self.accounts[slot])
        owner = next(each for each in PROGRAMS.values() if each.address == account.owner)
        name, fields = owner.decode_account(account.data)
        assert name == seed["account"]
        listed = owner.definitions[name]["type"]["fields"]
        return self.bytes_of(next(each["type"] for each in listed if each["name"] == field), fields[field])

    def bytes_of(self, kind: Any, value: Any) -> bytes:
        return bytes(types.layout(kind, self.program.definitions).build(value))


@pytest.mark.parametrize(("program", "instruction"), EVERY)
def test_every_address_is_what_the_idl_derives(program: str, instruction: str) -> None:
    subject = SUBJECTS[program]
    call = subject.expectations.matrix.calls[instruction]
    world = subject.expectations.matrix.world(instruction)
    derivation = Derivation(subject.program, world, call.build(world))
    found = 0
    for account in derivation.slots["accounts"]:
        address = derivation.accounts[account["name"]]
        if "pda" in account:
            try:
                derived = derivation.address(account["pda"])
            except NotMadeYet:
                assert instruction in MAKES, account["name"]
                continue
            assert derived == address, account["name"]
            found += 1
        elif "address" in account:
            assert Pubkey.from_string(account["address"]) == address, account["name"]
            found += 1
        for source in account.get("relations", []):
            read = derivation.world.chain.get(derivation.accounts[source])
            if read and read.owner == subject.program.address:
                decoded = subject.program.decode_account(read.data)
                assert decoded[1][account["name"]] == address, account["name"]
    assert found >= 2, "the program and what signs its events at least"


def test_every_account_is_found_or_there_is_a_reason() -> None:
    chosen = {name for names in CHOSEN for name in names.split(", ")}
    missing, used = [], set()
    for program, idl in IDLS.items():
        for instruction in idl["instructions"]:
            for account in instruction["accounts"]:
                key = (program, account["name"])
                if {"address", "pda"} & account.keys() or account["name"] in chosen:
                    continue
                used.add(key)
                if key not in UNSAID:
                    missing.append((*key, instruction["name"]))
    assert not missing
    assert used == UNSAID.keys(), "a reason for nothing"


def test_the_programs_own_address_is_on_every_instruction() -> None:
    for idl in IDLS.values():
        for instruction in idl["instructions"]:
            own = [each for each in instruction["accounts"] if each["name"] == "program"]
            assert [each["address"] for each in own] == [idl["address"]]


def test_a_row_of_the_table_is_used() -> None:
    for program, rows in addresses.SEEDS.items():
        named = {each["name"] for row in IDLS[program]["instructions"] for each in row["accounts"]}
        assert rows.keys() <= named


def test_addresses_are_derived_as_solana_does() -> None:
    assert addresses.unbase58(str(MINT)) == bytes(MINT)
    for number in range(40):
        program, seeds = bytes(Pubkey.new_unique()), [b"seed", number.to_bytes(8, "little")]
        found = addresses.find_address(seeds, program)
        assert found == bytes(Pubkey.find_program_address(seeds, Pubkey(program))[0])
