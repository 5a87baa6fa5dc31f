"""A network at its beginning, made in seconds: genesis, open classes, one device, and people with money.

``ionet localnet`` starts from it where no demo has run yet, and by ``--state early``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper import deploy
from keeper.chain.framework import associated_token_address
from keeper.chain.token import create_associated, transfer
from keeper.clients import staking, tokenomics
from keeper.demo.airdrop import person
from keeper.demo.fleet import Fleet
from keeper.demo.network import LAMPORTS, TREASURY, Network
from keeper.economy.buyback import USDC
from keeper.economy.classes import read_classes
from keeper.economy.supply import IO
from keeper.settings.keys import write_keypair

OPERATORS = 3
IO_EACH, USDC_EACH = 10_000 * IO, 10_000 * USDC
"""What each of the people has at first, beside SOL."""
STEPS = ("genesis", "classes", "buyback and orders", "people", "a device")
"""What it takes, for whoever shows how far it is."""


def people() -> dict[str, Keypair]:
    """Whose keys there are, by the names of their files."""
    machine = Fleet().machines[0]
    return {
        "admin": person(TREASURY),
        "guardian": person("guardian"),
        **{f"operator-{number + 1}": person(f"operator {number}") for number in range(OPERATORS)},
        "keeper": person("keeper"),
        "supplier": machine.supplier,
        "renter": person("renter 0"),
        "staker": person("staker"),
        "worker": machine.worker,
    }


async def begin(path: Path, done: Callable[[], None] = lambda: None) -> None:
    """Make it, and save it to ``path``; ``done`` is called after each of STEPS."""
    network, known = Network.empty(), people()
    chain, guardian = network.chain, known["guardian"].pubkey()
    for each in known.values():
        chain.airdrop(each.pubkey(), LAMPORTS)
    await network.genesis()
    done()
    operators = [known[f"operator-{number + 1}"].pubkey() for number in range(OPERATORS)]
    await deploy.staking_genesis(
        chain, network.admin, guardian=guardian, operators=operators, classes=read_classes()
    )
    chain.warp_to(max(each.opens_at for each in (await staking.read_classes(chain)).values()))
    done()
    await deploy.buyback_genesis(chain, network.admin, guardian=guardian, usdc_mint=network.usdc)
    await deploy.orders_genesis(chain, network.admin, guardian=guardian, usdc_mint=network.usdc)
    done()
    for name in ("supplier", "renter", "staker"):
        await _fund(network, known[name].pubkey())
    done()
    await _device(network)
    network.begin()
    await network.job("emission")
    chain.save(path)
    done()


def write_keys(folder: Path) -> None:
    """A file for each of the people, as Solana's tools write keys, that only its owner can read."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, key in people().items():
        path = folder / f"{name}.json"
        if not path.exists():
            write_keypair(path, key)


async def _fund(network: Network, wallet: Pubkey, io: int = IO_EACH) -> None:
    treasury = network.admin.pubkey()
    for mint, amount in ((tokenomics.MINT, io), (network.usdc, USDC_EACH)):
        source, to = (associated_token_address(each, mint) for each in (treasury, wallet))
        opening = create_associated(treasury, wallet, mint)
        await network.chain.send([opening, transfer(source, to, treasury, amount)], [network.admin])


async def _device(network: Network) -> None:
    """The supplier's: registered, and staked with as much as it needs."""
    machine = Fleet().machines[0]
    supplier = machine.supplier.pubkey()
    least = machine.own + machine.co_amount
    await _fund(network, supplier, least)
    opening = staking.open_wallet(supplier, supplier)
    await network.chain.send([opening, machine.registration], [machine.supplier, machine.worker])
    device = (await staking.read_devices(network.chain))[machine.address]
    await network.chain.send([staking.stake(device, least)], [machine.supplier])
