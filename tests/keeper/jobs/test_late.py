"""Keepers that come late: they say to the last byte what those said who were there in time."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
import structlog
from structlog.testing import capture_logs

from keeper.chain.http import PeerError
from keeper.clients import orders, staking
from keeper.clients.staking import BlockStatus
from keeper.economy.supply import IO
from keeper.jobs.blocks import ATTEST_SECONDS, attest_hours, finalise_blocks
from keeper.jobs.port import Direct
from keeper.rewards import publication, recomputed
from keeper.rewards.fetch import fetch
from keeper.rewards.publication import KINDS, MANIFEST
from keeper.rewards.rows import OBSERVATION
from keeper.rewards.rule import DeviceStatus
from keeper.tables import Rows, keys
from tests.keeper.api.serving import serving
from tests.keeper.rewards.seen import Seen
from tests.keeper.runtime.keepers import events_of, indexed
from tests.programs.orders.world import OrdersWorld
from tests.programs.world import DAY, HOUR, START, finish, key

LOG = structlog.get_logger()
HOURS = 6
MACHINES = ("leased", "broken", "moved", "withdrawn", "ended", "barred")
SUPPLIERS = {name: f"supplier of {name}" for name in (*MACHINES, "new")}

DUE = START + ATTEST_SECONDS - HOUR
"""So many hours after this that many can be attested."""


class AllAgree(OrdersWorld):
    """Nothing is agreed on before every operator has said it."""

    threshold = 3


async def observe(hour: int) -> Rows:
    """Every machine is up and works, but for two: their leases to whomever excuse them from nothing."""
    rows = np.zeros(len(SUPPLIERS), OBSERVATION)
    rows["device"] = keys([address(name) for name in SUPPLIERS])
    rows["up_since"], rows["online"] = START - DAY, 1
    rows["work"] = [name not in ("leased", "broken") for name in SUPPLIERS]
    return rows


def address(name: str):
    return staking.device_address(key(name).pubkey())


async def attest(world, folder: Path, name: str, operator: int, **changed):
    async with indexed(world.chain, folder / f"{name}.db") as history:
        options = {"folder": folder / name, "work": Seen(observe), "history": history, **changed}
        return await attest_hours(Direct(world.chain, world.operators[operator], LOG), **options)


def contents(folder: Path, hour: int) -> dict[str, bytes]:
    return {name: (folder / str(hour) / name).read_bytes() for name in (*KINDS, MANIFEST)}


def of(folder: Path, hour: int, name: str, table: str, column: str) -> int:
    rows = publication.read_table(folder, publication.read_manifest(folder, hour), table)
    (row,) = rows[rows["device"] == bytes(address(name)).rstrip(b"\0")]
    return int(row[column])


def act(world: AllAgree, hour: int) -> None:
    """What happens in an hour."""
    suppliers = {name: key(each) for name, each in SUPPLIERS.items()}
    renter = key("renter")
    if hour == 0:
        order = world.order(renter, devices=2, hours=1)
        for name in ("leased", "broken"):
            world.match(order, name)
            world.accept(order, name)
    elif hour == 1:
        device = world.read_device("moved")
        change = staking.change_device(device, tier=1, country="DE", ask_io=7 * IO, ask_usdc=0)
        world.do(change, signers=[suppliers["moved"]])
        world.do(staking.unstake(world.read_device("withdrawn")), signers=[suppliers["withdrawn"]])
    elif hour == 2:
        world.end(world.read_order(renter), "leased", world.payer)
    elif hour == 3:
        world.do(staking.terminate_device(world.read_device("ended")), signers=[suppliers["ended"]])
        world.do(staking.withdraw_overflow(world.read_device("moved"), IO), signers=[suppliers["moved"]])
        declined = world.order(renter, 2, devices=1, hours=1)
        world.match(declined, "barred")
        world.end(declined, "barred", suppliers["barred"])
        world.do(orders.close_lease(world.lease(declined, "barred")))
    elif hour == 4:
        order = world.read_order(renter)
        world.end(order, "broken", world.payer)
        for name in ("leased", "broken"):
            world.settle(order, name)
            world.do(orders.close_lease(world.lease(order, name)))
    else:
        new = world.device("new", world.earner(SUPPLIERS["new"], 10_000 * IO))
        world.do(staking.stake(new, 1_000 * IO), signers=[suppliers["new"]])


@pytest.fixture
def world() -> AllAgree:
    world = AllAgree.ready()
    assert isinstance(world, AllAgree)
    for name in MACHINES:
        supplier = world.earner(SUPPLIERS[name], 10_000 * IO)
        asks = {"ask_io": IO} if name in ("leased", "broken", "barred") else {}
        world.do(staking.stake(world.device(name, supplier, **asks), 1_010 * IO), signers=[supplier])
    world.renter("renter")
    return world


async def six_hours(world: AllAgree, folder: Path) -> None:
    """Two operators are there all the time, and look at each hour's end."""
    for hour in range(HOURS):
        world.chain.warp_to(DUE + hour * HOUR + 10 * 60)
        act(world, hour)
        world.chain.warp_to(DUE + (hour + 1) * HOUR)
        for number in range(2):
            assert len(await attest(world, folder, f"operator {number}", number)) == 1
    assert finish(orders.read_leases(world.chain)) == {}, "what was let left no account"


async def test_who_was_down_makes_up_for_the_hours_as_they_were(world, tmp_path):
    await six_hours(world, tmp_path)
    world.chain.advance(20 * 60)
    events = await attest(world, tmp_path, "operator 2", 2)
    assert [(each.fields["hour"], each.fields["agreed"]) for each in events] == [
        (hour, True) for hour in range(HOURS)
    ]
    for hour in range(HOURS):
        truth = contents(tmp_path / "operator 0", hour)
        for number in (1, 2):
            assert contents(tmp_path / f"operator {number}", hour) == truth
        recomputed.verify(tmp_path / "operator 2", hour)
    late = tmp_path / "operator 2"
    history = {
        name: [of(late, hour, name, "rewards.csv", "status") for hour in range(HOURS)] for name in MACHINES
    }
    good, bad, out = DeviceStatus.SUCCEEDED, DeviceStatus.FAILED, DeviceStatus.MISSED
    assert history == {
        "leased": [bad] * HOURS,
        "broken": [bad] * HOURS,
        "moved": [good] * HOURS,
        "withdrawn": [good, out, out, out, out, out],
        "ended": [good, good, good, out, out, out],
        "barred": [good, good, good, out, out, good],
    }
    for name in MACHINES:
        let = [of(late, hour, name, "inputs.csv", "hired") for hour in range(HOURS)]
        assert let == [int(name in ("leased", "broken") and hour < 2) for hour in range(HOURS)], name
    world.chain.advance(HOUR)
    assert len(await finalise_blocks(Direct(world.chain, world.payer, LOG))) == HOURS


async def test_an_hour_is_the_same_when_it_is_computed_again_after_later_ones(world, tmp_path):
    await six_hours(world, tmp_path)
    before = [contents(tmp_path / "operator 0", hour) for hour in range(HOURS)]
    for hour in range(2, HOURS):
        shutil.rmtree(tmp_path / "operator 0" / str(hour))
    assert await attest(world, tmp_path, "operator 0", 0) == [], "it has said so already"
    assert [contents(tmp_path / "operator 0", hour) for hour in range(HOURS)] == before


# -- peers ---------------------------------------------------------------------------------------


def another_total(folder: Path) -> None:
    """A digit of somebody's, the manifest as it was."""
    path = folder / "wallets.csv"
    data = path.read_bytes()
    path.write_bytes(data[:-2] + bytes([data[-2] ^ 1]) + data[-1:])


def another_block(folder: Path) -> None:
    path = folder / MANIFEST
    path.write_bytes(path.read_bytes().replace(b'"devices":6', b'"devices":7').replace(b"}", b"} ", 1))


def cut_short(folder: Path) -> None:
    path = folder / "inputs.csv"
    path.write_bytes(path.read_bytes()[:-100])


def too_long(folder: Path) -> None:
    path = folder / "inputs.csv"
    path.write_bytes(path.read_bytes() + b"x" * 1_000)


def an_endless_manifest(folder: Path) -> None:
    (folder / MANIFEST).write_bytes(b"{" * 1_000_000)


def kept_back(folder: Path) -> None:
    (folder / "wallets.csv").unlink()


LIES: dict[Callable[[Path], None], str] = {
    another_total: "wallets.csv has SHA-256",
    another_block: "manifest.json has SHA-256",
    cut_short: "inputs.csv has SHA-256",
    too_long: "inputs.csv has more than",
    an_endless_manifest: "manifest.json has more than 16,384 bytes",
    kept_back: "wallets.csv: status 404",
}


async def one_hour(world, folder: Path) -> staking.Block:
    world.chain.warp_to(DUE + HOUR)
    for number in range(3):
        await attest(world, folder, f"operator {number}", number)
    return (await staking.read_hours(world.chain, [0]))[0]


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
async def test_a_peer_that_lies_is_refused_and_leaves_nothing(world, tmp_path, lie):
    block = await one_hour(world, tmp_path)
    shutil.copytree(tmp_path / "operator 0", tmp_path / "liar")
    lie(tmp_path / "liar/0")
    mine = tmp_path / "mine"
    with serving(tmp_path / "liar") as url, pytest.raises(PeerError, match=LIES[lie]):
        await fetch(url, mine, 0, block)
    assert list(mine.iterdir()) == []
    with serving(tmp_path / "operator 0") as url:
        await fetch(f"{url}/", mine, 0, block)
    assert contents(mine, 0) == contents(tmp_path / "operator 0", 0)


async def test_who_joins_on_the_second_day_goes_on_from_a_peer(world, tmp_path):
    """With an empty database and folder, and nothing observed before; the first peers lie or are gone."""
    await six_hours(world, tmp_path)
    await attest(world, tmp_path, "operator 2", 2)
    world.chain.warp_to(DUE + DAY)
    for number in range(3):
        await attest(world, tmp_path, f"operator {number}", number)
    world.chain.advance(HOUR)
    await finalise_blocks(Direct(world.chain, world.payer, LOG))
    assert world.staking_config().next_hour == 24
    for number in range(2):
        await attest(world, tmp_path, f"operator {number}", number)

    async def saw(hour: int) -> Rows | None:
        return await observe(hour) if hour >= 24 else None

    with capture_logs() as logs:
        assert await attest(world, tmp_path, "new", 2, work=Seen(saw)) == []
    assert events_of(logs)[-1] == "block.unpublished" and "ionet rewards fetch" in logs[-1]["reason"]
    shutil.copytree(tmp_path / "operator 0", tmp_path / "liar")
    another_total(tmp_path / "liar/23")
    with ExitStack() as stack, capture_logs() as logs:
        nobody = "http://127.0.0.1:9"
        liar, honest = (stack.enter_context(serving(tmp_path / name)) for name in ("liar", "operator 1"))
        peers = [nobody, liar, honest]
        (event,) = await attest(world, tmp_path, "new", 2, work=Seen(saw), peers=peers)
    assert events_of(logs) == [
        "block.peer_refused",
        "block.peer_refused",
        "block.fetched",
        "block.published",
        "block.attested",
    ]
    assert (event.fields["hour"], event.fields["agreed"]) == (24, True)
    for hour in (23, 24):
        assert contents(tmp_path / "new", hour) == contents(tmp_path / "operator 0", hour)
    assert publication.published_hours(tmp_path / "new") == [23, 24]
    block = (await staking.read_hours(world.chain, [24]))[24]
    assert block.status == BlockStatus.AGREED
