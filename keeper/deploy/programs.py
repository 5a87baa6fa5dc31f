"""The programs' bytes on a chain: what putting them there takes, and doing so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.chain import Chain, ChainReader, Signer, loader
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.fees import FeePolicy
from keeper.chain.framework import UPGRADEABLE_LOADER
from keeper.chain.landing import LAMPORTS_PER_SIGNATURE
from keeper.clients.programs import PROGRAMS
from keeper.deploy.files import DeployRefused, read_keypair
from keeper.resources import binary


class Change(StrEnum):
    """What a deployment does to a program."""

    NEW = "new"
    UPGRADE = "upgrade"
    NONE = "as it is"


@dataclass(frozen=True, slots=True)
class Forecast:
    """What putting a program on a chain takes, without priority fees; all money in lamports.

    ``stays`` is the rent that its accounts keep; ``buffer`` what the account of its pieces holds until the
    last step, which gives it back; ``has`` is what an interrupted upload left in that; ``authority`` may
    upgrade it now, None where there is no program yet, or nobody may.
    """

    name: str
    address: Pubkey
    change: Change
    size: int
    stays: int
    buffer: int
    has: int
    transactions: int
    fee: int
    authority: Pubkey | None

    @property
    def cost(self) -> int:
        """What it costs in the end; less than nothing where more is in the buffer."""
        return self.stays + self.fee - self.has

    @property
    def peak(self) -> int:
        """What whoever pays needs while it goes on."""
        return self.fee + max(self.buffer, self.stays) - self.has


async def upgrade_authority(chain: ChainReader, program: Pubkey) -> Pubkey | None:
    """Who may upgrade a program; None where nobody may, or there is none."""
    (account,) = await chain.accounts([loader.program_data_address(program)])
    made = account is not None and account.owner == UPGRADEABLE_LOADER
    return loader.read_authority(account.data) if made and account else None


async def forecast(chain: ChainReader, name: str, payer: Pubkey, keys: Path) -> Forecast:
    """What :func:`deploy_program` would do and cost. Raises DeployRefused as that does, and for authorities.

    Solana's loader asks for its rents: of the program, of its bytes with room to grow, and of the buffer.
    """
    program = _keypair_of(name, keys).pubkey()
    code = binary(name)
    before = await loader.deployed(chain, program)
    authority = await upgrade_authority(chain, program)
    if loader.is_same(before, code):
        return Forecast(name, program, Change.NONE, len(code), 0, 0, 0, 0, 0, authority)
    if before is not None and authority != payer:
        whose = f"only {authority} can upgrade it" if authority else "nobody can upgrade it, it is final"
        raise DeployRefused(f"{name} ({program}) has other bytes on this chain, and {whose}: not {payer}")
    if before is None:
        await loader.require_room(chain, program)
    pieces, has = await loader.missing_pieces(chain, payer, code)
    buffer = await loader.minimum_balance(chain, loader.BUFFER_HEADER + len(code))
    stays, signatures = 0, 1
    if before is None:
        room = loader.PROGRAM_DATA_HEADER + loader.ROOM_TO_GROW * len(code)
        stays = await loader.minimum_balance(chain, room)
        stays += await loader.minimum_balance(chain, loader.PROGRAM_SIZE)
        signatures = 2
    making = 0 if has else 1
    fee = LAMPORTS_PER_SIGNATURE * (making + pieces + signatures)
    change = Change.NEW if before is None else Change.UPGRADE
    transactions = making + pieces + 1
    return Forecast(name, program, change, len(code), stays, buffer, has, transactions, fee, authority)


def load_programs(chain: EmbeddedChain, authority: Pubkey) -> None:
    """Put the committed programs on an embedded chain, upgradeable by ``authority``."""
    for name, program in PROGRAMS.items():
        chain.load_program(program.address, binary(name), authority)


async def deploy_program(
    chain: Chain,
    name: str,
    authority: Signer,
    keys: Path,
    each: Callable[[int, int], None],
    fees: FeePolicy | None = None,
) -> bool:
    """Deploy a committed program under its keypair in ``keys``, or upgrade it; False when it is there.

    Raises DeployRefused when the keypair is not the one the program was built for.
    """
    program = _keypair_of(name, keys)
    return await loader.deploy(chain, program, binary(name), authority, each=each, fees=fees)


def _keypair_of(name: str, keys: Path) -> Keypair:
    program = read_keypair(keys / f"{name}.json")
    built_for = PROGRAMS[name].address
    if program.pubkey() != built_for:
        raise DeployRefused(
            f"{name} was built for {built_for}, the key in {keys} is {program.pubkey()}: "
            f"run toolchain/program_ids.py sync --keys {keys}, then make programs idl"
        )
    return program
