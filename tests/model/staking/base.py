"""What every part of the staking model stands on: the state, its invariants, and shared checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from tests.model.schedule import IO
from tests.model.staking.state import (
    COOLING,
    CURRENCIES,
    FINAL,
    LATE,
    MAX_POSTS,
    NONE,
    PENDING,
    SMALL_CLAIM,
    STAKE_VAULT,
    WAITING,
    Block,
    Class,
    Device,
    Posts,
    PriceTable,
    Slash,
    StakingConfig,
    Wallet,
)
from tests.model.state import REWARD_VAULT, U64, Address, Refused, Tokens, require, wallet
from tests.model.tokenomics.program import Tokenomics

PAUSE_STAKING, PAUSE_REWARDS = 1, 2
Vote = TypeVar("Vote")
"""What operators vote for: a block, a part of a stake, a root."""


@dataclass
class StakingLedger:
    """The whole state; tokens, mint and emission are ``economy``'s."""

    economy: Tokenomics
    program: Address
    stake_vault: Address
    upgrade_authority: Address
    config: StakingConfig | None = None
    classes: dict[int, Class] = field(default_factory=dict)
    wallets: dict[Address, Wallet] = field(default_factory=dict)
    devices: dict[Address, Device] = field(default_factory=dict)
    blocks: dict[int, Block] = field(default_factory=dict)
    slashes: dict[tuple[Address, bytes], Slash] = field(default_factory=dict)
    prices: dict[int, PriceTable] = field(default_factory=dict)
    posts: dict[Address, Posts] = field(default_factory=dict)
    given_away: set[Address] = field(default_factory=set)
    """Whose associated token account is somebody else's now."""

    @property
    def now(self) -> int:
        """The chain's clock."""
        return self.economy.now

    def invariants(self) -> None:
        """The protocol's invariants; AssertionError where one is broken."""
        self.economy.invariants()
        config = self.config
        if config is None:
            return
        economy = self.economy.config
        assert economy is not None
        assert config.staked == sum(device.owed() for device in self.devices.values())
        assert self.economy.tokens[STAKE_VAULT] >= config.staked
        assert config.claimed == sum(each.claimed for each in self.wallets.values())
        assert config.claimed <= config.final_total <= economy.emitted
        assert config.reserve_in_hour <= config.claimed_in_hour <= config.claimed
        hour, wallets = config.claim_hour, self.wallets.values()
        drawn = [each.claimed_in_hour for each in wallets if each.claim_hour == hour]
        assert config.reserve_in_hour == sum(drawn)
        assert all(each <= SMALL_CLAIM for each in drawn)
        assert self.economy.tokens[REWARD_VAULT] >= economy.emitted - config.claimed
        held: dict[Address, int] = {}
        for address, device in self.devices.items():
            pending = [s for s in self.slashes.values() if s.device == address and s.status == PENDING]
            assert device.slash_pending == bool(pending)
            assert len(pending) <= 1
            for each in (device.co, device.leaving):
                assert (each.state == NONE) == (each.amount == 0)
                if each.state != NONE:
                    held[each.staker] = held.get(each.staker, 0) + 1
                    assert each.staker not in {device.supplier, device.worker}
            assert device.leaving.state in {NONE, COOLING}
            if device.sufficient_since:
                assert not device.terminated
                assert device.sufficient_since <= self.now
            if device.offer:
                assert not device.terminated
        assert held == {each.wallet: each.co_stakes for each in self.wallets.values() if each.co_stakes}
        for hour, block in self.blocks.items():
            assert (block.status == FINAL) == (hour < config.next_hour)
        for row in self.classes.values():
            for currency in CURRENCIES:
                price, (low, high) = row.price_of(currency, self.now), row.bounds_of(currency, self.now)
                assert 1 <= low <= price <= high or not (low or price or high)
        assert all(each.count <= MAX_POSTS for each in self.posts.values())

    # -- what a check needs ----------------------------------------------------------------------

    def _config(self) -> StakingConfig:
        if self.config is None:
            raise Refused("AccountMissing")
        return self.config

    def _class(self, number: int) -> Class:
        require(number in self.classes, "AccountMissing")
        return self.classes[number]

    def _wallet(self, owner: Address) -> Wallet:
        require(owner in self.wallets, "AccountMissing")
        return self.wallets[owner]

    def _device(self, address: Address) -> Device:
        require(address in self.devices, "AccountMissing")
        return self.devices[address]

    def _owned(self, address: Address, supplier: Address) -> Device:
        device = self._device(address)
        require(device.supplier == supplier, "NotSupplier")
        return device

    def _block(self, hour: int) -> Block:
        require(hour in self.blocks, "AccountMissing")
        return self.blocks[hour]

    def _operator(self, key: Address) -> int:
        operators = self._config().params.operators
        require(key in operators, "NotOperator")
        return operators.index(key)

    def _standing(self, votes: dict[int, Vote], revision: int) -> dict[int, Vote]:
        """Those votes of ``revision`` that a change of the operators' list has not taken away."""
        config = self._config()
        return {slot: vote for slot, vote in votes.items() if config.stands(slot, revision)}

    def _is_quorum(self, votes: dict[int, Vote], vote: Vote) -> bool:
        """Whether enough operators say ``vote``."""
        return list(votes.values()).count(vote) >= self._config().params.threshold

    def _require_running(self, bit: int) -> None:
        config = self._config()
        require(not (config.pause_mask & bit and self.now < config.pause_until), "Paused")

    def _require_no_slash(self, device: Device) -> None:
        """Refuses what would take a stake out of a slash's reach, or a co-staker into it."""
        require(not device.slash_pending and self.now >= device.frozen_until, "SlashPending")

    def _require_open(self, row: Class) -> None:
        require(self.now >= row.opens_at, "ClassNotOpen")

    def _minimum(self, device: Device, number: int) -> int:
        """``200 IO * max(1, multiplier) * processors``, by the class that must be the device's."""
        require(number == device.class_id, "WrongClass")
        return 2 * IO * max(100, self.classes[number].multiplier_at(self.now)) * device.processors

    def _settle(self, device: Device) -> None:
        """Write down that a wait has ended, and make room for the next co-staker."""
        cooldown = self._config().params.cooldown
        if device.co.state == WAITING and self.now >= device.co.until:
            device.co.state, device.co.until = COOLING, device.co.until + cooldown
        if device.co.state == COOLING and device.leaving.state == NONE:
            device.leaving, device.co = device.co, device.leaving

    def _refresh(self, device: Device, minimum: int) -> None:
        """Since when the stake has been sufficient."""
        if device.terminated or device.counted(self.now) < minimum:
            device.sufficient_since = 0
        else:
            device.sufficient_since = device.sufficient_since or self.now

    # -- tokens ----------------------------------------------------------------------------------

    def _take(self, owner: Address, amount: int) -> None:
        """From an owner's associated account into the stake vault."""
        require(self._config().staked + amount <= U64, "Overflow")
        source = wallet(owner)
        require(source in self.economy.tokens, "InvalidAccountData")
        require(amount <= self.economy.tokens[source], "InsufficientFunds")
        self._config().staked += amount
        self._move(source, STAKE_VAULT, amount)

    def _give(self, amount: int, to: Tokens) -> None:
        self._config().staked -= amount
        self._move(STAKE_VAULT, to, amount)

    def _require_tokens(self, to: Tokens) -> None:
        """An account that is there, and its owner's."""
        require(to in self.economy.tokens, "AccountMissing")
        require(to.kind != "wallet" or to.owner not in self.given_away, "InvalidAccountData")

    def _require_way(self, to: Tokens, due: int) -> None:
        """Nobody but its owner chooses where a stake goes, unless it gave its own account away.

        That has to have kept the stake from going for a week, in which no slash did.
        """
        late = self.now >= due + LATE and to.owner in self.given_away
        require(to.kind == "wallet" or late, "NotAssociatedAccount")

    def _move(self, source: Tokens, to: Tokens, amount: int) -> None:
        self.economy.tokens[source] -= amount
        self.economy.tokens[to] += amount
