"""Solana's upgradeable loader: put a program's bytes on a chain, or replace them.

The bytes go into a buffer account first, one piece per transaction, then the loader takes them over in
one step. The buffer's address follows from the authority and the bytes, and only pieces that are
not there yet are written: an upload that was interrupted goes on where it stopped.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from hashlib import sha256

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.system_program import (
    AllocateParams,
    AllocateWithSeedParams,
    AssignParams,
    TransferParams,
    allocate,
    allocate_with_seed,
    assign,
    transfer,
)
from solders.sysvar import CLOCK, RENT

from keeper.chain.contact import contact
from keeper.chain.errors import ChainError, TransactionFailed
from keeper.chain.fees import FeePolicy
from keeper.chain.framework import SYSTEM_PROGRAM, UPGRADEABLE_LOADER
from keeper.chain.landing import land
from keeper.chain.protocol import Chain, ChainReader
from keeper.chain.records import Account
from keeper.chain.signer import Signer

BUFFER_HEADER = 37
"""Bytes before a buffer's content: tag (u32), authority (option)."""
PROGRAM_DATA_HEADER = 45
"""Bytes before a program's content: tag (u32), slot (u64), authority (option)."""
PROGRAM_SIZE = 36
ACCOUNT_OVERHEAD = 128
"""Bytes that every account is charged for besides its data."""
PIECE = 900
"""Bytes of a program that fit a transaction besides its signature and accounts."""
AT_ONCE = 16
"""Pieces that are under way at a time, where a blockhash lasts for so many transactions."""
ROOM_TO_GROW = 2
"""A new program's account has room for a binary this many times as large."""

_INITIALIZE_BUFFER, _WRITE, _DEPLOY, _UPGRADE = range(4)


class AddressTaken(ChainError):
    """Somebody has sent SOL to an address that the loader would have made an account at."""

    @property
    def hint(self) -> str:
        """What is left to do."""
        return (
            "Give the programs other keys: python3 -m toolchain.program_ids sync --keys FOLDER with new "
            "ones, make programs idl, ionet deploy --keys FOLDER. What an interrupted upload holds comes "
            "back by solana program close --buffers."
        )


def program_data_address(program: Pubkey) -> Pubkey:
    """Derive where the loader keeps a program's bytes and upgrade authority."""
    return Pubkey.find_program_address([bytes(program)], UPGRADEABLE_LOADER)[0]


async def minimum_balance(chain: ChainReader, space: int) -> int:
    """Lamports that keep an account of ``space`` bytes free of rent, by the chain's own Rent sysvar."""
    (sysvar,) = await chain.accounts([RENT])
    if sysvar is None:
        raise ChainError("the chain has no Rent sysvar")
    per_byte_year, years = struct.unpack_from("<Qd", sysvar.data)
    return int((ACCOUNT_OVERHEAD + space) * per_byte_year * years)


async def deployed(chain: ChainReader, program: Pubkey) -> bytes | None:
    """Read a program's bytes, padded with zeros to the room it has; None when there is no program."""
    account = _made((await chain.accounts([program_data_address(program)]))[0])
    return account.data[PROGRAM_DATA_HEADER:] if account else None


async def read_contact(chain: ChainReader, program: Pubkey) -> dict[str, str]:
    """Whom a program on chain says to tell of a hole in it; see :func:`~keeper.chain.contact.contact`."""
    return contact(await deployed(chain, program) or b"")


def digest(on_chain: bytes, size: int) -> str:
    """SHA-256 in hex of a program's first ``size`` bytes; of more where not only zeros are after them.

    By the size that a build has, the hash is the build's where the program is that.
    """
    rest = on_chain[size:]
    return sha256(on_chain.rstrip(b"\0") if any(rest) else on_chain[:size]).hexdigest()


def read_authority(program_data: bytes) -> Pubkey | None:
    """Who may upgrade a program, by the account of its bytes; None where nobody may."""
    has, authority = struct.unpack_from("<12xB32s", program_data)
    return Pubkey(authority) if has else None


def is_same(on_chain: bytes | None, binary: bytes) -> bool:
    """Whether what is on chain is ``binary``, but for the zeros after it."""
    return on_chain is not None and on_chain.rstrip(b"\0") == binary.rstrip(b"\0")


async def deploy(
    chain: Chain,
    program: Signer,
    binary: bytes,
    authority: Signer,
    *,
    each: Callable[[int, int], None] = lambda done, pieces: None,
    fees: FeePolicy | None = None,
) -> bool:
    """Deploy or upgrade ``program``; ``authority`` pays and may upgrade it later.

    Returns False when the chain has these bytes already. ``each`` is called with (pieces done, pieces in
    all). Raises ChainError when the program has less room than the binary needs, or another authority.
    """
    before = await deployed(chain, program.pubkey())
    if is_same(before, binary):
        return False
    if before is None:
        await require_room(chain, program.pubkey())
    if before is not None and len(before) < len(binary):
        raise ChainError(
            f"{program.pubkey()} has room for {len(before)} bytes, {len(binary)} are needed: "
            f"run solana program extend {program.pubkey()} {len(binary) - len(before)}"
        )
    buffer = await _fill_buffer(chain, binary, authority, each, fees)
    if before is None:
        payer, room = authority.pubkey(), ROOM_TO_GROW * len(binary)
        create = await _create(chain, payer, program.pubkey())
        last = _deploy(payer, program.pubkey(), buffer, room)
        try:
            await land(chain, [*create, last], [authority, program], fees=fees)
        except TransactionFailed:
            await require_room(chain, program.pubkey())  # somebody may have seen the upload, and been faster
            raise
    else:
        await land(chain, [_upgrade(authority.pubkey(), program.pubkey(), buffer)], [authority], fees=fees)
    return True


async def require_room(chain: ChainReader, program: Pubkey) -> None:
    """Refuse a program that can't be put on chain any more; raises AddressTaken with what to do.

    The loader makes the account of a program's bytes as a new one, and makes none where anybody has sent SOL
    before. Its address follows from the program's, so that nobody can take the SOL away either.
    """
    place = program_data_address(program)
    (account,) = await chain.accounts([place])
    if account is not None and not _made(account):
        raise AddressTaken(
            f"{place}, where the loader keeps the bytes of {program}, has SOL that somebody sent there: no "
            "program can be put at that address any more, by anybody"
        )


async def _create(chain: ChainReader, payer: Pubkey, program: Pubkey) -> list[Instruction]:
    """Make a program's account, in steps: at once is refused where somebody has sent SOL before."""
    (account,) = await chain.accounts([program])
    rent = await minimum_balance(chain, PROGRAM_SIZE)
    lacks = max(0, rent - (account.lamports if account else 0))
    return [
        transfer(TransferParams(from_pubkey=payer, to_pubkey=program, lamports=lacks)),
        allocate(AllocateParams(pubkey=program, space=PROGRAM_SIZE)),
        assign(AssignParams(pubkey=program, owner=UPGRADEABLE_LOADER)),
    ]


async def missing_pieces(chain: ChainReader, payer: Pubkey, binary: bytes) -> tuple[int, int]:
    """How many pieces are still to be written, and the lamports in the buffer of an interrupted upload."""
    (account,) = await chain.accounts([_buffer(payer, binary)[1]])
    return len(_missing(account, binary)), account.lamports if account else 0


def _buffer(payer: Pubkey, binary: bytes) -> tuple[str, Pubkey]:
    """The seed and the address of the account that takes a binary's pieces."""
    seed = sha256(binary).hexdigest()[:32]
    return seed, Pubkey.create_with_seed(payer, seed, UPGRADEABLE_LOADER)


def _made(account: Account | None) -> Account | None:
    """An account of the loader's; None for what anybody can have there by sending SOL in advance."""
    return account if account and account.owner == UPGRADEABLE_LOADER else None


def _missing(buffer: Account | None, binary: bytes) -> list[int]:
    """Where the pieces begin that a buffer doesn't have."""
    buffer = _made(buffer)
    content = buffer.data[BUFFER_HEADER:] if buffer else bytes(len(binary))
    offsets = range(0, len(binary), PIECE)
    return [at for at in offsets if content[at : at + PIECE] != binary[at : at + PIECE]]


async def _fill_buffer(
    chain: Chain,
    binary: bytes,
    authority: Signer,
    each: Callable[[int, int], None],
    fees: FeePolicy | None,
) -> Pubkey:
    payer = authority.pubkey()
    seed, buffer = _buffer(payer, binary)
    (account,) = await chain.accounts([buffer])
    if not _made(account):
        space = BUFFER_HEADER + len(binary)
        # In steps, as making it at once is refused where somebody has sent SOL before.
        lacks = max(0, await minimum_balance(chain, space) - (account.lamports if account else 0))
        create = [
            transfer(TransferParams(from_pubkey=payer, to_pubkey=buffer, lamports=lacks)),
            allocate_with_seed(
                AllocateWithSeedParams(
                    address=buffer, base=payer, seed=seed, space=space, owner=UPGRADEABLE_LOADER
                )
            ),
        ]
        await land(chain, [*create, _initialize_buffer(payer, buffer)], [authority], fees=fees)
    offsets, missing = range(0, len(binary), PIECE), _missing(account, binary)
    # On a chain of one's own each transaction makes another blockhash: what is signed beside it expires.
    lasts = (await chain.blockhash()).last_valid_height - (await chain.tip()).height
    turn = asyncio.Semaphore(max(1, min(AT_ONCE, lasts)))
    done = len(offsets) - len(missing)

    async def write(at: int) -> None:
        nonlocal done
        async with turn:
            await land(chain, [_write(payer, buffer, at, binary[at : at + PIECE])], [authority], fees=fees)
        done += 1
        each(done, len(offsets))

    writes = [asyncio.ensure_future(write(at)) for at in missing]
    try:
        await asyncio.gather(*writes)
    finally:
        # After a refusal nobody is asked to sign the rest.
        for task in writes:
            task.cancel()
        await asyncio.gather(*writes, return_exceptions=True)
    return buffer


def _initialize_buffer(authority: Pubkey, buffer: Pubkey) -> Instruction:
    accounts = [AccountMeta(buffer, False, True), AccountMeta(authority, False, False)]
    return Instruction(UPGRADEABLE_LOADER, struct.pack("<I", _INITIALIZE_BUFFER), accounts)


def _write(authority: Pubkey, buffer: Pubkey, offset: int, piece: bytes) -> Instruction:
    data = struct.pack("<IIQ", _WRITE, offset, len(piece)) + piece
    accounts = [AccountMeta(buffer, False, True), AccountMeta(authority, True, False)]
    return Instruction(UPGRADEABLE_LOADER, data, accounts)


def _deploy(authority: Pubkey, program: Pubkey, buffer: Pubkey, room: int) -> Instruction:
    accounts = [
        AccountMeta(authority, True, True),
        AccountMeta(program_data_address(program), False, True),
        AccountMeta(program, False, True),
        AccountMeta(buffer, False, True),
        AccountMeta(RENT, False, False),
        AccountMeta(CLOCK, False, False),
        AccountMeta(SYSTEM_PROGRAM, False, False),
        AccountMeta(authority, True, False),
    ]
    return Instruction(UPGRADEABLE_LOADER, struct.pack("<IQ", _DEPLOY, room), accounts)


def _upgrade(authority: Pubkey, program: Pubkey, buffer: Pubkey) -> Instruction:
    accounts = [
        AccountMeta(program_data_address(program), False, True),
        AccountMeta(program, False, True),
        AccountMeta(buffer, False, True),
        AccountMeta(authority, False, True),
        AccountMeta(RENT, False, False),
        AccountMeta(CLOCK, False, False),
        AccountMeta(authority, True, False),
    ]
    return Instruction(UPGRADEABLE_LOADER, struct.pack("<I", _UPGRADE), accounts)
