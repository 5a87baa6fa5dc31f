"""What tests in a browser need: node, the packages of ``web/``, and Debian's Chromium."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from keeper.clients import staking
from tests.browser.site import Site
from tests.keeper.api.life import EARLY, Life
from tests.keeper.cli.running import pages

EVIDENCE = sha256(b"what a device did").digest()
WEB = Path(__file__).parents[2] / "web"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or ""


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's path; skips, saying why, where something lacks."""
    if not CHROMIUM:
        pytest.skip("no Chromium: apt-get install chromium, or CHROMIUM names one")
    if shutil.which("node") is None:
        pytest.skip("no node: install Node.js 20")
    if not (WEB / "node_modules/playwright-core").is_dir():
        pytest.skip("web/ isn't installed: make web")
    return CHROMIUM


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Life]:
    """A network in life in a file; its hours lie where localnet looks for them."""
    folder = tmp_path_factory.mktemp("network")
    world = Life.lived(folder / "rewards/operator-1")
    world.chain.save(folder / "life.chain")  # type: ignore[attr-defined]  # it is the embedded one
    (folder / "keys").mkdir()
    return folder / "life.chain", world


@pytest.fixture(scope="session")
def renting(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Life]:
    """The same before its leases' time is over, and with a slash of a device that can be appealed."""
    folder = tmp_path_factory.mktemp("renting")
    world = Life.ready(now=EARLY)
    assert isinstance(world, Life)
    world.market()
    for operator in world.operators[: world.staking_config().params.threshold]:
        vote = staking.vote_slash(operator.pubkey(), world.read_device("b2"), EVIDENCE, 1_000)
        world.do(vote, signers=[operator])
    world.chain.save(folder / "life.chain")  # type: ignore[attr-defined]  # it is the embedded one
    (folder / "keys").mkdir()
    return folder / "life.chain", world


@pytest.fixture
def site(saved: tuple[Path, Life], chromium: str, tmp_path: Path) -> Iterator[Site]:
    """A localnet that begins with the network in life, with pages, until the test is over."""
    with localnet(*saved, chromium, tmp_path) as found:
        yield found


@pytest.fixture
def rented(renting: tuple[Path, Life], chromium: str, tmp_path: Path) -> Iterator[Site]:
    """The same with leases that run."""
    with localnet(*renting, chromium, tmp_path) as found:
        yield found


@contextmanager
def localnet(file: Path, world: Life, chromium: str, folder: Path) -> Iterator[Site]:
    """Begin with a saved chain, and serve pages of it meanwhile."""
    with pages(file, folder) as (web, node):
        yield Site(web, node, chromium, world)
