"""What a pause of the emission comes to in the end."""

from keeper.clients import tokenomics as client
from keeper.clients.tokenomics import PROGRAM
from tests.security.people import address, do
from tests.security.tokenomics import stages

GUARDIAN = address("guardian")
LONGEST = PROGRAM.constants["MAX_PAUSE"]


def test_what_was_paused_is_caught_up() -> None:
    """A pause moves emission to later, it takes nothing away."""
    stopped, other = stages.running(), stages.running()
    do(stopped, client.set_pause(GUARDIAN, client.PAUSE_EMISSION, stopped.chain.now() + LONGEST))
    for world in (stopped, other):
        world.chain.advance(LONGEST)
        do(world, client.emit())
    assert stopped.config().emitted == other.config().emitted > 0
