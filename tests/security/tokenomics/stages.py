"""The four states of the economy that calls start from, each built once in a process.

Refused calls change nothing, which every test of them checks, so one stage serves many. Whoever
wants to change something builds a stage of its own: 20 ms.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from solders.instruction import Instruction
from solders.pubkey import Pubkey

from keeper.chain import token
from keeper.clients import tokenomics
from keeper.deploy import staking_program
from keeper.economy.genesis import read_table
from keeper.economy.supply import IO
from keeper.resources import binary
from tests.programs.tokenomics.seasons import distribution
from tests.programs.world import DAY, START_MONTH, World, key
from tests.security.people import DEPUTY, HEIR, IMPOSTOR, OTHER_MINT, OTHER_TOKENS, SPARE_TOKENS, address, do
from tests.security.tokens import create_mint, create_tokens

RUNNING, WAITING, ENDED, CLOSED = 1, 2, 3, 4
"""Seasons of the last stage: claims open; claims not open yet; claims over; closed."""
AMOUNTS = {"alice": 40 * IO, "bob": 30 * IO, "mallory": 30 * IO}
"""What each season pays."""


def season_amounts(number: int) -> dict[Pubkey, int]:
    """Who gets what in a season: the same wallets, other amounts in each."""
    return {address(name): amount + number for name, amount in AMOUNTS.items()}


def empty() -> World:
    """The program is deployed, nothing else; the attacker has a program and a mint, too."""
    world = World()
    for name in ("alice", "bob", "mallory", HEIR, DEPUTY):
        world.person(name)
    world.chain.load_program(IMPOSTOR, binary("probe"), address("mallory"))
    create_mint(world, OTHER_MINT, address("mallory"))
    create_tokens(world, OTHER_TOKENS, OTHER_MINT.pubkey(), address("mallory"))
    return world


def table(rows: int) -> World:
    """Initialised, with the first rows of the genesis table."""
    world = empty()
    admin = world.admin.pubkey()
    world.do(tokenomics.initialize(admin, staking_program(), world.guardian.pubkey()), signers=[world.admin])
    for row in read_table()[:rows]:
        person = world.person(row.label).pubkey()
        world.do(
            tokenomics.add_allocation(admin, row, person),
            token.create_associated(world.payer.pubkey(), person, tokenomics.MINT),
            signers=[world.admin],
        )
    return world


def launched() -> World:
    """Launched this second; alice, bob, mallory and the admin hold IO, some in two accounts."""
    world = table(len(read_table()))
    world.do(tokenomics.launch(world.admin.pubkey(), START_MONTH), signers=[world.admin])
    for name in ("admin", "alice", "bob", "mallory"):
        world.give(address(name), 10_000 * IO)
    for name, each in SPARE_TOKENS.items():
        create_tokens(world, each, tokenomics.MINT, address(name))
        wallet = address(name)
        source, to = tokenomics.tokens_address(wallet), each.pubkey()
        world.do(token.transfer(source, to, wallet, 1_000 * IO), signers=[key(name)])
    return world


def running() -> World:
    """40 days on: emission has begun, and there is a season in each of its states with a page of claims."""
    world = launched()
    for number, days in ((RUNNING, 400), (ENDED, 30), (CLOSED, 30)):
        open_season(world, number, days)
    do(world, tokenomics.propose_guardian(world.admin.pubkey(), address(DEPUTY)))
    world.chain.advance(40 * DAY)
    world.do(tokenomics.close_season(CLOSED, world.admin.pubkey()))
    open_season(world, WAITING, 30, page=False)
    admin, alice = world.admin.pubkey(), address("alice")
    world.do(tokenomics.propose_admin(admin, address(HEIR)), signers=[world.admin])
    owner = key("series_a")
    world.do(tokenomics.propose_beneficiary(1, owner.pubkey(), address(HEIR)), signers=[owner])
    # A burn that the program has not seen, for `sync_burned` to count.
    world.do(token.burn(tokenomics.tokens_address(alice), tokenomics.MINT, alice, IO), signers=[key("alice")])
    return world


def burn(world: World, amount: int, expected: int | None = None) -> Instruction:
    """Burn IO of alice's, who expects to hold what she does."""
    alice = address("alice")
    held = world.balance(alice) if expected is None else expected
    return tokenomics.burn(alice, amount, expected=held)


def open_season(world: World, number: int, days: int, *, page: bool = True) -> None:
    """A season that pays AMOUNTS from tomorrow on, funded by the admin; alice pays for its page."""
    start = world.chain.now() + DAY
    admin = world.admin.pubkey()
    season = distribution(number, season_amounts(number))
    world.do(tokenomics.open_season(admin, season, start, start + days * DAY), signers=[world.admin])
    if page:
        world.do(tokenomics.open_claim_page(address("alice"), number, 0), signers=[key("alice")])


STAGES: dict[str, Callable[[], World]] = {
    "empty": empty,
    "table": lambda: table(len(read_table()) - 1),
    "complete": lambda: table(len(read_table())),
    "running": running,
}


@cache
def stage(name: str) -> World:
    """The one world of a stage, for calls that are refused."""
    return STAGES[name]()
