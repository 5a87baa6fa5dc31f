"""The command line run in this process, away from this machine's settings."""

import os
import sys
from collections import Counter
from collections.abc import Iterable
from functools import cache

import pytest
import structlog
from solders.pubkey import Pubkey

from keeper.chain import Chain, Signer, TransactionRecord
from keeper.chain.embedded import EmbeddedChain
from keeper.cli import main
from keeper.cli.answering import shape_of, walk
from keeper.cli.main import COMMANDS
from keeper.cli.signing import Session
from keeper.terminal import answers, tables
from keeper.wallet.lamports import payments_of
from keeper.wallet.plan import Plan
from tests.keeper.cli.saved import CHAIN, Typed

WIDE = 400
"""Columns in which no cell is wrapped, so that what is said can be looked for; see test_widths.py for 80."""


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


@pytest.fixture(autouse=True)
def what_was_shown_is_what_happens(monkeypatch):
    """Of every transaction that a command sends: the accounts that it makes and ends, who pays, who gets."""
    carry_out = Session.carry_out

    async def checked(self: Session, plan: Plan, *also: Signer) -> TransactionRecord | None:
        named = {meta.pubkey for each in plan.instructions for meta in each.accounts if meta.is_writable}
        named |= {self.payer.pubkey(), *(each.to for each in plan.closings)}
        paid = await payments_of(self.chain, plan, self.payer.pubkey())
        before = await lamports(self.chain, named)
        record = await carry_out(self, plan, *also)
        if record is None:
            return None
        after = await lamports(self.chain, named)
        made = {each for each in named if not before[each] and after[each]}
        assert made == {each.address for each, _ in paid.rents}
        ended = {each for each in named if before[each] and not after[each]}
        assert ended == {each.address for each, _ in paid.back}
        expected = Counter({paid.payer: -record.fee})
        for opening, amount in paid.rents:
            expected[opening.payer] -= amount
            expected[opening.address] += amount
        for closing, amount in paid.back:
            expected[closing.to] += amount
            expected[closing.address] -= amount
        assert {each: after[each] - before[each] for each in named} == {
            each: expected[each] for each in named
        }
        return record

    monkeypatch.setattr(Session, "carry_out", checked)


async def lamports(chain: Chain, addresses: Iterable[Pubkey]) -> dict[Pubkey, int]:
    """What each holds."""
    known = list(addresses)
    found = await chain.accounts(known)
    return {at: each.lamports if each else 0 for at, each in zip(known, found, strict=True)}


@pytest.fixture
def ionet(monkeypatch, capsys):
    """Run ``ionet`` with arguments; gives exit code, stdout, stderr."""
    monkeypatch.setattr(tables.console, "width", WIDE)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["ionet", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main.main()
        out = capsys.readouterr()
        code = end.value.code or 0
        if "--json" in arguments:
            written_as_told([str(each) for each in arguments], code, out.out, out.err)
        return code, out.out, out.err

    return run


@cache
def shapes() -> dict[str, object]:
    """What each command answers with --json."""
    return {name: shape_of(command) for name, command in walk(COMMANDS)}


def written_as_told(typed: list[str], code: int, out: str, err: str) -> None:
    """One document of the command's shape and nothing else; or nothing, and why in one line."""
    if out:
        name = next(each for each in (" ".join(typed[:2]), typed[0]) if each in shapes())
        answers.check(shapes()[name], out)
    else:
        assert code, err
        answers.check(answers.Failure, err.splitlines()[-1])


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
