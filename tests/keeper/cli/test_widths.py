"""Every table that a command prints fits 80 columns, and breaks no amount and no address to do so."""

from __future__ import annotations

import io
import json
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest
from rich.console import Console

from keeper.clients import orders, staking
from keeper.economy.supply import IO
from keeper.terminal import tables
from tests.keeper.cli.saved import CHAIN, FUTURE
from tests.programs.buyback.world import USDC
from tests.programs.orders.world import OrdersWorld
from tests.programs.world import key

WIDTH = 80
RENTER, SUPPLIER = key("renter").pubkey(), key("supplier").pubkey()
DEVICE = staking.device_address(key("one").pubkey())
ORDER = orders.order_address(RENTER, 1)


@pytest.fixture
def world(tmp_path: Path) -> OrdersWorld:
    """A network at work, with amounts and names that take their room."""
    world = OrdersWorld.ready()
    world.chain.warp_to(FUTURE)
    renter = world.renter("renter", 2_000_000 * IO, 12_345_678 * USDC)
    supplier = world.supplier("supplier")
    device = world.let("one", supplier)
    world.let("two", supplier)
    order = world.order(renter, devices=2)
    world.match(order, "one")
    world.accept(order, "one")
    world.give(SUPPLIER, 5_000 * IO)
    two = world.read_device("two")
    world.do(staking.stake(two, 1_234 * IO), signers=[supplier])
    world.do(staking.open_offer(two, 400 * IO, 2_500), signers=[supplier])
    for operator in world.operators[:2]:
        vote = staking.vote_slash(operator.pubkey(), device, bytes(range(32)), 1_000)
        world.do(vote, signers=[operator])
    for name in ("renter", "supplier", "one", "admin"):
        (tmp_path / f"{name}.json").write_text(json.dumps(list(bytes(key(name)))))
    world.chain.save(tmp_path / CHAIN)
    return world


COMMANDS = (
    "supply",
    "network",
    "class list",
    "vesting show",
    "buyback show",
    f"balance {RENTER}",
    "order list",
    f"order show {ORDER}",
    "device list",
    f"device show {DEVICE}",
    f"stake show --wallet {SUPPLIER}",
    "co-stake offers",
    "market price",
    "market book",
    "market quote --class 'rtx 4090' --currency io --hours 10",
    f"slash show {DEVICE}",
    f"send 1234567.5 io {SUPPLIER} --keypair renter.json --dry-run",
    f"send 1 usdc {SUPPLIER} --keypair renter.json --dry-run",
    "order create --class 'rtx 4090' --currency io --hours 10 --keypair renter.json --dry-run",
    f"order cancel {ORDER} --keypair renter.json --dry-run",
)


class Recorded(Console):
    """What :func:`keeper.terminal.tables.show` prints on."""

    shown: list[io.StringIO]

    def __init__(self, *, width: int, **_: object) -> None:
        self.text = io.StringIO()
        Recorded.shown.append(self.text)
        super().__init__(file=self.text, width=width)


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[list[str], str]]]:
    """The words of each table's cells, and what was printed of it."""
    Recorded.shown = []
    found: list[tuple[list[str], str]] = []
    monkeypatch.setattr(tables, "Console", Recorded)
    code = tables.show.__code__

    def watch(frame: FrameType, event: str, _: object) -> None:
        if frame.f_code is not code:
            return
        if event == "call":
            table = frame.f_locals["table"]
            cells = [str(cell) for column in table.columns for cell in column.cells]
            found.append(([word for cell in cells for word in cell.split()], ""))
        elif event == "return":
            found[-1] = (found[-1][0], Recorded.shown[-1].getvalue())

    sys.setprofile(watch)
    yield found
    sys.setprofile(None)


@pytest.mark.parametrize("typed", COMMANDS, ids=lambda each: " ".join(each.split()[:2]))
def test_a_table_fits(world: OrdersWorld, ionet, printed, monkeypatch, typed: str) -> None:
    monkeypatch.setattr(tables.console, "width", WIDTH)
    code, _, err = ionet(*shlex.split(typed), "--chain", CHAIN)
    assert code in {0, 1} and "Traceback" not in err, err
    assert printed, err
    for words, text in printed:
        lines = text.splitlines()
        assert max(len(line.rstrip()) for line in lines) <= WIDTH, text
        whole = text.split()
        assert [word for word in words if word not in whole] == [], text


def test_rows_that_fit_in_no_way_become_lines() -> None:
    """An address and a hash side by side: neither is broken, each value has its name before it."""
    table = tables.plain("Files", "address", "sha256", "amount", "")
    address, digest = str(key("somebody").pubkey()), "ab" * 32
    table.add_row(address, digest, "12,345,678.00000001", "IO")
    table.add_row(address, "", "1.00000000", "IO")
    text = io.StringIO()
    tables.show(table, Console(file=text, width=20))
    assert text.getvalue() == (
        f"Files\n\n{address}\n  sha256 {digest}\n  amount 12,345,678.00000001   IO\n"
        f"\n{address}\n  amount 1.00000000   IO\n\n"
    )
