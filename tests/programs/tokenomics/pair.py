"""Tokenomics and its reference model, side by side."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import asdict

from solders.pubkey import Pubkey

from keeper.chain import Account
from keeper.chain.framework import TOKEN_PROGRAM
from keeper.chain.token import read_token_account
from keeper.clients import tokenomics as client
from tests.model.state import GENESIS_VAULT, REWARD_VAULT, Address, Tokens
from tests.model.tokenomics.program import PAGE_CLAIMS, Tokenomics
from tests.model.tokenomics.state import season_vault
from tests.programs.folded import assert_events_make_the_accounts
from tests.programs.side_by_side import SideBySide
from tests.programs.world import World, finish, key

SPARE_LAMPORTS = 2_039_280
PAGE_BITS_AT = 8 + 16 + 32
"""Where a page's bits begin: discriminator, numbers, payer."""


class Pair(SideBySide):
    """One chain, one model, the same history."""

    def __init__(self, people: Sequence[str], now: int) -> None:
        super().__init__(World(), people, client.PROGRAM)
        self.world.chain.warp_to(now)
        self.model: Tokenomics = Tokenomics(
            program=bytes(client.PROGRAM.address),
            mint=bytes(client.MINT),
            reward_vault=bytes(client.REWARD_VAULT),
            upgrade_authority=bytes(self.world.admin.pubkey()),
            now=now,
        )

    def tell_time(self, now: int) -> None:
        """Set the model's clock."""
        self.model.now = now

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
        self._same("Config", client.CONFIG, asdict(model.config))
        for number, row in model.allocations.items():
            self._same("Allocation", client.allocation_address(number), asdict(row))
        for number, season in model.seasons.items():
            self._same("Season", client.season_address(number), asdict(season))
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
        """The program has no account that the model doesn't know, and its events make every one."""
        found = finish(self.world.chain.program_accounts(client.PROGRAM.address))
        model = self.model
        expected = {client.CONFIG} if model.config else set()
        expected |= {client.allocation_address(number) for number in model.allocations}
        expected |= {client.season_address(number) for number in model.seasons}
        expected |= {client.claim_page_address(*page) for page in model.pages}
        assert found.keys() == expected
        assert_events_make_the_accounts(self.world.chain, client.PROGRAM)
