"""A chain with the programs on it, people with keys and lamports, and shorthand to act and look."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol, TypeVar

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper import deploy
from keeper.chain import Account, Chain, Signer, TransactionRecord
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.token import create_associated, read_mint, read_token_account, transfer
from keeper.clients import tokenomics
from keeper.economy.calendar import DAY, HOUR, month_number, month_start
from keeper.economy.genesis import Row, read_table

START_MONTH = month_number(2024, 7)
START = month_start(START_MONTH)
"""The first hour of emission."""
LISTING = START - 20 * DAY
"""When a new world's clock starts: before the emission, as on the network this is modelled on."""
LAMPORTS = 10**12


T = TypeVar("T")


def key(name: str) -> Keypair:
    """The same keypair for the same name, in every run."""
    return Keypair.from_seed(hashlib.sha256(name.encode()).digest())


def finish(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine on a driven chain: it never waits, so one step is all of it."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits for something")


def complete(chain: DrivenChain, work: Callable[[Chain], Coroutine[Any, Any, T]]) -> T:
    """Let a function of the keeper's work on a chain to its end; a live one lets it wait."""
    run: Callable[[Callable[[Chain], Coroutine[Any, Any, T]]], T] | None = getattr(chain, "run", None)
    return run(work) if run else finish(work(chain))


class DrivenChain(Chain, Protocol):
    """A chain that a test has for itself: the embedded one, or a validator of its own."""

    def airdrop(self, address: Pubkey, lamports: int) -> None: ...

    def execute(self, instructions: Sequence[Instruction], signers: Sequence[Signer]) -> TransactionRecord:
        """Execute one transaction; a refusal is in the record."""
        ...

    def transactions(self) -> list[TransactionRecord]:
        """Everything that was executed, oldest first."""
        ...

    def get(self, address: Pubkey) -> Account | None: ...

    def now(self) -> int: ...

    def warp_to(self, unix_timestamp: int) -> None:
        """Come to a time, at once or by waiting."""
        ...

    def advance(self, seconds: int) -> None: ...


class World:
    """A chain with the programs on it; ``admin`` is their upgrade authority.

    An embedded one is made unless a chain is given, which has the programs already.
    Signatures are not verified unless asked for (a test of missing signers doesn't need it: the
    programs see the signer flags), which makes long random sequences four times as fast.
    """

    chain: DrivenChain

    def __init__(self, *, verify_signatures: bool = False, chain: DrivenChain | None = None) -> None:
        if chain is None:
            embedded = EmbeddedChain(verify_signatures=verify_signatures, now=LISTING)
            deploy.load_programs(embedded, key("admin").pubkey())
            chain = embedded
        self.chain = chain
        self.admin = self.person("admin")
        self.guardian = self.person("guardian")
        self.payer = self.person("payer")

    def person(self, name: str) -> Keypair:
        """Somebody with lamports."""
        keypair = key(name)
        self.chain.airdrop(keypair.pubkey(), LAMPORTS)
        return keypair

    # -- states that tests start from ----------------------------------------------------------

    @classmethod
    def launched(
        cls,
        *,
        verify_signatures: bool = False,
        chain: DrivenChain | None = None,
        start_month: int = START_MONTH,
    ) -> World:
        """The real genesis table, each row's beneficiary a person with the row's label, launched."""
        world = cls(verify_signatures=verify_signatures, chain=chain)
        table = read_table()
        people = {row.label: world.person(row.label) for row in table}
        world.genesis(table, {label: each.pubkey() for label, each in people.items()}, start_month)
        return world

    def genesis(
        self, table: Sequence[Row], beneficiaries: dict[str, Pubkey], start_month: int = START_MONTH
    ) -> None:
        """Initialise, add the table, launch."""
        complete(
            self.chain,
            lambda chain: deploy.genesis(
                chain,
                self.admin,
                table=table,
                beneficiaries=beneficiaries,
                guardian=self.guardian.pubkey(),
                staking_program=deploy.staking_program(),
                start_month=start_month,
            ),
        )

    # -- acting --------------------------------------------------------------------------------

    def send(self, *instructions: Instruction, signers: Sequence[Keypair] = ()) -> TransactionRecord:
        """Execute one transaction, paid by ``payer``; a refusal is in the record."""
        return self.chain.execute(instructions, [self.payer, *(s for s in signers if s != self.payer)])

    def do(self, *instructions: Instruction, signers: Sequence[Keypair] = ()) -> TransactionRecord:
        """Execute what must succeed."""
        record = self.send(*instructions, signers=signers)
        assert record.error is None, (self.error(record), record.logs)
        return record

    def error(self, record: TransactionRecord) -> str | None:
        """The name of the program's or the framework's error, else the chain's own words, or None."""
        if record.error is None:
            return None
        return tokenomics.PROGRAM.error(record.code).name if record.code is not None else record.error

    def give(self, wallet: Pubkey, amount: int) -> None:
        """Hand out IO from the community's share, which is partly free at launch."""
        community = key("community")
        self.do(create_associated(self.payer.pubkey(), wallet, tokenomics.MINT))
        if self.balance(community.pubkey()) < amount:
            self.do(tokenomics.release(4, community.pubkey()))
        source, to = tokenomics.tokens_address(community.pubkey()), tokenomics.tokens_address(wallet)
        self.do(transfer(source, to, community.pubkey(), amount), signers=[community])

    # -- looking -------------------------------------------------------------------------------

    def account(self, address: Pubkey) -> Account:
        """An account that must exist."""
        found = self.chain.get(address)
        assert found is not None, address
        return found

    def tokens(self, address: Pubkey) -> int:
        """A token account's balance, 0 when there is none."""
        found = self.chain.get(address)
        return read_token_account(found.data).amount if found else 0

    def balance(self, wallet: Pubkey) -> int:
        """What a wallet has in its associated token account."""
        return self.tokens(tokenomics.tokens_address(wallet))

    def supply(self) -> int:
        """The mint's supply."""
        return read_mint(self.account(tokenomics.MINT).data).supply

    def config(self) -> tokenomics.Config:
        """The program's config."""
        return tokenomics.parse_config(self.account(tokenomics.CONFIG).data)


__all__ = ["DAY", "HOUR", "LISTING", "START", "START_MONTH", "World", "finish", "key"]
