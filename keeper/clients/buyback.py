"""The buyback program: its addresses, its instructions, its accounts as typed records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from keeper.chain import ChainReader
from keeper.chain.framework import associated_token_address
from keeper.chain.loader import program_data_address
from keeper.chain.program import Program
from keeper.clients import tokenomics
from keeper.clients.records import data_at, record
from keeper.clients.roles import ParamsRoles
from keeper.economy.buyback import INTERVAL, USDC, Path, Standing
from keeper.economy.supply import IO

PROGRAM = Program.load("buyback")
CONFIG = PROGRAM.pda("bid", "config")
PROGRAM_DATA = program_data_address(PROGRAM.address)
USDC_DECIMALS: int = PROGRAM.constants["USDC_DECIMALS"]
PAUSE_START: int = PROGRAM.constants["PAUSE_START"]
PAUSE_BID: int = PROGRAM.constants["PAUSE_BID"]
MAX_PAUSE: int = PROGRAM.constants["MAX_PAUSE"]

ERROR = {each.name: each.code for each in PROGRAM.errors.values()}
"""The program's error numbers by name."""


@dataclass(frozen=True, slots=True)
class Params:
    """What the admin sets: base units of USDC, base units of IO per USDC, seconds, basis points."""

    max_lot: int = 10_000 * USDC
    min_lot: int = 100 * USDC
    min_price: int = IO // 100
    duration: int = 86_400
    notice: int = 7 * 86_400
    start_bps: int = 20_000
    floor_bps: int = 5_000

    def fields(self) -> dict[str, Any]:
        """The values as the program takes them."""
        return {**asdict(self), "_pad": bytes(2)}


@dataclass(frozen=True, slots=True)
class Config:
    """The root account: roles, parameters, totals (base units; times unix seconds)."""

    open: bool
    void: bool
    pause_mask: int
    pause_until: int
    admin: Pubkey
    pending_admin: Pubkey
    guardian: Pubkey
    io_mint: Pubkey
    usdc_mint: Pubkey
    io_vault: Pubkey
    usdc_vault: Pubkey
    fees_io: int
    fees_usdc: int
    burned_fees: int
    burned_auctions: int
    usdc_sold: int
    reference_price: int
    anchor_price: int
    waiting_since: int
    started: int
    sold: int
    unsold: int
    next_share_bps: int
    first_price: int
    first_price_at: int
    params: Params
    pending: Params
    pending_at: int
    revision: int
    pending_guardian: Pubkey
    guardian_at: int

    def is_paused(self, mask: int, now: int) -> bool:
        """Whether one of the operations of ``mask`` is stopped at ``now``."""
        return bool(self.pause_mask & mask) and now < self.pause_until

    @property
    def next_start(self) -> int:
        """The earliest moment of the next start, unix seconds; a first price must be announced, too."""
        return max(self.waiting_since + INTERVAL, self.first_price_at)

    @property
    def standing(self) -> Standing:
        """What the next auction follows; the first one follows the announced price, 0 when there is none."""
        return Standing(self.reference_price or self.first_price, self.anchor_price, self.next_share_bps)

    def next_prices(self) -> tuple[int, int]:
        """Start and floor price of the next auction, as things stand."""
        params = self.params
        return self.standing.prices(params.start_bps, params.floor_bps, params.min_price)

    def next_lot(self, vault: int) -> int:
        """Base units of USDC that the next auction sells out of a vault that holds ``vault``."""
        return self.standing.lot(vault, self.params.min_lot, self.params.max_lot)


class AuctionStatus(IntEnum):
    """What became of an auction."""

    OPEN = 0
    SOLD = 1
    UNSOLD = 2
    VOID = 3


@dataclass(frozen=True, slots=True)
class Auction:
    """An auction; ``price``, ``cost`` and ``bidder`` say how it was sold, if it was.

    ``share_bps`` is how much of a whole lot it sells; more where the smallest lot is more.
    """

    status: int
    number: int
    lot: int
    start_price: int
    floor_price: int
    started_at: int
    ends_at: int
    closed_at: int
    price: int
    cost: int
    bidder: Pubkey
    share_bps: int

    @property
    def path(self) -> Path:
        """Its prices over time."""
        return Path(self.lot, self.start_price, self.floor_price, self.started_at, self.ends_at)


# -- addresses -------------------------------------------------------------------------------


def fee_vault(mint: Pubkey) -> Pubkey:
    """Where the network's fees in ``mint`` (IO or USDC) go."""
    return PROGRAM.pda("initialize", "usdc_vault", usdc_mint=mint)


IO_VAULT = fee_vault(tokenomics.MINT)


def auction_address(number: int) -> Pubkey:
    """An auction."""
    return PROGRAM.pda("start_auction", "auction", number=number)


# -- the admin's and the guardian's ------------------------------------------------------------


def initialize(admin: Pubkey, guardian: Pubkey, usdc_mint: Pubkey, params: Params) -> Instruction:
    """Create config and fee vaults; ``admin`` is the program's upgrade authority."""
    return PROGRAM.instruction(
        "initialize",
        {"guardian": guardian, "params": params.fields()},
        admin=admin,
        program_data=PROGRAM_DATA,
        io_mint=tokenomics.MINT,
        tokenomics=tokenomics.CONFIG,
        usdc_mint=usdc_mint,
    )


_ROLES = ParamsRoles(PROGRAM)
propose_params = _ROLES.propose_params
cancel_params = _ROLES.cancel_params
apply_params = _ROLES.apply_params
set_pause = _ROLES.set_pause
propose_admin = _ROLES.propose_admin
accept_admin = _ROLES.accept_admin
propose_guardian = _ROLES.propose_guardian
accept_guardian = _ROLES.accept_guardian


def propose_first_price(admin: Pubkey, price: int) -> Instruction:
    """Announce what the first auction refers to, base units of IO per USDC; it can start after the notice."""
    return PROGRAM.instruction("propose_first_price", {"price": price}, admin=admin)


def cancel_first_price(guardian: Pubkey) -> Instruction:
    """Drop the first price, while no auction has used it."""
    return PROGRAM.instruction("cancel_first_price", guardian=guardian)


# -- fees and auctions -------------------------------------------------------------------------


def burn_fees() -> Instruction:
    """Burn all fees in IO."""
    return PROGRAM.instruction("burn_fees", io_mint=tokenomics.MINT, io_vault=IO_VAULT)


def start_auction(payer: Pubkey, number: int, usdc_vault: Pubkey) -> Instruction:
    """Put USDC of the vault up for sale; ``number`` is the config's ``started``."""
    accounts = {"payer": payer, "usdc_vault": usdc_vault}
    return PROGRAM.instruction("start_auction", {"number": number}, **accounts)


def bid(
    bidder: Pubkey, number: int, usdc_mint: Pubkey, *, max_io: int, min_usdc: int, to: Pubkey | None = None
) -> Instruction:
    """Take an auction's lot, from the bidder's associated IO account to its USDC one.

    ``to`` is another token account that the USDC goes to.
    """
    return PROGRAM.instruction(
        "bid",
        {"max_io": max_io, "min_usdc": min_usdc},
        bidder=bidder,
        auction=auction_address(number),
        io_mint=tokenomics.MINT,
        bidder_io=tokenomics.tokens_address(bidder),
        usdc_vault=fee_vault(usdc_mint),
        bidder_usdc=to or associated_token_address(bidder, usdc_mint),
    )


def close_auction(number: int) -> Instruction:
    """End an auction whose time is over and whose lot nobody took."""
    return PROGRAM.instruction("close_auction", auction=auction_address(number))


# -- reading -----------------------------------------------------------------------------------


def parse_config(data: bytes) -> Config:
    """Read the config's bytes."""
    return config_of(PROGRAM.account("Config", data))


def config_of(values: Mapping[str, Any]) -> Config:
    """The config from its fields."""
    params = {name: _params(values[name]) for name in ("params", "pending")}
    flags = {name: bool(values[name]) for name in ("open", "void")}
    return record(Config, {**values, **params, **flags})


def _params(values: Mapping[str, Any]) -> Params:
    return record(Params, values)


def parse_auction(data: bytes) -> Auction:
    """Read an auction's bytes."""
    return auction_of(PROGRAM.account("Auction", data))


def auction_of(values: Mapping[str, Any]) -> Auction:
    """An auction from its fields."""
    return record(Auction, values)


async def read_config(chain: ChainReader) -> Config | None:
    """Read the config, None before ``initialize``."""
    (data,) = await data_at(chain, PROGRAM, [CONFIG])
    return parse_config(data) if data else None


async def read_auction(chain: ChainReader, number: int) -> Auction | None:
    """Read an auction, None when it hasn't started."""
    (data,) = await data_at(chain, PROGRAM, [auction_address(number)])
    return parse_auction(data) if data else None


async def read_recent(chain: ChainReader, count: int) -> list[Auction]:
    """Read the last auctions, at most ``count``, oldest first; an open one is the last."""
    config = await read_config(chain)
    started = config.started if config else 0
    numbers = range(max(0, started - count), started)
    found = await data_at(chain, PROGRAM, [auction_address(number) for number in numbers])
    return [parse_auction(each) for each in found if each]
