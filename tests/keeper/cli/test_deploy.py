"""From an empty chain to a launched network by two commands, and what stops them."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer

from keeper import deploy
from keeper.chain import ChainError, loader
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.framework import associated_token_address
from keeper.clients import buyback, orders, staking, tokenomics
from keeper.clients.programs import PROGRAMS
from keeper.economy.classes import read_classes
from keeper.economy.genesis import read_table
from keeper.economy.supply import io
from keeper.resources import DEV_KEYS, binary
from tests.programs.world import finish, key

DEPLOY = ("deploy", "--chain", "test.chain", "--keypair", "authority.json")
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


def no(_: str, *, abort: bool) -> None:
    """The answer to a question."""
    assert abort
    raise typer.Abort


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
    code, out, _ = ionet(*DEPLOY, "--yes")
    assert code == 0
    assert out.split()[-8:] == " ".join(f"{name}: deployed" for name in PROGRAMS).split()
    code, out, _ = ionet(*DEPLOY)
    assert (code, "All programs are on chain already" in out) == (0, True)
    now = datetime.now(UTC)
    following = f"{now.year + now.month // 12}-{now.month % 12 + 1:02}"
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
    said = " ".join(out.split())
    assert f"which your key can mint: {setup.usdc_mint}" in said
    assert "Genesis is done, by the same answers: nothing was left to write." in said
    after = EmbeddedChain.load(empty / "test.chain")
    assert len(after.transactions()) == len(before.transactions()), "a third time changes nothing"
    said = "this chain has a network that began otherwise: "
    others = {label: str(key("other").pubkey()) for label in LABELS}
    (empty / "others.json").write_text(json.dumps(others))
    for changed, different in (
        ({"guardian": key("other").pubkey()}, f"tokenomics's guardian is {key('guardian').pubkey()}, not"),
        ({"start": "2060-01"}, f"emission begins in {following}"),
        ({"operator": key("other").pubkey()}, f"the operators are {authority}"),
        ({"test-usdc": None, "usdc-mint": key("other").pubkey()}, f"USDC's mint is {setup.usdc_mint}"),
        ({"test-usdc": "1000000"}, "there are 1000000.500000 test USDC, and genesis makes no more"),
        ({"beneficiaries": "others.json"}, f"seed is {key('seed').pubkey()}'s, not {others['seed']}'s"),
    ):
        code, _, err = genesis(ionet, **{"start": following, **changed})
        assert code == 1
        assert said in " ".join(err.split()) and different in " ".join(err.split())
    assert len(EmbeddedChain.load(empty / "test.chain").transactions()) == len(after.transactions())


def test_a_deployment_says_what_it_costs_and_asks(ionet, empty, monkeypatch):
    """What it said is what it took, of SOL and of transactions."""
    authority = key("authority").pubkey()
    file = (empty / "test.chain").read_bytes()
    monkeypatch.setattr("typer.confirm", no)
    code, out, _ = ionet(*DEPLOY)
    said = " ".join(out.split())
    assert (code, f"Upgrade authority: {authority}" in said) == (1, True)
    assert "--json asks no question" in ionet(*DEPLOY, "--json")[2]
    code, out, _ = ionet(*DEPLOY, "--json", "--dry-run")
    told = json.loads(out)
    assert (code, told["sent"], told["authority"]) == (0, False, str(authority))
    assert [each["change"] for each in told["programs"]] == ["new"] * 4
    assert (empty / "test.chain").read_bytes() == file
    before = EmbeddedChain.load(empty / "test.chain")
    code, out, err = ionet(*DEPLOY, "--json", "--yes")
    assert (code, json.loads(out)) == (0, {**told, "sent": True}), err
    after = EmbeddedChain.load(empty / "test.chain")
    cost = sum(int(each["stays"]) + int(each["fee"]) for each in told["programs"])
    assert before.get(authority).lamports - after.get(authority).lamports == cost
    sent = len(after.transactions()) - len(before.transactions())
    assert sent == sum(each["transactions"] for each in told["programs"])
    assert f"{cost // 10**9}.{cost % 10**9:09}".rstrip("0") in said


def test_a_deployment_that_nobody_can_pay_begins_nothing(ionet, empty):
    """It needs most for the last program, whose buffer gives its SOL back only at the end."""
    told = json.loads(ionet(*DEPLOY, "--json", "--dry-run")[1])
    for lamports, ends in ((int(told["needed"]) - 1, 1), (int(told["needed"]), 0)):
        chain = EmbeddedChain()
        chain.airdrop(key("authority").pubkey(), lamports)
        chain.save(empty / "test.chain")
        code, _, err = ionet(*DEPLOY, "--yes")
        assert code == ends, err
        assert ends == 0 or "send it some" in err
        sent = EmbeddedChain.load(empty / "test.chain").transactions()
        assert (len(sent) > 1) == (ends == 0)


async def test_an_interrupted_upload_is_counted(ionet, empty):
    """What is in its buffer is neither paid nor sent again."""
    chain = EmbeddedChain.load(empty / "test.chain")
    whole = await deploy.forecast(chain, "buyback", key("authority").pubkey(), DEV_KEYS)
    with pytest.raises(ZeroDivisionError):
        await deploy.deploy_program(chain, "buyback", key("authority"), DEV_KEYS, lambda *_: 1 // 0)
    left = await deploy.forecast(chain, "buyback", key("authority").pubkey(), DEV_KEYS)
    assert (left.has, left.stays) == (whole.buffer, whole.stays)
    assert left.transactions < whole.transactions - 1
    had = chain.get(key("authority").pubkey()).lamports
    await deploy.deploy_program(chain, "buyback", key("authority"), DEV_KEYS, lambda *_: None)
    assert had - chain.get(key("authority").pubkey()).lamports == left.cost


def test_only_its_authority_upgrades_a_program(ionet, empty):
    chain = EmbeddedChain()
    for name, program in PROGRAMS.items():
        chain.load_program(
            program.address, binary("probe" if name == "staking" else name), key("other").pubkey()
        )
    chain.airdrop(key("authority").pubkey(), 10**13)
    chain.save(empty / "test.chain")
    code, _, err = ionet(*DEPLOY, "--yes")
    assert code == 1
    assert f"only {key('other').pubkey()} can upgrade it: not {key('authority').pubkey()}" in " ".join(
        err.split()
    )


def test_all_is_checked_before_anything_is_written(ionet, empty):
    """Neither a mint nor the first half of the tables."""
    code, _, err = genesis(ionet, start=None)
    assert code == 1
    said = "not on this chain yet: tokenomics, staking, buyback, orders. Run ionet deploy first"
    assert said in " ".join(err.split())
    ionet(*DEPLOY, "--yes")
    before = (empty / "test.chain").read_bytes()
    (empty / "stranger.json").write_text(json.dumps(list(bytes(key("stranger")))))
    mint, authority = key("no mint").pubkey(), key("authority").pubkey()
    for changed, different in (
        ({"start": "2040-01"}, "emission can't begin in 2040-01: by the chain's clock --start takes 20"),
        ({"start": "2020-01"}, "emission can't begin in 2020-01"),
        (
            {"keypair": "stranger.json"},
            f"only the upgrade authority of tokenomics sets it up, and {authority} alone does",
        ),
        ({"test-usdc": None, "usdc-mint": mint}, f"nothing is at {mint} on this chain: --usdc-mint names"),
        ({"test-usdc": None, "usdc-mint": tokenomics.CONFIG}, "nothing is at"),
        ({"test-usdc": None, "usdc-mint": tokenomics.PROGRAM.address}, "is no mint of the token program"),
    ):
        code, _, err = genesis(ionet, **{"start": None, **changed})
        assert code == 1
        assert different in " ".join(err.split()), err
    assert (empty / "test.chain").read_bytes() == before
    twice = ("--operator", key("one").pubkey(), "--operator", key("one").pubkey())
    options = ("--guardian", key("guardian").pubkey(), "--beneficiaries", "people.json", "--test-usdc", "5")
    code, _, err = ionet("genesis", "--yes", *options, *twice, *DEPLOY[1:])
    assert (code, "an operator is named twice" in err) == (1, True)


def test_no_other_usdc_is_made_beside_the_networks_own(ionet, empty):
    """A network that began with a mint by its address has no use for a test mint."""
    ionet(*DEPLOY, "--yes")
    chain = EmbeddedChain.load(empty / "test.chain")
    other = key("other")
    chain.airdrop(other.pubkey(), 10**12)
    mint = finish(deploy.make_test_usdc(chain, other, 1))
    chain.save(empty / "test.chain")
    assert genesis(ionet, start=None, **{"test-usdc": None, "usdc-mint": mint})[0] == 0
    before = (empty / "test.chain").read_bytes()
    code, _, err = genesis(ionet, start=None)
    assert code == 1
    assert f"began otherwise: USDC's mint is {mint}" in " ".join(err.split())
    assert (empty / "test.chain").read_bytes() == before
    assert (
        EmbeddedChain.load(empty / "test.chain").get(deploy.address_of_test_usdc(key("authority").pubkey()))
        is None
    )


def test_genesis_for_programs(ionet, empty):
    ionet(*DEPLOY, "--yes")
    options = ("--guardian", key("guardian").pubkey(), "--beneficiaries", "people.json", "--test-usdc", "5")
    command = ("genesis", *options, *DEPLOY[1:], "--json")
    assert "--json asks no question" in ionet(*command)[2]
    before = (empty / "test.chain").read_bytes()
    code, out, _ = ionet(*command, "--dry-run")
    tried = json.loads(out)
    assert (code, tried["sent"], (empty / "test.chain").read_bytes()) == (0, False, before)
    code, out, _ = ionet(*command, "--yes")
    assert (code, json.loads(out)) == (0, {**tried, "sent": True})
    setup = finish(orders.read_config(EmbeddedChain.load(empty / "test.chain")))
    assert tried["usdc_mint"] == str(setup.usdc_mint)


def test_genesis_says_what_it_would_write_and_asks(ionet, empty, monkeypatch):
    ionet(*DEPLOY, "--yes")
    before = (empty / "test.chain").read_bytes()
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
    code, _, err = ionet(*DEPLOY, "--keys", "keys")
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
    ionet(*DEPLOY, "--yes")
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


def test_sol_sent_in_advance_stops_neither_deployment_nor_genesis(ionet, empty):
    """An attacker knows the addresses of the programs and of the test mint, and sends lamports there."""
    chain = EmbeddedChain.load(empty / "test.chain")
    mint = deploy.address_of_test_usdc(key("authority").pubkey())
    for each in (mint, *(program.address for program in PROGRAMS.values())):
        chain.airdrop(each, 1_000_000)
    chain.save(empty / "test.chain")
    code, _, err = genesis(ionet, start=None)
    assert code == 1 and "not on this chain yet: tokenomics, staking, buyback, orders" in " ".join(
        err.split()
    )
    code, _, err = ionet(*DEPLOY, "--yes")
    assert code == 0, err
    code, _, err = genesis(ionet, start=None)
    assert code == 0, err
    there = EmbeddedChain.load(empty / "test.chain")
    assert finish(orders.read_config(there)).usdc_mint == mint


def test_where_a_programs_bytes_can_not_go_says_what_to_do(ionet, empty):
    chain = EmbeddedChain.load(empty / "test.chain")
    chain.airdrop(loader.program_data_address(PROGRAMS["staking"].address), 1_000_000)
    chain.save(empty / "test.chain")
    before = (empty / "test.chain").read_bytes()
    code, out, err = ionet(*DEPLOY, "--yes")
    assert (code, out) == (1, "")
    assert "has SOL that somebody sent there" in err and "program_ids sync --keys FOLDER" in err
    assert (empty / "test.chain").read_bytes() == before
