"""What staking needs before it starts, and a device's deposit."""

from keeper.clients import staking as client
from keeper.clients import tokenomics
from keeper.clients.staking import Params
from tests.programs.staking.world import StakingWorld
from tests.security.people import OPERATORS, address, do
from tests.security.staking import stages


def test_nothing_before_the_launch() -> None:
    """Staking can be set up before tokenomics is launched; no hour can be attested then."""
    world = StakingWorld()
    admin = world.admin.pubkey()
    world.do(
        tokenomics.initialize(admin, client.PROGRAM.address, world.guardian.pubkey()), signers=[world.admin]
    )
    operator = world.person(OPERATORS[0])
    terms = Params((operator.pubkey(),), 1)
    world.do(client.initialize(admin, world.guardian.pubkey(), terms), signers=[world.admin])
    record = world.send(client.attest(operator.pubkey(), 0, stages.said(0)), signers=[operator])
    assert world.error(record) == "NotLaunched"


def test_the_deposit_comes_back() -> None:
    """A device costs its rent and the deposit while it lives; closed, the supplier has both again."""
    world = stages.initialized()
    alice = address("alice")
    before = world.account(alice).lamports
    one = stages.register(world, "worker")
    where = client.device_address(address("worker"))
    assert before - world.account(alice).lamports == world.account(where).lamports
    do(world, client.terminate_device(one))
    do(world, client.close_device(one))
    assert world.account(alice).lamports == before
    assert world.chain.get(where) is None
