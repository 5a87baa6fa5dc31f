"""What tests of reward blocks and of claims do to an hour."""

from collections.abc import Mapping

from solders.pubkey import Pubkey

from keeper.clients import staking as client
from keeper.clients.staking import Attestation, Params
from tests.programs.world import DAY, HOUR, START, World
from tests.security.people import OPERATORS, address, do
from tests.security.staking import stages

ALICE, BOB, CAROL, MALLORY, GUARDIAN, ADMIN = (
    address(name) for name in ("alice", "bob", "carol", "mallory", "guardian", "admin")
)
FIRST, SECOND, THIRD = map(address, OPERATORS)


def fresh(hours: int = 1) -> World:
    """Initialised, with so many hours over."""
    world = stages.initialized()
    world.chain.warp_to(START + hours * HOUR)
    return world


def config(world: World) -> client.Config:
    return client.parse_config(world.account(client.CONFIG).data)


def block(world: World, hour: int) -> client.Block:
    return client.parse_block(world.account(client.block_address(hour)).data)


def agree(world: World, hour: int, what: Attestation, *operators: Pubkey) -> None:
    for operator in operators or (FIRST, SECOND):
        do(world, client.attest(operator, hour, what))


def final(world: World, hour: int, what: Attestation) -> None:
    agree(world, hour, what)
    world.chain.advance(HOUR)
    do(world, client.finalise(hour))


def proof_of(amounts: Mapping[Pubkey, int], owner: Pubkey) -> bytes:
    """A wallet's proof in a tree over lifetime amounts."""
    return stages.tree(dict(amounts)).proof(sorted(amounts, key=bytes).index(owner))


def apply_params(world: World, **changed: int) -> None:
    replace_operators(world, *OPERATORS, **changed)


def replace_operators(world: World, *names: str, threshold: int = 2, **changed: int) -> None:
    """Another list of operators, by their names, from its proposal to its effect."""
    do(world, client.propose_params(ADMIN, Params(tuple(map(address, names)), threshold, **changed)))
    world.chain.advance(7 * DAY)
    do(world, client.apply_params())
