"""What vaults owe at least by the accounts that follow from events, not by what a node shows of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from solders.pubkey import Pubkey

from keeper.clients import orders, staking, tokenomics
from keeper.clients.tokenomics import SeasonStatus
from keeper.indexer.book import Book


def owed(books: Mapping[str, Book]) -> dict[Pubkey, int]:
    """Base units by vault, as of the books."""
    found: dict[Pubkey, int] = defaultdict(int)
    supply, stakes = books["tokenomics"], books["staking"]
    config = supply.of_kind("Config").get(tokenomics.CONFIG)
    if config is None:
        return found
    claimed = sum(each["claimed"] for each in stakes.of_kind("Config").values())
    found[tokenomics.REWARD_VAULT] = config["emitted"] - claimed
    if config["launched"]:
        locked = (each["amount"] - each["released"] for each in supply.of_kind("Allocation").values())
        found[tokenomics.GENESIS_VAULT] = sum(locked)
    for season in supply.of_kind("Season").values():
        if season["status"] != SeasonStatus.CLOSED:
            found[season["vault"]] = season["total"] - season["claimed"]
    for device in stakes.of_kind("Device").values():
        parts = device["own"], device["own_cooling"], device["co"]["amount"], device["leaving"]["amount"]
        found[staking.STAKE_VAULT] += sum(parts)
    for fees in books["buyback"].of_kind("Config").values():
        found[fees["usdc_vault"]] = fees["fees_usdc"] - fees["usdc_sold"]
    for order in books["orders"].of_kind("Order").values():
        out = order["paid"] + order["fees"] + order["refunded"]
        found[order["vault"]] = order["deposit"] - out + order["fees_due"]
    for parked in books["orders"].of_kind("Parked").values():
        found[orders.parked_vault_address(parked["mint"])] += parked["amount"]
    return found
