"""The chain that the scenarios run on, and the network on it: one for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from solders.keypair import Keypair

from keeper import deploy
from keeper.chain import Chain
from keeper.chain.embedded import EmbeddedChain
from keeper.clients.programs import PROGRAMS
from keeper.resources import DEV_KEYS
from tests.e2e.live import LONGEST_WAIT, LiveChain
from tests.e2e.localnet import Localnet, LocalnetChain
from tests.e2e.network import Network
from tests.e2e.validator import NAME, Validator, binary
from tests.programs.world import LAMPORTS, LISTING, DrivenChain, key


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs a validator when there is none to be."""
    if config.getoption("--chain") == "validator":
        return
    left_out = [item for item in items if item.get_closest_marker("validator")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


async def deploy_all(chain: Chain, admin: Keypair) -> None:
    """Deploy the four programs through the chain's loader, as ``ionet deploy`` does."""
    each = (deploy.deploy_program(chain, name, admin, DEV_KEYS, _silent) for name in PROGRAMS)
    assert all(await asyncio.gather(*each))


def _silent(done: int, pieces: int) -> None: ...


def embedded(*, verify_signatures: bool = True) -> EmbeddedChain:
    """An embedded chain that the programs were deployed on."""
    chain, admin = EmbeddedChain(now=LISTING, verify_signatures=verify_signatures), key("admin")
    chain.airdrop(admin.pubkey(), LAMPORTS)
    asyncio.run(deploy_all(chain, admin))
    # A program can be called from the slot after its deployment on.
    chain.advance(1)
    return chain


@contextmanager
def started(
    config: pytest.Config, *, verify_signatures: bool = True, longest_wait: int = LONGEST_WAIT
) -> Iterator[DrivenChain]:
    """A chain of the kind that was asked for, on which the programs were deployed.

    An embedded one that verifies no signatures can be behind a node of the tests', which does. A validator's
    clock is moved when more than ``longest_wait`` seconds would be waited for.
    """
    if config.getoption("--chain") == "embedded":
        yield embedded(verify_signatures=verify_signatures)
        return
    if config.getoption("--chain") == "localnet":
        admin = key("admin")
        with Localnet(LISTING, admin.pubkey()) as localnet, closing(LocalnetChain(localnet)) as local:
            local.airdrop(admin.pubkey(), LAMPORTS)
            yield local
        return
    program = binary()
    if program is None:
        pytest.exit(f"{NAME} is not installed: make test-validator does that", returncode=2)
    faucet, admin = Keypair(), key("admin")
    with (
        Validator(program, faucet.pubkey()) as validator,
        closing(LiveChain(validator, faucet, longest_wait=longest_wait)) as live,
    ):
        live.airdrop(admin.pubkey(), LAMPORTS)
        live.run(lambda rpc: deploy_all(rpc, admin))
        live.advance(1)
        yield live


@pytest.fixture(scope="session")
def shared(request: pytest.FixtureRequest) -> Iterator[Network]:
    with started(request.config) as chain:
        yield Network(chain)


@pytest.fixture
def network(shared: Network) -> Iterator[Network]:
    """The network that scenarios share, each with people and devices of its own.

    Afterwards no program has an account that the models don't know, and events alone make all of them; on a
    validator all of that and every account and balance are looked at once more when they are final.
    """
    yield shared
    shared.pair.compare_accounts()
    world, confirmed = shared.pair.world, shared.pair.world.chain
    if isinstance(confirmed, LiveChain):
        try:
            with closing(confirmed.finalized()) as world.chain:
                shared.pair.compare()
                shared.pair.compare_accounts()
        finally:
            world.chain = confirmed
