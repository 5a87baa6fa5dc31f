"""A chain to ask, in both implementations, and whoever owns it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import TransferParams
from solders.system_program import transfer as system_transfer

from keeper.chain import Chain, Program, Signer, TransactionRecord, landing
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.framework import UPGRADEABLE_LOADER
from keeper.chain.rpc import RpcChain
from tests.keeper.chain.rpc_node import RpcNode, through

ARTIFACTS = Path(__file__).parents[3] / "programs/artifacts"
NOW = 1_700_000_000
LAMPORTS = 10**12
TOKENOMICS = Program.load("tokenomics")
ADMIN, ALICE, BOB = (Keypair.from_seed(bytes([i]) * 32) for i in range(3))
STRANGER = Pubkey(b"\x77" * 32)
STAKING = Pubkey(b"\x55" * 32)


@dataclass
class Site:
    """``chain`` is what is tested; ``owner`` is the same chain as its owner sees it."""

    chain: Chain
    owner: EmbeddedChain
    execute: Callable[[Sequence[Instruction], Sequence[Keypair]], TransactionRecord]


@dataclass
class RpcSite(Site):
    """A client and the node that it asks."""

    chain: RpcChain
    node: RpcNode


def new_chain(*, verify_signatures: bool = True) -> EmbeddedChain:
    """A chain with tokenomics, which belongs to ADMIN; everybody has lamports."""
    chain = EmbeddedChain(verify_signatures=verify_signatures, now=NOW)
    chain.load_program(
        TOKENOMICS.address, (ARTIFACTS / "tokenomics.so").read_bytes(), authority=ADMIN.pubkey()
    )
    for keypair in (ADMIN, ALICE, BOB):
        chain.airdrop(keypair.pubkey(), LAMPORTS)
    return chain


@pytest.fixture
def embedded() -> EmbeddedChain:
    return new_chain()


@pytest.fixture
async def rpc() -> AsyncIterator[RpcSite]:
    node = RpcNode(new_chain(verify_signatures=False))
    async with through(node) as chain:
        yield RpcSite(chain, node.chain, node.execute, node)


@pytest.fixture(params=["embedded", "rpc"])
def site(request: pytest.FixtureRequest) -> Site:
    if request.param == "rpc":
        found: Site = request.getfixturevalue("rpc")
        return found
    chain: EmbeddedChain = request.getfixturevalue("embedded")
    return Site(chain, chain, chain.execute)


def pay(lamports: int, to: Pubkey | None = None, payer: Keypair = ALICE) -> Instruction:
    """Move lamports, to BOB unless somebody else is named."""
    to = to or BOB.pubkey()
    return system_transfer(TransferParams(from_pubkey=payer.pubkey(), to_pubkey=to, lamports=lamports))


def initialize(admin: Keypair = ADMIN) -> Instruction:
    """Tokenomics' first instruction."""
    data, _ = Pubkey.find_program_address([bytes(TOKENOMICS.address)], UPGRADEABLE_LOADER)
    arguments = {"staking_program": STAKING, "guardian": BOB.pubkey()}
    return TOKENOMICS.instruction("initialize", arguments, admin=admin.pubkey(), program_data=data)


def add_allocation(number: int, amount: int = 10**8) -> Instruction:
    """A row of the genesis table."""
    arguments = {
        "id": number,
        "label": f"row {number}".encode().ljust(16, b"\0"),
        "beneficiary": ALICE.pubkey(),
        "amount": amount,
        "tge_bps": 10_000,
        "cliff_months": 0,
        "tranches": 0,
    }
    return TOKENOMICS.instruction("add_allocation", arguments, admin=ADMIN.pubkey())


async def land(
    chain: Chain, instructions: Sequence[Instruction], signers: Sequence[Signer], **options: Any
) -> TransactionRecord:
    """Land a transaction without waiting between two looks."""
    return await landing.land(chain, instructions, signers, poll_seconds=0, **options)
