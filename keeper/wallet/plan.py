"""What somebody is about to sign: instructions, and all that they move, computed before any is sent.

The amounts follow from the protocol's rules and the accounts as they were read, not from a
node's simulation.
"""

from __future__ import annotations

from dataclasses import dataclass

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from keeper.economy.orders import Currency
from keeper.errors import UserError

NEVER = "never"
"""When a rent comes back that nobody gets."""


@dataclass(frozen=True, slots=True)
class NamedAccount:
    """A token account and what people call it."""

    name: str
    address: Pubkey


@dataclass(frozen=True, slots=True)
class Movement:
    """Tokens that move: base units of ``currency``."""

    source: NamedAccount
    to: NamedAccount
    amount: int
    currency: Currency
    why: str


@dataclass(frozen=True, slots=True)
class Opening:
    """An account that is made: what it holds is its rent and ``deposit`` lamports, paid by ``payer``.

    ``back`` says when that comes back, and to whom.
    """

    name: str
    address: Pubkey
    size: int
    payer: Pubkey
    back: str
    deposit: int = 0


@dataclass(frozen=True, slots=True)
class Closing:
    """An account that is ended: all its lamports go to ``to``."""

    name: str
    address: Pubkey
    to: Pubkey


@dataclass(frozen=True, slots=True)
class Plan:
    """What a transaction does; ``notes`` say what follows from it later.

    ``openings`` are the accounts that it makes where they aren't there yet, ``closings`` those that it ends.
    """

    instructions: tuple[Instruction, ...]
    movements: tuple[Movement, ...] = ()
    notes: tuple[str, ...] = ()
    openings: tuple[Opening, ...] = ()
    closings: tuple[Closing, ...] = ()


class NothingToDo(UserError):
    """A plan that would change nothing."""
