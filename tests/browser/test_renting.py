"""What renters, and suppliers who are accused, do on pages ends with the balances of the protocol's rules."""

from __future__ import annotations

from hashlib import sha256

import pytest
from solders.pubkey import Pubkey

from keeper.chain.framework import associated_token_address
from keeper.clients import orders, staking
from keeper.economy.orders import Currency, EndReason, LeaseStatus
from keeper.market.leases import ending
from tests.browser.conftest import EVIDENCE
from tests.browser.site import Site, digits
from tests.model.orders import state as model
from tests.programs.buyback.world import USDC, USDC_MINT
from tests.programs.staking.world import GPU_CLASS
from tests.programs.world import key

pytestmark = pytest.mark.browser
RENTER = key("renter")
MARKET = f"/market/{GPU_CLASS}"


def order_of(site: Site, at: str) -> orders.Order:
    return orders.parse_order(site.account(Pubkey.from_string(at)).data)


def price(site: Site, currency: Currency) -> int:
    found = staking.parse_class(site.account(staking.class_address(GPU_CLASS)).data)
    return found.price(currency, site.now()).amount


def test_an_order_puts_down_what_its_quote_says_and_its_cancelling_gives_back_the_rest(rented: Site) -> None:
    params = rented.world.orders_config().params
    amount = price(rented, Currency.IO)
    before = rented.io(RENTER.pubkey())
    typed = [
        *([["fill", "Hours", "6"], ["fill", "Devices", "3"], ["fill", "Processors of each", "4"]]),
        *([["unfold", "Where, how fast"], ["fill", "Only in these countries", "us, CH"]]),
        *([["choose", "How soon", "soon, 1 % more"], ["see", "The price is certain until"]]),
    ]
    leads = [["follow", "To the order's page"], ["see", "looks for devices until"]]
    table = rented.act(MARKET, [*typed, ["click", "Order"]], RENTER, leads)
    bps = params.renter_fee_bps + params.soon_fee_bps
    deposit = 3 * model.with_fee(amount * 4 * 6, bps)
    assert rented.io(RENTER.pubkey()) == before - deposit
    changes = {(row["cells"][0], row["unit"]): digits(row["cells"][4]) for row in table}
    assert (changes["you", "IO"], changes["the order's vault", "IO"]) == (-deposit, deposit)
    (at,) = [row["account"] for row in table if row["cells"][0] == "the order's account"]
    found = order_of(rented, at)
    terms = found.terms
    assert (terms.price, terms.hours, terms.devices, terms.processors) == (amount, 6, 3, 4)
    assert (terms.classes, terms.countries, terms.currency) == ((GPU_CLASS,), ("US", "CH"), Currency.IO)
    assert (found.renter_fee_bps, found.deposit, found.renter) == (bps, deposit, RENTER.pubkey())

    charged = model.fee(amount * 4 * 3, bps)
    table = rented.act(f"/orders/{at}", [["click", "Cancel the order"]], RENTER)
    assert rented.io(RENTER.pubkey()) == before - charged
    assert rented.account(found.address) is None and rented.account(found.vault) is None
    changes = {(row["cells"][0], row["unit"]): digits(row["cells"][4]) for row in table}
    assert changes["the vault of fees", "IO"] == charged


def test_an_order_in_usdc_that_names_its_price_and_waits_for_its_gang(rented: Site) -> None:
    params = rented.world.orders_config().params
    usdc = str(associated_token_address(RENTER.pubkey(), USDC_MINT))
    before = rented.has(usdc)
    typed = [
        *([["choose", "Paid in", "USDC"], ["fill", "Devices", "2"], ["unfold", "Where, how fast"]]),
        *([["tick", "All in one country"], ["fill", "None runs before so many can", "2"]]),
        ["fill", "Highest price, empty: the network's", "2.5"],
        ["choose", "Lowest tier, 4 is best", "2"],
    ]
    table = rented.act(MARKET, [*typed, ["click", "Order"]], RENTER)
    deposit = 2 * model.with_fee(5 * USDC // 2, params.renter_fee_bps + params.usdc_fee_bps)
    assert rented.has(usdc) == before - deposit
    (at,) = [row["account"] for row in table if row["cells"][0] == "the order's account"]
    terms = order_of(rented, at).terms
    assert (terms.min_devices, terms.colocated, terms.min_tier, terms.price) == (2, True, 2, 5 * USDC // 2)


def test_what_cant_be_ordered_is_said_as_it_is_typed(rented: Site) -> None:
    typed = [
        *([["fill", "Hours", "0"], ["see", "An order has 1 to 8,760 hours."], ["fill", "Hours", "1.5"]]),
        *([["see", "Write a whole number of hours, such as 1."], ["fill", "Hours", "2"]]),
        *([["unfold", "Where, how fast"], ["fill", "None runs before so many can", "2"]]),
        *([["see", "An order for 1 never has 2 at once"], ["fill", "None runs before so many can", "1"]]),
        *([["fill", "Only in these countries", "Ch Swiss"], ["see", "SWISS is no country"]]),
        *([["fill", "Only in these countries", ""], ["fill", "Highest price, empty: the network's", "0.1"]]),
        ["see", "No device can be matched while the price is above your highest"],
    ]
    rented.visit([["open", MARKET], ["click", "Connect Test wallet"], *typed], RENTER)


def test_a_renter_ends_a_lease_and_has_back_what_it_neednt_pay(rented: Site) -> None:
    order = rented.world.read_order(RENTER, 1)
    at = orders.lease_address(order.address, staking.device_address(key("a1").pubkey()))
    lease = orders.parse_lease(rented.account(at).data)
    order = order_of(rented, str(order.address))
    rented.advance(lease.start + 5400 - rented.now())
    found = ending(order, lease, RENTER.pubkey(), rented.now(), worker_may_end=False)
    assert found.reason == EndReason.RENTER and found.stop == lease.start + 5400
    before, vault = rented.io(RENTER.pubkey()), rented.has(str(order.vault))
    back = found.order.refundable(rented.now())
    assert back > 0
    table = rented.act(f"/leases/{at}", [["click", "End the lease"]], RENTER)
    assert rented.io(RENTER.pubkey()) == before + back
    assert rented.has(str(order.vault)) == vault - back
    ended = orders.parse_lease(rented.account(at).data)
    assert (ended.status, ended.stop, ended.held) == (LeaseStatus.ENDED, found.stop, found.pay + found.fee)
    changes = {(row["cells"][0], row["unit"]): digits(row["cells"][4]) for row in table}
    assert changes["you", "IO"] == back


def test_a_supplier_ends_a_lease_and_a_stranger_cant(rented: Site) -> None:
    supplier = key("supplier b")
    order = rented.world.read_order(RENTER, 1)
    at = orders.lease_address(order.address, staking.device_address(key("b1").pubkey()))
    path = f"/leases/{at}"
    stranger = [["open", path], ["click", "Connect Test wallet"], ["see", "alone can end it"], ["buttons"]]
    assert "End the lease" not in rented.visit(stranger, key("bidder"))[-1]
    lease = orders.parse_lease(rented.account(at).data)
    rented.advance(lease.start + 5400 - rented.now())
    rented.act(path, [["click", "End the lease"], ["see", "whole hours alone"]], supplier)
    ended = orders.parse_lease(rented.account(at).data)
    assert (ended.reason, ended.stop) == (EndReason.SUPPLIER, lease.start + 3600)


def test_an_appeal_puts_the_hash_of_a_file_on_record(rented: Site) -> None:
    supplier, text = key("supplier b"), "I was asleep, and my machine as well.\n"
    device = staking.device_address(key("b2").pubkey())
    at = staking.slash_address(device, EVIDENCE)
    steps = [["file", "File with your statement", "statement.txt", text], ["click", "Appeal"]]
    digest = sha256(text.encode())
    table = rented.act(f"/slashes/{at}", [*steps, ["see", digest.hexdigest()]], supplier)
    found = staking.parse_slash(rented.account(at).data)
    assert found.appeal == digest.digest()
    # Nothing moved but the fee.
    assert {(row["cells"][0], row["unit"]) for row in table} == {("you", "SOL")}
