"""An honest network gives no finding: a saved chain, a node, an index of it, and the command."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import sqlalchemy as sa

from keeper.audit.findings import Code
from keeper.chain.connect import connect
from keeper.clients.programs import PROGRAMS
from keeper.db import Database
from keeper.indexer.folds import FOLDS
from keeper.indexer.ledger import Ledger
from keeper.indexer.program import ProgramIndexer
from keeper.localnet.chain import LocalChain
from keeper.localnet.node import Node
from keeper.localnet.server import served
from tests.keeper.audit.falsified import audited
from tests.keeper.audit.world import MidLife
from tests.keeper.indexer.test_folds import Let, Sold


@pytest.fixture(scope="session")
def saved(mid: MidLife, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("audit") / "mid.chain"
    mid.chain.save(path)
    return path


async def test_an_honest_network_gives_no_finding(mid: MidLife) -> None:
    part = await audited(mid.chain)
    assert (part.findings, part.unchecked) == ((), ())
    ours = {program.address for program in PROGRAMS.values()}
    records = [each for each in mid.chain.transactions() if set(each.programs) & ours]
    assert part.checked["transactions"] >= len(records) > 100
    events = sum(len(program.events(each)) for program in PROGRAMS.values() for each in records)
    assert part.checked["events"] == events > 150
    assert part.checked["vaults"] == 13 and part.checked["movements of tokens"] > 50


@pytest.mark.parametrize("story", [Let, Sold])
async def test_every_change_of_roles_is_told(story: type[Let] | type[Sold]) -> None:
    """Whose signature, when, from what to what; all that orders and buyback can do is no finding."""
    world = story.started()
    world.begin()
    world.finish()
    part = await audited(world.chain)
    assert (part.findings, part.unchecked) == ((), ())
    name = "orders" if story is Let else "buyback"
    admin, heir = world.admin.pubkey(), world.person("heir").pubkey()
    told = [(each.what, each.before, each.after) for each in part.changes]
    assert told.count((f"{name} admin", str(admin), str(heir))) == 1
    assert told.count((f"{name} admin", str(heir), str(admin))) == 1
    field = "renter_fee_bps" if story is Let else "min_price"
    (applied,) = [each for each in part.changes if each.what == f"{name} {field}"]
    assert applied.before != applied.after and len(applied.signature) > 80
    who = {each.who.split(", ")[-1] for each in part.changes if each.what == f"{name} next admin"}
    assert who == {str(admin), str(heir)}


async def test_a_node_shows_what_its_chain_has(saved: Path, mid: MidLife) -> None:
    chain = LocalChain.load(saved)
    chain.set_speed(0)
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    url = f"http://127.0.0.1:{listeners[0].getsockname()[1]}"
    async with served(Node(chain), listeners), connect(url) as there:
        part = await audited(there)
        names = [each.signature for each in mid.chain.transactions()]
        assert await there.signed(names[-20:]) == await mid.chain.signed(names[-20:])
    assert part == await audited(mid.chain)


# -- an index that is held to the chain ----------------------------------------------------------


@pytest.fixture
async def database(mid: MidLife, tmp_path: Path) -> str:
    """An index of the network."""
    url = f"sqlite:///{tmp_path}/index.db"
    made = Database(url)
    await made.upgrade()
    for program in PROGRAMS.values():
        indexer = ProgramIndexer(mid.chain, made, program)
        await indexer.prepare()
        await indexer.poll()
        await Ledger(mid.chain, made, indexer, FOLDS[program.name]).fold()
    await made.close()
    return url


FIRST = "WHERE _slot = (SELECT min(_slot) FROM {table})"
CHANGES = {
    "a figure": "UPDATE staking_staked SET amount = amount + 1 " + FIRST.format(table="staking_staked"),
    "an address": "UPDATE orders_pay SET cluster_id = '11111111111111111111111111111111' "
    + FIRST.format(table="orders_pay"),
    "what is no address": "UPDATE orders_pay SET cluster_id = 'nobody' " + FIRST.format(table="orders_pay"),
    "a row too few": "DELETE FROM tokenomics_season_claimed "
    + FIRST.format(table="tokenomics_season_claimed"),
    "a row too many": "INSERT INTO staking_block_closed (_slot, _position, _outer, _inner, _time, hour) "
    "VALUES (9, 0, 0, 0, 1, 7)",
    "an account": "UPDATE accounts SET fields = json_set(fields, '$.staked', 1) "
    "WHERE program = 'staking' AND kind = 'Config'",
    "an account too few": "DELETE FROM accounts WHERE program = 'orders' AND kind = 'Parked'",
    "a transaction": "DELETE FROM signatures WHERE program = 'buyback' AND slot = "
    "(SELECT max(_slot) FROM buyback_auction_sold)",
}
"""By what is wrong then."""
ROWS = {
    "a figure": (Code.ROW_DIFFERS, "Staked in slot"),
    "an address": (Code.ROW_DIFFERS, "Pay in slot"),
    "what is no address": (Code.ROW_UNREADABLE, "events"),
    "a row too few": (Code.ROW_MISSING, "SeasonClaimed in slot"),
    "a row too many": (Code.ROW_UNFOUNDED, "BlockClosed in slot 9"),
    "an account": (Code.ROW_DIFFERS, "Config"),
    "an account too few": (Code.ROW_MISSING, ""),
    "a transaction": (Code.ROW_MISSING, "transaction"),
}


async def test_an_honest_index_gives_no_finding(mid: MidLife, database: str) -> None:
    part = await audited(mid.chain, database)
    assert (part.findings, part.unchecked) == ((), ())
    assert part.checked["rows"] > part.checked["events"]


@pytest.mark.parametrize("what", CHANGES)
async def test_an_index_with_a_row_that_was_changed(mid: MidLife, database: str, what: str) -> None:
    changed = Database(database)
    async with changed.transaction() as connection:
        done = await connection.execute(sa.text(CHANGES[what]))
        assert done.rowcount == 1
    await changed.close()
    (found,) = (await audited(mid.chain, database)).findings
    code, row = ROWS[what]
    assert found.code is code and found.row.startswith(row), found
    assert "index.db" in found.where


async def test_an_empty_index_is_said_to_be_none(mid: MidLife, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/empty.db"
    made = Database(url)
    await made.upgrade()
    await made.close()
    part = await audited(mid.chain, url)
    assert part.findings == () and len(part.unchecked) == len(PROGRAMS)
