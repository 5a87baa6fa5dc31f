"""What tests of real sandboxes share."""

from __future__ import annotations

import pytest

from tests.keeper.compute.sandboxing import require


@pytest.fixture(scope="session")
def possible() -> None:
    require()
