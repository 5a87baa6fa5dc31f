"""From an empty chain to a launched network: programs, then the genesis table, then the launch."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.chain import Chain, ChainError, EmbeddedChain, Program
from keeper.chain.token import create_associated
from keeper.clients import tokenomics
from keeper.economy.genesis import Row

ARTIFACTS = Path(__file__).parents[1] / "programs/artifacts"
KEYS = Path(__file__).parents[1] / "keys/dev"


def read_keypair(path: Path) -> Keypair:
    """Read a keypair file as Solana's tools write it; raises ValueError naming the file."""
    try:
        return Keypair.from_bytes(bytes(json.loads(path.read_text())))
    except (OSError, ValueError, TypeError) as error:
        raise ValueError(f"{path}: no keypair, a JSON list of 64 numbers ({error})") from error


def load_programs(chain: EmbeddedChain, authority: Pubkey, names: Sequence[str] = ("tokenomics",)) -> None:
    """Put the committed programs on an embedded chain, upgradeable by ``authority``."""
    for name in names:
        chain.load_program(Program.load(name).address, (ARTIFACTS / f"{name}.so").read_bytes(), authority)


def staking_program(keys: Path = KEYS) -> Pubkey:
    """The address that the staking program has, or will have: emission goes to an address it derives."""
    return read_keypair(keys / "staking.json").pubkey()


async def genesis(
    chain: Chain,
    admin: Keypair,
    *,
    table: Sequence[Row],
    beneficiaries: Mapping[str, Pubkey],
    guardian: Pubkey,
    staking_program: Pubkey,
    start_month: int,
) -> None:
    """Initialise tokenomics, write the genesis table and launch.

    ``admin`` is the program's upgrade authority and pays; ``beneficiaries`` are by the rows' labels.
    Whatever was done by an earlier, interrupted call is taken up, not repeated. Raises ChainError
    when what is on chain contradicts the table.
    """
    if lacking := [row.label for row in table if row.label not in beneficiaries]:
        raise ValueError(f"the genesis table has rows without a beneficiary: {', '.join(lacking)}")
    payer = admin.pubkey()
    config = await tokenomics.read_config(chain)
    if config is None:
        await chain.send([tokenomics.initialize(payer, staking_program, guardian)], [admin])
    for done in await tokenomics.read_allocations(chain):
        row = table[done.id]
        if (done.schedule, done.beneficiary) != (row.schedule, beneficiaries[row.label]):
            raise ChainError(f"allocation {done.id} on chain ({done.label}) is not the genesis table's")
    for row in table[config.allocations if config else 0 :]:
        beneficiary = beneficiaries[row.label]
        instructions = [
            tokenomics.add_allocation(payer, row, beneficiary),
            create_associated(payer, beneficiary, tokenomics.MINT),
        ]
        await chain.send(instructions, [admin])
    if config is None or not config.launched:
        await chain.send([tokenomics.launch(payer, start_month)], [admin])
