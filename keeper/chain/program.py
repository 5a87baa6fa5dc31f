"""One program, known by its IDL: build its instructions, read its accounts, events and errors."""

from __future__ import annotations

import struct
from binascii import a2b_base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import construct
import numpy as np
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from keeper import resources
from keeper.chain import framework, types
from keeper.chain.fixed import Reader, reader
from keeper.chain.records import TransactionRecord
from keeper.errors import UserError

EVENT_TAG = bytes.fromhex("e445a52e51cb9a1d")
"""First bytes of a self-call that carries an event."""
EVENT_AUTHORITY_SEED = b"__event_authority"
DISCRIMINATOR_LENGTH = 8
LOGGED_DATA, LOGGED_TEXT = "Program data: ", "Program log: "
OF_RUNTIME = 2
"""Which word of the runtime's own log lines says what happened."""

Fields = dict[str, Any]


class CodecError(UserError):
    """A value that its type in the IDL can't hold; asking for what the IDL doesn't have is a defect."""


class UnexpectedData(CodecError):
    """Data on a chain that is not as the IDL describes it."""

    @property
    def hint(self) -> str:
        """What may be wrong."""
        return "Are the chain's programs this version's? ionet keeper doctor compares them."


class Event(NamedTuple):
    """An event of a program: its name and its fields (Pubkey, int, bytes, bool, list)."""

    name: str
    fields: Fields


class LocatedEvent(NamedTuple):
    """An event with where in its transaction it was sent.

    ``outer`` is the index of the transaction's own instruction, ``inner`` the call's position among
    those made under it: the same two numbers as in an RPC node's ``innerInstructions``.
    """

    outer: int
    inner: int
    event: Event


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
        self._address_text: str = idl["address"]
        self.definitions = {each["name"]: each for each in idl.get("types", [])}
        self._instructions = {
            each["name"]: _Instruction(
                each["name"],
                bytes(each["discriminator"]),
                each["accounts"],
                each["args"],
                types.struct(each["args"], self.definitions),
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
    def load(cls, name: str) -> Program:
        """Read the IDL of one of the project's programs."""
        return cls(resources.idl(name))

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
        and the two that events need are filled in; the others are given by name, unless they are
        optional. Raises TypeError naming what is missing or unexpected, CodecError for a value that
        doesn't fit.
        """
        form = self._form(name)
        arguments = arguments or {}
        self._require_arguments(form, arguments)
        data = self._build(form, form.layout, arguments)
        unknown = accounts.keys() - {each["name"] for each in form.accounts}
        if unknown:
            raise TypeError(f"{self.name}.{name} takes no account {', '.join(sorted(unknown))}")
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
        return self.pda_and_bump(instruction, account, **values)[0]

    def pda_and_bump(self, instruction: str, account: str, **values: Any) -> tuple[Pubkey, int]:
        """Derive the same address, and its bump."""
        form = self._form(instruction)
        entry = next((each for each in form.accounts if each["name"] == account), None)
        if entry is None or "pda" not in entry:
            raise ValueError(f"{self.name}.{instruction} derives no account {account}")
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
        """The first eight bytes of every account of this kind; raises ValueError for an unknown one."""
        found = next((key for key, (name, _) in self._accounts.items() if name == account), None)
        if found is None:
            raise ValueError(f"{self.name} has no account {account}")
        return found

    def kind_of(self, data: bytes) -> str | None:
        """An account's kind by its first eight bytes; None for data that is none of this program's."""
        found = self._accounts.get(data[:DISCRIMINATOR_LENGTH])
        return found[0] if found else None

    def decode_account(self, data: bytes) -> tuple[str, Fields]:
        """Read an account's kind and fields; raises UnexpectedData for anything else."""
        found = self._accounts.get(data[:DISCRIMINATOR_LENGTH])
        if found is None:
            raise UnexpectedData(f"no account of {self.name} starts with {data[:DISCRIMINATOR_LENGTH].hex()}")
        name, read = found
        try:
            return name, read(data, DISCRIMINATOR_LENGTH)
        except struct.error as error:
            raise UnexpectedData(f"{name}: {error}") from error

    def account(self, kind: str, data: bytes) -> Fields:
        """Read an account that must be of ``kind``; raises UnexpectedData for another."""
        name, fields = self.decode_account(data)
        if name != kind:
            raise UnexpectedData(f"expected a {kind} of {self.name}, found a {name}")
        return fields

    def zeroed(self, kind: str) -> Fields:
        """The fields of an account of ``kind`` whose bytes are zeros, as a new one's are."""
        size = self.dtype(kind).itemsize
        return self.account(kind, self.discriminator(kind).ljust(size, b"\0"))

    def dtype(self, account: str) -> np.dtype[Any]:
        """The numpy dtype of a zero-copy account, its discriminator first."""
        self.discriminator(account)
        body = types.dtype(account, self.definitions)
        assert body.fields is not None and body.names is not None
        return np.dtype([("discriminator", "V8"), *((n, body.fields[n][0]) for n in body.names)])

    def decode_accounts(self, account: str, data: Iterable[bytes]) -> np.ndarray[Any, np.dtype[Any]]:
        """Read many zero-copy accounts of one kind in one step.

        Returns a structured array, a record each, that shares no memory with the input. Raises
        UnexpectedData when one of them is another kind or size.
        """
        kind = self.dtype(account)
        rows = list(data)
        if set(map(len, rows)) - {kind.itemsize}:
            raise UnexpectedData(
                f"a {account} of {self.name} has {kind.itemsize} bytes, some of these have a different number"
            )
        table = np.frombuffer(b"".join(rows), dtype=kind)
        if len(table) and (table["discriminator"] != np.void(self.discriminator(account))).any():
            raise UnexpectedData(f"some of these are not a {account} of {self.name}")
        return table

    # -- events and errors -------------------------------------------------------------------

    @property
    def event_fields(self) -> Mapping[str, list[Mapping[str, Any]]]:
        """The fields of each event, as the IDL lists them: name and type."""
        return {name: self.definitions[name]["type"].get("fields", []) for name, _ in self._events.values()}

    @property
    def account_fields(self) -> Mapping[str, list[Mapping[str, Any]]]:
        """The fields of each kind of account, as the IDL lists them: name and type."""
        return {name: self.definitions[name]["type"].get("fields", []) for name, _ in self._accounts.values()}

    def expanded(self, kind: Any) -> Any:
        """A type of the IDL, or its list of fields, with the definitions of the types that it names."""
        if isinstance(kind, Mapping):
            if "defined" in kind:
                return self.expanded(self.definitions[kind["defined"]["name"]]["type"])
            return {key: self.expanded(value) for key, value in kind.items() if key != "docs"}
        return [self.expanded(each) for each in kind] if isinstance(kind, list) else kind

    def events(self, record: TransactionRecord) -> list[Event]:
        """Read the events that this program sent to itself in a successful transaction, in order."""
        return [found.event for found in self.located_events(record)]

    def located_events(self, record: TransactionRecord) -> list[LocatedEvent]:
        """Read the same events with where they were sent.

        A call counts only when this program was the caller, the data carries the tag, and the one
        account is the program's event authority: no other program can forge that signature. Raises
        UnexpectedData for an event that the IDL doesn't have: the program was upgraded.
        """
        if record.error is not None:
            return []
        found = []
        callers: list[Pubkey] = []
        outer, inner = -1, 0
        for call in record.inner:
            if call.outer != outer:
                outer, inner = call.outer, 0
                callers = [record.programs[outer]]
            del callers[call.stack_height - 1 :]
            caller = callers[-1]
            callers.append(call.program)
            if (
                call.data.startswith(EVENT_TAG)
                and call.program == caller == self.address
                and call.accounts == (self.event_authority,)
            ):
                event = self.decode_event(call.data[len(EVENT_TAG) :])
                if event is None:
                    raise UnexpectedData(f"an event of {self.name} that this version doesn't know")
                found.append(LocatedEvent(outer, inner, event))
            inner += 1
        return found

    def decode_event(self, data: bytes) -> Event | None:
        """Read an event's discriminator and fields; None when it is none of this program's."""
        found = self._events.get(data[:DISCRIMINATOR_LENGTH])
        if found is None:
            return None
        name, read = found
        try:
            return Event(name, read(data, DISCRIMINATOR_LENGTH))
        except struct.error as error:
            raise UnexpectedData(f"{name}: {error}") from error

    def logged_events(self, logs: Iterable[str]) -> list[Event]:
        """Read events out of log lines, for programs that log them instead.

        The lines are followed call by call, so that another program's data is not taken for ours.
        Logs can be cut at 10 kB: never let money depend on them.
        """
        stack: list[str] = []
        found = []
        ours = self._address_text
        for line in logs:
            if line.startswith(LOGGED_DATA):
                if stack and stack[-1] == ours:
                    event = self.decode_event(a2b_base64(line[len(LOGGED_DATA) :]))
                    if event:
                        found.append(event)
                continue
            if line.startswith(LOGGED_TEXT):
                continue
            words = line.split(" ", 3)
            # What a program logs itself has a colon where the runtime's own lines have an address.
            if words[0] != "Program" or len(words) <= OF_RUNTIME or words[1].endswith(":"):
                continue
            if words[OF_RUNTIME] == "invoke":
                stack.append(words[1])
            elif words[OF_RUNTIME] in ("success", "failed:") and stack:
                stack.pop()
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
            raise ValueError(f"{self.name} has no instruction {name}")
        return self._instructions[name]

    def _by_discriminator(self, entries: Iterable[Mapping[str, Any]]) -> dict[bytes, tuple[str, Reader]]:
        return {bytes(each["discriminator"]): (each["name"], self._reader(each["name"])) for each in entries}

    def _reader(self, name: str) -> Reader:
        """Read a named type: compiled when its size is fixed, with construct otherwise."""
        fast = reader(self.definitions[name]["type"].get("fields", []), self.definitions)
        if fast is not None:
            return fast
        form = types.defined(name, self.definitions)
        return lambda data, offset: types.plain(_parse(form, data[offset:], name))

    def _require_arguments(self, form: _Instruction, arguments: Mapping[str, Any]) -> None:
        names = {each["name"] for each in form.arguments}
        if names != arguments.keys():
            missing = ", ".join(sorted(names - arguments.keys()))
            extra = ", ".join(sorted(arguments.keys() - names))
            raise TypeError(f"{self.name}.{form.name}: missing [{missing}], doesn't take [{extra}]")

    def _build(self, form: _Instruction, layout: Any, value: Any) -> bytes:
        try:
            data: bytes = layout.build(value)
        except (construct.ConstructError, TypeError, ValueError) as error:
            # construct's own words take several lines.
            raise CodecError(f"{self.name}.{form.name}: {' '.join(str(error).split())}") from error
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
        if account.get("optional", False):
            # The framework's word for none.
            return self.address
        if "pda" in account and not _is_in_data(account["pda"]):
            return self._derive(form, account, arguments, {**given, **resolved})[0]
        raise TypeError(f"{self.name}.{form.name} needs the account {name}")

    def _derive(
        self,
        form: _Instruction,
        account: Mapping[str, Any],
        arguments: Mapping[str, Any],
        keys: Mapping[str, Pubkey],
    ) -> tuple[Pubkey, int]:
        pda = account["pda"]
        seeds = tuple(self._seed(form, account["name"], seed, arguments, keys) for seed in pda["seeds"])
        program = self.address
        if "program" in pda:
            program = Pubkey(self._seed(form, account["name"], pda["program"], arguments, keys))
        return framework.derived_address(seeds, program)

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
                return self._build(form, types.layout(kind, self.definitions), arguments[path])
        elif path in keys:
            return bytes(keys[path])
        raise TypeError(f"{self.name}.{form.name}: give the account {account}, or {path} to derive it from")


def _is_in_data(pda: Mapping[str, Any]) -> bool:
    """Whether an address follows from what is in an account: nothing is read from a chain here."""
    return any("." in seed.get("path", "") for seed in pda["seeds"])


def _parse(form: Any, data: bytes, name: str) -> Any:
    try:
        return form.parse(data)
    except (construct.ConstructError, UnicodeDecodeError) as error:
        raise UnexpectedData(f"{name}: {' '.join(str(error).split())}") from error


def _constant(entry: Mapping[str, Any]) -> Any:
    value = resources.constant(entry)
    return Pubkey.from_string(value) if entry["type"] == "pubkey" else value
