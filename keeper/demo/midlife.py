"""The demo's network in the middle of its life, to try commands on: a chain of its own, and people's keys.

It is the demo's chain after two days, before anybody claims. Then a little more happens on it in another
process, beside all that goes on in the demo; nothing of it comes back to the demo's own chain.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from keeper.chain.embedded import EmbeddedChain
from keeper.chain.token import create_associated, transfer
from keeper.clients import buyback, orders, staking
from keeper.clients.orders import Terms
from keeper.clients.staking import Device
from keeper.clients.tokenomics import MINT, tokens_address
from keeper.demo.airdrop import person
from keeper.demo.beside import Beside
from keeper.demo.cheats import code_of
from keeper.demo.fleet import Fleet, Machine
from keeper.demo.network import LAMPORTS, TREASURY, Network
from keeper.demo.people import RENTER, SUPPLIER
from keeper.demo.staking import HOURS
from keeper.demo.wishes import ORDERS
from keeper.economy.calendar import HOUR
from keeper.economy.orders import Currency
from keeper.economy.supply import IO
from keeper.market.matching import satisfies
from keeper.settings.keys import write_keypair
from keeper.wallet import plans

CHAIN, KEYS = "mid.chain", "keys"
"""The file and the folder, in the demo's folder."""
PEOPLE = {
    "admin": TREASURY,
    "guardian": "guardian",
    "operator-1": "operator 0",
    "operator-2": "operator 1",
    "operator-3": "operator 2",
    "keeper": "keeper",
    "supplier": f"supplier {SUPPLIER}",
    "renter": f"renter {RENTER}",
    "staker": "staker",
}
"""Whose keys are there, by the files' names."""
OPEN = 3
"""Orders that nobody has matched yet; suppliers may take them."""
PAYS, HOURS_ASKED = 150, 12
"""What their renters pay at most, percent of the class's price, and for how many hours."""
POCKET = 1_000 * IO
"""What the supplier and the staker have at hand."""
ASKED_IO, SHARE_BPS = 100 * IO, 2_000
"""What the supplier of a device looks for from a co-staker, and the share of the rewards for it."""


def begin(network: Network, out: Path, other: Beside) -> None:
    """Save the chain as it is now, and let more happen on the copy, beside all that comes."""
    path = out / CHAIN
    network.chain.save(path)
    other.start(_make, path, then=network.checks.count)


def write_keys(folder: Path) -> None:
    """A file for each person, as the Solana tools have it, and one for the supplier's machine."""
    folder.mkdir(parents=True, exist_ok=True)
    of_people = {name: person(known_as) for name, known_as in PEOPLE.items()}
    for name, key in {**of_people, "worker": _machine().worker}.items():
        path = folder / f"{name}.json"
        path.unlink(missing_ok=True)
        write_keypair(path, key)


def _make(path: Path) -> int:
    """What happens on the copy; gives how many comparisons were made. Raises DemoFailed."""
    chain = EmbeddedChain.load(path)
    network = Network(chain, admin=person(TREASURY), keeper=person("keeper"))
    asyncio.run(_live_on(network))
    chain.save(path)
    return network.checks.passed


async def _live_on(network: Network) -> None:
    chain = network.chain
    config = await orders.read_config(chain)
    assert config is not None  # it was initialised
    network.usdc = config.mint(Currency.USDC)
    # The last hour's window to object passes: all rewards can be claimed.
    chain.advance(HOUR)
    for job in ("emission", "blocks", "leases", "auctions"):
        await network.job(job)
    await _stakes(network)
    chain.advance(1)  # A device takes only orders that are younger than what it asks.
    await _orders(network)
    chain.advance(config.params.exclusive + 1)
    await _check(network)


async def _stakes(network: Network) -> None:
    """The supplier asks for less, and for a co-staker; the staker has IO, some of it on another's device."""
    supplier, staker = (person(PEOPLE[name]) for name in ("supplier", "staker"))
    payer, treasury, wallet = network.keeper.pubkey(), network.admin.pubkey(), staker.pubkey()
    network.chain.airdrop(wallet, LAMPORTS)
    opened = [create_associated(payer, wallet, MINT), staking.open_wallet(payer, wallet)]
    places = [tokens_address(each.pubkey()) for each in (supplier, staker)]
    funded = [transfer(tokens_address(treasury), to, treasury, POCKET) for to in places]
    await network.send([*opened, *funded], [network.keeper, network.admin])
    mine, other = await _device(network, _machine()), next(_alone())
    # Prices fall; whoever asks for more than the price is not hired.
    asks = staking.change_device(
        mine, tier=mine.tier, country=mine.country, ask_io=mine.ask_io // 2, ask_usdc=mine.ask_usdc // 2
    )
    await network.send([asks, staking.open_offer(mine, ASKED_IO, SHARE_BPS)], [supplier])
    device, terms = await _device(network, other), (ASKED_IO, SHARE_BPS)
    taken = [staking.open_offer(device, *terms), staking.take_offer(device, wallet, *terms)]
    await network.send(taken, [other.supplier, staker])


async def _orders(network: Network) -> None:
    """Renters open orders that nobody matches here; the first is for the like of the supplier's device."""
    chain = network.chain
    config, classes = await orders.read_config(chain), await staking.read_classes(chain)
    assert config is not None  # it was initialised
    alike = [_machine(), *islice(_alone(), OPEN - 1)]
    for number, machine in enumerate(alike):
        currency, renter = Currency(number % 2), person(f"renter {RENTER + number}")
        price = classes[machine.kind.id].price(currency, chain.now()).amount
        terms = Terms(
            price=price * PAYS // 100,
            hours=HOURS_ASKED,
            devices=1,
            min_devices=1,
            processors=machine.processors,
            classes=(machine.kind.id,),
            currency=currency,
        )
        plan = plans.create(config, renter.pubkey(), ORDERS + number, terms)
        await network.send(list(plan.instructions), [renter])


async def _check(network: Network) -> None:
    """What there is to try commands on."""
    chain, checks = network.chain, network.checks
    devices, now = await staking.read_devices(chain), chain.now()
    checks.equal("devices in mid-life", len(devices), len(Fleet().machines))
    config, fees = await staking.read_config(chain), await buyback.read_config(chain)
    assert config is not None and fees is not None  # both were initialised
    checks.equal("hours whose rewards can be claimed", (config.next_hour, config.claimed), (HOURS, 0))
    checks.holds("no auction is open in mid-life", fees.open)
    found = (await orders.read_orders(chain)).values()
    waiting = [each for each in found if each.takes_devices(now)]
    checks.equal("orders that wait for devices", len(waiting), OPEN)
    checks.holds("nothing is leased in mid-life", len(await orders.read_leases(chain)) > len(waiting))
    classes, mine = await staking.read_classes(chain), devices[_machine().address]
    fits = any(satisfies(each, mine, classes, now) for each in waiting)
    checks.holds("the supplier's device fits no open order", fits)


def _alone() -> Iterator[Machine]:
    """Others' devices that have no co-staker, and enough staked."""
    mine = person(PEOPLE["supplier"])
    machines = Fleet().machines
    return (
        each
        for each in machines
        if each.supplier != mine and each.co_staker is None and not each.is_short and code_of(each) is None
    )


def _machine() -> Machine:
    """The supplier's device that has no co-staker."""
    mine = person(PEOPLE["supplier"])
    return next(each for each in Fleet().machines if each.supplier == mine and each.co_staker is None)


async def _device(network: Network, machine: Machine) -> Device:
    return (await staking.read_devices(network.chain))[machine.address]
