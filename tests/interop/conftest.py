"""All of these tests need other people's packages, from npm and PyPI: ``make interop`` runs them."""

from __future__ import annotations

import pytest

from tests.interop import installed
from tests.interop.answers import Answers, ask


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(installed.CLIENTS.parent):
            item.add_marker(pytest.mark.interop)


@pytest.fixture(scope="session")
def machine() -> None:
    """Skips, with what to do, where the clients can't be run."""
    reason = installed.lacking()
    if reason is not None:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def answers(machine: None, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answers]:
    """What every client said, by the client's name."""
    return ask(tmp_path_factory.mktemp("interop"))
