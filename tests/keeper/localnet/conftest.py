"""A node in this process: asked directly, where answers must be exact, or over HTTP and websocket."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from keeper.chain import Account
from keeper.chain.framework import TOKEN_PROGRAM, associated_token_address
from keeper.chain.token import create_associated, mint_to
from keeper.localnet.chain import LocalChain
from keeper.localnet.node import Node
from keeper.localnet.rpc import respond
from keeper.localnet.server import served
from tests.keeper.chain.conftest import ADMIN, ALICE, BOB, LAMPORTS

NOW = 1_700_000_000
GENESIS = Hash(b"\x07" * 32)
MINT = Pubkey(b"\x31" * 32)


@dataclass
class Local:
    """A node whose clock stands still, with a token of six decimals: ALICE has a thousand."""

    node: Node

    async def raw(self, method: str, *parameters: Any) -> str:
        """What it answers, as it is on the wire."""
        question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
        return (await respond(self.node, json.dumps(question).encode())).decode()

    async def ask(self, method: str, *parameters: Any) -> Any:
        """A result."""
        answer = json.loads(await self.raw(method, *parameters))
        assert answer["jsonrpc"] == "2.0" and answer["id"] == 1
        return answer["result"]

    async def refused(self, method: str, *parameters: Any) -> dict[str, Any]:
        """An error."""
        answer = json.loads(await self.raw(method, *parameters))
        assert answer["jsonrpc"] == "2.0" and answer["id"] == 1
        error: dict[str, Any] = answer["error"]
        return error

    def signed(self, instructions: Sequence[Instruction], *signers: Keypair) -> VersionedTransaction:
        """A transaction that names the newest blockhash."""
        blockhash = self.node.chain.latest_blockhash()
        message = MessageV0.try_compile(signers[0].pubkey(), list(instructions), [], blockhash)
        return VersionedTransaction(message, list(signers))


@dataclass
class Served(Local):
    """The same over HTTP, with notices on another port, too."""

    url: str
    websocket: str
    client: httpx2.AsyncClient

    async def raw(self, method: str, *parameters: Any) -> str:
        question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
        return (await self.client.post(self.url, json=question)).text


def tokens(owner: Keypair) -> Pubkey:
    """Its account of the token."""
    return associated_token_address(owner.pubkey(), MINT)


def new(**options: Any) -> Node:
    """See :class:`Local`; options are the node's."""
    chain = LocalChain(now=NOW, genesis=GENESIS)
    chain.set_speed(0)
    for each in (ADMIN, ALICE, BOB):
        chain.airdrop(each.pubkey(), LAMPORTS)
    node = Node(chain, **options)
    authority = b"\x01\x00\x00\x00" + bytes(ADMIN.pubkey())
    chain.set_account(MINT, Account(10**9, authority + bytes(8) + b"\x06\x01" + bytes(36), TOKEN_PROGRAM))
    opening = create_associated(ADMIN.pubkey(), ALICE.pubkey(), MINT)
    given = mint_to(MINT, tokens(ALICE), ADMIN.pubkey(), 1_000_000_000)
    assert chain.execute([opening, given], [ADMIN]).error is None
    return node


@pytest.fixture
def local() -> Local:
    return Local(new())


@asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[Served]:
    """See :class:`Served`."""
    node = new(**options)
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    first, second = (each.getsockname()[1] for each in listeners)
    async with served(node, listeners), httpx2.AsyncClient(timeout=120) as client:
        yield Served(node, f"http://127.0.0.1:{first}", f"ws://127.0.0.1:{second}", client)


@pytest.fixture
async def remote() -> AsyncIterator[Served]:
    async with serving() as found:
        yield found
