"""How kinds of accounts are looked up: what each is in a word, and by which columns it is listed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from solders.pubkey import Pubkey

from keeper.chain.program import Fields
from keeper.chain.types import IdlType
from keeper.economy.orders import LeaseStatus, OrderStatus

NOBODY = Pubkey.default()
BY_TIME = ("opened_slot", "opened_position", "opened_call", "address")
"""When an account was created."""
BY_ADDRESS = ("address", "opened_slot", "opened_position", "opened_call")
"""The key of every view."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How a kind of account is shown: its ``state`` in a word, its indexes, what its closing adds.

    Lists are in an ``order`` and come in pages: an index is of the columns that a list can be asked by and
    then of the order, so that a page is read from where it begins, and nothing is sorted.
    """

    indexes: tuple[tuple[str, ...], ...]
    order: tuple[str, ...] = BY_ADDRESS
    there: tuple[tuple[str, ...], ...] = ()
    """Indexes of those alone that aren't closed, where most are; ``gone`` of those alone that are."""
    gone: tuple[tuple[str, ...], ...] = ()
    state: Callable[[Fields], str] | None = None
    endings: Mapping[str, tuple[str, IdlType]] | None = None
    """Columns of the event that closes it, by the event's names for them."""


def device_state(fields: Fields) -> str:
    """Where a device stands, as far as events tell: terminated, leased, short of stake, or ready."""
    if fields["terminated"]:
        return "terminated"
    if fields["lease"] != NOBODY:
        return "leased"
    return "ready" if fields["sufficient_since"] else "short"


def order_state(fields: Fields) -> str:
    """Whether an order takes devices."""
    return OrderStatus(fields["status"]).name.lower()


def lease_state(fields: Fields) -> str:
    """Where a lease stands."""
    return LeaseStatus(fields["status"]).name.lower()


SHAPES: Mapping[str, Mapping[str, Shape]] = {
    "staking": {
        "Device": Shape(
            (
                ("class",),
                ("state",),
                ("worker",),
                ("supplier",),
                ("payout",),
                ("co_staker",),
                ("leaving_staker",),
                ("country",),
                ("offer",),
            ),
            # Counts by class and state are of what is there, and read this index alone.
            there=(("class", "state"), ("own",), ("ask_io",), ("ask_usdc",)),
            gone=((),),
            state=device_state,
        ),
        "Wallet": Shape((("wallet",),)),
    },
    "orders": {
        "Order": Shape(
            ((), ("renter",), ("state",), ("currency",)),
            BY_TIME,
            there=((), ("renter",)),
            state=order_state,
            endings={"reason": ("close_reason", "u8"), "surplus": ("surplus", "u64")},
        ),
        "Lease": Shape(
            ((), ("order",), ("device",), ("supplier",), ("payout",), ("state",)),
            BY_TIME,
            there=((), ("supplier",)),
            state=lease_state,
        ),
    },
}
"""The kinds of accounts that have a table, by program."""
