"""A folder with all that is right, and beside it all that is wrong."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from keeper.chain.embedded import EmbeddedChain
from keeper.clients import orders, staking
from keeper.economy.genesis import read_table
from keeper.rewards.rows import Hour
from tests.keeper.cli.wrong.typed import FUTURE, MANY, NOBODY
from tests.keeper.rewards.seen import publish_rows
from tests.keeper.rewards.tables import another, classes, rows
from tests.keeper.rewards.test_publication import EMITTED, START
from tests.programs.orders.world import HOUR, OrdersWorld
from tests.programs.world import key


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that is right: a chain with an order and a device, keys, people, published hours."""
    folder = tmp_path_factory.mktemp("house")
    world = OrdersWorld.ready(verify_signatures=True)
    world.chain.warp_to(FUTURE)
    renter = world.renter("renter")
    world.let("one", world.supplier("supplier"))
    world.chain.advance(1)
    world.order(renter)
    world.chain.save(folder / "test.chain")
    EmbeddedChain(now=FUTURE).save(folder / "empty.chain")
    for name in ("renter", "supplier", "one", "two", "authority", "poor", "admin", "guardian"):
        write_private(folder / f"{name}.json", json.dumps(list(bytes(key(name)))))
    people = {row.label: NOBODY for row in read_table()}
    (folder / "people.json").write_text(json.dumps(people))
    for number in range(2):
        hour = Hour(number, START + number * HOUR, EMITTED * (number + 1))
        table = rows([another(n, work=int(n > 0)) for n in range(3)])
        publish_rows(folder / "rewards", hour, table, classes())
    spoil(folder)
    return folder


def write_private(path: Path, text: str) -> None:
    path.touch(0o600)
    path.write_text(text)


def spoil(folder: Path) -> None:
    """Beside it, all that is wrong."""
    (folder / "folder").mkdir()
    (folder / "loop").symlink_to("loop")
    (folder / "binary").write_bytes(b"\xff\xfe" * 100)
    write_private(folder / "binary.json", "")
    (folder / "binary.json").write_bytes(b"\xff\xfe" * 100)
    write_private(folder / "short.json", "[1, 2, 3]")
    write_private(folder / "deep.json", "[" * 100_000)
    write_private(folder / "open.json", json.dumps(list(bytes(key("renter")))))
    (folder / "open.json").chmod(0o644)
    (folder / "list.json").write_text("[1]")
    (folder / "numbers.json").write_text('{"seed": 7}')
    (folder / "names.json").write_text('{"seed": "me"}')
    (folder / "few.json").write_text(json.dumps({"seed": NOBODY}))
    with sqlite3.connect(folder / "other.db") as other:
        other.execute("CREATE TABLE chain (x)")
    other.close()
    (folder / "garbage.db").write_bytes(b"garbage" * 1_000)
    with sqlite3.connect(folder / "later.db") as later:
        later.execute("CREATE TABLE alembic_version (version_num TEXT)")
        later.execute("INSERT INTO alembic_version VALUES ('9999')")
    later.close()
    shutil.copy(folder / "test.chain", folder / "damaged.chain")
    with sqlite3.connect(folder / "damaged.chain") as damaged:
        damaged.execute("UPDATE account SET lamports = '1' WHERE rowid = 1")
    damaged.close()
    broken = folder / "broken"
    shutil.copytree(folder / "rewards", broken)
    (broken / "0/inputs.csv").unlink()
    (broken / "0/inputs.csv").mkdir()
    manifest = broken / "1/manifest.json"
    changed = {**json.loads(manifest.read_text()), "emitted": "much"}
    manifest.write_text(json.dumps(changed, sort_keys=True, separators=(",", ":")))
    (broken / "1abc").mkdir()
    (broken / "1abc/manifest.json").touch()
    keys = folder / "keys"
    keys.mkdir()
    write_private(keys / "tokenomics.json", json.dumps(list(bytes(key("other")))))


@pytest.fixture
def there(house: Path, tmp_path: Path) -> dict[str, str]:
    """The house as the working folder; what its addresses are called in what is typed."""
    shutil.copytree(house, tmp_path, symlinks=True, dirs_exist_ok=True)
    order = orders.order_address(key("renter").pubkey(), 1)
    return {
        "order": str(order),
        "device": str(staking.device_address(key("one").pubkey())),
        "config": str(orders.CONFIG),
        "terms": str(staking.CONFIG),
        "nobody": NOBODY,
        "guardian": str(key("guardian").pubkey()),
        "many": MANY,
        "long": "x" * 5_000,
    }
