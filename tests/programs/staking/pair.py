"""Staking and its reference model, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from typing import Any

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.chain.token import read_token_account
from keeper.clients import orders, tokenomics
from keeper.clients import staking as client
from tests.model.schedule import GENESIS
from tests.model.staking.program import Staking
from tests.model.staking.state import (
    MAX_OPERATORS,
    NOTHING,
    STAKE_VAULT,
    Block,
    Bounds,
    Class,
    Device,
    Params,
    PriceTable,
    Said,
    Slash,
)
from tests.model.state import GENESIS_VAULT, REWARD_VAULT, Address, Tokens, wallet
from tests.model.tokenomics.program import Tokenomics
from tests.model.tokenomics.state import Config
from tests.programs.folded import assert_events_make_the_accounts
from tests.programs.side_by_side import MALLORY, SideBySide
from tests.programs.staking.world import StakingWorld
from tests.programs.world import DAY, START, finish, key
from tests.security.tokens import create_tokens, set_owner

(
    class_address,
    wallet_address,
    block_address,
    slash_address,
    prices_address,
    post_address,
    tokens_address,
) = map(
    cache,
    (
        client.class_address,
        client.wallet_address,
        client.block_address,
        client.slash_address,
        client.prices_address,
        client.post_address,
        tokenomics.tokens_address,
    ),
)
"""Deriving them anew for each comparison would take half of the time."""
PURSE = 10**6 * 10**8
"""What everybody has at first, base units."""


class StakingPair(SideBySide):
    """A launched economy with staking initialised.

    Its clock stands eight days before the first hour of emission, so that classes can open by then, unless a
    launched world is given.
    """

    World: type[StakingWorld] = StakingWorld
    world: StakingWorld
    staking: Staking

    def __init__(
        self,
        people: Sequence[str],
        params: Params,
        holders: Sequence[Address] = (),
        world: StakingWorld | None = None,
    ) -> None:
        """Begin with a purse for each of ``holders``, for everybody when there are none."""
        if world is None:
            world = self.World.launched()
            world.chain.warp_to(START - 8 * DAY)
        super().__init__(world, people, client.PROGRAM)
        for each in holders or self.keys:
            world.give(Pubkey(each), PURSE)
        purses = {wallet(each): PURSE for each in holders or self.keys}
        economy = Tokenomics(
            program=bytes(tokenomics.PROGRAM.address),
            mint=bytes(tokenomics.MINT),
            reward_vault=bytes(tokenomics.REWARD_VAULT),
            upgrade_authority=bytes(world.admin.pubkey()),
            now=world.chain.now(),
            config=_launched(world),
            tokens={**purses, GENESIS_VAULT: GENESIS - sum(purses.values()), REWARD_VAULT: 0},
            supply=GENESIS,
        )
        self.model = self.staking = Staking(
            economy,
            program=bytes(client.PROGRAM.address),
            stake_vault=bytes(client.STAKE_VAULT),
            upgrade_authority=bytes(world.admin.pubkey()),
        )
        admin, guardian = world.admin.pubkey(), world.guardian.pubkey()
        authority = bytes(orders.LEASE_AUTHORITY)
        self.act(
            "initialize",
            lambda: self.staking.initialize(bytes(admin), authority, bytes(guardian), params),
            client.initialize(admin, guardian, chain_params(params)),
            [bytes(admin)],
        )

    def tell_time(self, now: int) -> None:
        """Set the model's clock."""
        self.staking.economy.now = now

    def compare(self) -> None:
        """Every account, balance and total is the same on both sides."""
        model = self.staking
        assert model.config is not None
        params, pending = model.config.params, model.config.pending
        config = {name: value for name, value in vars(model.config).items() if name != "pending"}
        config["params"] = params.fields()
        if pending:
            config["pending"] = pending.fields()
        self._same("Config", client.CONFIG, config)
        for number, row in model.classes.items():
            self._same("Class", class_address(number), class_fields(row))
        for owner, each in model.wallets.items():
            self._same("Wallet", wallet_address(Pubkey(owner)), vars(each))
        for address, device in model.devices.items():
            self._same("Device", Pubkey(address), device_fields(device))
        for hour, block in model.blocks.items():
            self._same("Block", block_address(hour), block_fields(block))
        for slash in model.slashes.values():
            address = slash_address(Pubkey(slash.device), slash.evidence)
            self._same("Slash", address, slash_fields(slash))
        for hour, table in model.prices.items():
            self._same("Prices", prices_address(hour), prices_fields(table))
        for operator, posts in model.posts.items():
            self._same("PostCounter", post_address(Pubkey(operator)), vars(posts))
        for account, amount in model.economy.tokens.items():
            if account != GENESIS_VAULT:
                found = read_token_account(self.world.account(self.address(account)).data)
                assert found.amount == amount, account
        assert self.world.supply() == model.economy.supply
        assert model.economy.config is not None
        assert self.world.config().emitted == model.economy.config.emitted

    def compare_accounts(self) -> None:
        """The program has no account that the model doesn't know, and its events make every one."""
        found = finish(self.world.chain.program_accounts(client.PROGRAM.address))
        model = self.staking
        expected = {client.CONFIG, *map(Pubkey, model.devices)}
        expected |= {class_address(number) for number in model.classes}
        expected |= {wallet_address(Pubkey(owner)) for owner in model.wallets}
        expected |= {block_address(hour) for hour in model.blocks}
        expected |= {slash_address(Pubkey(s.device), s.evidence) for s in model.slashes.values()}
        expected |= {prices_address(hour) for hour in model.prices}
        expected |= {post_address(Pubkey(operator)) for operator in model.posts}
        assert found.keys() == expected
        assert_events_make_the_accounts(self.world.chain, client.PROGRAM)

    def address(self, account: Tokens) -> Pubkey:
        """Where a token account of the model is on the chain."""
        if account == STAKE_VAULT:
            return client.STAKE_VAULT
        if account == REWARD_VAULT:
            return tokenomics.REWARD_VAULT
        assert account.owner is not None
        if account.kind == "spare":
            return spare_of(account.owner).pubkey()
        return tokens_address(Pubkey(account.owner))

    def create_spare(self, owner: Address) -> Tokens:
        """A second token account of an owner's, which is not the associated one."""
        spare = Tokens("spare", owner)
        if spare not in self.staking.economy.tokens:
            create_tokens(self.world, spare_of(owner), tokenomics.MINT, Pubkey(owner))
            self.staking.economy.create_tokens(spare)
        return spare

    def hand_over(self, owner: Address, *, back: bool = False) -> None:
        """An owner gives its associated account to mallory, or gets it back."""
        before, after = (MALLORY, owner) if back else (owner, MALLORY)
        call = set_owner(tokens_address(Pubkey(owner)), Pubkey(before), Pubkey(after))
        self.world.do(call, signers=[self.keys[before]])
        (self.staking.given_away.discard if back else self.staking.given_away.add)(owner)


def spare_of(owner: Address) -> Keypair:
    """The key of an owner's second account."""
    return key("spare of " + owner.hex())


def chain_params(params: Params) -> client.Params:
    """Parameters as the client takes them."""
    values = {name: getattr(params, name) for name in params.__dataclass_fields__ if name != "operators"}
    return client.Params(operators=tuple(map(Pubkey, params.operators)), **values)


def class_fields(row: Class) -> dict[str, Any]:
    """A class as the chain has it: its bounds together."""
    fields = dict(vars(row))
    names = Bounds.__dataclass_fields__
    bounds = {name: fields.pop(name) for name in names}
    following = {name: fields.pop(f"next_{name}") for name in names}
    return {**fields, "bounds": bounds, "next_bounds": following}


def prices_fields(table: PriceTable) -> dict[str, Any]:
    """An hour's table of price steps as the chain has it: a vote of every operator's number."""
    votes = [table.said.get(number, NOTHING) for number in range(MAX_OPERATORS)]
    return {**{name: value for name, value in vars(table).items() if name != "said"}, "votes": votes}


def device_fields(device: Device) -> dict[str, Any]:
    """A device as the chain has it."""
    fields = {**vars(device), "class": device.class_id}
    del fields["class_id"]
    return {**fields, **{slot: {**vars(fields[slot]), "_pad": bytes(5)} for slot in ("co", "leaving")}}


def block_fields(block: Block) -> dict[str, Any]:
    """A block as the chain has it: of what operators said, the hashes."""
    fields = {name: value for name, value in vars(block).items() if name not in {"said", "agreed"}}
    said = [said_hash(block.said[n]) if n in block.said else bytes(32) for n in range(MAX_OPERATORS)]
    return {**fields, **vars(block.agreed), "votes": said}


def said_hash(said: Said) -> bytes:
    """SHA-256 over root, total (u64), devices (u32), data hash."""
    numbers = said.total.to_bytes(8, "little") + said.devices.to_bytes(4, "little")
    return sha256(said.root + numbers + said.data_hash).digest()


def slash_fields(slash: Slash) -> dict[str, Any]:
    """A slash as the chain has it: a vote of every operator's number."""
    return {**vars(slash), "votes": [slash.votes.get(number, 0) for number in range(MAX_OPERATORS)]}


def _launched(world: StakingWorld) -> Config:
    """Tokenomics' config as the launch left it, as far as staking has to do with it."""
    found = world.config()
    return Config(
        bytes(found.admin),
        bytes(found.guardian),
        bytes(client.PROGRAM.address),
        launched=True,
        allocations=0,
        launched_at=0,
        start_month=found.start_month,
    )
