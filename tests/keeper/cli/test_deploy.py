"""From an empty chain to a launched network by two commands, and what stops them."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer

from keeper import deploy
from keeper.chain import ChainError
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.framework import associated_token_address
from keeper.clients import buyback, orders, staking
from keeper.clients.programs import PROGRAMS
from keeper.economy.classes import read_classes
from keeper.economy.genesis import read_table
from keeper.economy.supply import io
from tests.programs.world import finish, key

LABELS = [row.label for row in read_table()]


@pytest.fixture
def empty(tmp_path) -> Path:
    """A funded authority's key file, a beneficiaries' file and a chain, in the current folder."""
    chain = EmbeddedChain()
    chain.airdrop(key("authority").pubkey(), 10**13)
    chain.save(tmp_path / "test.chain")
    (tmp_path / "authority.json").write_text(json.dumps(list(bytes(key("authority")))))
    people = {label: str(key(label).pubkey()) for label in LABELS}
    (tmp_path / "people.json").write_text(json.dumps(people))
    return tmp_path


def genesis(ionet, **changed):
    options = {
        "chain": "test.chain",
        "keypair": "authority.json",
        "guardian": key("guardian").pubkey(),
        "beneficiaries": "people.json",
        "start": "2040-01",
        "test-usdc": "1000000.5",
    }
    given = {name: value for name, value in {**options, **changed}.items() if value is not None}
    return ionet(
        "genesis", "--yes", *(part for name, value in given.items() for part in (f"--{name}", value))
    )


def test_deploy_then_genesis(ionet, empty):
    code, out, _ = ionet("deploy", "--chain", "test.chain", "--keypair", "authority.json")
    assert (code, out.split()) == (0, " ".join(f"{name}: deployed" for name in PROGRAMS).split())
    code, out, _ = ionet("deploy", "--chain", "test.chain", "--keypair", "authority.json")
    already = " ".join(f"{name}: is on chain already" for name in PROGRAMS)
    assert (code, out.split()) == (0, already.split())
    code, _, err = genesis(ionet)
    assert code == 1
    assert "StartMonthInvalid: The emission's first month must start" in err
    now = datetime.now(UTC)
    following = f"{now.year + now.month // 12}-{now.month % 12 + 1:02}"
    # The table was written before the month was refused: this takes it up.
    code, out, err = genesis(ionet, start=following)
    assert code == 0, err
    assert "500,000,000.00000000" in out
    before = EmbeddedChain.load(empty / "test.chain")
    assert finish(staking.read_config(before)).params.operators == (key("authority").pubkey(),)
    assert [each.name for each in finish(staking.read_classes(before)).values()] == [
        row.name for row in read_classes()
    ]
    setup = finish(orders.read_config(before))
    authority = key("authority").pubkey()
    assert setup.usdc_mint == finish(buyback.read_config(before)).usdc_mint
    tokens = before.get(associated_token_address(authority, setup.usdc_mint))
    assert int.from_bytes(tokens.data[64:72], "little") == 1_000_000_500_000
    assert (setup.admin, setup.guardian) == (authority, key("guardian").pubkey())
    code, out, _ = genesis(ionet, start=following)
    assert code == 0
    assert f"which your key can mint: {setup.usdc_mint}" in " ".join(out.split())
    after = EmbeddedChain.load(empty / "test.chain")
    assert len(after.transactions()) == len(before.transactions()), "a third time changes nothing"
    said = "this chain has a network that began otherwise: "
    for changed, different in (
        ({"guardian": key("other").pubkey()}, f"tokenomics's guardian is {key('guardian').pubkey()}, not"),
        ({"start": "2060-01"}, f"emission begins in {following}"),
        ({"operator": key("other").pubkey()}, f"the operators are {authority}"),
        ({"test-usdc": None, "usdc-mint": key("other").pubkey()}, f"USDC's mint is {setup.usdc_mint}"),
    ):
        code, _, err = genesis(ionet, **{"start": following, **changed})
        assert code == 1
        assert said in " ".join(err.split()) and different in " ".join(err.split())
    assert len(EmbeddedChain.load(empty / "test.chain").transactions()) == len(after.transactions())


def test_genesis_says_what_it_would_write_and_asks(ionet, empty, monkeypatch):
    ionet("deploy", "--chain", "test.chain", "--keypair", "authority.json")
    before = (empty / "test.chain").read_bytes()

    def no(_: str, *, abort: bool) -> None:
        assert abort
        raise typer.Abort

    monkeypatch.setattr("typer.confirm", no)
    options = ("--guardian", key("guardian").pubkey(), "--beneficiaries", "people.json", "--test-usdc", "5")
    code, out, _ = ionet("genesis", *options, "--chain", "test.chain", "--keypair", "authority.json")
    said = " ".join(out.split())
    now = datetime.now(UTC)
    following = f"{now.year + now.month // 12}-{now.month % 12 + 1:02}"
    assert code == 1
    for part in (
        f"guardian: may pause and veto {key('guardian').pubkey()}",
        f"operators: 1 of 1 must agree {key('authority').pubkey()}",
        f"emission begins {following}-01 00:00:00 UTC",
        "a test mint of your own key",
        *(
            f"{row.label}: {io(row.schedule.amount, 0)} IO, {row.schedule.tge_bps / 100:g} %"
            for row in read_table()
        ),
    ):
        assert part in said, said
    assert (empty / "test.chain").read_bytes() == before


def test_usdc_is_named_or_made(ionet, empty):
    for changed in ({"test-usdc": None}, {"usdc-mint": key("usdc").pubkey()}):
        code, _, err = genesis(ionet, **changed)
        assert code == 1
        assert "name USDC's mint by --usdc-mint, or, on a test network, make one" in " ".join(err.split())


def test_keys_that_the_programs_were_not_built_for(ionet, empty):
    (empty / "keys").mkdir()
    (empty / "keys/tokenomics.json").write_text(json.dumps(list(bytes(key("other")))))
    code, _, err = ionet("deploy", "--chain", "test.chain", "--keypair", "authority.json", "--keys", "keys")
    assert code == 1
    assert "toolchain/program_ids.py sync --keys keys, then make programs idl" in " ".join(err.split())


def test_a_row_without_a_beneficiary(ionet, empty):
    (empty / "people.json").write_text(json.dumps({"seed": str(key("seed").pubkey())}))
    code, _, err = genesis(ionet)
    assert code == 1
    assert "rows without a beneficiary: series_a, core, ecosystem, community, launchpool" in " ".join(
        err.split()
    )


def test_an_owner_that_is_no_address(ionet, empty):
    (empty / "people.json").write_text('{"seed": "me"}')
    code, _, err = genesis(ionet)
    assert code == 1
    assert "people.json: no JSON object of labels and addresses" in " ".join(err.split())


def test_genesis_asks_again_while_something_is_left_to_write(ionet, empty, monkeypatch):
    """Interrupted between the launch and staking, whose operators nothing on chain knows yet."""
    ionet("deploy", "--chain", "test.chain", "--keypair", "authority.json")
    true = deploy.staking_genesis

    async def interrupted(*_: object, **__: object) -> None:
        raise ChainError("the line is cut")

    monkeypatch.setattr(deploy, "staking_genesis", interrupted)
    assert genesis(ionet, start=None, operator=key("operator").pubkey())[0] == 1
    monkeypatch.setattr(deploy, "staking_genesis", true)
    asked = []
    monkeypatch.setattr("typer.confirm", lambda words, *, abort: asked.append((words, abort)))
    options = ("--guardian", key("guardian").pubkey(), "--beneficiaries", "people.json", "--test-usdc", "5")
    code, out, err = ionet("genesis", *options, "--chain", "test.chain", "--keypair", "authority.json")
    assert (code, asked) == (0, [("Write all of this?", True)]), err
    assert f"operators: 1 of 1 must agree {key('authority').pubkey()}" in " ".join(out.split())
