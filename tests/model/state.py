"""What the models of all programs share: addresses, token accounts, events and refusals."""

from __future__ import annotations

from typing import Any, NamedTuple

Address = bytes
"""32 bytes; people, programs and mints alike."""
ZERO: Address = bytes(32)
Event = tuple[str, dict[str, Any]]
"""An event's name and fields, addresses as bytes."""

U32 = 2**32 - 1
U64 = 2**64 - 1
OPEN, CANCELLED, CLOSED = 0, 1, 2


class Refused(Exception):
    """An instruction was refused and changed nothing.

    ``name`` is the program's error name, or what stands for an error of the framework or of another
    program: AccountMissing, AccountInUse, InvalidAccountData (a token account of somebody else),
    and the token program's InsufficientFunds and OwnerMismatch.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def require(condition: bool, name: str) -> None:
    """Refuse with ``name`` unless the condition holds."""
    if not condition:
        raise Refused(name)


class Tokens(NamedTuple):
    """A token account for IO, by what it is and whose.

    Kinds: ``wallet`` (an owner's associated account), ``spare`` (a second account of an owner),
    ``genesis`` and ``rewards`` (the vaults), ``season`` (a season's vault, ``of`` its number).
    """

    kind: str
    of: Address | int = 0

    @property
    def owner(self) -> Address | None:
        """The wallet that can move the tokens; None for vaults."""
        return self.of if isinstance(self.of, bytes) else None


GENESIS_VAULT = Tokens("genesis")
REWARD_VAULT = Tokens("rewards")


def wallet(owner: Address) -> Tokens:
    """The associated token account of ``owner``."""
    return Tokens("wallet", owner)
