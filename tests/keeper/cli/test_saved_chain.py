"""Several processes on one saved chain: commands at once, a keeper beside them, disks that are full."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from solders.signature import Signature

from keeper.chain import filelock
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.filelock import FileLock
from keeper.cli import signing
from keeper.clients import orders, tokenomics
from keeper.indexer.folds import FOLDS
from tests.keeper.cli.process import NO_DISK, Disk, Held, Ionet, stop
from tests.programs.orders.world import OrdersWorld
from tests.programs.world import World, finish, key

CHAIN = Path("disk/test.chain")
PATIENCE = 60


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a chain, the keys of two renters, and a keeper's settings."""
    world = OrdersWorld.ready(verify_signatures=True)
    for name in ("renter", "other"):
        world.renter(name)
        (tmp_path / f"{name}.json").write_text(json.dumps(list(bytes(key(name)))))
    (tmp_path / "id.json").write_text(json.dumps(list(bytes(world.payer))))
    world.chain.save(tmp_path / CHAIN)
    settings = {
        "chain": CHAIN,
        "keypair": "id.json",
        "check_seconds": 0.1,
        "jobs": '["emission"]',
        "http": "off",
    }
    (tmp_path / "ionet.env").write_text("".join(f"IONET_{k.upper()}={v}\n" for k, v in settings.items()))
    return tmp_path


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[..., Ionet]]:
    """Starts commands; none is left after the test."""
    started: list[Ionet] = []

    def begin(*arguments: object, **options: object) -> Ionet:
        started.append(Ionet(folder, *arguments, **options))  # type: ignore[arg-type]
        return started[-1]

    yield begin
    for each in started:
        stop(each.process)


def create(number: int, renter: str = "renter") -> tuple[object, ...]:
    terms = ("--class", "rtx 4090", "--price", "3", "--currency", "io", "--hours", 10, "--processors", 4)
    return ("order", "create", *terms, "--number", number, "--keypair", f"{renter}.json", "--yes")


def until(condition: Callable[[], bool], process: Ionet) -> None:
    """Wait for what a process does by itself."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end and process.process.is_alive(), process.err
        time.sleep(0.01)


def numbers(path: Path) -> list[int]:
    """The orders on a chain."""
    found = finish(orders.read_orders(EmbeddedChain.load(path)))
    return sorted(each.id for each in found.values())


def emitted_hours(path: Path) -> int:
    config = finish(tokenomics.read_config(EmbeddedChain.load(path)))
    assert config is not None
    return config.emitted_hours


def signature(out: str) -> Signature:
    done = re.search(r"^Done: (\w+)$", out, re.M)
    assert done, out
    return Signature.from_string(done[1])


# -- at once ----------------------------------------------------------------------------------------


def test_two_orders_at_once(folder, start):
    """Each is on the chain when its command says so: the second waits for the first, and says for whom."""
    first = start(*create(1), held=Held.LOCKED)
    first.wait_until_held()
    second = start(*create(2, "other"))
    until(lambda: "waiting for" in second.err, second)
    assert second.err == (
        f"{folder / CHAIN}: waiting for process {first.process.pid} (ionet order create --class 'rtx 4090' "
        "--price 3 --currency io --hours 10 --processors 4 --number 1 --keypair renter.json --yes) to write "
        "to it, 90 seconds at most\n"
    )
    assert numbers(folder / CHAIN) == []
    first.go_on()
    assert (first.end(), second.end()) == (0, 0)
    records = EmbeddedChain.load(folder / CHAIN).transactions()[-2:]
    assert [each.signature for each in records] == [signature(first.out), signature(second.out)]
    assert numbers(folder / CHAIN) == [1, 2]
    assert sorted(each.name for each in (folder / CHAIN).parent.iterdir()) == [
        "test.chain",
        "test.chain.lock",
    ]


def test_an_order_that_another_command_has_made_meanwhile(folder, start):
    """It is refused by what is on chain by then, as a node would."""
    first = start(*create(1), held=Held.LOCKED)
    first.wait_until_held()
    second = start(*create(1))
    until(lambda: "waiting for" in second.err, second)
    first.go_on()
    assert (first.end(), second.end()) == (0, 1)
    assert "Done" not in second.out
    assert numbers(folder / CHAIN) == [1]


def test_one_that_is_killed_holds_up_nobody(folder, start):
    first = start(*create(1), held=Held.LOCKED)
    first.wait_until_held()
    second = start(*create(2))
    until(lambda: "waiting for" in second.err, second)
    first.process.kill()
    assert second.end() == 0
    assert numbers(folder / CHAIN) == [2]


def test_a_lock_that_is_held_for_too_long(ionet, folder, monkeypatch):
    monkeypatch.setattr(filelock, "WAIT_SECONDS", 0)
    before = (folder / CHAIN).read_bytes()
    lock = FileLock(folder / CHAIN)
    assert list(lock.attempts()) == []
    code, out, err = ionet(*create(1))
    lock.release()
    assert (code, "Done" in out) == (1, False)
    assert re.fullmatch(
        rf"error: {folder / CHAIN}: process \d+ \(.*\) is still writing to it after 0 seconds, so nothing "
        r"was sent: try again once that has ended\n",
        err,
    )
    assert (folder / CHAIN).read_bytes() == before
    assert ionet(*create(1))[0] == 0


def test_nobody_is_kept_waiting_by_a_question(ionet, folder, monkeypatch):
    """The lock is for sending: who is asked whether to may take all day, and others act meanwhile."""

    def answer(*_: object, **__: object) -> None:
        lock = FileLock(folder / CHAIN)
        assert list(lock.attempts()) == [], "at once"
        lock.release()

    monkeypatch.setattr("typer.confirm", answer)
    assert ionet(*create(1)[:-1])[0] == 0


def test_done_is_said_of_what_is_on_the_disk(ionet, folder, monkeypatch):
    said: list[bool] = []
    show = signing.console.print

    def printed(*what: object, **options: object) -> None:
        if found := re.match(r"Done: (\w+)", str(what[0])):
            records = EmbeddedChain.load(folder / CHAIN).transactions()
            said.append(found[1] in [str(each.signature) for each in records])
        show(*what, **options)

    monkeypatch.setattr(signing.console, "print", printed)
    assert ionet(*create(1))[0] == 0
    assert said == [True]


# -- a keeper ---------------------------------------------------------------------------------------


def events(keeper: Ionet, name: str) -> list[dict[str, object]]:
    """What it has logged under a name."""
    lines = [json.loads(line) for line in keeper.err.splitlines() if line.endswith("}")]
    return [each for each in lines if each["event"] == name]


def test_commands_beside_a_running_keeper(folder, start):
    """Those before, while it acts, and after: it loses none, and indexes all."""
    keeper = start("keeper", "run", held=Held.LOCKED)
    keeper.wait_until_held()
    command = start(*create(1))
    until(lambda: "waiting for" in command.err, command)
    assert f"waiting for process {keeper.process.pid} (ionet keeper run) to write to it" in command.err
    keeper.go_on()
    assert command.end() == 0, command.err
    until(lambda: bool(events(keeper, "emission.emitted")), keeper)
    between = start(*create(2, "other"))
    assert between.end() == 0, between.err

    def indexed() -> int:
        with closing(sqlite3.connect("ionet.db")) as database:
            ((count,),) = database.execute("SELECT count(*) FROM signatures WHERE program = 'orders'")
            return int(count)

    until(lambda: indexed() == 3, keeper)  # The first was there before.
    keeper.process.terminate()
    assert keeper.end() == 0, keeper.err
    assert numbers(folder / CHAIN) == [1, 2]
    assert emitted_hours(folder / CHAIN) > 0
    assert [line for line in keeper.err.splitlines() if '"level": "error"' in line] == []
    compared = start("index")
    assert compared.end() == 0, compared.err
    assert "ledger.differs" not in compared.err


def test_a_keeper_that_is_killed_before_it_has_saved(folder, start):
    """Its database says that it sent what is on no chain; meanwhile the chain goes on without it."""
    killed = start("keeper", "run", held=Held.UNSAVED)
    killed.wait_until_held()
    assert events(killed, "transaction.ended")
    killed.process.kill()
    killed.process.join()
    assert emitted_hours(folder / CHAIN) == 0
    assert start(*create(1)).end() == 0
    after = start("keeper", "run", "--once")
    assert after.end() == 0, after.err
    assert emitted_hours(folder / CHAIN) > 0
    assert numbers(folder / CHAIN) == [1]
    assert len(events(after, "ledger.agrees")) == len(FOLDS)
    status = start("keeper", "status")
    assert status.end() == 0 and "parked" not in status.out, status.out


def test_a_new_chain_under_a_running_keeper(folder, start):
    """What ``ionet demo`` does; the keeper ends, as its database is about the old one."""
    keeper = start("keeper", "run")
    until(lambda: bool(events(keeper, "emission.emitted")), keeper)
    World.launched().chain.save(folder / CHAIN)
    theirs = (folder / CHAIN).read_bytes()
    assert keeper.end() == 1
    *_, stopped, last = keeper.err.splitlines()
    assert json.loads(stopped)["event"] == "keeper.stopped"
    assert last.startswith(f"error: {folder / CHAIN} holds another chain now (genesis ")
    assert last.endswith("Nothing more is sent: start again, a keeper with another IONET_DATABASE")
    assert "Traceback" not in keeper.err
    assert (folder / CHAIN).read_bytes() == theirs
    again = start("keeper", "run")
    assert again.end() == 1
    assert "ionet.db is about another chain" in again.err and "that was at" in again.err


def test_a_new_chain_waits_for_whoever_writes_the_old_one(folder, start):
    """Otherwise it would be saved over, and nobody would know."""
    first = start(*create(1), held=Held.LOCKED)
    first.wait_until_held()

    async def replaced() -> None:
        saving = asyncio.create_task(asyncio.to_thread(World.launched().chain.save, folder / CHAIN))
        done, _ = await asyncio.wait([saving], timeout=3 * filelock.TRY_SECONDS)
        assert not done
        first.go_on()
        await saving

    asyncio.run(replaced())
    assert first.end() == 0
    assert numbers(folder / CHAIN) == []


# -- disks ------------------------------------------------------------------------------------------


COMMANDS = {
    "order": create(1),
    "deploy": ("deploy", "--keypair", "id.json", "--yes"),
    "keeper": ("keeper", "once", "emission"),
}


@pytest.mark.parametrize(
    ("name", "disk"),
    # A keeper's database is on another disk, or it wouldn't come so far.
    [(name, disk) for name in COMMANDS for disk in Disk if (name, disk) != ("keeper", Disk.SMALL_FILES)],
)
def test_a_disk_that_takes_nothing(folder, start, name, disk):
    """A line that says so and what to do, nothing before it that says otherwise; the old file stays whole."""
    if name == "deploy":
        empty = EmbeddedChain()
        empty.airdrop(key("payer").pubkey(), 10**13)
        empty.save(folder / CHAIN)
    before = hashlib.sha256((folder / CHAIN).read_bytes()).hexdigest()
    (folder / CHAIN).with_name("test.chain.lock").unlink()
    process = start(*COMMANDS[name], disk=disk)
    code = process.end()
    if code == NO_DISK:
        pytest.skip("this machine lets nobody mount a disk")
    assert code == 1
    assert "Done" not in process.out and "deployed" not in process.out
    assert "Traceback" not in process.err
    if name == "keeper":
        (failed,) = events(process, "chain.not_saved")
        said = str(failed["reason"])
    else:
        (said,) = process.err.splitlines()
    if disk is Disk.READ_ONLY:
        assert "test.chain.lock: can't be locked (Read-only file system), so nothing was sent" in said
        assert process.found() == {"test.chain": before}
    else:
        assert re.search(
            r"test\.chain: can't be saved \(.+\)\. The file is as it was, and nothing is kept", said
        )
        assert {**process.found(), "test.chain.lock": ""} == {"test.chain": before, "test.chain.lock": ""}
