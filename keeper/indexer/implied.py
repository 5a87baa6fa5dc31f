"""Accounts that an event is about without naming their address: it follows from a number in the event."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from solders.pubkey import Pubkey

from keeper.chain import Event
from keeper.clients import staking, tokenomics

_BLOCK = "hour", staking.block_address
_PRICES = "hour", staking.prices_address
_SEASON = "season", tokenomics.season_address
_ALLOCATION = "allocation", tokenomics.allocation_address

ACCOUNTS: Mapping[str, Mapping[str, tuple[str, Callable[[int], Pubkey]]]] = {
    "staking": {
        **dict.fromkeys(
            ("Attested", "BlockFinalised", "BlockReopened", "BlockVetoed", "BlockClosed"), _BLOCK
        ),
        **dict.fromkeys(("PricesVoted", "PricesClosed"), _PRICES),
        **dict.fromkeys(
            ("ClassAdded", "ClassChanged", "ClassCancelled", "BoundsChanged"), ("id", staking.class_address)
        ),
        **dict.fromkeys(("PriceApplied", "PriceCancelled"), ("class", staking.class_address)),
    },
    "tokenomics": {
        **dict.fromkeys(("SeasonOpened", "SeasonClaimed", "SeasonCancelled", "SeasonClosed"), _SEASON),
        **dict.fromkeys(("Released", "BeneficiaryProposed", "BeneficiaryChanged"), _ALLOCATION),
        "AllocationAdded": ("id", tokenomics.allocation_address),
    },
}
"""By program and event: the field with the number, and what makes it an address."""


def account_of(program: str, event: Event) -> Pubkey | None:
    """The account that an event is about by its number; None when it has none but those that it names."""
    found = ACCOUNTS.get(program, {}).get(event.name)
    if found is None:
        return None
    field, address = found
    return address(event.fields[field])
