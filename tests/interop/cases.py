"""What clients are asked, and what the keeper's codec says to the same."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from keeper import resources
from keeper.chain import types
from keeper.chain.program import DISCRIMINATOR_LENGTH, EVENT_TAG, Program
from keeper.clients.programs import BY_ADDRESS, PROGRAMS
from tests.interop.values import SETS, address, said, struct, to_json
from tests.programs.world import World, finish
from tests.security.every import EVERY, SUBJECTS

MOST_OF_A_KIND = 60
"""Real accounts of one kind, and events."""


@dataclass(slots=True)
class Cases:
    """Questions by kind, and the answer to each by its name."""

    questions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, kind: str, name: str, question: Mapping[str, Any], answer: Any) -> None:
        """One more question."""
        self.questions.setdefault(kind, []).append({"id": name, **question})
        self.answers.setdefault(kind, {})[name] = answer


@cache
def cases() -> Cases:
    """All of them."""
    found = Cases()
    for program in PROGRAMS.values():
        for name in program.instructions:
            for which in SETS:
                _instruction(found, program, name, which)
        for kind in program.account_fields:
            for which in SETS:
                data = encoded(program, "accounts", kind, which)
                _account(found, program, f"{program.name}.{kind}/{which}", data)
        for kind in program.event_fields:
            for which in SETS:
                data = encoded(program, "events", kind, which)
                _event(found, program, f"{program.name}.{kind}/{which}", data)
    _real(found)
    for name, instruction in EVERY:
        _scene(found, name, instruction)
    return found


def encoded(program: Program, listed: str, kind: str, which: str) -> bytes:
    """An account's or an event's bytes, of generated values."""
    idl = resources.idl(program.name)
    entry = next(each for each in idl[listed] if each["name"] == kind)
    fields = program.definitions[kind]["type"].get("fields", [])
    values = struct(fields, which, f"{program.name}.{kind}", program.definitions)
    body: bytes = types.struct(fields, program.definitions).build(values)
    return bytes(entry["discriminator"]) + body


def worlds() -> Iterator[World]:
    """The states that other tests of the programs start from: accounts and transactions of all kinds."""
    for subject in SUBJECTS.values():
        for name in subject.stages:
            yield subject.matrix.stage(name)


def written(call: Instruction) -> dict[str, Any]:
    """An instruction as clients answer it."""
    metas = [[str(each.pubkey), each.is_signer, each.is_writable] for each in call.accounts]
    return {"data": call.data.hex(), "accounts": metas}


def _instruction(found: Cases, program: Program, name: str, which: str) -> None:
    words = (program.name, name, which)
    arguments = arguments_of(program, name, which)
    accounts: dict[str, Pubkey | None] = {}
    for each in program.instructions[name]:
        # None at all is the lower limit of what is optional.
        left_out = which == "least" and each.get("optional", False)
        fixed = Pubkey.from_string(each["address"]) if "address" in each else None
        accounts[each["name"]] = None if left_out else fixed or address(*words, each["name"])
    call = program.instruction(name, arguments, **{key: each for key, each in accounts.items() if each})
    question = {
        "program": program.name,
        "instruction": name,
        "arguments": to_json(arguments),
        "accounts": {key: each and str(each) for key, each in accounts.items()},
    }
    found.add("instructions", f"{program.name}.{name}/{which}", question, written(call))
    # The same backwards.
    parsed = {"program": program.name, "instruction": name, "data": call.data.hex()}
    found.add("parsed", f"{program.name}.{name}/{which}", parsed, said(arguments))


def arguments_of(program: Program, name: str, which: str) -> dict[str, Any]:
    """An instruction's arguments out of one of the sets."""
    idl = resources.idl(program.name)
    fields = next(each["args"] for each in idl["instructions"] if each["name"] == name)
    return struct(fields, which, f"{program.name}.{name}", program.definitions)


def _account(found: Cases, program: Program, name: str, data: bytes) -> None:
    kind, fields = program.decode_account(data)
    question = {"program": program.name, "kind": kind, "data": b64encode(data).decode()}
    found.add("accounts", name, question, {"kind": kind, "fields": said(fields)})


def _event(found: Cases, program: Program, name: str, data: bytes) -> None:
    event = program.decode_event(data)
    assert event is not None
    question = {"program": program.name, "kind": event.name, "data": b64encode(data).decode()}
    found.add("events", name, question, {"kind": event.name, "fields": said(event.fields)})


def _real(found: Cases) -> None:
    """Accounts and events out of real chains, each different one once."""
    accounts: dict[tuple[str, str], set[bytes]] = {}
    events: dict[tuple[str, str], set[bytes]] = {}
    for world in worlds():
        for program in PROGRAMS.values():
            for data in _accounts_of(world, program):
                kind, _ = program.decode_account(data)
                accounts.setdefault((program.name, kind), set()).add(data)
        for record in world.chain.transactions():
            for call in record.inner:
                its = BY_ADDRESS.get(call.program)
                if record.error is None and its and call.data.startswith(EVENT_TAG):
                    data = call.data[len(EVENT_TAG) :]
                    event = its.decode_event(data)
                    assert event is not None
                    events.setdefault((its.name, event.name), set()).add(data)
    for kinds, add in ((accounts, _account), (events, _event)):
        for (name, kind), all_of_it in sorted(kinds.items()):
            for i, data in enumerate(sorted(all_of_it)[:MOST_OF_A_KIND]):
                add(found, PROGRAMS[name], f"{name}.{kind}/real {i}", data)


def _accounts_of(world: World, program: Program) -> list[bytes]:
    return [
        bytes(each.data)
        for each in finish(world.chain.program_accounts(program.address)).values()
        if len(each.data) > DISCRIMINATOR_LENGTH
    ]


def _scene(found: Cases, name: str, instruction: str) -> None:
    """A call that succeeds, with the accounts as they are before it: what of it a client finds by itself."""
    subject = SUBJECTS[name]
    world, call = subject.scene(instruction)
    decoded = subject.program.decode_instruction(call.data)
    assert decoded is not None
    slots = subject.program.instructions[instruction]
    addresses = [meta.pubkey for meta in call.accounts]
    state = {
        str(each): {"owner": str(account.owner), "data": b64encode(account.data).decode()}
        for each in addresses
        if (account := world.chain.get(each)) is not None and not account.executable
    }
    question = {
        "program": name,
        "instruction": instruction,
        "arguments": to_json(decoded[1]),
        "slots": [each["name"] for each in slots],
        "signers": [each["name"] for each in slots if each.get("signer", False)],
        "addresses": [str(each) for each in addresses],
        "state": state,
    }
    found.add("scenes", f"{name}.{instruction}", question, written(call))
