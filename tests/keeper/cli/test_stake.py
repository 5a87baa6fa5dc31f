"""``ionet stake`` and ``ionet co-stake``: a stake's whole life, and all ways of signing, on a saved chain."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
import typer
from solders.transaction import VersionedTransaction

from keeper.clients import staking
from keeper.economy.calendar import DAY
from keeper.economy.supply import IO
from keeper.terminal import tables
from tests.keeper.cli.saved import CHAIN, FUTURE, Typed, later
from tests.programs.staking.world import StakingWorld
from tests.programs.world import key

SUPPLIER, STAKER = key("supplier").pubkey(), key("staker").pubkey()
SOL = 10**12
"""What everybody has at first, lamports."""
DEVICE = staking.device_address(key("one").pubkey())


@pytest.fixture
def world(tmp_path: Path) -> StakingWorld:
    """A device without stake, its supplier, and a co-staker; with everybody's key files."""
    world = StakingWorld.ready(verify_signatures=True)
    world.chain.warp_to(FUTURE)
    world.device("one", world.earner("supplier", 2_000 * IO))
    world.give(world.person("staker").pubkey(), 2_000 * IO)
    world.person("friend")
    for name in ("supplier", "staker", "friend"):
        (tmp_path / f"{name}.json").write_text(json.dumps(list(bytes(key(name)))))
    world.chain.save(tmp_path / CHAIN)
    return world


def test_from_the_first_io_to_the_last(world: StakingWorld, by: Typed) -> None:
    assert f"{SUPPLIER} has staked nothing" not in by("supplier", "stake", "show")
    said = by("supplier", "stake", "add", DEVICE, "400", "--yes")
    assert "600.00000000 IO are still missing" in said
    assert "600.00 IO missing" in by("supplier", "stake", "show")
    by("supplier", "stake", "add", DEVICE, "800.5", "--yes")
    assert "sufficient" in by("supplier", "stake", "show")
    assert "up to 200.50000000 IO" in by("supplier", "stake", "overflow", DEVICE, "201", "--yes", ends=1)
    by("supplier", "stake", "overflow", DEVICE, "--yes")
    assert (world.stake_vault(), world.balance(SUPPLIER)) == (1_000 * IO, 1_000 * IO)
    said = by("supplier", "stake", "unstake", DEVICE, "--yes")
    assert "can't be undone" in said and "2090-01-15" in said
    assert "1,000.00 IO cool until 2090-01-15" in by("supplier", "stake", "show")
    assert "the cooldown is over at 2090-01-15" in by("staker", "stake", "withdraw", DEVICE, ends=1)
    later(world, 14 * DAY)
    by("staker", "stake", "withdraw", DEVICE, "--yes", "--fee-payer", "friend.json")
    assert world.account(STAKER).lamports == SOL, "nobody but who pays the fee had to sign"
    assert (world.stake_vault(), world.balance(SUPPLIER)) == (0, 2_000 * IO)


def test_a_co_stake_from_offer_to_withdrawal(world: StakingWorld, by: Typed) -> None:
    assert "No device looks for a co-staker now." in by("staker", "co-stake", "offers")
    by("supplier", "stake", "add", DEVICE, "1000", "--yes")
    by("supplier", "co-stake", "offer", DEVICE, "--share", "12.5", "--yes")
    by("supplier", "co-stake", "withdraw-offer", DEVICE, "--yes")
    by("supplier", "co-stake", "offer", DEVICE, "--share", "25", "--amount", "400", "--yes")
    (offer,) = json.loads(by("staker", "co-stake", "offers", "--json"))["offers"]
    assert (offer["device"], offer["amount"], offer["reward_bps"]) == (str(DEVICE), str(400 * IO), 2_500)
    assert "25 %" in by("staker", "co-stake", "offers")
    said = by("staker", "co-stake", "take", DEVICE, "--yes")
    assert "You get 25 % of what the device earns" in said
    assert "the wallet's account for earnings 0.00155904 never" in said
    assert world.stake_vault() == 1_400 * IO
    (held,) = json.loads(by("staker", "stake", "show", "--json"))["co_stakes"]
    assert (held["amount"], held["state"]) == (str(400 * IO), "active")
    by("staker", "co-stake", "leave", DEVICE, "--yes")
    later(world, 21 * DAY)
    assert "cooled, can be taken out" in by("staker", "stake", "show")
    by("friend", "co-stake", "withdraw", DEVICE, "--staker", STAKER, "--yes")
    assert (world.stake_vault(), world.balance(STAKER)) == (1_000 * IO, 2_000 * IO)


def test_a_dry_run_and_a_no_change_nothing(world: StakingWorld, by: Typed, monkeypatch) -> None:
    before = CHAIN.read_bytes()
    assert "Nothing was sent" in by("supplier", "stake", "add", DEVICE, "400", "--dry-run")
    monkeypatch.setattr("typer.confirm", _no)
    assert "Aborted" in by("supplier", "stake", "add", DEVICE, "400", ends=1)
    assert CHAIN.read_bytes() == before


def _no(_: str, *, abort: bool) -> None:
    assert abort
    raise typer.Abort


def test_programs_are_told_all_of_it_and_asked_nothing(world: StakingWorld, by: Typed) -> None:
    add = ("stake", "add", DEVICE, "400", "--json")
    assert "--json asks no question" in by("supplier", *add, ends=1)
    (tried,) = json.loads(by("supplier", *add, "--dry-run"))["transactions"]
    (done,) = json.loads(by("supplier", *add, "--yes"))["transactions"]
    (record,) = world.chain.transactions()[-1:]
    assert (tried["signature"], done["signature"]) == (None, str(record.signature))
    assert done["tokens"] == tried["tokens"]
    (moved,) = done["tokens"]
    assert (moved["amount"], moved["currency"], moved["to"]) == (
        str(400 * IO),
        "IO",
        str(staking.STAKE_VAULT),
    )
    assert (done["fee"], done["fee_payer"]) == (str(record.fee), str(SUPPLIER))


def test_programs_are_told_what_is_wrong_in_json(by: Typed) -> None:
    said = json.loads(by("supplier", "stake", "unstake", DEVICE, "--json", ends=1))
    assert said["error"].startswith("no stake of its supplier is on it")
    assert said["hint"] == ""


def test_a_friend_pays_the_fee(world: StakingWorld, by: Typed) -> None:
    friend = key("friend").pubkey()
    had = [world.account(each).lamports for each in (friend, SUPPLIER)]
    said = by("supplier", "stake", "add", DEVICE, "400", "--yes", "--fee-payer", "friend.json")
    assert "the network's fee 0.00001" in said
    has = [world.account(each).lamports for each in (friend, SUPPLIER)]
    assert (had[0] - has[0], had[1] - has[1]) == (10_000, 0)


def test_somebody_else_signs_what_is_written(world: StakingWorld, ionet) -> None:
    """No key is here: the transaction is printed alone, and whoever has the key makes it valid."""
    code, out, err = ionet(
        "stake", "add", DEVICE, "400", "--output", "base64", "--signer", SUPPLIER, "--chain", CHAIN
    )
    assert code == 0, err
    transaction = VersionedTransaction.from_bytes(base64.b64decode(out))
    assert transaction.message.account_keys[0] == SUPPLIER
    signed = VersionedTransaction(transaction.message, [key("supplier")])
    assert world.chain.submit(signed).error is None
    assert world.stake_vault() == 400 * IO


def test_a_signer_without_a_key_only_writes(world: StakingWorld, by: Typed) -> None:
    said = by("supplier", "stake", "add", DEVICE, "400", "--signer", SUPPLIER, ends=1)
    assert "--signer is for --output" in said


def test_a_name_on_a_chain_is_text(capsys) -> None:
    """Neither markup nor what a terminal takes for a command."""
    table = tables.plain("Names", "name")
    table.add_row("[/x] [conceal]seen\x1b[2J")
    tables.show(table)
    assert "[/x] [conceal]seen?[2J" in capsys.readouterr().out
