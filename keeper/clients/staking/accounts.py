"""The staking program's accounts as typed records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from hashlib import sha256
from typing import Any

from solders.pubkey import Pubkey

from keeper.chain import ChainReader
from keeper.clients.records import accounts_of, data_at, record
from keeper.clients.staking.program import (
    CONFIG,
    MAX_OPERATORS,
    PROGRAM,
    SMALL_CLAIM,
    block_address,
    prices_address,
    wallet_address,
)
from keeper.economy.calendar import HOUR
from keeper.economy.classes import STALE, Bounds, Price, holds_from, price_at
from keeper.economy.orders import Currency
from keeper.economy.staking import CoStake, minimum
from keeper.economy.supply import IO

NOBODY = Pubkey.default()


@dataclass(frozen=True, slots=True)
class Params:
    """What the admin sets: durations in seconds, shares in basis points, who attests.

    ``claim_limit`` is the most that all claims together pay within an hour of the clock, base units.
    """

    operators: tuple[Pubkey, ...]
    threshold: int
    cooldown: int = 14 * 86_400
    co_stake_wait: int = 7 * 86_400
    challenge_window: int = 3_600
    appeal: int = 30 * 86_400
    notice: int = 7 * 86_400
    claim_limit: int = 100_000 * IO
    max_slash_bps: int = 2_000
    wallet_share_bps: int = 10_000

    def fields(self) -> dict[str, Any]:
        """The values as the program takes them."""
        unused = [NOBODY] * (MAX_OPERATORS - len(self.operators))
        return {
            "cooldown": self.cooldown,
            "co_stake_wait": self.co_stake_wait,
            "challenge_window": self.challenge_window,
            "appeal": self.appeal,
            "notice": self.notice,
            "claim_limit": self.claim_limit,
            "max_slash_bps": self.max_slash_bps,
            "wallet_share_bps": self.wallet_share_bps,
            "threshold": self.threshold,
            "operator_count": len(self.operators),
            "_pad": bytes(2),
            "operators": [*self.operators, *unused],
        }

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Params:
        """From the program's own values."""
        names = cls.__dataclass_fields__.keys() - {"operators"}
        operators = tuple(values["operators"][: values["operator_count"]])
        return cls(operators=operators, **{name: values[name] for name in names})


@dataclass(frozen=True, slots=True)
class Config:
    """The root account: roles, parameters and totals (base units; times unix seconds)."""

    pause_mask: int
    pause_until: int
    admin: Pubkey
    pending_admin: Pubkey
    guardian: Pubkey
    staked: int
    slashed: int
    final_total: int
    claimed: int
    next_hour: int
    revision: int
    params: Params
    pending: Params
    pending_at: int
    pending_guardian: Pubkey
    guardian_at: int
    claim_hour: int
    claimed_in_hour: int
    reserve_in_hour: int
    slot_since: tuple[int, ...]

    def claim_left(self, now: int) -> int:
        """What claims that nobody signs can still pay in the hour of ``now``, base units.

        Half of the limit is a reserve for wallets that sign for a small claim themselves.
        """
        whole, reserve = self._left_of_hour(now)
        return whole - reserve

    def payable(self, wallet: Wallet, due: int, now: int, *, signed: bool) -> int:
        """What a claim of ``due`` pays at ``now``, base units; of the reserve, too, if the wallet signs."""
        whole, reserve = self._left_of_hour(now)
        small = min(due, reserve, wallet.small_left(now)) if signed else 0
        return min(due, whole - reserve + small)

    def _left_of_hour(self, now: int) -> tuple[int, int]:
        """What all claims can still take in the hour of ``now``, and how much of it is the reserve."""
        is_past = now // HOUR > self.claim_hour
        paid, reserved = (0, 0) if is_past else (self.claimed_in_hour, self.reserve_in_hour)
        whole = max(0, self.params.claim_limit - paid)
        return whole, min(whole, max(0, self.params.claim_limit // 2 - reserved))

    def stands(self, slot: int, revision: int) -> bool:
        """Whether the operator in a slot is the one of ``revision``: then its votes of that time count."""
        return self.slot_since[slot] <= revision

    def agree(self, votes: Sequence[object], vote: object, revision: int) -> bool:
        """Whether enough operators voted exactly that, of those whose votes of ``revision`` count."""
        slots = range(len(self.params.operators))
        equal = sum(votes[slot] == vote and self.stands(slot, revision) for slot in slots)
        return equal >= self.params.threshold

    def is_paused(self, mask: int, now: int) -> bool:
        """Whether one of the operations of ``mask`` is stopped at ``now``."""
        return bool(self.pause_mask & mask) and now < self.pause_until


@dataclass(frozen=True, slots=True)
class Class:
    """A class of processors; multipliers in hundredths, ``pending_at`` 0 when no change waits.

    Prices are base units for a processor and hour, as the account has them: what is announced in
    ``next_bounds`` (from ``bounds_at`` on) and in the steps ``next_io`` and ``next_usdc`` (basis points, two
    hours after ``price_hour`` began) holds from its time on by itself. Times are unix seconds, ``price_hour``
    is unix time over 3,600.
    """

    id: int
    multiplier: int
    pending_multiplier: int
    pending_at: int
    pool: int
    kind: int
    name: str
    price_io: int
    price_usdc: int
    bounds: Bounds
    next_bounds: Bounds
    bounds_at: int
    opens_at: int
    next_io: int
    next_usdc: int
    price_hour: int

    def multiplier_at(self, now: int) -> int:
        """The multiplier in force."""
        return self.pending_multiplier if self.pending_at and now >= self.pending_at else self.multiplier

    def is_open(self, now: int) -> bool:
        """Whether its devices can be leased."""
        return now >= self.opens_at

    @property
    def step_at(self) -> int:
        """When the last step holds, unix seconds; 0 when there was none."""
        return holds_from(self.price_hour) if self.price_hour else 0

    def price(self, currency: Currency, now: int) -> Price:
        """The price in force."""
        is_io = currency == Currency.IO
        amount, step = (self.price_io, self.next_io) if is_io else (self.price_usdc, self.next_usdc)
        step_at = self.step_at
        in_force = price_at(
            now,
            amount,
            self.bounds.of(currency),
            step=step,
            step_at=step_at,
            next_bounds=self.next_bounds.of(currency),
            bounds_at=self.bounds_at,
        )
        is_stale = self.price_hour > 0 and now >= step_at + STALE
        return Price(*in_force, is_stale)


class BlockStatus(IntEnum):
    """Where a reward block stands."""

    OPEN = 0
    AGREED = 1
    FINAL = 2


class SlashStatus(IntEnum):
    """Where a slash stands."""

    VOTING = 0
    PENDING = 1
    VETOED = 2
    EXECUTED = 3


@dataclass(frozen=True, slots=True)
class Block:
    """A reward block; ``votes`` are the hashes of what each operator attested, by operator number."""

    hour: int
    status: int
    vetoes: int
    revision: int
    devices: int
    agreed_at: int
    total: int
    root: bytes
    data_hash: bytes
    payer: Pubkey
    votes: tuple[bytes, ...]

    def vote(self, config: Config, operator: Pubkey) -> bytes | None:
        """The hash of what an operator attested; None when it attested nothing that still counts."""
        if operator not in config.params.operators:
            return None
        slot = config.params.operators.index(operator)
        return self.votes[slot] if config.stands(slot, self.revision) and any(self.votes[slot]) else None

    def stands(self, config: Config) -> bool:
        """Whether what was agreed on can become final.

        Enough of the operators of now have attested it, and no hour before it became final with more.
        """
        agreed = Attestation(self.root, self.total, self.devices, self.data_hash)
        return self.total >= config.final_total and config.agree(self.votes, agreed.hash, self.revision)

    def is_decided(self, config: Config) -> bool:
        """Whether operators have nothing more to attest: it is final, or enough of those of now agreed."""
        return self.status == BlockStatus.FINAL or (self.status == BlockStatus.AGREED and self.stands(config))


@dataclass(frozen=True, slots=True)
class Wallet:
    """What a wallet has claimed, and how many co-stakes it holds.

    ``claimed_in_hour`` is what it took of the reserve for small claims in ``claim_hour``.
    """

    wallet: Pubkey
    co_stakes: int
    opened_total: int
    claimed: int
    claim_hour: int
    claimed_in_hour: int

    def small_left(self, now: int) -> int:
        """What it may still take of the reserve in the hour of ``now``, base units."""
        return SMALL_CLAIM - (self.claimed_in_hour if now // HOUR <= self.claim_hour else 0)


@dataclass(frozen=True, slots=True)
class Device:
    """A device and everything that is staked on it; until ``frozen_until`` none of that goes out."""

    terminated: bool
    slash_pending: bool
    device_class: int
    processors: int
    tier: int
    country: str
    worker: Pubkey
    supplier: Pubkey
    payout: Pubkey
    ask_io: int
    ask_usdc: int
    own: int
    own_cooling: int
    own_until: int
    offer: int
    offer_reward_bps: int
    co: CoStake
    leaving: CoStake
    sufficient_since: int
    registered_at: int
    lease: Pubkey
    hired_seconds: int
    leases_done: int
    leases_failed: int
    disputes: int
    changed_at: int
    barred_until: int
    leases: int
    served_at_strike: int
    last_order: Pubkey
    frozen_until: int
    strikes: int
    worker_may_end: bool
    last_order_at: int

    def minimum(self, of_class: Class, now: int) -> int:
        """The stake that it needs, base units."""
        return minimum(of_class.multiplier_at(now), self.processors)


@dataclass(frozen=True, slots=True)
class Slash:
    """A proposal to slash a device for a piece of evidence.

    ``votes`` are the parts that operators voted for, by operator number, and ``bps`` is the one that enough
    of them voted for: basis points, 0 for none. ``frozen_until``: until when the device's stakes stay where
    they are because a change of operators voided the slash, 0 when none did.
    """

    status: int
    revision: int
    bps: int
    votes: tuple[int, ...]
    appeal_until: int
    frozen_until: int
    burned: int
    registered_at: int
    device: Pubkey
    evidence: bytes
    appeal: bytes

    def stands(self, config: Config) -> bool:
        """Whether enough of the operators of now have voted for what is pending."""
        return config.agree(self.votes, self.bps, self.revision)


@dataclass(frozen=True, slots=True)
class PriceTable:
    """The operators' votes for the root of an hour's price steps; the hour is unix time over 3,600."""

    hour: int
    agreed: bool
    revision: int
    root: bytes
    payer: Pubkey
    votes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Posts:
    """How much an operator has posted in an hour, unix time over 3,600."""

    operator: Pubkey
    hour: int
    count: int


@dataclass(frozen=True, slots=True)
class Attestation:
    """What an operator attests about an hour."""

    root: bytes
    total: int
    devices: int
    data_hash: bytes

    @property
    def hash(self) -> bytes:
        """What the program keeps of it: equal hashes mean the same block."""
        numbers = self.total.to_bytes(8, "little") + self.devices.to_bytes(4, "little")
        return sha256(self.root + numbers + self.data_hash).digest()


# -- reading -----------------------------------------------------------------------------------


def parse_config(data: bytes) -> Config:
    """Read the config's bytes."""
    return config_of(PROGRAM.account("Config", data))


def config_of(values: Mapping[str, Any]) -> Config:
    """The config from its fields."""
    params = {name: Params.of(values[name]) for name in ("params", "pending")}
    return record(Config, {**values, **params, "slot_since": tuple(values["slot_since"])})


@lru_cache(maxsize=1 << 14)
def parse_device(data: bytes) -> Device:
    """Read a device's bytes; the same ones once: all devices are read often, and few have changed.

    All of a large network's are kept, at 1.7 kB each: of fewer, read in turn, none would be found again.
    """
    return device_of(PROGRAM.account("Device", data))


def device_of(values: Mapping[str, Any]) -> Device:
    """A device from its account's fields."""
    changed = {
        "device_class": values["class"],
        "country": values["country"].decode(),
        "co": record(CoStake, values["co"]),
        "leaving": record(CoStake, values["leaving"]),
        "worker_may_end": bool(values["worker_may_end"]),
    }
    return record(Device, {**values, **changed})


def parse_class(data: bytes) -> Class:
    """Read a class's bytes."""
    return class_of(PROGRAM.account("Class", data))


def class_of(values: Mapping[str, Any]) -> Class:
    """A class from its account's fields."""
    bounds = {name: record(Bounds, values[name]) for name in ("bounds", "next_bounds")}
    return record(Class, {**values, **bounds, "name": values["name"].rstrip(b"\0").decode()})


def parse_block(data: bytes) -> Block:
    """Read a block's bytes."""
    return block_of(PROGRAM.account("Block", data))


def block_of(values: Mapping[str, Any]) -> Block:
    """A block from its account's fields."""
    return record(Block, {**values, "votes": tuple(values["votes"])})


def parse_wallet(data: bytes) -> Wallet:
    """Read a wallet account's bytes."""
    return wallet_of(PROGRAM.account("Wallet", data))


def wallet_of(values: Mapping[str, Any]) -> Wallet:
    """A wallet account from its fields."""
    return record(Wallet, values)


def parse_slash(data: bytes) -> Slash:
    """Read a slash's bytes."""
    values = PROGRAM.account("Slash", data)
    return record(Slash, {**values, "votes": tuple(values["votes"])})


def parse_prices(data: bytes) -> PriceTable:
    """Read the bytes of an hour's table of price steps."""
    values = PROGRAM.account("Prices", data)
    return record(PriceTable, {**values, "agreed": bool(values["agreed"]), "votes": tuple(values["votes"])})


def parse_posts(data: bytes) -> Posts:
    """Read the bytes of the count of an operator's postings."""
    return record(Posts, PROGRAM.account("PostCounter", data))


async def read_config(chain: ChainReader) -> Config | None:
    """Read the config, None before ``initialize``."""
    (data,) = await data_at(chain, PROGRAM, [CONFIG])
    return parse_config(data) if data else None


async def read_classes(chain: ChainReader) -> dict[int, Class]:
    """Read all classes by number."""
    found = [parse_class(data) for data in (await accounts_of(chain, PROGRAM, "Class")).values()]
    return {each.id: each for each in sorted(found, key=lambda each: each.id)}


async def read_blocks(chain: ChainReader) -> list[Block]:
    """Read all blocks in the order of their hours."""
    found = [parse_block(data) for data in (await accounts_of(chain, PROGRAM, "Block")).values()]
    return sorted(found, key=lambda block: block.hour)


async def read_hours(chain: ChainReader, hours: Sequence[int]) -> dict[int, Block]:
    """Read these hours' blocks, as far as they exist."""
    found = await data_at(chain, PROGRAM, [block_address(hour) for hour in hours])
    return {hour: parse_block(each) for hour, each in zip(hours, found, strict=True) if each}


async def device_accounts(chain: ChainReader) -> dict[Pubkey, bytes]:
    """Read all devices' bytes by their addresses."""
    return await accounts_of(chain, PROGRAM, "Device")


async def read_devices(chain: ChainReader) -> dict[Pubkey, Device]:
    """Read all devices by their addresses."""
    return {address: parse_device(data) for address, data in (await device_accounts(chain)).items()}


async def read_wallet(chain: ChainReader, owner: Pubkey) -> Wallet | None:
    """Read a wallet's account, None when it was never opened."""
    (data,) = await data_at(chain, PROGRAM, [wallet_address(owner)])
    return parse_wallet(data) if data else None


async def read_prices(chain: ChainReader, hour: int) -> PriceTable | None:
    """Read an hour's table of price steps, None when nobody has voted."""
    (data,) = await data_at(chain, PROGRAM, [prices_address(hour)])
    return parse_prices(data) if data else None


async def read_price_tables(chain: ChainReader) -> list[PriceTable]:
    """Read all tables of price steps in the order of their hours."""
    found = [parse_prices(data) for data in (await accounts_of(chain, PROGRAM, "Prices")).values()]
    return sorted(found, key=lambda table: table.hour)


async def read_slashes(chain: ChainReader) -> list[Slash]:
    """Read all proposals to slash, by device and evidence."""
    found = [parse_slash(data) for data in (await accounts_of(chain, PROGRAM, "Slash")).values()]
    return sorted(found, key=lambda slash: (bytes(slash.device), slash.evidence))
