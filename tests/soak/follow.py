"""What the keeper's instructions mean to the reference models, by the accounts that they name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from solders.pubkey import Pubkey

from keeper.clients import staking, tokenomics
from tests.model.orders.state import IO, USDC
from tests.model.state import Address, wallet
from tests.model.tokenomics.state import season_vault
from tests.programs.buyback.pair import auction_address
from tests.programs.orders.pair import fault_address, parked_address
from tests.soak.whole import Whole

K = TypeVar("K")
Named = dict[str, Address]
"""An instruction's accounts by their names."""
Meaning = Callable[[Whole, Named, dict[str, Any]], Any]
NOBODYS = 2**32 - 2
"""A number that names no account, for one that isn't there."""


def at(address: Address, keys: Iterable[K], where: Callable[[K], Pubkey], missing: Any) -> Any:
    """The one of a model's keys whose account is at an address."""
    return next((key for key in keys if bytes(where(key)) == address), missing)


def _release(w: Whole, a: Named, _: dict[str, Any]) -> Any:
    economy = w.staking.economy
    number = at(a["allocation"], economy.allocations, tokenomics.allocation_address, NOBODYS)
    return economy.release(number, wallet(economy.allocations[number].beneficiary))


def _close_season(w: Whole, a: Named, _: dict[str, Any]) -> Any:
    economy = w.staking.economy
    number = at(a["season"], economy.seasons, tokenomics.season_address, NOBODYS)
    return economy.close_season(number, season_vault(number), a["funder"], wallet(a["funder"]), signed=False)


def _close_page(w: Whole, a: Named, _: dict[str, Any]) -> Any:
    economy = w.staking.economy
    page = at(a["claim_page"], economy.pages, lambda key: tokenomics.claim_page_address(*key), None)
    return economy.close_claim_page(a["payer"], page.season, page)


def _hour(w: Whole, address: Address) -> int:
    """Of a block."""
    found: int = at(address, w.staking.blocks, staking.block_address, NOBODYS)
    return found


def _table(w: Whole, address: Address) -> int:
    """The hour of a table of prices."""
    found: int = at(address, w.staking.prices, staking.prices_address, NOBODYS)
    return found


def _class(w: Whole, address: Address) -> int:
    found: int = at(address, w.staking.classes, staking.class_address, NOBODYS)
    return found


def _slash(w: Whole, a: Named, _: dict[str, Any]) -> Any:
    names = [(each.device, each.evidence) for each in w.staking.slashes.values()]
    found = at(
        a["slash"], names, lambda n: staking.slash_address(Pubkey(n[0]), n[1]), (a["device"], bytes(32))
    )
    return w.staking.execute_slash(found[0], _class(w, a["class"]), found[1])


def _apply_price(w: Whole, a: Named, x: dict[str, Any]) -> Any:
    steps = x["step_io"], x["step_usdc"]
    return w.staking.apply_price(_class(w, a["class"]), _table(w, a["prices"]), steps, bytes(x["proof"]))


def _close_fault(w: Whole, a: Named, _: dict[str, Any]) -> Any:
    name = at(a["fault"], w.orders.faults, fault_address, (a["lease"], bytes(32), 0))
    return w.orders.close_fault(a["payer"], *name)


def _pay_parked(w: Whole, a: Named, _: dict[str, Any]) -> Any:
    name = at(a["record"], w.orders.parked, lambda key: parked_address(*key), (bytes(32), IO))
    return w.orders.pay_parked(a["payer"], *name)


def _close_auction(w: Whole, a: Named, _: dict[str, Any]) -> Any:
    return w.buyback.close_auction(at(a["auction"], w.buyback.auctions, auction_address, NOBODYS))


FOLLOWED: dict[tuple[str, str], Meaning] = {
    ("tokenomics", "emit"): lambda w, a, x: w.staking.economy.emit(),
    ("tokenomics", "sync_burned"): lambda w, a, x: w.staking.economy.sync_burned(),
    ("tokenomics", "release"): _release,
    ("tokenomics", "close_season"): _close_season,
    ("tokenomics", "close_claim_page"): _close_page,
    ("staking", "finalise"): lambda w, a, x: w.staking.finalise(_hour(w, a["block"])),
    ("staking", "close_block"): lambda w, a, x: w.staking.close_block(a["payer"], _hour(w, a["block"])),
    ("staking", "apply_price"): _apply_price,
    ("staking", "close_prices"): lambda w, a, x: w.staking.close_prices(a["payer"], _table(w, a["prices"])),
    ("staking", "execute_slash"): _slash,
    ("staking", "apply_params"): lambda w, a, x: w.staking.apply_params(),
    ("orders", "apply_params"): lambda w, a, x: w.orders.apply_params(),
    ("orders", "end_lease"): lambda w, a, x: w.orders.end_lease(a["caller"], a["lease"]),
    ("orders", "settle"): lambda w, a, x: w.orders.settle(a["lease"]),
    ("orders", "park_pay"): lambda w, a, x: w.orders.park_pay(a["payer"], a["lease"]),
    ("orders", "park_fees"): lambda w, a, x: w.orders.park_fees(a["payer"], a["order"]),
    ("orders", "pay_parked"): _pay_parked,
    ("orders", "close_lease"): lambda w, a, x: w.orders.close_lease(a["payer"], a["lease"]),
    ("orders", "close_fault"): _close_fault,
    ("orders", "refund"): lambda w, a, x: w.orders.refund(a["order"]),
    ("orders", "close_order"): lambda w, a, x: w.orders.close_order(a["renter"], a["order"]),
    ("buyback", "apply_params"): lambda w, a, x: w.buyback.apply_params(),
    ("buyback", "burn_fees"): lambda w, a, x: w.buyback.burn_fees(),
    ("buyback", "start_auction"): lambda w, a, x: w.buyback.start_auction(x["number"]),
    ("buyback", "close_auction"): _close_auction,
}
"""All that the keeper's jobs send: one that isn't here is a KeyError, and belongs here."""


def opened(w: Whole, owner: Address, mint: Address) -> None:
    """An associated account that was made if it wasn't there."""
    purse = w.orders.purse(IO if mint == w.orders.mint(IO) else USDC)
    purse.setdefault(wallet(owner), 0)
