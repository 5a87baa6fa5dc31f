"""What tests of slashes do to a device."""

from __future__ import annotations

from solders.pubkey import Pubkey

from keeper.clients import staking as client
from tests.programs.world import World
from tests.security.people import OPERATORS, address, do
from tests.security.staking import stages
from tests.security.staking.stages import EVIDENCE, OFFER, REWARD_BPS, SLASH_BPS, device

ALICE, BOB, CAROL, MALLORY, ADMIN, GUARDIAN = (
    address(name) for name in ("alice", "bob", "carol", "mallory", "admin", "guardian")
)
FIRST, SECOND, THIRD = map(address, OPERATORS)


def vote(
    world: World, worker: str, evidence: bytes = EVIDENCE, *, voters: int = 2, bps: int = SLASH_BPS
) -> None:
    """So many operators vote."""
    for operator in OPERATORS[:voters]:
        vote_as(world, address(operator), worker, evidence, bps=bps)


def vote_as(
    world: World, operator: Pubkey, worker: str, evidence: bytes = EVIDENCE, *, bps: int = SLASH_BPS
) -> None:
    """One operator votes."""
    do(world, client.vote_slash(operator, device(world, worker), evidence, bps))


def slash(world: World, worker: str, evidence: bytes = EVIDENCE) -> client.Slash:
    """The slash of a device for some evidence."""
    where = client.slash_address(client.device_address(address(worker)), evidence)
    return client.parse_slash(world.account(where).data)


def shared() -> World:
    """Bob's device with carol's co-stake on it."""
    world = stages.staked()
    do(world, client.take_offer(device(world, "bob's worker"), CAROL, OFFER, REWARD_BPS))
    return world
