"""The keeper's commands around its database: index, status, a difference and after it, rebuilding."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from solders.keypair import Keypair

from keeper.chain.embedded import EmbeddedChain
from keeper.clients import tokenomics
from keeper.db import Database, Leader
from keeper.economy.supply import GENESIS_SUPPLY
from keeper.indexer.folds import FOLDS
from tests.programs.world import World

ONCE = ("keeper", "run", "--once", "--chain", "network.chain", "--keypair", "id.json")
CHAIN = ("--chain", "network.chain")


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
    assert "Needs somebody" not in out
    code, _, err = ionet(*ONCE)
    assert code == 0
    assert "emission.emitted" not in events(err)


def test_status_before_anything_ran(ionet):
    code, out, _ = ionet("keeper", "status", *CHAIN)
    assert code == 0
    assert "nobody yet" in out


def test_a_keeper_beside_the_leader_stands_by(ionet, network):
    database = Database(f"sqlite:///{network}/ionet.db")
    asyncio.run(database.upgrade())
    leader = Leader(database, "another")
    asyncio.run(leader.lead())
    before = (network / "network.chain").read_bytes()
    code, _, err = ionet(*ONCE)
    assert (code, err) == (0, "")
    assert EmbeddedChain.load(network / "network.chain").transactions() == chain_of(before, network)
    asyncio.run(leader.resign())
    code, _, err = ionet(*ONCE)
    assert "emission.emitted" in events(err)


def chain_of(content: bytes, folder: Path):
    (folder / "before.chain").write_bytes(content)
    return EmbeddedChain.load(folder / "before.chain").transactions()


def test_index_alone_acts_on_nothing(ionet, network):
    before = (network / "network.chain").read_bytes()
    code, _, err = ionet("index", *CHAIN)
    assert code == 0
    assert events(err) == ["index.advanced", *["ledger.agrees"] * len(FOLDS)]
    assert (network / "network.chain").read_bytes() == before


def test_a_difference_stops_what_moves_money_until_somebody_has_looked(ionet, network):
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


def test_another_chain_is_refused(ionet, network):
    assert ionet("index", *CHAIN)[0] == 0
    World.launched().chain.save(network / "other.chain")
    code, _, err = ionet("index", "--chain", "other.chain")
    assert code == 1
    assert "this database is about another chain" in " ".join(err.split())


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
    assert "take sqlite or postgresql" in err


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
