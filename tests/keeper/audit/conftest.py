"""One network, which each test has shown otherwise."""

from __future__ import annotations

import pytest

from keeper.chain.embedded import EmbeddedChain
from tests.keeper.audit.world import MidLife


@pytest.fixture(scope="session")
def mid() -> MidLife:
    """A network in its mid-life; nobody acts on it any more."""
    return MidLife.grown()


@pytest.fixture(scope="session")
def true(mid: MidLife) -> EmbeddedChain:
    """Its chain."""
    return mid.chain
