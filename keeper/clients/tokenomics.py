"""The tokenomics program: its addresses, its instructions, its accounts as typed records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from keeper.chain import ChainError, ChainReader
from keeper.chain.framework import associated_token_address
from keeper.chain.loader import program_data_address
from keeper.chain.program import Program
from keeper.chain.token import balance, read_mint
from keeper.clients.records import accounts_of, data_at, record
from keeper.clients.roles import Roles
from keeper.clients.signing import signed_by
from keeper.economy.genesis import Row
from keeper.economy.seasons import Distribution
from keeper.economy.vesting import Schedule

PROGRAM = Program.load("tokenomics")
CONFIG = PROGRAM.pda("emit", "config")
MINT = PROGRAM.pda("emit", "mint")
GENESIS_VAULT = PROGRAM.pda("release", "genesis_vault")
REWARD_VAULT = PROGRAM.pda("emit", "reward_vault")
PROGRAM_DATA = program_data_address(PROGRAM.address)
PAGE_CLAIMS: int = PROGRAM.constants["PAGE_CLAIMS"]
PAUSE_EMISSION: int = PROGRAM.constants["PAUSE_EMISSION"]
SEASON_NOTICE: int = PROGRAM.constants["SEASON_NOTICE"]
GUARDIAN_NOTICE: int = PROGRAM.constants["GUARDIAN_NOTICE"]

ERROR = {each.name: each.code for each in PROGRAM.errors.values()}
"""The program's error numbers by name."""


@dataclass(frozen=True, slots=True)
class Config:
    """The root account: roles, calendar and totals (base units; times unix seconds)."""

    launched: bool
    pause_mask: int
    pause_until: int
    admin: Pubkey
    pending_admin: Pubkey
    guardian: Pubkey
    staking_program: Pubkey
    allocations: int
    allocated: int
    released: int
    emitted: int
    emitted_hours: int
    burned: int
    start_month: int
    pending_guardian: Pubkey
    guardian_at: int

    def is_paused(self, mask: int, now: int) -> bool:
        """Whether an operation is stopped at ``now``: a pause lapses by itself."""
        return bool(self.pause_mask & mask) and now < self.pause_until


@dataclass(frozen=True, slots=True)
class Allocation:
    """A row of the genesis table on chain; amounts in base units."""

    id: int
    label: str
    beneficiary: Pubkey
    schedule: Schedule
    released: int


class SeasonStatus(IntEnum):
    """Where a season stands: one that was vetoed still holds its pools until it is paid back."""

    OPEN = 0
    CANCELLED = 1
    CLOSED = 2


@dataclass(frozen=True, slots=True)
class Season:
    """An airdrop season on chain; amounts in base units, times unix seconds."""

    season: int
    status: int
    leaves: int
    claims: int
    root: bytes
    data_hash: bytes
    vault: Pubkey
    funder: Pubkey
    pools: tuple[int, ...]
    total: int
    claimed: int
    returned: int
    claim_start: int
    claim_end: int

    @property
    def is_paid_back(self) -> bool:
        """Whether its rest has gone back to its funder, and its vault is gone."""
        return self.status == SeasonStatus.CLOSED

    def has_ended(self, now: int) -> bool:
        """Whether it pays no claim at ``now`` or later."""
        return self.status != SeasonStatus.OPEN or now >= self.claim_end


@dataclass(frozen=True, slots=True)
class ClaimPage:
    """A page of claim bits."""

    season: int
    page: int
    payer: Pubkey


@dataclass(frozen=True, slots=True)
class Supply:
    """Where all IO is at one moment, base units.

    ``circulating`` is what no vault of the protocol holds; with ``locked`` (vesting), ``seasons``
    (airdrops neither claimed nor paid back yet) and ``rewards`` (emitted, not paid out yet) it adds up
    to ``supply``.
    """

    time: int
    emitted: int
    burned: int
    supply: int
    locked: int
    seasons: int
    rewards: int

    @property
    def circulating(self) -> int:
        """Base units outside the protocol's vaults."""
        return self.supply - self.locked - self.seasons - self.rewards


# -- addresses -------------------------------------------------------------------------------


def allocation_address(number: int) -> Pubkey:
    """A row of the genesis table."""
    return PROGRAM.pda("add_allocation", "allocation", id=number)


def season_address(season: int) -> Pubkey:
    """A season."""
    return PROGRAM.pda("open_season", "season_account", season=season)


def season_vault_address(season: int) -> Pubkey:
    """The token account that holds a season's pools."""
    return PROGRAM.pda("open_season", "season_vault", season=season)


def claim_page_address(season: int, page: int) -> Pubkey:
    """The page that records the leaves from ``page * PAGE_CLAIMS`` on."""
    return claim_page_address_and_bump(season, page)[0]


def claim_page_address_and_bump(season: int, page: int) -> tuple[Pubkey, int]:
    """The same address, and its bump."""
    seeds = [b"claim_page", season.to_bytes(4, "little"), page.to_bytes(4, "little")]
    return Pubkey.find_program_address(seeds, PROGRAM.address)


def tokens_address(wallet: Pubkey) -> Pubkey:
    """A wallet's associated token account for IO."""
    return associated_token_address(wallet, MINT)


# -- instructions ----------------------------------------------------------------------------


def initialize(admin: Pubkey, staking_program: Pubkey, guardian: Pubkey) -> Instruction:
    """Create config, mint and vaults; ``admin`` is the program's upgrade authority."""
    arguments = {"staking_program": staking_program, "guardian": guardian}
    return PROGRAM.instruction("initialize", arguments, admin=admin, program_data=PROGRAM_DATA)


def add_allocation(admin: Pubkey, row: Row, beneficiary: Pubkey) -> Instruction:
    """Add a row of the genesis table."""
    arguments = {
        "id": row.id,
        "label": row.label_bytes,
        "beneficiary": beneficiary,
        "amount": row.schedule.amount,
        "tge_bps": row.schedule.tge_bps,
        "cliff_months": row.schedule.cliff_months,
        "tranches": row.schedule.tranches,
    }
    return PROGRAM.instruction("add_allocation", arguments, admin=admin)


def launch(admin: Pubkey, start_month: int) -> Instruction:
    """Mint the genesis supply and fix the emission's first month."""
    return PROGRAM.instruction("launch", {"start_month": start_month}, admin=admin)


def release(number: int, beneficiary: Pubkey) -> Instruction:
    """Pay an allocation's beneficiary what is due."""
    return PROGRAM.instruction(
        "release", allocation=allocation_address(number), beneficiary_tokens=tokens_address(beneficiary)
    )


def emit() -> Instruction:
    """Mint all ended hours."""
    return PROGRAM.instruction("emit")


def open_season(admin: Pubkey, distribution: Distribution, claim_start: int, claim_end: int) -> Instruction:
    """Publish a season and fund it from the admin's associated token account."""
    arguments = {
        "season": distribution.season,
        "root": distribution.root,
        "data_hash": distribution.data_hash,
        "leaves": len(distribution.claims),
        "pools": list(distribution.pools),
        "claim_start": claim_start,
        "claim_end": claim_end,
    }
    return PROGRAM.instruction("open_season", arguments, admin=admin, funder_tokens=tokens_address(admin))


def open_claim_page(payer: Pubkey, season: int, page: int) -> Instruction:
    """Create a page of claim bits."""
    return PROGRAM.instruction(
        "open_claim_page",
        {"page": page},
        payer=payer,
        season=season_address(season),
        claim_page=claim_page_address(season, page),
    )


def claim_season(
    season: int, index: int, wallet: Pubkey, amount: int, proof: bytes, *, to: Pubkey | None = None
) -> Instruction:
    """Pay ``wallet`` its leaf of a season: ``to`` another of its token accounts, if it signs."""
    call = PROGRAM.instruction(
        "claim_season",
        {"index": index, "amount": amount, "proof": proof},
        season=season_address(season),
        claim_page=claim_page_address(season, index // PAGE_CLAIMS),
        season_vault=season_vault_address(season),
        wallet=wallet,
        wallet_tokens=to or tokens_address(wallet),
    )
    return signed_by(call, wallet) if to else call


def cancel_season(guardian: Pubkey, season: int) -> Instruction:
    """Veto a season before its claims open."""
    return PROGRAM.instruction("cancel_season", guardian=guardian, season=season_address(season))


def close_season(season: int, funder: Pubkey, *, to: Pubkey | None = None) -> Instruction:
    """Pay the rest of a season back, once it was vetoed or its claim period is over.

    ``to`` another of the funder's token accounts than its associated one, if it signs.
    """
    call = PROGRAM.instruction(
        "close_season",
        season=season_address(season),
        season_vault=season_vault_address(season),
        funder=funder,
        funder_tokens=to or tokens_address(funder),
    )
    return signed_by(call, funder) if to else call


def close_claim_page(season: int, page: int, payer: Pubkey) -> Instruction:
    """Give a page's rent back after its season has ended."""
    return PROGRAM.instruction(
        "close_claim_page",
        payer=payer,
        season=season_address(season),
        claim_page=claim_page_address(season, page),
    )


def burn(owner: Pubkey, amount: int, *, expected: int) -> Instruction:
    """Burn ``amount`` base units out of the owner's associated token account.

    It is refused where the account holds less than ``expected`` before: the same is never burned twice.
    """
    arguments = {"amount": amount, "expected": expected}
    return PROGRAM.instruction("burn", arguments, owner=owner, owner_tokens=tokens_address(owner))


def sync_burned() -> Instruction:
    """Count burns made directly on the token program."""
    return PROGRAM.instruction("sync_burned")


_ROLES = Roles(PROGRAM)
set_pause = _ROLES.set_pause
propose_admin = _ROLES.propose_admin
accept_admin = _ROLES.accept_admin
propose_guardian = _ROLES.propose_guardian
accept_guardian = _ROLES.accept_guardian


def propose_beneficiary(number: int, beneficiary: Pubkey, pending: Pubkey) -> Instruction:
    """Name an allocation's next beneficiary."""
    return PROGRAM.instruction(
        "propose_beneficiary",
        {"pending": pending},
        beneficiary=beneficiary,
        allocation=allocation_address(number),
    )


def accept_beneficiary(number: int, new_beneficiary: Pubkey) -> Instruction:
    """Take an allocation over."""
    return PROGRAM.instruction(
        "accept_beneficiary", new_beneficiary=new_beneficiary, allocation=allocation_address(number)
    )


# -- reading ---------------------------------------------------------------------------------


def parse_config(data: bytes) -> Config:
    """Read the config's bytes."""
    return config_of(PROGRAM.account("Config", data))


def config_of(values: Mapping[str, Any]) -> Config:
    """The config from its fields."""
    return record(Config, values)


def parse_season(data: bytes) -> Season:
    """Read a season's bytes."""
    values = PROGRAM.account("Season", data)
    return record(Season, {**values, "pools": tuple(values["pools"])})


def is_claimed(page: bytes, index: int) -> bool:
    """Whether a leaf's bit is set in the bytes of its page of claims."""
    return is_marked(bytes(PROGRAM.account("ClaimPage", page)["bits"]), index)


def is_marked(bits: bytes, index: int) -> bool:
    """Whether a leaf's bit is set among those of its page."""
    bit = index % PAGE_CLAIMS
    return bool(bits[bit // 8] & 1 << bit % 8)


async def read_config(chain: ChainReader) -> Config | None:
    """Read the config, None before ``initialize``."""
    (data,) = await data_at(chain, PROGRAM, [CONFIG])
    return parse_config(data) if data else None


async def read_allocations(chain: ChainReader) -> list[Allocation]:
    """Read the genesis table in its order."""
    found = []
    for data in (await accounts_of(chain, PROGRAM, "Allocation")).values():
        each = PROGRAM.account("Allocation", data)
        schedule = Schedule(each["amount"], each["tge_bps"], each["cliff_months"], each["tranches"])
        label = each["label"].rstrip(b"\0").decode(errors="replace")
        found.append(Allocation(each["id"], label, each["beneficiary"], schedule, each["released"]))
    return sorted(found, key=lambda row: row.id)


async def read_seasons(chain: ChainReader) -> list[Season]:
    """Read all seasons in their order."""
    found = [parse_season(data) for data in (await accounts_of(chain, PROGRAM, "Season")).values()]
    return sorted(found, key=lambda season: season.season)


async def read_claim_pages(chain: ChainReader) -> list[ClaimPage]:
    """Read who paid for which page, in the order of seasons and pages."""
    accounts = (await accounts_of(chain, PROGRAM, "ClaimPage")).values()
    found = [record(ClaimPage, PROGRAM.account("ClaimPage", data)) for data in accounts]
    return sorted(found, key=lambda page: (page.season, page.page))


async def read_supply(chain: ChainReader) -> Supply:
    """Read where all IO is; raises ChainError before ``initialize``."""
    seasons = [season.vault for season in await read_seasons(chain) if not season.is_paid_back]
    clock = await chain.clock()
    config, mint, *vaults = await chain.accounts([CONFIG, MINT, GENESIS_VAULT, REWARD_VAULT, *seasons])
    if config is None or mint is None:
        raise ChainError(f"tokenomics is not initialised on this chain: there is no account {CONFIG}")
    # A season's vault is gone when the season was closed between the two reads.
    locked, rewards, *unclaimed = map(balance, vaults)
    state = parse_config(config.data)
    return Supply(
        time=clock.unix_timestamp,
        emitted=state.emitted,
        burned=state.burned,
        supply=read_mint(mint.data).supply,
        locked=locked,
        seasons=sum(unclaimed),
        rewards=rewards,
    )
