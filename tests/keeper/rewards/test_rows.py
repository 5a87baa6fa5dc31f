"""From account bytes and observations to rows, and from published files to a payment on the program."""

from pathlib import Path

import numpy as np
import pytest
from solders.pubkey import Pubkey

from keeper.clients import staking
from keeper.economy.supply import IO
from keeper.rewards import publication
from keeper.rewards.rows import OBSERVATION, Hour, RowsError, class_rows, device_rows
from keeper.rewards.rule import DeviceStatus
from keeper.tables import keys
from tests.keeper.market.test_matching import priced
from tests.keeper.rewards.seen import publish_rows
from tests.programs.staking.world import StakingWorld
from tests.programs.world import DAY, HOUR, START, finish, key


def observed(*addresses: Pubkey, **values: int) -> np.ndarray:
    rows = np.zeros(len(addresses), OBSERVATION)
    rows["device"] = keys(addresses)
    rows["up_since"], rows["online"], rows["work"] = START - DAY, 1, 1
    for name, value in values.items():
        rows[name] = value
    return rows


def world_with_devices() -> StakingWorld:
    world = StakingWorld.ready()
    supplier, helper = world.earner("supplier", 10_000 * IO), world.earner("helper", 10_000 * IO)
    for name in ("one", "two", "three"):
        device = world.device(name, supplier)
        world.do(staking.stake(device, 600 * IO), signers=[supplier])
        world.do(staking.open_offer(device, 400 * IO, 2_500), signers=[supplier])
        if name != "three":
            world.do(staking.take_offer(device, helper.pubkey(), 400 * IO, 2_500), signers=[helper])
    return world


def test_accounts_become_rows() -> None:
    world = world_with_devices()
    accounts = finish(staking.device_accounts(world.chain))
    seen = observed(staking.device_address(key("two").pubkey()))
    hired = staking.device_address(key("three").pubkey())
    rows = device_rows(list(accounts), list(accounts.values()), seen, {hired})
    assert len(rows) == 3
    for row in rows:
        address = Pubkey(row["device"].ljust(32, b"\0"))
        device = staking.parse_device(accounts[address])
        assert row["payout"].ljust(32, b"\0") == bytes(device.payout)
        assert row["co_staker"].ljust(32, b"\0") == bytes(device.co.staker)
        names = ("processors", "tier", "terminated", "slash_pending", "sufficient_since", "own")
        assert [row[name] for name in names] == [getattr(device, name) for name in names]
        co = (row["co_amount"], row["co_until"], row["co_state"], row["co_reward_bps"])
        assert co == (device.co.amount, device.co.until, device.co.state, device.co.reward_bps)
        is_seen = address == staking.device_address(key("two").pubkey())
        assert (row["online"], row["hired"]) == (is_seen, address == hired)
    assert list(rows["device"]) == sorted(rows["device"])


def test_what_was_seen_of_no_device_is_left_out_and_twice_is_refused() -> None:
    world = world_with_devices()
    accounts = finish(staking.device_accounts(world.chain))
    stranger = observed(key("stranger").pubkey())
    rows = device_rows(list(accounts), list(accounts.values()), stranger)
    assert rows["online"].sum() == 0
    with pytest.raises(RowsError, match="observed twice"):
        device_rows(list(accounts), list(accounts.values()), np.concatenate([stranger, stranger]))


def test_no_devices() -> None:
    assert len(device_rows([], [], observed())) == 0


def test_classes_as_of_the_hours_start() -> None:
    rising = {"multiplier": 100, "pending_multiplier": 150, "pending_at": START + HOUR, "pool": 1}
    table = {2: priced(2, **rising), 1: priced(1)}
    assert class_rows(table, START + HOUR - 1).tolist() == [(1, 125, 0), (2, 100, 1)]
    assert class_rows(table, START + HOUR).tolist() == [(1, 125, 0), (2, 150, 1)]


def test_from_accounts_to_a_payment(tmp_path: Path) -> None:
    """The program pays by a proof from the published files, to the last base unit."""
    world = world_with_devices()
    world.chain.warp_to(START + 2 * HOUR)
    number = 1
    for hour in range(2):
        accounts = finish(staking.device_accounts(world.chain))
        rows = device_rows(list(accounts), list(accounts.values()), observed(*accounts))
        classes = class_rows(finish(staking.read_classes(world.chain)), START + hour * HOUR)
        emitted = 448_028_673_835 * (hour + 1)
        manifest = publish_rows(tmp_path, Hour(hour, START + hour * HOUR, emitted), rows, classes)
        for record in world.attest(hour, manifest.attestation):
            assert record.error is None, world.error(record)
        world.chain.advance(HOUR)
        world.do(staking.finalise(hour))
    # Two devices are staked enough; the third never found a co-staker.
    devices = publication.read_table(tmp_path, manifest, "rewards.csv")
    assert sorted(devices["status"].tolist()) == [
        DeviceStatus.MISSED,
        DeviceStatus.SUCCEEDED,
        DeviceStatus.SUCCEEDED,
    ]
    supplier, helper = (key(name).pubkey() for name in ("supplier", "helper"))
    had = {wallet: world.balance(wallet) for wallet in (supplier, helper)}
    for wallet, before in had.items():
        found = publication.claimable(tmp_path, number, wallet)
        world.do(staking.claim(number, wallet, found.lifetime, found.proof))
        assert world.balance(wallet) - before == found.lifetime
    claimed = world.staking_config().claimed
    assert claimed == manifest.total == sum(world.balance(w) - had[w] for w in had)
    share = (world.balance(helper) - had[helper]) / claimed
    assert share == pytest.approx(0.25, abs=1e-9)
