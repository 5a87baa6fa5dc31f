"""Every command that signs, with the key from IONET_KEY alone and from a signer command alone.

The command is a program of its own that writes down what it was asked: once for each transaction that it
signs, and never for a dry run.
"""

from __future__ import annotations

import base64
import json
import struct
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import base58
import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from keeper.chain import Account, TransactionRecord, loader
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.framework import UPGRADEABLE_LOADER
from keeper.clients import buyback, orders, staking, tokenomics
from keeper.economy.calendar import month_start, parse_month
from keeper.economy.genesis import read_table
from keeper.economy.orders import LeaseStatus
from keeper.resources import binary
from tests.keeper.cli.test_rewards import OWNER, on_chain
from tests.programs.buyback.world import BuybackWorld
from tests.programs.orders.world import OrdersWorld
from tests.programs.world import World, finish, key

SIGNER = """
import base64, json, sys
from solders.keypair import Keypair
message = sys.stdin.readline()
with open(sys.argv[2], "a") as asked:
    asked.write(message)
keypair = Keypair.from_bytes(bytes(json.load(open(sys.argv[1]))))
print(base64.b64encode(bytes(keypair.sign_message(base64.b64decode(message)))).decode())
"""
FUTURE = month_start(parse_month("2090-01"))
"""The chain's clock: a saved chain follows this machine's only where that is ahead."""
CHAIN = Path("test.chain")

Run = Callable[..., list[TransactionRecord]]


@pytest.fixture(params=["IONET_KEY", "IONET_SIGNER_COMMAND"])
def as_(request, ionet, monkeypatch, tmp_path) -> Run:
    """Run a command with somebody's key; gives the transactions that came of it, each signed once."""
    (tmp_path / "signer.py").write_text(SIGNER)
    monkeypatch.setenv("IONET_KEYPAIR", "nowhere.json")

    def run(who: Keypair, *arguments: object) -> list[TransactionRecord]:
        asked = tmp_path / "asked"
        asked.write_text("")
        if request.param == "IONET_KEY":
            monkeypatch.setenv("IONET_KEY", base58.b58encode(bytes(who)).decode())
        else:
            (tmp_path / "held.json").write_text(json.dumps(list(bytes(who))))
            command = [sys.executable, "-I", tmp_path / "signer.py", tmp_path / "held.json", asked]
            monkeypatch.setenv("IONET_SIGNER_COMMAND", " ".join(map(str, command)))
            monkeypatch.setenv("IONET_SIGNER_ADDRESS", str(who.pubkey()))
        before = len(EmbeddedChain.load(CHAIN).transactions())
        code, _, err = ionet(*arguments, "--chain", CHAIN)
        assert code == 0, err
        found = EmbeddedChain.load(CHAIN).transactions()[before:]
        assert all(who.pubkey() in each.signers and each.error is None for each in found)
        if request.param == "IONET_SIGNER_COMMAND":
            messages = asked.read_text().splitlines()
            assert len(messages) == len(set(messages)) == len(found), "once for each transaction"
            assert all(bytes(who.pubkey()) in base64.b64decode(each) for each in messages)
        return found

    return run


def test_orders_and_devices(as_: Run, tmp_path: Path) -> None:
    world = OrdersWorld.ready(verify_signatures=True)
    world.chain.warp_to(FUTURE)
    renter, supplier = world.renter("renter"), world.supplier("supplier")
    world.let("one", supplier)
    world.person("one")
    world.chain.advance(1)
    world.chain.save(tmp_path / CHAIN)
    for name in ("one", "two"):
        (tmp_path / f"{name}.json").write_text(json.dumps(list(bytes(key(name)))))
    asked = ("--class", "rtx 4090", "--price", "3", "--currency", "io", "--hours", 10, "--processors", 4)
    assert as_(renter, "order", "create", *asked, "--number", 1, "--dry-run") == []
    (created,) = as_(renter, "order", "create", *asked, "--number", 1, "--yes")
    order = orders.order_address(renter.pubkey(), 1)
    assert created.programs[0] == orders.PROGRAM.address
    later(world.orders_config().params.exclusive)
    assert as_(supplier, "device", "take", order, "--worker", "one.json", "--dry-run") == []
    (accepted,) = as_(supplier, "device", "take", order, "--worker", "one.json", "--yes")
    assert accepted.signers == (supplier.pubkey(), key("one").pubkey())
    world.chain = EmbeddedChain.load(CHAIN)
    assert world.lease(world.read_order(renter), "one").status == LeaseStatus.RUNNING
    for command in (("extend", order, "--hours", 1), ("end", order)):
        assert as_(renter, "order", *command, "--dry-run") == []
        assert len(as_(renter, "order", *command, "--yes")) == 1
    assert len(as_(renter, "order", "create", *asked, "--number", 2, "--yes")) == 1
    second = orders.order_address(renter.pubkey(), 2)
    assert as_(renter, "order", "cancel", second, "--dry-run") == []
    assert len(as_(renter, "order", "cancel", second, "--yes")) == 1
    register = ("device", "register", "--worker", "two.json", "--class", "rtx 4090", "--country", "DE")
    assert as_(supplier, *register, "--dry-run") == []
    (registered,) = as_(supplier, *register, "--yes")
    assert registered.signers == (supplier.pubkey(), key("two").pubkey())
    device = staking.device_address(key("two").pubkey())
    assert as_(supplier, "device", "ask", device, "--ask-usdc", "1", "--dry-run") == []
    assert len(as_(supplier, "device", "ask", device, "--ask-usdc", "1", "--yes")) == 1
    paused = staking.device_address(key("one").pubkey())
    assert as_(key("one"), "device", "pause", paused, "--dry-run") == []
    assert len(as_(key("one"), "device", "pause", paused, "--yes")) == 1


def later(seconds: int) -> None:
    chain = EmbeddedChain.load(CHAIN)
    chain.advance(seconds)
    chain.save(CHAIN)


def test_a_claim(as_: Run, tmp_path: Path) -> None:
    on_chain(tmp_path)
    claim = ("rewards", "claim", "--wallet", OWNER, "--hour", 0)
    assert as_(World().payer, *claim, "--dry-run") == []
    (claimed,) = as_(World().payer, *claim, "--yes")
    assert [each.name for each in staking.PROGRAM.events(claimed)] == ["RewardClaimed"]


def test_the_first_price(as_: Run, tmp_path: Path) -> None:
    world = BuybackWorld.initialised()
    world.chain.save(tmp_path / CHAIN)
    assert as_(world.admin, "buyback", "first-price", "4.25", "--dry-run") == []
    assert len(as_(world.admin, "buyback", "first-price", "4.25", "--yes")) == 1
    assert finish(buyback.read_config(EmbeddedChain.load(CHAIN))).first_price == 425_000_000


def test_the_keeper_and_its_jobs(as_: Run, tmp_path: Path) -> None:
    world = World.launched()
    world.chain.save(tmp_path / CHAIN)
    assert as_(world.payer, "keeper", "once", "emission", "--dry-run") == []
    assert len(as_(world.payer, "keeper", "once", "emission")) >= 1
    assert len(as_(world.payer, "keeper", "run", "--once")) >= 1, "what has vested"


def test_the_keepers_part_of_the_buyback(as_: Run, tmp_path: Path) -> None:
    world = BuybackWorld.priced()
    world.start(1_000_000_000)
    world.chain.save(tmp_path / CHAIN)
    assert as_(world.payer, "buyback", "run", "--dry-run") == []
    assert len(as_(world.payer, "buyback", "run", "--once")) == 2, "an auction is over, the next one starts"


def test_deploy(as_: Run, tmp_path: Path) -> None:
    """One program has other bytes on chain; all but six pieces of the right ones are in its buffer."""
    world = World()
    chain, admin = world.chain, world.admin
    assert isinstance(chain, EmbeddedChain)
    code = binary("buyback")
    place = loader.program_data_address(buyback.PROGRAM.address)
    there = chain.get(place)
    assert there is not None
    chain.set_account(place, replace_data(there, there.data[:-1] + b"\1"))
    buffer = Pubkey.create_with_seed(admin.pubkey(), sha256(code).hexdigest()[:32], UPGRADEABLE_LOADER)
    header = struct.pack("<IB", 1, 1) + bytes(admin.pubkey())
    content = bytes(loader.PIECE) * 6 + code[6 * loader.PIECE :]
    chain.set_account(buffer, Account(10**10, header + content, UPGRADEABLE_LOADER))
    chain.advance(1)
    chain.save(tmp_path / CHAIN)
    assert len(as_(admin, "deploy", "--yes")) == 7, "six pieces, and the upgrade"
    found = EmbeddedChain.load(CHAIN).get(place)
    assert found is not None and loader.is_same(found.data[loader.PROGRAM_DATA_HEADER :], code)
    assert as_(admin, "deploy", "--yes") == []


def replace_data(account: Account, data: bytes) -> Account:
    return Account(account.lamports, data, account.owner, account.executable)


def test_genesis(as_: Run, tmp_path: Path) -> None:
    world = World()
    world.chain.warp_to(FUTURE)
    world.chain.save(tmp_path / CHAIN)
    people = {row.label: str(key(row.label).pubkey()) for row in read_table()}
    (tmp_path / "people.json").write_text(json.dumps(people))
    arguments = ("--guardian", world.guardian.pubkey(), "--beneficiaries", "people.json", "--test-usdc", "5")
    assert len(as_(world.admin, "genesis", *arguments, "--yes", "--start", "2090-02")) > len(people)
    config = finish(tokenomics.read_config(EmbeddedChain.load(CHAIN)))
    assert config is not None and config.admin == world.admin.pubkey()
    assert as_(world.admin, "genesis", *arguments, "--yes", "--start", "2090-02") == []


def test_a_key_file_that_is_named_goes_before_everything(ionet, monkeypatch, tmp_path) -> None:
    world = BuybackWorld.initialised()
    world.chain.save(tmp_path / CHAIN)
    (tmp_path / "admin.json").write_text(json.dumps(list(bytes(world.admin))))
    monkeypatch.setenv("IONET_KEY", "none")
    monkeypatch.setenv("IONET_SIGNER_COMMAND", "/nowhere/signer")
    command = ("buyback", "first-price", "4.25", "--yes", "--chain", CHAIN)
    code, _, err = ionet(*command)
    assert (code, "IONET_SIGNER_ADDRESS" in err) == (1, True)
    code, _, err = ionet(*command, "--keypair", "admin.json")
    assert code == 0, err
