"""Buyback and its reference model, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import cache

from solders.pubkey import Pubkey

from keeper.chain.framework import associated_token_address
from keeper.chain.token import read_mint
from keeper.clients import buyback as client
from keeper.clients import tokenomics
from tests.model.buyback.program import Buyback
from tests.model.buyback.state import IO_VAULT, USDC_VAULT, Params
from tests.model.schedule import GENESIS
from tests.model.state import GENESIS_VAULT, REWARD_VAULT, Tokens, wallet
from tests.model.tokenomics.program import Tokenomics
from tests.model.tokenomics.state import Config
from tests.programs.buyback.world import USDC_MINT, BuybackWorld
from tests.programs.folded import assert_events_make_the_accounts
from tests.programs.side_by_side import SideBySide
from tests.programs.world import START, START_MONTH, finish

PURSE = 10**6 * 10**8
"""IO that everybody has at first, base units."""
auction_address = cache(client.auction_address)
tokens_address = cache(tokenomics.tokens_address)
usdc_address = cache(lambda owner: associated_token_address(owner, USDC_MINT))


class BuybackPair(SideBySide):
    """A launched economy with buyback initialised; its clock stands at the first hour of emission."""

    world: BuybackWorld
    model: Buyback

    def __init__(self, people: Sequence[str], params: Params) -> None:
        world = BuybackWorld.launched()
        assert isinstance(world, BuybackWorld)
        super().__init__(world, people, client.PROGRAM)
        world.create_usdc()
        world.chain.warp_to(START)
        for each in self.keys:
            world.give(Pubkey(each), PURSE)
            world.give_usdc(Pubkey(each), 0)
        purses = {wallet(each): PURSE for each in self.keys}
        found = world.config()
        economy = Tokenomics(
            program=bytes(tokenomics.PROGRAM.address),
            mint=bytes(tokenomics.MINT),
            reward_vault=bytes(tokenomics.REWARD_VAULT),
            upgrade_authority=bytes(world.admin.pubkey()),
            now=START,
            config=Config(
                bytes(found.admin),
                bytes(found.guardian),
                bytes(found.staking_program),
                launched=True,
                start_month=START_MONTH,
            ),
            tokens={**purses, GENESIS_VAULT: GENESIS - sum(purses.values()), REWARD_VAULT: 0},
            supply=GENESIS,
        )
        self.model = Buyback(
            economy,
            addresses={
                "io_mint": bytes(tokenomics.MINT),
                "usdc_mint": bytes(USDC_MINT),
                "io_vault": bytes(client.IO_VAULT),
                "usdc_vault": bytes(client.fee_vault(USDC_MINT)),
            },
            auction_address=lambda number: bytes(auction_address(number)),
            upgrade_authority=bytes(world.admin.pubkey()),
            usdc={wallet(each): 0 for each in self.keys},
        )
        admin, guardian = world.admin.pubkey(), world.guardian.pubkey()
        self.act(
            "initialize",
            lambda: self.model.initialize(bytes(admin), bytes(guardian), params),
            client.initialize(admin, guardian, USDC_MINT, client.Params(**asdict(params))),
            [bytes(admin)],
        )

    def tell_time(self, now: int) -> None:
        """Set the model's clock."""
        self.model.economy.now = now

    def compare(self) -> None:
        """Every account, balance and total is the same on both sides."""
        model, economy = self.model, self.model.economy
        assert model.config is not None and economy.config is not None
        params, pending = model.config.params, model.config.pending
        config = {name: value for name, value in vars(model.config).items() if name != "pending"}
        config["params"] = params.fields()
        if pending:
            config["pending"] = pending.fields()
        self._same("Config", client.CONFIG, config)
        for number, auction in model.auctions.items():
            self._same("Auction", auction_address(number), vars(auction))
        for account, amount in economy.tokens.items():
            if account != GENESIS_VAULT:
                assert self.world.tokens(self.address(account)) == amount, account
        for account, amount in model.usdc.items():
            assert self.world.tokens(self.usdc_address(account)) == amount, account
        assert self.world.supply() == economy.supply
        assert read_mint(self.world.account(USDC_MINT).data).supply == model.usdc_supply
        found = self.world.config()
        assert (found.emitted, found.burned) == (economy.config.emitted, economy.config.burned)

    def compare_accounts(self) -> None:
        """The program has no account that the model doesn't know, and its events make every one."""
        found = finish(self.world.chain.program_accounts(client.PROGRAM.address))
        assert found.keys() == {client.CONFIG, *map(auction_address, self.model.auctions)}
        assert_events_make_the_accounts(self.world.chain, client.PROGRAM)

    def address(self, account: Tokens) -> Pubkey:
        """Where an IO account of the model is on the chain."""
        vaults = {IO_VAULT: client.IO_VAULT, REWARD_VAULT: tokenomics.REWARD_VAULT}
        return vaults.get(account) or tokens_address(_owner(account))

    def usdc_address(self, account: Tokens) -> Pubkey:
        """Where a USDC account of the model is on the chain."""
        return client.fee_vault(USDC_MINT) if account == USDC_VAULT else usdc_address(_owner(account))


def _owner(account: Tokens) -> Pubkey:
    assert account.owner is not None
    return Pubkey(account.owner)
