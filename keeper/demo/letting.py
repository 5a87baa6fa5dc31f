"""A device that somebody lets on a network of the demo's people, beside those of the demo itself."""

from __future__ import annotations

from solders.keypair import Keypair

from keeper.chain.embedded import EmbeddedChain
from keeper.chain.framework import LAMPORTS
from keeper.clients import staking
from keeper.clients.staking import Class, Device

COUNTRY, TIER = "CH", 1


async def let(
    chain: EmbeddedChain, supplier: Keypair, worker: Keypair, of: Class, ask_io: int, ask_usdc: int
) -> Device:
    """Register a device of one processor, which asks so much for an hour (base units), with the least stake.

    The supplier has to have that in IO; lamports are given to both. Raises ChainError.
    """
    for each in (supplier, worker):
        chain.airdrop(each.pubkey(), LAMPORTS)
    owner = supplier.pubkey()
    registering = staking.register_device(
        owner,
        worker.pubkey(),
        owner,
        of.id,
        processors=1,
        tier=TIER,
        country=COUNTRY,
        ask_io=ask_io,
        ask_usdc=ask_usdc,
    )
    await chain.send([registering], [supplier, worker])
    device = (await staking.read_devices(chain))[staking.device_address(worker.pubkey())]
    await chain.send([staking.stake(device, device.minimum(of, chain.now()))], [supplier])
    return device
