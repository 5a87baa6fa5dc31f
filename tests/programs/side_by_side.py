"""A program on a chain and its reference model, side by side.

Every action happens on both. Afterwards the two must agree on the refusal's name or on the events,
and on every account, balance and supply; and the model's invariants must hold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.null_signer import NullSigner
from solders.pubkey import Pubkey

from keeper.chain import TransactionRecord
from keeper.chain.program import Event as ProgramEvent
from keeper.chain.program import Program
from tests.model.state import ZERO, Address, Event, Refused
from tests.programs.world import World, key

ADMIN, GUARDIAN, MALLORY = (bytes(key(name).pubkey()) for name in ("admin", "guardian", "mallory"))
OTHER_CODES = {0: "AccountInUse", 1: "InsufficientFunds", 4: "OwnerMismatch", 17: "AccountFrozen"}
"""Numbers of the system and the token program, which the transaction's error shows as they are."""
RUNTIME_NAMES = {
    "instruction 0: AccountDataTooSmall": "AccountMissing",
    "instruction 0: UninitializedAccount": "AccountMissing",
    "instruction 0: InvalidAccountData": "InvalidAccountData",
}


class Model(Protocol):
    """What every reference model can be asked."""

    def invariants(self) -> None:
        """AssertionError where one is broken."""
        ...


def plain(value: Any) -> Any:
    """Addresses as bytes, as the models have them, at any depth."""
    if isinstance(value, Pubkey):
        return bytes(value)
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value


class SideBySide:
    """One chain, one model, the same history."""

    world: World
    model: Model
    last: TransactionRecord
    """The last action's."""
    said: tuple[str, ...]
    """The names of its events."""

    def __init__(self, world: World, people: Sequence[str], program: Program) -> None:
        self.world = world
        self.program = program
        # No key signs for nobody's address: what a program does if one did is seen without signatures.
        self.keys: dict[Address, Keypair | NullSigner] = {ZERO: NullSigner(Pubkey.default())}
        for name in people:
            person = world.person(name)
            self.keys[bytes(person.pubkey())] = person
        self.met: Counter[str] = Counter()
        self._decoded: dict[Pubkey, tuple[bytes, dict[str, Any]]] = {}

    def act(
        self,
        name: str,
        call: Callable[[], Event | Sequence[Event] | None],
        instruction: Instruction | Sequence[Instruction],
        signers: Sequence[Address] = (),
    ) -> str:
        """Do one thing on both; returns the name on success, the refusal's name otherwise.

        Several instructions are one transaction, of which the model refuses nothing.
        """
        several = [instruction] if isinstance(instruction, Instruction) else instruction
        record = self.world.send(*several, signers=[self.keys[each] for each in signers])
        self.last = record
        # A chain whose clock nobody moves says only afterwards when it happened.
        self.tell_time(record.time)
        try:
            event, refused = call(), None
        except Refused as refusal:
            event, refused = None, refusal.name
        assert self._refusal(record) == refused, (name, self._refusal(record), refused, record.logs)
        found = [
            (each.name, {field: plain(value) for field, value in each.fields.items()})
            for each in self._events(record)
        ]
        expected = event if isinstance(event, list) else [event] if event else []
        assert found == expected, (name, found, expected)
        self.said = tuple(each for each, _ in found)
        outcome = refused or name
        self.met[outcome] += 1
        self.compare()
        self.model.invariants()
        return outcome

    def warp(self, now: int) -> None:
        """Move both clocks."""
        self.world.chain.warp_to(now)
        self.tell_time(now)

    def tell_time(self, now: int) -> None:
        """Set the model's clock."""
        raise NotImplementedError

    def compare(self) -> None:
        """Everything that this program keeps is the same on both sides."""
        raise NotImplementedError

    def compare_accounts(self) -> None:
        """The same of what is slow to compare: every account there is, and those that the events make."""
        raise NotImplementedError

    def _events(self, record: TransactionRecord) -> list[ProgramEvent]:
        """What the program said."""
        return self.program.events(record)

    def _refusal(self, record: TransactionRecord) -> str | None:
        if record.code in OTHER_CODES:
            return OTHER_CODES[record.code]
        name = self.world.error(record)
        return RUNTIME_NAMES.get(name, name) if name else None

    def _same(
        self, kind: str, address: Pubkey, wanted: Mapping[str, Any], program: Program | None = None
    ) -> None:
        """An account's fields are the model's; it is this pair's program's unless another is given."""
        data = self.world.account(address).data
        known = self._decoded.get(address)
        if known is None or known[0] != data:
            known = data, plain((program or self.program).account(kind, data))
            self._decoded[address] = known
        found = {name: known[1][name] for name in wanted}
        assert found == wanted, (kind, found, wanted)
