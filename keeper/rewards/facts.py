"""What a chain's final blocks say of waves that somebody names by their slots."""

from __future__ import annotations

from collections.abc import Iterable

from solders.hash import Hash

from keeper.chain import ChainReader, Commitment
from keeper.clients import staking, tokenomics
from keeper.economy.calendar import month_start
from keeper.pow.clock import Network, WaveKind
from keeper.pow.replay import first_at, read_hour
from keeper.rewards.offences import Facts


async def read_network(chain: ChainReader) -> Network | None:
    """Whose waves are drawn on a chain; None where no network is launched."""
    economy = await tokenomics.read_config(chain)
    if economy is None or not economy.launched:
        return None
    genesis = bytes(Hash.from_string(await chain.genesis_hash()))
    return Network(genesis, staking.PROGRAM.address, month_start(economy.start_month))


async def read_facts(chain: ChainReader, network: Network, slots: Iterable[int]) -> dict[int, Facts]:
    """The waves that began at these slots; a slot at which none did isn't there.

    Raises ChainError where the node doesn't have the blocks any more.
    """
    found: dict[int, Facts] = {}
    for slot in set(slots):
        head = await chain.head(slot, Commitment.FINALIZED)
        hour = network.hour_of(head.time) if head else -1
        plan = await read_hour(chain, network, hour) if hour >= 0 else None
        for wave in plan.waves if plan else ():
            if wave.slot != slot:
                continue
            opening = await chain.head(wave.open_from, Commitment.FINALIZED)
            if opening is None:
                continue
            epoch = None
            if wave.kind is WaveKind.RESIDENCY:
                first = await first_at(chain, wave.epoch_start, Commitment.FINALIZED)
                epoch = network.epoch_seed(first.slot, first.blockhash) if first else None
            found[slot] = Facts(wave, opening, epoch)
    return found
