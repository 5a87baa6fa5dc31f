"""The demo's orders, as their events show them, compared with the rules and with every balance."""

from __future__ import annotations

from collections import Counter, defaultdict

from solders.pubkey import Pubkey

from keeper.chain.framework import associated_token_address
from keeper.chain.token import read_token_account
from keeper.clients import buyback, orders, staking, tokenomics
from keeper.demo.network import Network
from keeper.demo.orders_books import BookedLease, BookedOrder, Books
from keeper.demo.prices import Prices
from keeper.demo.staking import Stakers
from keeper.economy import orders as rules
from keeper.economy.calendar import HOUR
from keeper.economy.orders import Currency, EndReason
from keeper.rewards import publication
from keeper.rewards.hired import hired, replay
from keeper.tables import addresses


async def check(network: Network, books: Books, before: dict[tuple[Pubkey, Currency], int]) -> None:
    """Compare every balance and every lease; ``before`` is what each wallet had before the first order."""
    mints = {Currency.IO: tokenomics.MINT, Currency.USDC: network.usdc}
    checks = network.checks
    for currency in Currency:
        paid = books.deposited(currency) - books.refunded(currency)
        parts = books.net[currency] + books.fees[currency]
        checks.equal(f"{currency.name} that renters paid", paid, parts)
        vault = _tokens(network, buyback.fee_vault(mints[currency]))
        checks.equal(f"fee vault in {currency.name}", vault, books.fees[currency])
    changes = Counter(books.earned)
    for order in books.orders.values():
        changes[order.renter, order.currency] += order.refunded - order.deposited
        checks.equal("surplus in a vault", order.surplus, 0)
    for (wallet, currency), had in before.items():
        has = _tokens(network, associated_token_address(wallet, mints[currency]))
        checks.equal(f"{currency.name} of {wallet}", has, had + changes[wallet, currency])
    for lease in books.leases:
        _check_lease(network, books.orders[lease.order], lease)
    _check_fees(network, books)
    checks.equal("orders left", await orders.read_orders(network.chain), {})
    checks.equal("leases left", await orders.read_leases(network.chain), {})
    checks.equal("faults left", await orders.read_faults(network.chain), [])
    await _check_records(network, books)


def check_prices(network: Network, books: Books, prices: Prices) -> None:
    """Compare each lease's rate with its class's price at the match: nobody in a match has a say in it."""
    machines = {machine.address: machine for machine in prices.machines}
    for lease in books.leases:
        machine, order = machines[lease.device], books.orders[lease.order]
        price = prices.at(machine.kind.id, order.currency, lease.matched_at)
        network.checks.equal(f"rate of {lease.device}", lease.rate, price * machine.processors)
        asked = machine.ask_io if order.currency == Currency.IO else machine.ask_usdc
        network.checks.holds(f"{lease.device} asks for more", asked <= price <= order.price)


def check_hired(network: Network, stakers: Stakers, books: Books) -> None:
    """Compare each published hour's hired devices with those that follow from the events up to its end."""
    for manifest in stakers.manifests:
        end = manifest.start + HOUR
        terms = replay((at, event) for at, event in books.events if at < end)
        rows = publication.read_table(stakers.folder / "operator-1", manifest, "inputs.csv")
        published = set(addresses(rows["device"][rows["hired"] != 0]))
        network.checks.equal(
            f"devices hired in hour {manifest.hour}", published, hired(terms, manifest.start)
        )


def _check_lease(network: Network, order: BookedOrder, lease: BookedLease) -> None:
    """Pay and fees follow from price and time, however often they were settled."""
    checks = network.checks
    served = lease.stop - lease.start if lease.start else 0
    checks.equal(f"pay of {lease.device}", lease.paid, rules.earned(lease.rate, served))
    fees = rules.fee(lease.paid, order.supplier_fee_bps)
    if lease.start:
        hours = lease.hours + sum(lease.bought)
        fees += rules.renter_fee(lease.rate, hours, served, lease.reason, order.renter_fee_bps)
    checks.equal(f"fees on {lease.device}", lease.fees, fees)


def _check_fees(network: Network, books: Books) -> None:
    """The network gets the fees on an order's leases, and on an hour of each place that was cancelled."""
    on_leases = Counter[Pubkey]()
    for lease in books.leases:
        on_leases[lease.order] += lease.fees
    for address, order in books.orders.items():
        hour = order.price * order.processors * order.cancelled
        charged = rules.fee(hour, order.renter_fee_bps)
        network.checks.equal(f"fee for cancelling {address}", order.charged, charged)
        network.checks.equal(f"fees of {address}", order.earned, on_leases[address] + charged)


async def _check_records(network: Network, books: Books) -> None:
    """The devices' accounts count what the leases were."""
    expected: dict[Pubkey, list[int]] = defaultdict(lambda: [0, 0, 0, 0, 0])
    for lease in books.leases:
        counts = expected[lease.device]
        counts[4] += 1
        if lease.start:
            counts[0] += lease.stop - lease.start
            counts[2 if lease.reason in (EndReason.SUPPLIER, EndReason.FAULT) else 1] += 1
        counts[3] += lease.held
    for address, device in (await staking.read_devices(network.chain)).items():
        counted = [device.hired_seconds, device.leases_done, device.leases_failed, device.disputes]
        counted.append(device.leases)
        network.checks.equal(f"record of {address}", counted, expected[address])


def _tokens(network: Network, address: Pubkey) -> int:
    account = network.chain.get(address)
    return read_token_account(account.data).amount if account else 0
