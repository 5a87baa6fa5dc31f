"""One program, known by its IDL: build its instructions, read its accounts, events and errors."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import construct
import numpy as np
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from keeper.chain import framework, types
from keeper.chain.protocol import TransactionRecord

IDL_FOLDER = Path(__file__).parents[2] / "idl"
EVENT_TAG = bytes.fromhex("e445a52e51cb9a1d")
"""First bytes of a self-call that carries an event."""
EVENT_AUTHORITY_SEED = b"__event_authority"
DISCRIMINATOR_LENGTH = 8

Fields = dict[str, Any]


class CodecError(ValueError):
    """Something can't be built from, or read with, the IDL; the message says what and where."""


@dataclass(frozen=True, slots=True)
class Event:
    """An event of a program: its name and its fields (Pubkey, int, bytes, bool, list)."""

    name: str
    fields: Fields


@dataclass(frozen=True, slots=True)
class NamedError:
    """One of a program's errors."""

    code: int
    name: str
    message: str


@dataclass(frozen=True, slots=True)
class _Instruction:
    name: str
    discriminator: bytes
    accounts: list[Mapping[str, Any]]
    arguments: list[Mapping[str, Any]]
    layout: Any


class Program:
    """A program's IDL with the layouts compiled from it."""

    def __init__(self, idl: Mapping[str, Any]) -> None:
        """Compile an IDL in the format of Anchor 0.30 and later."""
        self.name: str = idl["metadata"]["name"]
        self.address = Pubkey.from_string(idl["address"])
        self._types = {each["name"]: each for each in idl.get("types", [])}
        self._instructions = {
            each["name"]: _Instruction(
                each["name"],
                bytes(each["discriminator"]),
                each["accounts"],
                each["args"],
                types.struct(each["args"], self._types),
            )
            for each in idl["instructions"]
        }
        self._accounts = self._by_discriminator(idl.get("accounts", []))
        self._events = self._by_discriminator(idl.get("events", []))
        self.errors = {
            each["code"]: NamedError(each["code"], each["name"], each.get("msg", ""))
            for each in idl.get("errors", [])
        }
        self.constants = {each["name"]: _constant(each) for each in idl.get("constants", [])}
        self.event_authority, _ = Pubkey.find_program_address([EVENT_AUTHORITY_SEED], self.address)

    @classmethod
    def load(cls, name: str, folder: Path = IDL_FOLDER) -> Program:
        """Read the IDL of one of the project's programs."""
        return cls(json.loads((folder / f"{name}.json").read_text()))

    # -- instructions ------------------------------------------------------------------------

    @property
    def instructions(self) -> Mapping[str, list[Mapping[str, Any]]]:
        """The accounts that each instruction takes, as the IDL lists them."""
        return {name: each.accounts for name, each in self._instructions.items()}

    def instruction(
        self, name: str, arguments: Mapping[str, Any] | None = None, **accounts: Pubkey
    ) -> Instruction:
        """Build an instruction.

        Accounts with a fixed address, those derived from constants, arguments and other accounts,
        and the two that events need are filled in; the others are given by name. Raises CodecError
        naming what lacks or is too much.
        """
        form = self._form(name)
        arguments = arguments or {}
        self._require_arguments(form, arguments)
        data = self._build(form, form.layout, arguments)
        unknown = accounts.keys() - {each["name"] for each in form.accounts}
        if unknown:
            raise CodecError(f"{self.name}.{name} takes no account {', '.join(sorted(unknown))}")
        resolved: dict[str, Pubkey] = {}
        metas = []
        for account in form.accounts:
            address = accounts.get(account["name"]) or self._resolve(
                form, account, arguments, accounts, resolved
            )
            resolved[account["name"]] = address
            metas.append(AccountMeta(address, account.get("signer", False), account.get("writable", False)))
        return Instruction(self.address, form.discriminator + data, metas)

    def pda(self, instruction: str, account: str, **values: Any) -> Pubkey:
        """Derive the address of an instruction's account from the arguments and accounts in ``values``."""
        form = self._form(instruction)
        entry = next((each for each in form.accounts if each["name"] == account), None)
        if entry is None or "pda" not in entry:
            raise CodecError(f"{self.name}.{instruction} derives no account {account}")
        keys = {name: value for name, value in values.items() if isinstance(value, Pubkey)}
        return self._derive(form, entry, values, keys)

    def decode_instruction(self, data: bytes) -> tuple[str, Fields] | None:
        """Read an instruction's name and arguments; None for data that is none of this program's."""
        for form in self._instructions.values():
            if data.startswith(form.discriminator):
                return form.name, types.plain(_parse(form.layout, data[DISCRIMINATOR_LENGTH:], form.name))
        return None

    # -- accounts ----------------------------------------------------------------------------

    def discriminator(self, account: str) -> bytes:
        """The first eight bytes of every account of this kind; raises CodecError for an unknown one."""
        found = next((key for key, (name, _) in self._accounts.items() if name == account), None)
        if found is None:
            raise CodecError(f"{self.name} has no account {account}")
        return found

    def decode_account(self, data: bytes) -> tuple[str, Fields]:
        """Read an account's kind and fields; raises CodecError for data that is none of this program's."""
        found = self._accounts.get(data[:DISCRIMINATOR_LENGTH])
        if found is None:
            raise CodecError(f"no account of {self.name} starts with {data[:DISCRIMINATOR_LENGTH].hex()}")
        name, form = found
        return name, types.plain(_parse(form, data[DISCRIMINATOR_LENGTH:], name))

    def account(self, kind: str, data: bytes) -> Fields:
        """Read an account that must be of ``kind``."""
        name, fields = self.decode_account(data)
        if name != kind:
            raise CodecError(f"expected a {kind} of {self.name}, found a {name}")
        return fields

    def dtype(self, account: str) -> np.dtype[Any]:
        """The numpy dtype of a zero-copy account, its discriminator first."""
        self.discriminator(account)
        body = types.dtype(account, self._types)
        assert body.fields is not None and body.names is not None
        return np.dtype([("discriminator", "V8"), *((n, body.fields[n][0]) for n in body.names)])

    def decode_accounts(self, account: str, data: Iterable[bytes]) -> np.ndarray[Any, np.dtype[Any]]:
        """Read many zero-copy accounts of one kind in one step.

        Returns a structured array, a record each, that shares no memory with the input. Raises
        CodecError when one of them is another kind or size.
        """
        kind = self.dtype(account)
        rows = list(data)
        if any(len(row) != kind.itemsize for row in rows):
            raise CodecError(
                f"a {account} of {self.name} has {kind.itemsize} bytes, some of these have others"
            )
        table = np.frombuffer(b"".join(rows), dtype=kind)
        if len(table) and (table["discriminator"] != np.void(self.discriminator(account))).any():
            raise CodecError(f"some of these are no {account} of {self.name}")
        return table

    # -- events and errors -------------------------------------------------------------------

    def events(self, record: TransactionRecord) -> list[Event]:
        """Read the events that this program sent to itself in a successful transaction, in order.

        A call counts only when this program was the caller, the data carries the tag, and the one
        account is the program's event authority: no other program can forge that signature.
        """
        if record.error is not None:
            return []
        found = []
        callers: list[Pubkey] = []
        outer = -1
        for call in record.inner:
            if call.outer != outer:
                outer = call.outer
                callers = [record.programs[outer]]
            del callers[call.stack_height - 1 :]
            caller = callers[-1]
            callers.append(call.program)
            if (
                call.program == caller == self.address
                and call.accounts == (self.event_authority,)
                and call.data.startswith(EVENT_TAG)
            ):
                event = self.decode_event(call.data[len(EVENT_TAG) :])
                if event:
                    found.append(event)
        return found

    def decode_event(self, data: bytes) -> Event | None:
        """Read an event's discriminator and fields; None when it is none of this program's."""
        found = self._events.get(data[:DISCRIMINATOR_LENGTH])
        if found is None:
            return None
        name, form = found
        return Event(name, types.plain(_parse(form, data[DISCRIMINATOR_LENGTH:], name)))

    def logged_events(self, logs: Iterable[str]) -> list[Event]:
        """Read events out of log lines, for programs that log them instead.

        The lines are followed call by call, so that another program's data is not taken for ours.
        Logs can be cut at 10 kB: never let money depend on them.
        """
        stack: list[str] = []
        found = []
        for line in logs:
            if match := re.fullmatch(r"Program (\w+) invoke \[\d+\]", line):
                stack.append(match[1])
            elif re.match(r"Program \w+ (success|failed)", line):
                if stack:
                    stack.pop()
            elif line.startswith("Program data: ") and stack and stack[-1] == str(self.address):
                event = self.decode_event(base64.b64decode(line.removeprefix("Program data: ")))
                if event:
                    found.append(event)
        return found

    def error(self, code: int) -> NamedError:
        """Name an error number: the program's own, the framework's, or unknown."""
        if code in self.errors:
            return self.errors[code]
        name, message = framework.ERRORS.get(code, ("Unknown", f"error {code} is not in the IDL"))
        return NamedError(code, name, message)

    # -- inside ------------------------------------------------------------------------------

    def _form(self, name: str) -> _Instruction:
        if name not in self._instructions:
            raise CodecError(f"{self.name} has no instruction {name}")
        return self._instructions[name]

    def _by_discriminator(self, entries: Iterable[Mapping[str, Any]]) -> dict[bytes, tuple[str, Any]]:
        return {
            bytes(each["discriminator"]): (each["name"], types.defined(each["name"], self._types))
            for each in entries
        }

    def _require_arguments(self, form: _Instruction, arguments: Mapping[str, Any]) -> None:
        names = {each["name"] for each in form.arguments}
        if names != arguments.keys():
            lacking = ", ".join(sorted(names - arguments.keys()))
            extra = ", ".join(sorted(arguments.keys() - names))
            raise CodecError(f"{self.name}.{form.name}: lacks [{lacking}], doesn't take [{extra}]")

    def _build(self, form: _Instruction, layout: Any, value: Any) -> bytes:
        try:
            data: bytes = layout.build(value)
        except (construct.ConstructError, TypeError, ValueError) as error:
            raise CodecError(f"{self.name}.{form.name}: {error}") from error
        return data

    def _resolve(
        self,
        form: _Instruction,
        account: Mapping[str, Any],
        arguments: Mapping[str, Any],
        given: Mapping[str, Pubkey],
        resolved: Mapping[str, Pubkey],
    ) -> Pubkey:
        name = account["name"]
        if "address" in account:
            return Pubkey.from_string(account["address"])
        if name == "program":
            return self.address
        if name in framework.WELL_KNOWN:
            return framework.WELL_KNOWN[name]
        if "pda" in account:
            return self._derive(form, account, arguments, {**given, **resolved})
        raise CodecError(f"{self.name}.{form.name} needs the account {name}")

    def _derive(
        self,
        form: _Instruction,
        account: Mapping[str, Any],
        arguments: Mapping[str, Any],
        keys: Mapping[str, Pubkey],
    ) -> Pubkey:
        pda = account["pda"]
        seeds = [self._seed(form, account["name"], seed, arguments, keys) for seed in pda["seeds"]]
        program = self.address
        if "program" in pda:
            program = Pubkey(self._seed(form, account["name"], pda["program"], arguments, keys))
        return Pubkey.find_program_address(seeds, program)[0]

    def _seed(
        self,
        form: _Instruction,
        account: str,
        seed: Mapping[str, Any],
        arguments: Mapping[str, Any],
        keys: Mapping[str, Pubkey],
    ) -> bytes:
        if seed["kind"] == "const":
            return bytes(seed["value"])
        path = seed["path"]
        if seed["kind"] == "arg":
            kind = next((each["type"] for each in form.arguments if each["name"] == path), None)
            if kind is not None and path in arguments:
                return self._build(form, types.layout(kind, self._types), arguments[path])
        elif path in keys:
            return bytes(keys[path])
        raise CodecError(f"{self.name}.{form.name}: give the account {account}, or {path} to derive it from")


def _parse(form: Any, data: bytes, name: str) -> Any:
    try:
        return form.parse(data)
    except (construct.ConstructError, UnicodeDecodeError) as error:
        raise CodecError(f"{name}: {error}") from error


def _constant(entry: Mapping[str, Any]) -> Any:
    value = entry["value"]
    if entry["type"] == "bytes":
        return bytes(json.loads(value))
    return json.loads(value) if entry["type"] != "pubkey" else Pubkey.from_string(value)
