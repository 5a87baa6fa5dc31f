"""The API against its own description: whatever is asked, the answer is one that it says there is."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given, settings
from schemathesis import BaseSchema, Case, GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from keeper.api.service import application
from keeper.db.visitors import Visitors
from scripts import api_paths
from tests.keeper.api.life import Life

PATHS = application(Visitors("sqlite:///nowhere.db")).openapi()["paths"]
CASES = [
    *((path, GenerationMode.POSITIVE) for path in PATHS),
    # Of an address every text is one as far as a schema tells.
    *(
        (path, GenerationMode.NEGATIVE)
        for path, methods in PATHS.items()
        if any(re.search("pattern|integer", str(each)) for each in methods["get"].get("parameters", []))
    ),
]


@pytest.fixture(scope="module")
def schema(life: tuple[Life, Path]) -> Iterator[BaseSchema]:
    """The description, from a real server without its limits."""
    world, file = life
    # A visitor's questions may be slow on a busy machine: what is tested is what they are answered.
    app = application(Visitors(f"sqlite:///{file}", seconds=60), rewards=world.folder)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
    port = server.servers[0].sockets[0].getsockname()[1]
    yield schemathesis.openapi.from_url(f"http://127.0.0.1:{port}/api/openapi.json")
    server.should_exit = True
    thread.join()


@pytest.mark.parametrize(("path", "mode"), CASES)
def test_every_answer_is_one_that_is_described(schema: BaseSchema, path: str, mode: GenerationMode) -> None:
    """Also to what a path can't be asked, which must be refused; a place in a list is opaque to a schema."""

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(case=schema[path]["GET"].as_strategy(generation_mode=mode))
    def asked(case: Case) -> None:
        case.call_and_validate(excluded_checks=[positive_data_acceptance])

    asked()


def test_the_page_has_every_path() -> None:
    assert api_paths.PAGE.read_text() == api_paths.text(), "python -m scripts.api_paths"
