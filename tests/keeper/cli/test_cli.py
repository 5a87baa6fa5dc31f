"""The command line as people use it: what it prints, what it says when something is wrong."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from keeper.chain.embedded import EmbeddedChain
from keeper.cli.main import COMMANDS
from keeper.clients import tokenomics
from keeper.economy import emission
from keeper.economy.supply import EMISSION_TOTAL, GENESIS_SUPPLY
from tests.programs.world import START, START_MONTH, World, key
from tests.security.tokens import without_tokens


@pytest.fixture
def launched(tmp_path) -> Path:
    path = tmp_path / "network.chain"
    World.launched().chain.save(path)
    return path


@pytest.fixture
def keypair(tmp_path) -> Path:
    path = tmp_path / "id.json"
    path.write_text(json.dumps(list(bytes(World().payer))))
    return path


def test_help_has_no_text_that_the_terminal_would_take_for_markup():
    """Defaults written in brackets into a help text were never printed."""
    commands = [each.load() for each in COMMANDS]
    commands += [each for group in commands for each in getattr(group, "commands", {}).values()]
    helps = [getattr(each, "help", None) or "" for command in commands for each in command.params]
    assert len(helps) > 100
    assert [text for text in helps if "[" in text] == []


def test_emission_as_csv_is_the_whole_calendar(ionet):
    code, out, _ = ionet("emission", "--csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0
    assert len(rows) == 240
    assert (rows[0]["month"], rows[-1]["month"]) == ("2024-07", "2044-06")
    assert sum(int(row["emitted"]) for row in rows) == int(rows[-1]["cumulative"]) == EMISSION_TOTAL
    march = rows[8]
    assert (march["month"], march["hours"], march["first_block"]) == ("2025-03", "744", "412911742835")
    assert int(march["cumulative"]) == sum(int(row["emitted"]) for row in rows[:9])


def test_emission_from_another_month(ionet):
    code, out, _ = ionet("emission", "--start", "2027-01")
    assert code == 0
    assert "2027-01" in out and "2046-01" in out and "300,000,000.00000000" in out


@pytest.mark.parametrize("month", ["2027-13", "soon", "2027"])
def test_a_month_that_is_none_is_refused(ionet, month):
    code, _, err = ionet("emission", "--start", month)
    assert code == 1
    assert f"error: '{month}' is not a month; write it like 2024-07" in err


def test_supply_adds_up(ionet, launched):
    code, out, _ = ionet("supply", "--chain", launched)
    assert code == 0
    assert "500,000,000.00000000" in out
    assert "0, as it must be" in out


def test_supply_fails_where_a_vault_has_less_than_it_owes(ionet, launched):
    """What was taken out behind the program's back changes no account of a program, and no sum."""
    chain = EmbeddedChain.load(launched)
    amount = 200 * 10**8
    less = without_tokens(chain.get(tokenomics.GENESIS_VAULT), amount)
    chain.set_account(tokenomics.GENESIS_VAULT, less)
    chain.save(launched)
    code, out, _ = ionet("supply", "--chain", launched)
    assert code == 1
    assert "IO 200.00000000 missing" in out
    code, out, _ = ionet("supply", "--chain", launched, "--json")
    found = {each["name"]: each["missing"] for each in json.loads(out)["vaults"]}
    assert code == 1 and found == {"vesting": str(amount), "rewards": "0"}


def test_supply_of_a_chain_without_the_programs(ionet, tmp_path):
    EmbeddedChain(now=START).save(tmp_path / "empty.chain")
    code, _, err = ionet("supply", "--chain", "empty.chain")
    assert code == 1
    assert "tokenomics is not initialised on this chain" in err


@pytest.mark.parametrize(
    ("chain", "message"),
    [
        ("nowhere.chain", "nowhere.chain: no saved chain here"),
        ("http://127.0.0.1:9", "Is the node running, and is --chain (or IONET_CHAIN) right?"),
    ],
)
def test_a_chain_that_cannot_be_reached(ionet, chain, message):
    code, _, err = ionet("supply", "--chain", chain)
    assert code == 1
    assert message in " ".join(err.split())


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("IONET_CHECK_SECONDS", "often", "IONET_CHECK_SECONDS: it should be a number"),
        ("IONET_CHECK_SECONDS", "0", "IONET_CHECK_SECONDS: it should be greater than 0"),
        ("IONET_JOBS", '["mining"]', "no job is called mining; there are emission, vesting, seasons"),
        ("IONET_LOG", "loud", "IONET_LOG: it should be 'json' or 'console'"),
    ],
)
def test_settings_that_make_no_sense(ionet, monkeypatch, name, value, message):
    monkeypatch.setenv(name, value)
    code, _, err = ionet("keeper", "run", "--once")
    assert code == 1
    assert message in " ".join(err.split())


def test_a_keypair_that_is_none(ionet, launched, tmp_path):
    (tmp_path / "id.json").write_text("[1, 2, 3]")
    code, _, err = ionet("keeper", "run", "--once", "--chain", launched, "--keypair", "id.json")
    assert code == 1
    assert "id.json: no keypair, a JSON list of 64 numbers" in " ".join(err.split())


def test_one_pass_of_the_keeper_does_all_that_is_due(ionet, launched, keypair):
    code, _, err = ionet("keeper", "run", "--once", "--chain", launched, "--keypair", keypair)
    assert code == 0
    events = [json.loads(line) for line in err.splitlines()]
    assert {"emission.emitted", "vesting.released"} <= {each["event"] for each in events}
    code, out, _ = ionet("supply", "--chain", launched)
    assert code == 0
    assert "ended hours that are not emitted yet" in out
    config = _config(EmbeddedChain.load(launched))
    assert config.emitted == emission.cumulative(START_MONTH, config.emitted_hours) > 0


def test_one_pass_that_fails_says_so_in_its_exit_code(ionet, launched, tmp_path):
    (tmp_path / "broke.json").write_text(json.dumps(list(bytes(key("has no lamports")))))
    code, _, _ = ionet("keeper", "run", "--once", "--chain", launched, "--keypair", "broke.json")
    assert code == 1


def test_a_running_keeper_ends_on_sigterm_and_keeps_what_it_did(launched, keypair):
    command = Path(sys.executable).parent / "ionet"
    keeper = subprocess.Popen(
        [command, "keeper", "run", "--chain", launched, "--keypair", keypair],
        env={**os.environ, "IONET_CHECK_SECONDS": "0.2", "IONET_JOBS": '["emission"]', "IONET_HTTP": "off"},
        stderr=subprocess.PIPE,
        text=True,
    )
    seen = []
    assert keeper.stderr is not None
    impatience = threading.Timer(30, keeper.kill)
    impatience.start()
    for line in keeper.stderr:
        seen.append(json.loads(line)["event"])
        if seen[-1] == "emission.emitted":
            keeper.send_signal(signal.SIGTERM)
    impatience.cancel()
    assert keeper.wait(10) == 0, seen
    assert seen[0] == "keeper.started" and seen[-1] == "keeper.stopped"
    assert _config(EmbeddedChain.load(launched)).emitted_hours > 0


def test_supply_constants_are_the_programs():
    assert GENESIS_SUPPLY + EMISSION_TOTAL == 800_000_000 * 10**8


def _config(chain: EmbeddedChain) -> tokenomics.Config:
    account = chain.get(tokenomics.CONFIG)
    assert account is not None
    return tokenomics.parse_config(account.data)
