"""What an admin or a guardian is about to sign: changes with their dates, stops that lapse by themselves."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from types import ModuleType
from typing import Any

from solders.pubkey import Pubkey

from keeper.chain import ChainError, ChainReader, Program
from keeper.clients import buyback, orders, staking, tokenomics
from keeper.economy.calendar import HOUR, moment
from keeper.errors import UserError
from keeper.wallet.plan import NothingToDo, Plan

CLIENTS: dict[str, ModuleType] = {each.PROGRAM.name: each for each in (tokenomics, staking, buyback, orders)}
"""A client by its program's name."""
NOBODY = Pubkey.default()
_PAUSE = "PAUSE_"
OPERATORS = "operators"


class RoleRefused(UserError):
    """Somebody else's to do, or not now; the message says whose, or when."""


@dataclass(frozen=True, slots=True)
class Governed:
    """A program's root account; ``config`` is the client's own record of it, ``now`` unix seconds."""

    name: str
    config: Any
    now: int

    @property
    def client(self) -> ModuleType:
        """The program's instructions."""
        return CLIENTS[self.name]

    @property
    def program(self) -> Program:
        """The program."""
        found: Program = self.client.PROGRAM
        return found

    @property
    def operations(self) -> dict[str, int]:
        """What a pause can stop: the bit of each operation, by its name."""
        bits = {
            name.removeprefix(_PAUSE).lower(): bit
            for name, bit in self.program.constants.items()
            if name.startswith(_PAUSE)
        }
        return dict(sorted(bits.items(), key=lambda row: row[1]))

    @property
    def paused(self) -> list[str]:
        """The operations that are stopped now."""
        if self.now >= self.config.pause_until:
            return []
        return [name for name, bit in self.operations.items() if self.config.pause_mask & bit]

    @property
    def params(self) -> dict[str, Any]:
        """The parameters in force, by name; a program may have none."""
        return asdict(self.config.params) if hasattr(self.config, "params") else {}

    @property
    def proposed(self) -> dict[str, Any]:
        """What waits for its notice and differs from what is in force."""
        if not self.params or not self.config.pending_at:
            return {}
        return {
            name: value for name, value in asdict(self.config.pending).items() if value != self.params[name]
        }

    def require_guardian(self, who: Pubkey) -> None:
        """Refuse anybody else. Raises RoleRefused."""
        if who != self.config.guardian:
            raise RoleRefused(f"only the guardian of {self.name}, {self.config.guardian}, does that")

    def require_admin(self, who: Pubkey) -> None:
        """Refuse anybody else. Raises RoleRefused."""
        if who != self.config.admin:
            raise RoleRefused(f"only the admin of {self.name}, {self.config.admin}, does that")


async def find_governed(chain: ChainReader, name: str) -> Governed | None:
    """Read a program's root account; None where it was never set up."""
    config = await CLIENTS[name].read_config(chain)
    return None if config is None else Governed(name, config, (await chain.clock()).unix_timestamp)


async def read_governed(chain: ChainReader, name: str) -> Governed:
    """The same. Raises RoleRefused for an unknown program, ChainError for one that was never set up."""
    if name not in CLIENTS:
        raise RoleRefused(f"no program is called {name}; there are {', '.join(CLIENTS)}")
    found = await find_governed(chain, name)
    if found is None:
        raise ChainError(f"{name} is not set up on this chain: ionet deploy, then ionet genesis")
    return found


# -- the guardian's ----------------------------------------------------------------------------


def pause(at: Governed, guardian: Pubkey, operations: list[str], hours: int) -> Plan:
    """Stop operations for so many hours from now. Raises RoleRefused."""
    at.require_guardian(guardian)
    mask = 0
    for each in operations:
        if each not in at.operations:
            raise RoleRefused(
                f"{each!r} is nothing that {at.name} can stop; there are {', '.join(at.operations)}"
            )
        mask |= at.operations[each]
    most = at.program.constants["MAX_PAUSE"]
    if hours * HOUR > most:
        raise RoleRefused(f"a pause lasts {most // HOUR} hours at most; renew it before it lapses")
    until = at.now + hours * HOUR
    also = [each for each in at.paused if each not in operations]
    notes = [
        f"{', '.join(operations)} of {at.name}: stopped until {moment(until)}, then it goes on by "
        "itself. Ways "
        "out (withdrawing, refunds, settling, claims) go on."
    ]
    if also:
        notes.append(
            f"{', '.join(also)}: not stopped any more, as a pause takes the place of the one before."
        )
    return Plan((at.client.set_pause(guardian, mask, until),), notes=tuple(notes))


def lift(at: Governed, guardian: Pubkey) -> Plan:
    """End a pause before its time. Raises RoleRefused, NothingToDo."""
    at.require_guardian(guardian)
    if not at.paused:
        raise NothingToDo(f"nothing of {at.name} is stopped")
    notes = (f"{', '.join(at.paused)} of {at.name} go on at once.",)
    return Plan((at.client.set_pause(guardian, 0, 0),), notes=notes)


def cancel_params(at: Governed, guardian: Pubkey) -> Plan:
    """Drop proposed parameters before they hold. Raises RoleRefused, NothingToDo."""
    at.require_guardian(guardian)
    if not at.proposed:
        raise NothingToDo(f"no parameters of {at.name} wait for their notice")
    return Plan((at.client.cancel_params(guardian),), notes=(f"{_changes(at, at.proposed)}: dropped.",))


# -- the admin's -------------------------------------------------------------------------------


def propose_params(at: Governed, admin: Pubkey, given: dict[str, str]) -> Plan:
    """Propose other values for some parameters, as they are typed. Raises RoleRefused, NothingToDo."""
    at.require_admin(admin)
    if not at.params:
        raise RoleRefused(f"{at.name} has no parameters")
    known = {each.name for each in fields(at.config.params)}
    values = {}
    for name, text in given.items():
        if name not in known:
            raise RoleRefused(f"{at.name} has no parameter {name!r}; it has {', '.join(sorted(known))}")
        values[name] = _operators(text) if name == OPERATORS else _number(name, text)
    after = replace(at.config.params, **values)
    if after == at.config.params:
        raise NothingToDo("these are the values in force")
    holds = at.now + at.config.params.notice
    notes = (
        f"{_changes(at, {name: asdict(after)[name] for name in values})}: can be applied by anybody from "
        f"{moment(holds)} on. Until then the guardian can drop it.",
        *([f"It takes the place of: {_changes(at, at.proposed)}."] if at.proposed else []),
    )
    return Plan((at.client.propose_params(admin, after),), notes=notes)


def apply_params(at: Governed) -> Plan:
    """Put proposed parameters into force once their notice is over. Raises RoleRefused, NothingToDo."""
    if not at.proposed:
        raise NothingToDo(f"no parameters of {at.name} wait for their notice")
    if at.now < at.config.pending_at:
        raise RoleRefused(f"the notice is over at {moment(at.config.pending_at)}: run this command then")
    return Plan((at.client.apply_params(),), notes=(f"{_changes(at, at.proposed)}: in force now.",))


def propose_admin(at: Governed, admin: Pubkey, to: Pubkey) -> Plan:
    """Offer the admin's role. Raises RoleRefused."""
    at.require_admin(admin)
    note = (
        f"{to} becomes the admin of {at.name} when it accepts: ionet admin accept {at.name}. Until then you "
        "are."
    )
    return Plan((at.client.propose_admin(admin, to),), notes=(note,))


def accept_admin(at: Governed, who: Pubkey) -> Plan:
    """Take the admin's role over. Raises RoleRefused."""
    if who != at.config.pending_admin:
        offered = at.config.pending_admin
        whom = "to nobody" if offered == NOBODY else f"to {offered}"
        raise RoleRefused(f"the admin's role of {at.name} is offered {whom}, not to {who}")
    note = f"{at.config.admin} isn't the admin of {at.name} any more."
    return Plan((at.client.accept_admin(who),), notes=(note,))


def propose_guardian(at: Governed, admin: Pubkey, to: Pubkey) -> Plan:
    """Name the next guardian. Raises RoleRefused."""
    at.require_admin(admin)
    note = (
        f"{to} can accept to be the guardian of {at.name} after the notice; {at.config.guardian} stays until "
        "then."
    )
    return Plan((at.client.propose_guardian(admin, to),), notes=(note,))


def accept_guardian(at: Governed, who: Pubkey) -> Plan:
    """Take the guardian's role over, once its notice is over. Raises RoleRefused."""
    named = at.config.pending_guardian
    if who != named:
        whom = "nobody" if named == NOBODY else str(named)
        raise RoleRefused(f"{whom} is named as the next guardian of {at.name}, not {who}")
    if at.now < at.config.guardian_at:
        raise RoleRefused(f"the notice is over at {moment(at.config.guardian_at)}: run this command then")
    note = f"{at.config.guardian} isn't the guardian of {at.name} any more."
    return Plan((at.client.accept_guardian(who),), notes=(note,))


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise RoleRefused(
            f"{name} takes a whole number of its unit (seconds, basis points, base units), not {text!r}"
        )
    return int(text)


def _operators(text: str) -> tuple[Pubkey, ...]:
    """Addresses with commas between them; whoever stays keeps its place in the list."""
    try:
        return tuple(Pubkey.from_string(each) for each in text.split(","))
    except ValueError as error:
        raise RoleRefused("operators takes addresses with commas between them") from error


def _changes(at: Governed, values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {shown(at.params[name])} -> {shown(value)}" for name, value in values.items())


def shown(value: object) -> str:
    """A parameter's value as it is typed."""
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
