"""``ionet device``: how a device stands, its terms, its end, and what SOL comes back, on a saved chain."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import pytest
from solders.pubkey import Pubkey

from keeper.chain import Account
from keeper.chain.embedded import EmbeddedChain
from keeper.clients import staking
from keeper.economy.calendar import DAY
from keeper.economy.supply import IO
from keeper.wallet import devices
from keeper.wallet.plan import NothingToDo
from keeper.wallet.stakes import StakeRefused
from tests.keeper.cli.saved import CHAIN, FUTURE, Typed, later
from tests.programs.staking.world import StakingWorld
from tests.programs.world import finish, key

SUPPLIER, FRIEND = key("supplier").pubkey(), key("friend").pubkey()
DEVICE = staking.device_address(key("one").pubkey())
EVIDENCE = bytes(range(32))
REGISTER = ("device", "register", "--worker", "one.json", "--class", "rtx 4090", "--processors", "4")


@pytest.fixture
def world(tmp_path: Path) -> StakingWorld:
    """A supplier with IO, a friend, and their key files; no device yet."""
    world = StakingWorld.ready(verify_signatures=True)
    world.chain.warp_to(FUTURE)
    world.give(world.person("supplier").pubkey(), 2_000 * IO)
    world.person("friend")
    for name in ("supplier", "friend", "one"):
        (tmp_path / f"{name}.json").write_text(json.dumps(list(bytes(key(name)))))
    world.chain.save(tmp_path / CHAIN)
    return world


def failing(by: Typed) -> set[str]:
    """The conditions that don't hold."""
    found = json.loads(by("supplier", "device", "show", DEVICE, "--json"))
    return {each["name"] for each in [*found["to_earn"], *found["to_be_leased"]] if each["state"] == "fail"}


def test_from_registration_to_the_deposit_back(world: StakingWorld, by: Typed) -> None:
    had = world.account(SUPPLIER).lamports
    said = by("supplier", *REGISTER, "--country", "CH", "--stake", "400", "--yes")
    assert "with 600.00000000 IO less it earns and leases nothing" in said
    assert "the device's account 0.01406464 when the device is closed" in said
    assert failing(by) == {"enough is staked", "it is for lease"}
    assert f"ionet stake add {DEVICE} 600.00000000" in by("supplier", "device", "show", DEVICE)
    by("supplier", "stake", "add", DEVICE, "600", "--yes")
    by("supplier", "device", "ask", DEVICE, "--ask-io", "1", "--yes")
    assert failing(by) == set()
    by("supplier", "device", "change", DEVICE, "--country", "DE", "--yes")
    by("supplier", "device", "change", DEVICE, "--tier", "3", "--yes")
    device = world.read_device("one")
    assert (device.country, device.tier) == ("DE", 3)
    assert "1,000.00000000 IO are staked on it" in by("supplier", "device", "terminate", DEVICE, "--yes")
    assert failing(by) == {"it isn't terminated"}
    said = by("supplier", "device", "close", DEVICE, "--yes", ends=1)
    assert "1,000.00000000 IO are still on it: its own stake (ionet stake unstake)" in said
    by("supplier", "stake", "unstake", DEVICE, "--yes")
    later(world, 14 * DAY)
    by("supplier", "stake", "withdraw", DEVICE, "--yes")
    said = by("supplier", "device", "close", DEVICE, "--yes")
    assert f"the device's account, with its deposit -0.01406464 now, to {SUPPLIER}" in said
    assert world.chain.get(DEVICE) is None
    fees = 5_000 * (2 + 8)  # registering was signed twice, all else once
    wallet = (128 + 96) * 6_960
    assert had - world.account(SUPPLIER).lamports == fees + wallet, "the wallet's account alone stays"
    assert world.balance(SUPPLIER) == 2_000 * IO


def test_another_wallet_is_paid(world: StakingWorld, by: Typed) -> None:
    by("supplier", *REGISTER, "--country", "CH", "--yes")
    said = by("supplier", "device", "payout", DEVICE, FRIEND, "--yes")
    assert f"are paid to {FRIEND}" in said
    assert "an IO account 0.00203928 when its owner closes it" in said
    assert world.read_device("one").payout == FRIEND
    assert finish(staking.read_wallet(world.chain, FRIEND)) is not None
    assert "that wallet is paid already" in by("supplier", "device", "payout", DEVICE, FRIEND, ends=1)
    assert "must sign this" in by("friend", "device", "payout", DEVICE, SUPPLIER, ends=1)


def test_an_appeal_goes_on_record(world: StakingWorld, by: Typed, tmp_path: Path) -> None:
    by("supplier", *REGISTER, "--country", "CH", "--yes")
    device = world.read_device("one")
    for operator in world.operators[:2]:
        vote = staking.vote_slash(operator.pubkey(), device, EVIDENCE, 1_000)
        world.do(vote, signers=[operator])
    world.chain.save(CHAIN)
    assert failing(by) == {"no slash is pending", "it is for lease"}
    (tmp_path / "statement.txt").write_text("It was another's key.")
    appeal = ("device", "appeal", DEVICE, EVIDENCE.hex(), "--statement", "statement.txt")
    assert "2090-01-31" in by("supplier", *appeal, "--yes")
    (slash,) = finish(staking.read_slashes(world.chain))
    assert slash.appeal == sha256(b"It was another's key.").digest()
    later(world, 30 * DAY)
    assert "the time for an appeal was over at 2090-01-31" in by("supplier", *appeal, ends=1)
    said = by("supplier", "device", "appeal", DEVICE, "ab", "--statement", "statement.txt", ends=1)
    assert "there is no slash" in said
    assert "can't be read" in by("supplier", *appeal[:-1], "nowhere", ends=1)


def test_what_cannot_be_is_said_before_anybody_signs(world: StakingWorld, by: Typed) -> None:
    by("supplier", *REGISTER, "--country", "CH", "--yes")
    device = world.read_device("one")
    with pytest.raises(NothingToDo, match="these are the terms that the device has already"):
        devices.change(device, devices.Typed(tier=device.tier, country=device.country), "a file")
    with pytest.raises(StakeRefused, match="only a terminated device is closed"):
        devices.close(device)
    by("supplier", "device", "terminate", DEVICE, "--yes")
    device = world.read_device("one")
    for refused in (
        lambda: devices.change(device, devices.Typed(country="DE"), "a file"),
        lambda: devices.payout(device, FRIEND, True),
    ):
        with pytest.raises(StakeRefused, match="the device is terminated"):
            refused()
    with pytest.raises(NothingToDo, match="terminated already"):
        devices.terminate(device)


def test_a_node_that_answers_with_another_device_chooses_none(
    world: StakingWorld, by: Typed, monkeypatch
) -> None:
    """What is signed names a device by its worker, which the node's answer has."""
    by("supplier", *REGISTER, "--country", "CH", "--yes")
    other = world.device("two", key("supplier"))
    world.chain.save(CHAIN)
    found = world.account(staking.device_address(other.worker))
    true = EmbeddedChain.accounts

    async def accounts(self: EmbeddedChain, addresses: Sequence[Pubkey]) -> list[Account | None]:
        answer = await true(self, addresses)
        return [found if at == DEVICE else each for at, each in zip(addresses, answer, strict=True)]

    monkeypatch.setattr(EmbeddedChain, "accounts", accounts)
    said = by("supplier", "device", "terminate", DEVICE, "--yes", ends=1)
    assert f"the node answers with another device than {DEVICE}" in said
    assert not world.read_device("two").terminated
