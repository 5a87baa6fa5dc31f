"""The real program on an embedded chain and the reference model, side by side.

Every action happens on both. Afterwards the two must agree on the refusal's name or on the events,
and on every account, balance and supply; and the model's invariants must hold.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.chain import Account, TransactionRecord
from keeper.chain.framework import TOKEN_PROGRAM
from keeper.chain.token import read_token_account
from keeper.clients import tokenomics as client
from tests.model.state import GENESIS_VAULT, REWARD_VAULT, Address, Event, Refused, Tokens, season_vault
from tests.model.tokenomics import PAGE_CLAIMS, Tokenomics
from tests.programs.world import World, finish, key

OTHER_CODES = {0: "AccountInUse", 1: "InsufficientFunds", 4: "OwnerMismatch"}
"""Numbers of the system and the token program, which the transaction's error shows as they are."""
RUNTIME_NAMES = {
    "instruction 0: AccountDataTooSmall": "AccountMissing",
    "instruction 0: UninitializedAccount": "AccountMissing",
    "instruction 0: InvalidAccountData": "InvalidAccountData",
}
SPARE_LAMPORTS = 2_039_280
PAGE_BITS_AT = 8 + 16 + 32
"""Where a page's bits begin: discriminator, numbers, payer."""


def plain(value: Any) -> Any:
    """Addresses as bytes, as the model has them."""
    return bytes(value) if isinstance(value, Pubkey) else value


class Pair:
    """One chain, one model, the same history."""

    def __init__(self, people: Sequence[str], now: int) -> None:
        self.world = World()
        self.keys: dict[Address, Keypair] = {}
        for name in people:
            person = self.world.person(name)
            self.keys[bytes(person.pubkey())] = person
        self.world.chain.warp_to(now)
        self.model = Tokenomics(
            program=bytes(client.PROGRAM.address),
            mint=bytes(client.MINT),
            reward_vault=bytes(client.REWARD_VAULT),
            upgrade_authority=bytes(self.world.admin.pubkey()),
            now=now,
        )
        self.met: Counter[str] = Counter()
        self._decoded: dict[Pubkey, tuple[bytes, dict[str, Any]]] = {}

    def warp(self, now: int) -> None:
        """Move both clocks."""
        self.world.chain.warp_to(now)
        self.model.now = now

    def act(
        self,
        name: str,
        call: Callable[[], Event | None],
        instruction: Instruction,
        signers: Sequence[Address] = (),
    ) -> str:
        """Do one thing on both; returns the name on success, the refusal's name otherwise."""
        try:
            event, refused = call(), None
        except Refused as refusal:
            event, refused = None, refusal.name
        record = self.world.send(instruction, signers=[self.keys[each] for each in signers])
        assert self._refusal(record) == refused, (name, self._refusal(record), refused, record.logs)
        found = [
            (each.name, {field: plain(value) for field, value in each.fields.items()})
            for each in client.PROGRAM.events(record)
        ]
        assert found == ([event] if event else []), (name, found, event)
        outcome = refused or name
        self.met[outcome] += 1
        self.compare()
        self.model.invariants()
        return outcome

    def _refusal(self, record: TransactionRecord) -> str | None:
        if record.code in OTHER_CODES:
            return OTHER_CODES[record.code]
        name = self.world.error(record)
        return RUNTIME_NAMES.get(name, name) if name else None

    # -- token accounts ------------------------------------------------------------------------

    def address(self, account: Tokens) -> Pubkey:
        """Where a token account of the model is on the chain."""
        if account.kind == "season":
            assert isinstance(account.of, int)
            return client.season_vault_address(account.of)
        if account in {GENESIS_VAULT, REWARD_VAULT}:
            return client.GENESIS_VAULT if account == GENESIS_VAULT else client.REWARD_VAULT
        assert account.owner is not None
        if account.kind == "wallet":
            return client.tokens_address(Pubkey(account.owner))
        return key("spare of " + account.owner.hex()).pubkey()

    def create_spare(self, owner: Address) -> None:
        """A second token account of ``owner``, which is not the associated one."""
        spare = Tokens("spare", owner)
        data = struct.pack("<32s32sQ36xB", bytes(client.MINT), owner, 0, 1).ljust(165, b"\0")
        self.world.chain.set_account(self.address(spare), Account(SPARE_LAMPORTS, data, TOKEN_PROGRAM))
        self.model.create_tokens(spare)

    # -- comparing -----------------------------------------------------------------------------

    def compare(self) -> None:
        """Everything that this program keeps is the same on both sides."""
        model = self.model
        if model.config is None:
            assert self.world.chain.get(client.CONFIG) is None
            return
        self._same("Config", client.CONFIG, model.config)
        for number, row in model.allocations.items():
            self._same("Allocation", client.allocation_address(number), row)
        for number, season in model.seasons.items():
            self._same("Season", client.season_address(number), season)
            if season_vault(number) not in model.tokens:
                assert self.world.chain.get(client.season_vault_address(number)) is None
        for (season_number, number), page in model.pages.items():
            data = self.world.account(client.claim_page_address(season_number, number)).data
            bits = sum(1 << index for index in page.claimed).to_bytes(PAGE_CLAIMS // 8, "little")
            assert data[PAGE_BITS_AT - 32 :] == page.payer + bits
        for account, amount in model.tokens.items():
            found = read_token_account(self.world.account(self.address(account)).data)
            assert found.amount == amount, account
        assert self.world.supply() == model.supply

    def compare_accounts(self) -> None:
        """The program has no account that the model doesn't know."""
        found = finish(self.world.chain.program_accounts(client.PROGRAM.address))
        model = self.model
        expected = {client.CONFIG} if model.config else set()
        expected |= {client.allocation_address(number) for number in model.allocations}
        expected |= {client.season_address(number) for number in model.seasons}
        expected |= {client.claim_page_address(*page) for page in model.pages}
        assert found.keys() == expected

    def _same(self, kind: str, address: Pubkey, expected: Any) -> None:
        """An account's fields are the model's."""
        data = self.world.account(address).data
        known = self._decoded.get(address)
        if known is None or known[0] != data:
            fields = client.PROGRAM.account(kind, data)
            known = data, {name: plain(value) for name, value in fields.items()}
            self._decoded[address] = known
        wanted = asdict(expected)
        assert {name: known[1][name] for name in wanted} == wanted
