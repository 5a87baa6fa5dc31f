"""The command line run in this process, away from this machine's settings."""

import os
import sys

import pytest
import structlog

from keeper.chain.embedded import EmbeddedChain
from keeper.cli import main
from keeper.terminal import tables
from tests.keeper.cli.saved import CHAIN, Typed


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch, tmp_path):
    for name in list(os.environ):
        if name.startswith("IONET_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def files_of_their_owner_alone():
    """Keys are refused when others can read them."""
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.fixture(autouse=True)
def logs_as_before():
    """A command sets up its logs for the whole process; later tests write theirs elsewhere."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def ionet(monkeypatch, capsys):
    """Run ``ionet`` with arguments; gives exit code, stdout, stderr."""
    monkeypatch.setattr(tables.console, "width", 120)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["ionet", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main.main()
        out = capsys.readouterr()
        return end.value.code or 0, out.out, out.err

    return run


@pytest.fixture
def by(world, ionet, monkeypatch) -> Typed:
    """Types commands on the chain of the test's own ``world``, which is then as they left it."""

    def run(who: str, *arguments: object, ends: int = 0) -> str:
        monkeypatch.setenv("IONET_KEYPAIR", f"{who}.json")
        code, out, err = ionet(*arguments, "--chain", CHAIN)
        assert code == ends, err
        world.chain = EmbeddedChain.load(CHAIN)
        return " ".join((out + err).split())

    return run
