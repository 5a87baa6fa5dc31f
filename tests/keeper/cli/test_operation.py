"""The keeper's commands around its database: index, status, a difference and after it, rebuilding."""

import asyncio
import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import alembic.command
import pytest
from solders.keypair import Keypair

from keeper.chain.embedded import EmbeddedChain
from keeper.clients import tokenomics
from keeper.db import Database, Leader
from keeper.economy.supply import GENESIS_SUPPLY
from keeper.indexer.folds import FOLDS
from keeper.runtime import operation
from keeper.terminal import tables
from tests.programs.world import World

ONCE = ("keeper", "run", "--once", "--chain", "network.chain", "--keypair", "id.json")
CHAIN = ("--chain", "network.chain")
HASTE = 60
"""How much faster another keeper's clock goes, so that nobody waits long for its beats."""


@pytest.fixture(autouse=True)
def network(tmp_path) -> Path:
    world = World.launched()
    world.chain.save(tmp_path / "network.chain")
    (tmp_path / "id.json").write_text(json.dumps(list(bytes(world.payer))))
    return tmp_path


def events(err: str) -> list[str]:
    return [json.loads(line)["event"] for line in err.splitlines()]


def test_one_pass_acts_indexes_and_compares(ionet, network):
    code, _, err = ionet(*ONCE)
    assert code == 0
    assert events(err)[0] == "keeper.leads"
    assert events(err).count("ledger.agrees") == len(FOLDS)
    code, out, _ = ionet("keeper", "status", *CHAIN)
    assert code == 0
    assert "all agree" in out and "landed" in out and "epoch 1" in out
    assert "Needs attention" not in out
    code, _, err = ionet(*ONCE)
    assert code == 0
    assert "emission.emitted" not in events(err)


READS = {
    "status": (
        ("keeper", "status", *CHAIN),
        "Nothing is indexed yet, as there is no ionet.db: ionet keeper run",
    ),
    "retry": (("keeper", "retry"), "Nothing is parked: there is no ionet.db yet."),
    "resume": (("keeper", "resume", *CHAIN), "Nothing is halted: there is no ionet.db yet."),
    "rebuild": (("db", "rebuild", "staking"), "staking is indexed anew by the next"),
    "doctor": (("keeper", "doctor", *CHAIN, "--keypair", "id.json"), "ionet.db is not there yet"),
    "a dry run": (
        ("keeper", "once", "--dry-run", *CHAIN, "--keypair", "id.json"),
        "burns: sends nothing attest: sends nothing",
    ),
}


@pytest.mark.parametrize(("command", "said"), READS.values(), ids=list(READS))
def test_before_anything_ran_nothing_is_made(ionet, network, monkeypatch, command, said):
    (network / "observations").mkdir()
    monkeypatch.setenv("IONET_POW", "observations")
    before = sorted(network.iterdir())
    _, out, err = ionet(*command)
    assert said in " ".join(out.split()), err
    assert sorted(network.iterdir()) == before


@pytest.mark.parametrize("command", [*(command for command, _ in READS.values())], ids=list(READS))
def test_an_older_database_is_left_as_it_is_with_what_to_do(ionet, network, monkeypatch, command):
    upgrade = alembic.command.upgrade
    with monkeypatch.context() as patched:
        patched.setattr(alembic.command, "upgrade", lambda config, head: upgrade(config, "0003"))
        assert ionet("db", "upgrade")[0] == 0
    (network / "observations").mkdir()
    monkeypatch.setenv("IONET_POW", "observations")
    code, out, err = ionet(*command)
    said = " ".join((out + err).split())
    assert code == 1
    if command[1] == "doctor":
        assert "its schema is at 0003" in said and "keeper run brings an older one up" in said
    else:
        assert "ionet.db: its schema is at 0003, this version's is 0010: run ionet db upgrade" in said
    assert ionet("db", "upgrade")[0] == 0
    code, out, err = ionet(*command)
    assert "0003" not in out + err


def test_a_keeper_beside_the_leader_stands_by(ionet, network):
    """It waits for the leader's next beat, then does nothing; once the lease is free, it acts."""
    database = Database(f"sqlite:///{network}/ionet.db")
    asyncio.run(database.upgrade())
    asyncio.run(database.close())
    before = (network / "network.chain").read_bytes()
    with led(network, "another"):
        code, _, err = ionet(*ONCE)
    assert (code, events(err)) == (0, ["keeper.stands_by"])
    assert json.loads(err)["leader"] == "another"
    assert EmbeddedChain.load(network / "network.chain").transactions() == chain_of(before, network)
    code, _, err = ionet(*ONCE)
    assert "emission.emitted" in events(err)


def test_a_keeper_beside_a_killed_one_waits_for_its_lease(ionet, network, monkeypatch):
    database = Database(f"sqlite:///{network}/ionet.db")
    asyncio.run(database.upgrade())
    killed = Leader(database, "killed")
    assert asyncio.run(killed.lead())
    monkeypatch.setattr(operation, "Leader", partial(Leader, lease=0.5))
    code, _, err = ionet(*ONCE)
    assert code == 0
    assert events(err)[:2] == ["keeper.stands_by", "keeper.leads"]
    assert json.loads(err.splitlines()[1])["epoch"] == killed.epoch + 1
    assert "emission.emitted" in events(err)


@contextmanager
def led(folder: Path, name: str) -> Iterator[None]:
    """Another keeper has the lease of the database there, and renews it."""
    began, end = threading.Event(), threading.Event()

    async def lead() -> None:
        database = Database(f"sqlite:///{folder}/ionet.db")
        leader = Leader(database, name, clock=lambda: HASTE * time.monotonic())
        while not end.is_set():
            await leader.lead()
            began.set()
            await asyncio.sleep(leader.pause / HASTE)
        await leader.resign()
        await database.close()

    thread = threading.Thread(target=asyncio.run, args=(lead(),))
    thread.start()
    began.wait()
    try:
        yield
    finally:
        end.set()
        thread.join()


def chain_of(content: bytes, folder: Path):
    (folder / "before.chain").write_bytes(content)
    return EmbeddedChain.load(folder / "before.chain").transactions()


def test_index_alone_acts_on_nothing(ionet, network):
    before = (network / "network.chain").read_bytes()
    code, _, err = ionet("index", *CHAIN)
    assert code == 0
    assert events(err) == ["index.advanced", *["ledger.agrees"] * len(FOLDS)]
    assert (network / "network.chain").read_bytes() == before


def test_a_difference_stops_what_moves_money_until_somebody_has_looked(ionet, network, monkeypatch):
    monkeypatch.setattr(operation, "WAITS", (0.0, 0.0, 0.0))
    path = network / "network.chain"
    chain = EmbeddedChain.load(path)
    good = chain.get(tokenomics.CONFIG)
    assert good is not None
    data = good.data.replace(GENESIS_SUPPLY.to_bytes(8, "little"), b"\1" + bytes(7), 1)
    chain.set_account(tokenomics.CONFIG, replace(good, data=data))
    chain.save(path)
    code, _, err = ionet("index", *CHAIN)
    assert code == 1
    assert "ledger.differs" in events(err)
    assert f"Config {tokenomics.CONFIG} allocated: 50000000000000000 from events, 1 on chain" in err
    code, out, _ = ionet("keeper", "status", *CHAIN)
    assert code == 1
    assert "nothing is sent: tokenomics" in out
    code, _, err = ionet(*ONCE)
    assert code == 1
    assert "emission.emitted" not in events(err)
    assert "nothing is sent until somebody has looked" in err
    code, _, _ = ionet("keeper", "resume", *CHAIN)
    assert code == 1, "it differs still"
    chain.set_account(tokenomics.CONFIG, good)
    chain.save(path)
    code, _, _ = ionet("keeper", "resume", *CHAIN)
    assert code == 0
    code, _, err = ionet(*ONCE)
    assert code == 0
    assert "emission.emitted" in events(err)
    code, out, _ = ionet("keeper", "status", *CHAIN)
    assert code == 0
    assert "an earlier difference: tokenomics" in out


def test_another_chain_is_refused_and_both_are_named(ionet, network, monkeypatch):
    monkeypatch.setattr(tables.console, "width", 900)
    assert ionet("index", *CHAIN)[0] == 0
    World.launched().chain.save(network / "other.chain")
    first, second = (genesis_of(network / name) for name in ("network.chain", "other.chain"))
    (network / "observations").mkdir()
    monkeypatch.setenv("IONET_POW", "observations")
    before = tables_of(network / "ionet.db")
    other = ("--chain", "other.chain")
    keyed = (*other, "--keypair", "id.json")
    for command in (
        ("index", *other),
        ("keeper", "run", *keyed),
        ("keeper", "run", "--once", *keyed),
        ("keeper", "once", *keyed),
        ("keeper", "once", "--dry-run", *keyed),
        ("keeper", "status", *other),
        ("keeper", "resume", *other),
        ("keeper", "doctor", *keyed),
    ):
        code, out, err = ionet(*command)
        said = " ".join((out + err).split())
        assert code == 1, command
        assert f"ionet.db is about the chain at {network / 'network.chain'} (genesis {first})" in said, (
            command
        )
        assert f"not about the one at {network / 'other.chain'} (genesis {second})" in said, command
        assert "name another database with IONET_DATABASE" in said, command
    assert tables_of(network / "ionet.db") == before


def tables_of(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def genesis_of(path: Path) -> str:
    return asyncio.run(EmbeddedChain.load(path).genesis_hash())


def test_a_program_is_rebuilt(ionet, network):
    ionet("index", *CHAIN)
    code, out, _ = ionet("db", "rebuild", "tokenomics")
    assert code == 0
    assert "tokenomics is indexed anew" in out
    code, _, err = ionet("index", *CHAIN)
    assert code == 0
    assert events(err)[0] == "index.advanced"
    code, _, err = ionet("db", "rebuild", "poker")
    assert code == 1
    assert "no program is called poker" in err


def test_the_database_is_made_and_upgraded(ionet, network):
    code, out, _ = ionet("db", "upgrade")
    assert (code, out) == (0, "the database is up to date\n")
    assert (network / "ionet.db").is_file()


def test_a_database_that_is_none(ionet, monkeypatch):
    monkeypatch.setenv("IONET_DATABASE", "mysql://x")
    code, _, err = ionet("db", "upgrade")
    assert code == 1
    assert "use sqlite or postgresql" in err


def test_parked_actions_are_tried_again_when_told(ionet, network, monkeypatch):
    monkeypatch.setenv("IONET_BALANCE_STOP", "0")  # it would stop them before the chain does
    broke = [*bytes(Keypair.from_seed(bytes(32)))]
    (network / "broke.json").write_text(json.dumps(broke))
    code, _, err = ionet(*ONCE[:-1], "broke.json")
    assert code == 1
    assert "AccountNotFound" in err
    code, out, _ = ionet("keeper", "status", *CHAIN)
    assert "parked: emission:from-hour:0" in " ".join(out.split())
    code, _, err = ionet(*ONCE)
    assert "emission.emitted" not in events(err)
    code, out, _ = ionet("keeper", "retry")
    assert (code, out) == (0, "7 actions are tried again\n")
    code, _, err = ionet(*ONCE)
    assert code == 0
    assert "emission.emitted" in events(err)
