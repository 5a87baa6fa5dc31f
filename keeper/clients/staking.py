"""The staking program: its addresses, its instructions, its accounts as typed records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from typing import Any

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from keeper.chain import Chain
from keeper.chain.loader import program_data_address
from keeper.chain.program import Program
from keeper.clients import tokenomics
from keeper.clients.records import accounts_of, record
from keeper.economy.staking import CoStake, minimum

PROGRAM = Program.load("staking")
CONFIG = PROGRAM.pda("stake", "config")
STAKE_VAULT = PROGRAM.pda("stake", "stake_vault")
REWARD_AUTHORITY = PROGRAM.pda("claim", "reward_authority")
PROGRAM_DATA = program_data_address(PROGRAM.address)
KEPT_ROOTS: int = PROGRAM.constants["KEPT_ROOTS"]
MAX_OPERATORS: int = PROGRAM.constants["MAX_OPERATORS"]
MAX_HOURS_AHEAD: int = PROGRAM.constants["MAX_HOURS_AHEAD"]
PAUSE_REWARDS: int = PROGRAM.constants["PAUSE_REWARDS"]

ERROR = {each.name: each.code for each in PROGRAM.errors.values()}
"""The program's error numbers by name."""

NOBODY = Pubkey.default()


@dataclass(frozen=True, slots=True)
class Params:
    """What the admin sets: durations in seconds, shares in basis points, and who attests."""

    operators: tuple[Pubkey, ...]
    threshold: int
    cooldown: int = 14 * 86_400
    co_stake_wait: int = 7 * 86_400
    challenge_window: int = 3_600
    appeal: int = 30 * 86_400
    notice: int = 7 * 86_400
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

    def is_paused(self, mask: int, now: int) -> bool:
        """Whether one of the operations of ``mask`` is stopped at ``now``."""
        return bool(self.pause_mask & mask) and now < self.pause_until


@dataclass(frozen=True, slots=True)
class Class:
    """A class of processors; multipliers in hundredths, ``pending_at`` 0 when no change waits."""

    id: int
    multiplier: int
    pending_multiplier: int
    pending_at: int
    pool: int
    kind: int
    name: str

    def multiplier_at(self, now: int) -> int:
        """The multiplier in force."""
        return self.pending_multiplier if self.pending_at and now >= self.pending_at else self.multiplier


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
    """A reward block; ``votes`` are the hashes of what each operator said, by their numbers."""

    hour: int
    status: int
    revision: int
    devices: int
    agreed_at: int
    total: int
    root: bytes
    data_hash: bytes
    payer: Pubkey
    votes: tuple[bytes, ...]

    def vote(self, config: Config, operator: Pubkey) -> bytes | None:
        """What an operator said, as a hash; None when it said nothing that counts still."""
        if self.revision != config.revision or operator not in config.params.operators:
            return None
        said = self.votes[config.params.operators.index(operator)]
        return said if any(said) else None


@dataclass(frozen=True, slots=True)
class Wallet:
    """What a wallet has claimed, and how many co-stakes it holds."""

    wallet: Pubkey
    co_stakes: int
    opened_total: int
    claimed: int


@dataclass(frozen=True, slots=True)
class Device:
    """A device and everything that is staked on it."""

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

    def minimum(self, of_class: Class, now: int) -> int:
        """The stake that it needs, base units."""
        return minimum(of_class.multiplier_at(now), self.processors)


@dataclass(frozen=True, slots=True)
class Slash:
    """A proposal to slash a device; ``votes`` has a bit for each operator."""

    status: int
    bps: int
    votes: int
    appeal_until: int
    burned: int
    device: Pubkey
    evidence: bytes
    appeal: bytes


@dataclass(frozen=True, slots=True)
class Attestation:
    """What an operator says about an hour."""

    root: bytes
    total: int
    devices: int
    data_hash: bytes

    @property
    def hash(self) -> bytes:
        """What the program keeps of it: equal hashes mean the same block."""
        numbers = self.total.to_bytes(8, "little") + self.devices.to_bytes(4, "little")
        return sha256(self.root + numbers + self.data_hash).digest()


# -- addresses -------------------------------------------------------------------------------


def class_address(number: int) -> Pubkey:
    """A class."""
    return PROGRAM.pda("add_class", "class", id=number)


def device_address(worker: Pubkey) -> Pubkey:
    """A worker's device."""
    return PROGRAM.pda("register_device", "device", worker=worker)


def wallet_address(owner: Pubkey) -> Pubkey:
    """A wallet's account."""
    return PROGRAM.pda("open_wallet", "wallet", owner=owner)


def block_address(hour: int) -> Pubkey:
    """An hour's reward block."""
    return PROGRAM.pda("attest", "block", hour=hour)


def slash_address(device: Pubkey, evidence: bytes, bps: int) -> Pubkey:
    """The proposal to slash a device for a piece of evidence."""
    return PROGRAM.pda("vote_slash", "slash", device=device, evidence=evidence, bps=bps)


# -- the admin's and the guardian's ------------------------------------------------------------


def initialize(admin: Pubkey, guardian: Pubkey, params: Params) -> Instruction:
    """Create config and stake vault; ``admin`` is the program's upgrade authority."""
    return PROGRAM.instruction(
        "initialize",
        {"guardian": guardian, "params": params.fields()},
        admin=admin,
        program_data=PROGRAM_DATA,
        mint=tokenomics.MINT,
        tokenomics=tokenomics.CONFIG,
        reward_vault=tokenomics.REWARD_VAULT,
    )


def propose_params(admin: Pubkey, params: Params) -> Instruction:
    """Propose parameters."""
    return PROGRAM.instruction("propose_params", {"params": params.fields()}, admin=admin)


def cancel_params(guardian: Pubkey) -> Instruction:
    """Drop the proposed parameters."""
    return PROGRAM.instruction("cancel_params", guardian=guardian)


def apply_params() -> Instruction:
    """Put the proposed parameters in force."""
    return PROGRAM.instruction("apply_params")


def set_pause(guardian: Pubkey, mask: int, until: int) -> Instruction:
    """Stop operations until ``until``, or lift the stop with a mask of 0."""
    return PROGRAM.instruction("set_pause", {"mask": mask, "until": until}, guardian=guardian)


def propose_admin(admin: Pubkey, pending: Pubkey) -> Instruction:
    """Name the next admin."""
    return PROGRAM.instruction("propose_admin", {"pending": pending}, admin=admin)


def accept_admin(new_admin: Pubkey) -> Instruction:
    """Take the admin role over."""
    return PROGRAM.instruction("accept_admin", new_admin=new_admin)


def set_guardian(admin: Pubkey, guardian: Pubkey) -> Instruction:
    """Name another guardian."""
    return PROGRAM.instruction("set_guardian", {"guardian": guardian}, admin=admin)


def add_class(admin: Pubkey, number: int, name: str, multiplier: int, pool: int, kind: int) -> Instruction:
    """Add a class of processors; the multiplier in hundredths."""
    arguments = {
        "id": number,
        "name": name.encode().ljust(24, b"\0"),
        "multiplier": multiplier,
        "pool": pool,
        "kind": kind,
    }
    return PROGRAM.instruction("add_class", arguments, admin=admin)


def change_class(admin: Pubkey, number: int, multiplier: int) -> Instruction:
    """Change a class's multiplier after the notice."""
    arguments = {"multiplier": multiplier}
    return PROGRAM.instruction("change_class", arguments, admin=admin, **{"class": class_address(number)})


# -- devices and stakes ------------------------------------------------------------------------


def open_wallet(payer: Pubkey, owner: Pubkey) -> Instruction:
    """Open the account of a wallet that is going to earn."""
    return PROGRAM.instruction("open_wallet", {"owner": owner}, payer=payer)


def register_device(
    supplier: Pubkey,
    worker: Pubkey,
    payout: Pubkey,
    device_class: int,
    *,
    processors: int,
    tier: int,
    country: str,
    ask_io: int = 0,
    ask_usdc: int = 0,
) -> Instruction:
    """Register a device; ``payout`` has its wallet account already."""
    arguments = {
        "processors": processors,
        "tier": tier,
        "country": country.encode(),
        "ask_io": ask_io,
        "ask_usdc": ask_usdc,
    }
    accounts = {
        "supplier": supplier,
        "worker": worker,
        "class": class_address(device_class),
        "payout": wallet_address(payout),
    }
    return PROGRAM.instruction("register_device", arguments, **accounts)


def change_device(device: Device, *, tier: int, country: str, ask_io: int, ask_usdc: int) -> Instruction:
    """Change a device's tier, place and asks."""
    arguments = {"tier": tier, "country": country.encode(), "ask_io": ask_io, "ask_usdc": ask_usdc}
    return PROGRAM.instruction("change_device", arguments, **_owner(device))


def set_payout(device: Device, payout: Pubkey) -> Instruction:
    """Send the supplier's rewards to another wallet, which has its account already."""
    accounts = {
        "supplier": device.supplier,
        "device": device_address(device.worker),
        "payout": wallet_address(payout),
    }
    return PROGRAM.instruction("set_payout", None, **accounts)


def terminate_device(device: Device) -> Instruction:
    """End a device's life."""
    return PROGRAM.instruction("terminate_device", None, **_owner(device))


def close_device(device: Device) -> Instruction:
    """Close the account of a terminated device without stake."""
    accounts = {"supplier": device.supplier, "device": device_address(device.worker)}
    return PROGRAM.instruction("close_device", None, **accounts)


def settle_device(device: Device) -> Instruction:
    """Write down what time, or a change of class, has done to a device."""
    return PROGRAM.instruction("settle_device", None, **_device(device))


def stake(device: Device, amount: int) -> Instruction:
    """Add to a device's own stake, from the supplier's associated token account."""
    accounts = {**_owner(device), "supplier_tokens": tokenomics.tokens_address(device.supplier)}
    return PROGRAM.instruction("stake", {"amount": amount}, **accounts)


def withdraw_overflow(device: Device, amount: int) -> Instruction:
    """Take own stake back that the minimum doesn't need."""
    accounts = {"supplier": device.supplier, **_out(device, device.supplier)}
    return PROGRAM.instruction("withdraw_overflow", {"amount": amount}, **accounts)


def unstake(device: Device) -> Instruction:
    """Send the own stake, and a co-stake with it, into the cooldown."""
    return PROGRAM.instruction("unstake", None, **_owner(device))


def withdraw(device: Device) -> Instruction:
    """Pay a cooled own stake back to the supplier."""
    return PROGRAM.instruction("withdraw", None, **_out(device, device.supplier))


def open_offer(device: Device, amount: int, reward_bps: int) -> Instruction:
    """Look for a co-staker."""
    arguments = {"amount": amount, "reward_bps": reward_bps}
    return PROGRAM.instruction("open_offer", arguments, **_owner(device))


def close_offer(device: Device) -> Instruction:
    """Withdraw an offer that nobody took."""
    return PROGRAM.instruction("close_offer", None, **_owner(device))


def take_offer(device: Device, staker: Pubkey, amount: int, reward_bps: int) -> Instruction:
    """Take a device's offer, as it was seen, from the staker's associated token account."""
    accounts = {
        **_device(device),
        "staker": staker,
        "wallet": wallet_address(staker),
        "staker_tokens": tokenomics.tokens_address(staker),
    }
    return PROGRAM.instruction("take_offer", {"amount": amount, "reward_bps": reward_bps}, **accounts)


def leave_co_stake(device: Device, staker: Pubkey) -> Instruction:
    """Start leaving a co-stake."""
    accounts = {"staker": staker, "device": device_address(device.worker)}
    return PROGRAM.instruction("leave_co_stake", None, **accounts)


def withdraw_co_stake(device: Device, staker: Pubkey) -> Instruction:
    """Pay a cooled co-stake back to its owner."""
    accounts = {**_out(device, staker), "wallet": wallet_address(staker)}
    return PROGRAM.instruction("withdraw_co_stake", None, **accounts)


# -- reward blocks -----------------------------------------------------------------------------


def attest(operator: Pubkey, hour: int, said: Attestation) -> Instruction:
    """Say what an hour's reward block is."""
    arguments = {
        "hour": hour,
        "root": said.root,
        "total": said.total,
        "devices": said.devices,
        "data_hash": said.data_hash,
    }
    return PROGRAM.instruction("attest", arguments, operator=operator, tokenomics=tokenomics.CONFIG)


def veto_block(guardian: Pubkey, hour: int) -> Instruction:
    """Veto a block inside its challenge window."""
    return PROGRAM.instruction("veto_block", guardian=guardian, block=block_address(hour))


def finalise(hour: int) -> Instruction:
    """Make a block's root pay."""
    return PROGRAM.instruction(
        "finalise",
        block=block_address(hour),
        tokenomics_program=tokenomics.PROGRAM.address,
        tokenomics=tokenomics.CONFIG,
        mint=tokenomics.MINT,
        reward_vault=tokenomics.REWARD_VAULT,
        tokenomics_events=tokenomics.PROGRAM.event_authority,
    )


def close_block(hour: int, payer: Pubkey) -> Instruction:
    """Close a block that later ones have replaced."""
    return PROGRAM.instruction("close_block", payer=payer, block=block_address(hour))


def claim(hour: int, wallet: Pubkey, lifetime: int, proof: bytes) -> Instruction:
    """Pay a wallet everything that it has earned and not got, by a leaf of an hour's root."""
    return PROGRAM.instruction(
        "claim",
        {"lifetime": lifetime, "proof": proof},
        block=block_address(hour),
        wallet=wallet_address(wallet),
        wallet_tokens=tokenomics.tokens_address(wallet),
        reward_vault=tokenomics.REWARD_VAULT,
    )


# -- slashing ----------------------------------------------------------------------------------


def vote_slash(operator: Pubkey, device: Device, evidence: bytes, bps: int) -> Instruction:
    """Vote to slash a device."""
    arguments = {"evidence": evidence, "bps": bps}
    accounts = {"operator": operator, "device": device_address(device.worker)}
    return PROGRAM.instruction("vote_slash", arguments, **accounts)


def appeal_slash(device: Device, evidence: bytes, bps: int, statement: bytes) -> Instruction:
    """Appeal against a slash."""
    accounts = {"supplier": device.supplier, **_slash(device, evidence, bps)}
    return PROGRAM.instruction("appeal_slash", {"statement": statement}, **accounts)


def veto_slash(guardian: Pubkey, device: Device, evidence: bytes, bps: int) -> Instruction:
    """Veto a slash in its appeal period."""
    return PROGRAM.instruction("veto_slash", None, guardian=guardian, **_slash(device, evidence, bps))


def execute_slash(device: Device, evidence: bytes, bps: int) -> Instruction:
    """Burn a slashed device's stake after the appeal period."""
    accounts = {
        "class": class_address(device.device_class),
        "mint": tokenomics.MINT,
        **_slash(device, evidence, bps),
    }
    return PROGRAM.instruction("execute_slash", None, **accounts)


def _device(device: Device) -> dict[str, Pubkey]:
    return {"class": class_address(device.device_class), "device": device_address(device.worker)}


def _owner(device: Device) -> dict[str, Pubkey]:
    return {"supplier": device.supplier, **_device(device)}


def _out(device: Device, owner: Pubkey) -> dict[str, Pubkey]:
    return {**_device(device), "owner": owner, "owner_tokens": tokenomics.tokens_address(owner)}


def _slash(device: Device, evidence: bytes, bps: int) -> dict[str, Pubkey]:
    address = device_address(device.worker)
    return {"device": address, "slash": slash_address(address, evidence, bps)}


# -- reading -----------------------------------------------------------------------------------


def parse_config(data: bytes) -> Config:
    """Read the config's bytes."""
    values = PROGRAM.account("Config", data)
    params = {name: Params.of(values[name]) for name in ("params", "pending")}
    return record(Config, {**values, **params})


def parse_device(data: bytes) -> Device:
    """Read a device's bytes."""
    values = PROGRAM.account("Device", data)
    changed = {
        "device_class": values["class"],
        "country": values["country"].decode(),
        "co": record(CoStake, values["co"]),
        "leaving": record(CoStake, values["leaving"]),
    }
    return record(Device, {**values, **changed})


def parse_class(data: bytes) -> Class:
    """Read a class's bytes."""
    values = PROGRAM.account("Class", data)
    return record(Class, {**values, "name": values["name"].rstrip(b"\0").decode()})


def parse_block(data: bytes) -> Block:
    """Read a block's bytes."""
    values = PROGRAM.account("Block", data)
    return record(Block, {**values, "votes": tuple(values["votes"])})


def parse_wallet(data: bytes) -> Wallet:
    """Read a wallet account's bytes."""
    return record(Wallet, PROGRAM.account("Wallet", data))


def parse_slash(data: bytes) -> Slash:
    """Read a slash's bytes."""
    return record(Slash, PROGRAM.account("Slash", data))


async def read_config(chain: Chain) -> Config | None:
    """Read the config, None before ``initialize``."""
    (account,) = await chain.accounts([CONFIG])
    return parse_config(account.data) if account else None


async def read_classes(chain: Chain) -> dict[int, Class]:
    """Read all classes by number."""
    found = [parse_class(data) for data in (await accounts_of(chain, PROGRAM, "Class")).values()]
    return {each.id: each for each in sorted(found, key=lambda each: each.id)}


async def read_blocks(chain: Chain) -> list[Block]:
    """Read all blocks in the order of their hours."""
    found = [parse_block(data) for data in (await accounts_of(chain, PROGRAM, "Block")).values()]
    return sorted(found, key=lambda block: block.hour)


async def read_hours(chain: Chain, hours: Sequence[int]) -> dict[int, Block]:
    """Read these hours' blocks, those that there are."""
    found = await chain.accounts([block_address(hour) for hour in hours])
    return {hour: parse_block(each.data) for hour, each in zip(hours, found, strict=True) if each}


async def device_accounts(chain: Chain) -> dict[Pubkey, bytes]:
    """Read all devices' bytes by their addresses."""
    return await accounts_of(chain, PROGRAM, "Device")


async def read_devices(chain: Chain) -> dict[Pubkey, Device]:
    """Read all devices by their addresses."""
    return {address: parse_device(data) for address, data in (await device_accounts(chain)).items()}


async def read_wallet(chain: Chain, owner: Pubkey) -> Wallet | None:
    """Read a wallet's account, None when it was never opened."""
    (account,) = await chain.accounts([wallet_address(owner)])
    return parse_wallet(account.data) if account else None


async def read_slashes(chain: Chain) -> list[Slash]:
    """Read all proposals to slash, by device and evidence."""
    found = [parse_slash(data) for data in (await accounts_of(chain, PROGRAM, "Slash")).values()]
    return sorted(found, key=lambda slash: (bytes(slash.device), slash.evidence))
