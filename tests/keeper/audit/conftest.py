"""Two networks, each made once: one in its mid-life, one with hours of proofs that operators published."""

from __future__ import annotations

import pytest

from keeper.chain.embedded import EmbeddedChain
from tests.keeper.audit.life import Life, live
from tests.keeper.audit.world import MidLife


@pytest.fixture(scope="session")
def mid() -> MidLife:
    """A network in its mid-life; nobody acts on it any more."""
    return MidLife.grown()


@pytest.fixture(scope="session")
def true(mid: MidLife) -> EmbeddedChain:
    """Its chain."""
    return mid.chain


@pytest.fixture(scope="session")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    """Some honest hours: tests falsify copies."""
    return live(tmp_path_factory.mktemp("life"))
