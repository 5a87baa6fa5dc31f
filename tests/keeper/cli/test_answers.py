"""``--json``: every command has it, with a documented shape, and what is written has that shape.

conftest.py holds every answer of every test to its shape, too: see ``written_as_told``.
"""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from solders.pubkey import Pubkey

from keeper.cli.answering import walk
from keeper.cli.main import COMMANDS
from keeper.terminal.answers import schema
from keeper.terminal.answers.signed import Transactions
from scripts import json_page
from tests.keeper.cli.conftest import shapes
from tests.keeper.cli.wrong.house import house, there
from tests.keeper.rewards.tables import another
from tests.programs.world import key

__all__ = ["house", "there"]

WITHOUT = {
    "cluster connect": "it runs until it is stopped",
    "cluster shell": "it is somebody's terminal",
    "cluster demo": "it tells what happens while it does",
    "demo": "it writes results.json",
    "localnet": "it runs until it is stopped",
    "schema": "it writes JSON anyway",
    "keeper run": "it runs until it is stopped, and its log is JSON",
    "operator serve": "as keeper run",
    "worker run": "as keeper run",
    "buyback run": "as keeper run",
    "api serve": "as keeper run",
    "rewards serve": "it runs until it is stopped",
}
ON = "--chain test.chain"
EARNER = Pubkey(another(1).payout)
TYPED = [
    f"network {ON}",
    f"supply {ON}",
    f"audit all {ON}",
    f"audit chain {ON}",
    f"audit programs {ON}",
    f"audit hour {ON}",
    f"audit pow {ON} --pow .",
    f"audit market {ON}",
    f"audit order {{order}} {ON}",
    f"audit bundle write all.bundle {ON}",
    "emission",
    f"class list {ON}",
    f"season show {ON}",
    f"vesting show {ON}",
    f"history {{device}} {ON} --limit 1",
    f"balance {{supplier}} {ON}",
    f"buyback show {ON}",
    f"faucet {{nobody}} {ON}",
    "chain new new.chain --keypair renter.json",
    "key new new.json",
    f"order list {ON}",
    f"order show {{order}} {ON}",
    f"order receipt {{order}} {ON}",
    f"order parked {ON}",
    f"device list {ON}",
    f"device show {{device}} {ON}",
    f"stake show --wallet {{supplier}} {ON}",
    f"stake estimate --class 'rtx 4090' --dir rewards {ON}",
    f"co-stake offers {ON}",
    f"market price {ON}",
    f"market quote --class 'rtx 4090' --currency io --hours 3 {ON}",
    f"market book {ON}",
    "market simulate --days 1 --devices 4 --attack half --share 50",
    "rewards show --dir rewards",
    "rewards proof --dir rewards --wallet {earner}",
    "rewards verify --dir rewards --hour 0",
    "rewards receipt --dir rewards --wallet {earner}",
    "pow profiles",
    "pow classes",
    "worker test",
    "worker doctor --keypair one.json",
    f"keeper once vesting {ON} --keypair supplier.json",
    f"keeper once emission --dry-run {ON} --keypair supplier.json",
    f"keeper status {ON}",
    f"keeper doctor {ON} --keypair supplier.json",
    f"keeper resume {ON}",
    "keeper retry",
    f"index {ON}",
    "db upgrade",
    "db rebuild",
    f"deploy {ON} --keypair admin.json --dry-run",
    f"send 1 io {{nobody}} {ON} --keypair renter.json --keyless --dry-run",
]
ELSEWHERE = {
    "clock advance": "test_localnet.py",
    "clock speed": "test_localnet.py",
    "cluster get": "test_renting.py",
    "cluster jobs": "test_renting.py",
    "cluster logs": "test_renting.py",
    "cluster metrics": "test_renting.py",
    "cluster put": "test_renting.py",
    "cluster status": "test_cluster.py",
    "cluster stop": "test_renting.py",
    "cluster submit": "test_renting.py",
    "cluster verdict": "test_cluster.py",
    "cluster wait": "test_cluster.py",
    "genesis": "test_deploy.py",
    "market replay": "test_ticks.py",
    "market why": "test_why.py",
    "order translate": "test_translating.py",
    "pow verify": "test_pow_verify.py",
    "rewards fetch": "test_rewards.py",
    "season publish": "test_money.py",
    "slash show": "test_slash.py",
    "worker enrol": "test_worker.py",
    "worker runtime": "test_worker.py",
    "worker status": "test_worker.py",
}
"""What a saved chain alone doesn't answer: where it is typed with --json."""


def test_every_command_answers_programs_or_says_why_not() -> None:
    for name, command in walk(COMMANDS):
        has = any("--json" in each.opts for each in command.params)
        assert has is (name not in WITHOUT), name
        assert (shapes()[name] is not None) is has, f"{name}: @answers ties a command to its shape"


def test_every_answer_is_typed_somewhere() -> None:
    names = {name for name, shape in shapes().items() if shape not in (None, Transactions)}
    here = {name for name in names if any(f"{each} ".startswith(f"{name} ") for each in TYPED)}
    assert here | set(ELSEWHERE) == names and not here & set(ELSEWHERE)
    for name, where in ELSEWHERE.items():
        words = r",\s+".join(f'"{word}"' for word in name.split())
        # With all that is typed before the list ends, or in a helper whose callers add it.
        text = (Path(__file__).parent / where).read_text()
        assert re.search(words, text) and '"--json"' in text, f"{where} doesn't type {name}"


@pytest.mark.parametrize("typed", TYPED, ids=lambda each: each.split(" --")[0])
def test_what_is_written_has_its_shape(ionet, there, typed: str) -> None:
    names = {"supplier": key("supplier").pubkey(), "earner": EARNER}
    code, out, err = ionet(*shlex.split(typed.format(**there, **names)), "--json")
    assert out, err  # the fixture has held it to its shape
    assert code in {0, 1} and "Traceback" not in err, err


@pytest.mark.parametrize(
    ("typed", "code", "error", "hint"),
    [
        ("order show", 2, "Missing argument 'order'.", "see ionet order show --help"),
        ("order show x --all", 2, "No such option: --all", "see ionet order show --help"),
        ("supply --chain nowhere", 1, "nowhere: no saved chain here", ""),
        ("nothing", 2, "No such command 'nothing'.", "see ionet --help"),
        ("market replay", 2, "Invalid value for '--tick' / '--hour' / '--all': name one of them", None),
        ("market replay --tick 5 --chain nowhere", 2, "nowhere: no saved chain here", ""),
    ],
)
def test_an_error_is_one_line(ionet, typed: str, code: int, error: str, hint: str | None) -> None:
    *found, err = ionet(*shlex.split(typed), "--json")
    assert found == [code, ""]
    (line,) = err.splitlines()
    said = json.loads(line)
    assert set(said) == {"error", "hint"} and error in said["error"]
    assert hint is None or said["hint"] == hint


def test_schemas_are_told(ionet) -> None:
    code, out, err = ionet("schema", "order", "show")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert found["$ref"] == "#/$defs/OrderShown"
    assert found == schema(shapes()["order show"])
    price = found["$defs"]["Order"]["properties"]["price"]
    assert (price["type"], price["format"]) == ("string", "base-units")
    assert price["description"] == "The most for a processor and hour."
    assert set(json.loads(ionet("schema", "error")[1])["$defs"]["Failure"]["properties"]) == {"error", "hint"}


def test_the_page_is_current() -> None:
    assert json_page.PAGE.read_text() == json_page.text(), "python -m scripts.json_page"
