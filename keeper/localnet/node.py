"""What the server answers from: the chain, whose keys its faucets sign with, who listens, what goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from keeper.chain.framework import LAMPORTS
from keeper.chain.records import Account, TransactionRecord
from keeper.chain.whole import is_writable
from keeper.deploy import read_keypair
from keeper.localnet.chain import LocalChain
from keeper.localnet.faults import Faults

VERSION = "4.1.1"
"""The version of Agave whose answers these are."""
FAUCET_SOL = 500_000_000
"""What the faucet of SOL begins with, as a validator's does."""

Landed = Callable[[TransactionRecord, VersionedTransaction, "list[Pubkey]"], None]
"""Hears of each transaction that was executed, with the addresses that it could write."""


@dataclass
class Treasury:
    """Who gives IO and USDC of a test network: their owners, so that what there is of each stays the same."""

    io: Keypair
    usdc: Keypair


def treasury_in(keys: Path) -> Treasury | None:
    """The owner of IO and USDC in a folder of keys: on networks that ``ionet`` made the admin has both.

    None where that key isn't there; raises DeployRefused for a file that is no key.
    """
    path = keys / "admin.json"
    if not path.exists():
        return None
    admin = read_keypair(path)
    return Treasury(admin, admin)


@dataclass
class Node:
    """A chain as the network's one node has it."""

    chain: LocalChain
    treasury: Treasury | None = None
    public: bool = False
    """Whether others than this machine reach it: nothing is given away then, and the clock is nobody's."""
    kept: bool = False
    """Whether what happens is saved at the end."""
    faults: Faults = field(default_factory=Faults)
    faucet: Keypair = field(init=False)
    """Who pays airdrops: its SOL came from nothing, as on a validator for tests."""
    landed: list[Landed] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Fill the faucet, once in a chain's life."""
        genesis = self.chain.hash_at(0)
        self.faucet = Keypair.from_seed(sha256(b"ionet localnet faucet" + bytes(genesis)).digest())
        if self.chain.get(self.faucet.pubkey()) is None:
            empty = Account(FAUCET_SOL * LAMPORTS, b"", Pubkey.default())
            self.chain.set_account(self.faucet.pubkey(), empty)
        self.chain.heard = self._heard

    @property
    def slot(self) -> int:
        """The slot that answers are as of."""
        return max(0, self.chain.newest_slot() - self.faults.behind)

    @property
    def height(self) -> int:
        """The block height that answers are as of."""
        return max(0, self.chain.height - self.faults.behind)

    def send(self, transaction: VersionedTransaction) -> None:
        """Execute a transaction if it can be, now or, with faults, later or never."""
        if self.faults.drops():
            return
        seconds = self.faults.seconds()
        if seconds:
            asyncio.get_running_loop().call_later(seconds, self._execute, transaction)
        else:
            self._execute(transaction)

    def in_context(self, value: Any) -> dict[str, Any]:
        """An answer with the slot that it is as of."""
        return {"context": {"apiVersion": VERSION, "slot": self.slot}, "value": value}

    def _execute(self, transaction: VersionedTransaction) -> None:
        if all(transaction.verify_with_results()):
            self.chain.submit(transaction)

    def _heard(self, record: TransactionRecord, transaction: VersionedTransaction) -> None:
        writable = list(_writable(transaction, self.chain, failed=record.error is not None))
        for each in self.landed:
            each(record, transaction, writable)


def _writable(transaction: VersionedTransaction, chain: LocalChain, *, failed: bool) -> Iterable[Pubkey]:
    """The addresses that a transaction has written: of one that failed, only who paid."""
    message = transaction.message
    if failed:
        return [message.account_keys[0]]
    found = [key for at, key in enumerate(message.account_keys) if is_writable(message, at)]
    whole = chain.whole(transaction.signatures[0])
    return [*found, *(whole.writable if whole else ())]
