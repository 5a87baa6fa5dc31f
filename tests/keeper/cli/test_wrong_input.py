"""Everything that a user can get wrong on the command line: one or two lines that say what to do, no trace.

The files that are wrong are so for root as well: a folder in a file's place, a link to itself, a folder
that would be in a file.
"""

from __future__ import annotations

import json
import shlex
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest

from keeper.chain.embedded import EmbeddedChain
from keeper.cli.main import COMMANDS
from keeper.clients import orders, staking
from keeper.economy.calendar import month_start, parse_month
from keeper.economy.genesis import read_table
from keeper.rewards import publication
from keeper.settings import Settings
from tests.keeper.api.serving import serving
from tests.keeper.rewards.seen import publish_rows
from tests.keeper.rewards.tables import another, classes, rows
from tests.keeper.rewards.test_publication import EMITTED, START
from tests.programs.orders.world import HOUR, OrdersWorld
from tests.programs.world import key

FUTURE = month_start(parse_month("2090-01"))
NOBODY = str(key("nobody").pubkey())
GONE = "http://127.0.0.1:9"
"""Where no node answers."""
MANY = "9" * 5_000
OPERATORS = " ".join(f"--operator {key(f'operator {number}').pubkey()}" for number in range(3))
"""Those of the chain in the house."""


class Wrong(NamedTuple):
    """What is typed, with which settings; what it ends with (2 for usage), and what is said, in part."""

    typed: str
    said: str
    settings: Mapping[str, str] = MappingProxyType({})
    code: int = 1


def usage(typed: str, said: str) -> Wrong:
    return Wrong(typed, said, code=2)


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that is right: a chain with an order and a device, keys, people, published hours."""
    folder = tmp_path_factory.mktemp("house")
    world = OrdersWorld.ready(verify_signatures=True)
    world.chain.warp_to(FUTURE)
    renter = world.renter("renter")
    world.let("one", world.supplier("supplier"))
    world.chain.advance(1)
    world.order(renter)
    world.chain.save(folder / "test.chain")
    EmbeddedChain(now=FUTURE).save(folder / "empty.chain")
    for name in ("renter", "supplier", "one", "two", "authority", "poor", "admin"):
        _write_private(folder / f"{name}.json", json.dumps(list(bytes(key(name)))))
    people = {row.label: NOBODY for row in read_table()}
    (folder / "people.json").write_text(json.dumps(people))
    for number in range(2):
        hour = publication.Hour(number, START + number * HOUR, EMITTED * (number + 1))
        table = rows([another(n, work=int(n > 0)) for n in range(3)])
        publish_rows(folder / "rewards", hour, table, classes())
    _spoil(folder)
    return folder


def _write_private(path: Path, text: str) -> None:
    path.touch(0o600)
    path.write_text(text)


def _spoil(folder: Path) -> None:
    """Beside it, all that is wrong."""
    (folder / "folder").mkdir()
    (folder / "loop").symlink_to("loop")
    (folder / "binary").write_bytes(b"\xff\xfe" * 100)
    _write_private(folder / "binary.json", "")
    (folder / "binary.json").write_bytes(b"\xff\xfe" * 100)
    _write_private(folder / "short.json", "[1, 2, 3]")
    _write_private(folder / "deep.json", "[" * 100_000)
    _write_private(folder / "open.json", json.dumps(list(bytes(key("renter")))))
    (folder / "open.json").chmod(0o644)
    (folder / "list.json").write_text("[1]")
    (folder / "numbers.json").write_text('{"seed": 7}')
    (folder / "names.json").write_text('{"seed": "me"}')
    (folder / "few.json").write_text(json.dumps({"seed": NOBODY}))
    with sqlite3.connect(folder / "other.db") as other:
        other.execute("CREATE TABLE chain (x)")
    other.close()
    (folder / "garbage.db").write_bytes(b"garbage" * 1_000)
    with sqlite3.connect(folder / "later.db") as later:
        later.execute("CREATE TABLE alembic_version (version_num TEXT)")
        later.execute("INSERT INTO alembic_version VALUES ('9999')")
    later.close()
    shutil.copy(folder / "test.chain", folder / "damaged.chain")
    with sqlite3.connect(folder / "damaged.chain") as damaged:
        damaged.execute("UPDATE account SET lamports = '1' WHERE rowid = 1")
    damaged.close()
    broken = folder / "broken"
    shutil.copytree(folder / "rewards", broken)
    (broken / "0/inputs.csv").unlink()
    (broken / "0/inputs.csv").mkdir()
    manifest = broken / "1/manifest.json"
    changed = {**json.loads(manifest.read_text()), "emitted": "much"}
    manifest.write_text(json.dumps(changed, sort_keys=True, separators=(",", ":")))
    (broken / "1abc").mkdir()
    (broken / "1abc/manifest.json").touch()
    keys = folder / "keys"
    keys.mkdir()
    _write_private(keys / "tokenomics.json", json.dumps(list(bytes(key("other")))))


@pytest.fixture
def there(house: Path, tmp_path: Path) -> dict[str, str]:
    """The house as the working folder; what its addresses are called in what is typed."""
    shutil.copytree(house, tmp_path, symlinks=True, dirs_exist_ok=True)
    order = orders.order_address(key("renter").pubkey(), 1)
    return {
        "order": str(order),
        "device": str(staking.device_address(key("one").pubkey())),
        "config": str(orders.CONFIG),
        "terms": str(staking.CONFIG),
        "nobody": NOBODY,
        "guardian": str(key("guardian").pubkey()),
        "many": MANY,
        "long": "x" * 5_000,
    }


ON = "--chain test.chain"
AS_RENTER = f"{ON} --keypair renter.json"
AS_SUPPLIER = f"{ON} --keypair supplier.json"
CANCEL = "order cancel {order}"
CREATE = "order create --class 'rtx 4090' --price 3 --currency io --hours 10 --processors 4"
REGISTER = "device register --worker one.json --class 'rtx 4090' --country DE"
GENESIS = "genesis --yes --beneficiaries people.json --guardian {guardian} {operators} --test-usdc 1"
AS_ADMIN = f"{ON} --keypair admin.json"

CHAINS = [
    Wrong("supply --chain nowhere.chain", "nowhere.chain: no saved chain here"),
    Wrong("supply --chain folder", "folder: no saved chain here"),
    Wrong("supply --chain loop", "loop"),
    Wrong("supply --chain {long}", "File name too long"),
    Wrong("supply --chain ''", "no saved chain here"),
    Wrong("supply --chain binary", "binary: not a saved chain, or damaged"),
    Wrong("supply --chain other.db", "other.db: not a saved chain, or damaged"),
    Wrong("supply --chain damaged.chain", "damaged.chain: not a saved chain, or damaged"),
    Wrong("supply --chain empty.chain", "tokenomics is not initialised on this chain"),
    Wrong(f"supply --chain {GONE}", "Is the node running, and is --chain (or IONET_CHAIN) right?"),
    Wrong("supply --chain http://", "Is the node running"),
    Wrong("supply --chain 'http://[::1'", "the chain's URL is not valid"),
    Wrong("supply --chain http://host:port", "the chain's URL is not valid: write http://HOST:PORT"),
    Wrong("supply --chain http://host:99999", "the chain's URL is not valid"),
    Wrong("supply --chain http://☃.example", "the chain's URL is not valid"),
    Wrong("supply", "nowhere.chain: no saved chain here", {"IONET_CHAIN": "nowhere.chain"}),
    Wrong("index --chain nowhere.chain", "nowhere.chain: no saved chain here"),
    Wrong(f"index --chain {GONE}", "Is the node running"),
    Wrong("order list --chain empty.chain --renter x", "'x' is no address"),
    *(
        Wrong("supply", said, {"IONET_CHAIN": chain})
        for chain, said in (
            ('"https://host/?api-key=secret"', "neither a file nor an http(s) URL"),
            ("wss://host/?api-key=secret", "neither a file nor an http(s) URL"),
            ("https://user:secret/x@host", "the chain's URL is not valid"),
        )
    ),
    Wrong(f"{CANCEL} {ON} --keypair [1,2,3,secret]", "not the path of a key file"),
    Wrong(f"{CANCEL} {ON}", "not the path of a key file", {"IONET_KEYPAIR": "secret" * 15}),
    Wrong(f"order list --chain {GONE}", "Is the node running"),
    Wrong(f"device list --chain {GONE}", "Is the node running"),
    Wrong("pow profiles --table nowhere.json", "profiles nowhere.json"),
    Wrong("pow profiles --table folder", "profiles folder"),
    usage("pow verify", "Missing option '--hour'"),
    Wrong("pow classes --table nowhere.json", "no class table"),
    Wrong("pow classes --table folder", "no class table"),
    Wrong(f"slash show x --chain {GONE}", "Is the node running"),
    Wrong("slash show x --chain empty.chain", "there is no slash of x"),
    Wrong(f"buyback show --chain {GONE}", "Is the node running"),
    Wrong("buyback show --chain empty.chain", "buyback is not initialised on this chain"),
    Wrong(f"keeper run --once --chain {GONE} --keypair renter.json", "Is the node running"),
    Wrong(f"rewards verify --hour 0 --chain {GONE}", "Is the node running"),
    Wrong("rewards verify --hour 0 --chain nowhere.chain", "no saved chain here"),
    Wrong(f"deploy --chain {GONE} --keypair renter.json", "Is the node running"),
]
KEYS = [
    Wrong(f"{CANCEL} {ON} --keypair nowhere.json", "nowhere.json: no keypair, a JSON list of 64"),
    Wrong(f"{CANCEL} {ON} --keypair folder", "folder: no keypair"),
    Wrong(f"{CANCEL} {ON} --keypair loop", "loop: no keypair"),
    Wrong(f"{CANCEL} {ON} --keypair {{long}}", "not the path of a key file"),
    Wrong(f"{CANCEL} {ON} --keypair '~nobody/id'", "no keypair"),
    Wrong(f"{CANCEL} {ON} --keypair binary.json", "binary.json: no keypair"),
    Wrong(f"{CANCEL} {ON} --keypair short.json", "short.json: no keypair"),
    Wrong(f"{CANCEL} {ON} --keypair deep.json", "deep.json: no keypair"),
    Wrong(f"{CANCEL} {ON} --keypair open.json", "run chmod 600 open.json"),
    Wrong(
        f"{CANCEL} {ON} --keypair supplier.json",
        "must sign this: pass its key file with --keypair",
    ),
    Wrong(f"{CANCEL} {ON}", "IONET_KEY: no keypair", {"IONET_KEY": "secret"}),
    Wrong(f"{CANCEL} {ON}", "IONET_KEY: no keypair", {"IONET_KEY": "[" * 100_000}),
    Wrong(f"{CANCEL} {ON}", "in IONET_SIGNER_ADDRESS", {"IONET_SIGNER_COMMAND": "sign"}),
    Wrong(
        f"{CANCEL} {ON}",
        "in IONET_SIGNER_ADDRESS",
        {"IONET_SIGNER_COMMAND": "sign", "IONET_SIGNER_ADDRESS": "me"},
    ),
    Wrong(f"{CANCEL} {ON}", "No closing quotation", {"IONET_SIGNER_COMMAND": "sign '"}),
    Wrong(f"{CANCEL} {ON}", "IONET_SIGNER_COMMAND names no command", {"IONET_SIGNER_COMMAND": " "}),
    *(
        Wrong(
            f"{CANCEL} {ON} --yes",
            said,
            {"IONET_SIGNER_COMMAND": command, "IONET_SIGNER_ADDRESS": str(key("renter").pubkey())},
        )
        for command, said in (
            ("/nowhere/signer", "the signer command can't be run: No such file or directory"),
            ("folder", "the signer command can't be run"),
            ("false", "the signer command ended with 1: it said nothing"),
            ("echo no", "the signer command's answer is not a signature in base64"),
        )
    ),
    Wrong(f"{REGISTER} --keypair nowhere.json {ON}", "nowhere.json: no keypair"),
    Wrong(f"device register --worker folder --class x --country DE {AS_SUPPLIER}", "folder: no keypair"),
    Wrong(f"device register --worker open.json --class x --country DE {AS_SUPPLIER}", "chmod 600 open.json"),
    Wrong(f"device accept {{order}} --worker nowhere.json {AS_SUPPLIER}", "nowhere.json: no keypair"),
    Wrong(f"device take {{order}} --worker nowhere.json {AS_SUPPLIER}", "nowhere.json: no keypair"),
    Wrong(f"device ask {{device}} --ask-io 1 {ON} --keypair short.json", "short.json: no keypair"),
    Wrong(f"device pause {{device}} {ON} --keypair short.json", "short.json: no keypair"),
    Wrong(f"order extend {{order}} --hours 1 {ON} --keypair short.json", "short.json: no keypair"),
    Wrong(f"order end {{order}} {ON} --keypair short.json", "short.json: no keypair"),
    Wrong(f"{CREATE} {ON} --keypair short.json", "short.json: no keypair"),
    Wrong(f"order pay-parked {{nobody}} {ON} --keypair short.json", "short.json: no keypair"),
    Wrong(f"deploy {ON} --keypair short.json", "short.json: no keypair"),
    Wrong(f"{GENESIS} {ON} --keypair short.json", "short.json: no keypair"),
    Wrong(f"buyback first-price 1 {ON} --keypair short.json", "short.json: no keypair"),
    Wrong(f"buyback run --once {ON} --keypair short.json", "short.json: no keypair"),
    Wrong(f"buyback run --dry-run {ON} --keypair short.json", "short.json: no keypair"),
    Wrong(f"keeper run --once {ON} --keypair short.json", "short.json: no keypair"),
    Wrong(f"keeper once emission {ON} --keypair short.json", "short.json: no keypair"),
    Wrong(f"keeper once emission --dry-run {ON} --keypair short.json", "short.json: no keypair"),
]
TEXTS = [
    Wrong("emission --start soon", "'soon' is not a month; write it like 2024-07"),
    Wrong("emission --start {many}", "is not a month"),
    Wrong("emission --start 9999-12", "is past the calendar's end in 9999: use an earlier month"),
    Wrong("emission --csv --start 9990-01", "is past the calendar's end in 9999"),
    Wrong(f"{CREATE} --class Abacus {AS_RENTER}", "no class is called 'Abacus'; there are RTX 4090, M4"),
    Wrong(f"{CREATE} {'--class x ' * 8} {AS_RENTER}", "an order takes at most 8 classes, not 9"),
    Wrong(f"{CREATE} {'--country CH ' * 9} {AS_RENTER}", "an order takes at most 8 countries, not 9"),
    Wrong(
        f"{CREATE} --country Switzerland {AS_RENTER}", "'Switzerland' is no country: write its two letters"
    ),
    Wrong(f"{CREATE} --country éß {AS_RENTER}", "is no country"),
    Wrong(f"{CREATE} --country XX {AS_RENTER}", "'XX' is no country"),
    Wrong(f"{CREATE} --country ch --country CH {AS_RENTER}", "CH is there twice"),
    Wrong(f"{CREATE} --price 1,5 {AS_RENTER}", "'1,5' is not an amount of IO: write digits with a point"),
    Wrong(f"{CREATE} --price {{many}} {AS_RENTER}", "more than an account can hold"),
    Wrong(f"{CREATE} --price 0.000000001 {AS_RENTER}", "can't be paid exactly: IO has 8 decimals"),
    Wrong(f"{CREATE} --price 0 {AS_RENTER}", "orders: PriceInvalid"),
    Wrong(f"{CREATE} --price 1000000 {AS_RENTER}", "IO, but 40,100,000.00000000 are needed"),
    Wrong(f"{CREATE} --number 1 {AS_RENTER}", "an account that this would create is there already"),
    usage(f"{CREATE} --hours 0 {AS_RENTER}", "--hours"),
    usage(f"{CREATE} --hours 8761 {AS_RENTER}", "--hours"),
    usage(f"{CREATE} --hours many {AS_RENTER}", "--hours"),
    usage(f"{CREATE} --devices 10001 {AS_RENTER}", "--devices"),
    usage(f"{CREATE} --processors 9 {AS_RENTER}", "--processors"),
    usage(f"{CREATE} --tier 5 {AS_RENTER}", "--tier"),
    usage(f"{CREATE} --number -1 {AS_RENTER}", "--number"),
    usage(f"{CREATE} --number {2**64} {AS_RENTER}", "--number"),
    usage(f"{CREATE} --urgency usual {AS_RENTER}", "--urgency"),
    usage(f"{CREATE} --min-devices 0 {AS_RENTER}", "--min-devices"),
    Wrong(f"{CREATE} --min-devices 2 {AS_RENTER}", "name as many --devices at least"),
    usage("order create --class x --price 1 --currency gold --hours 1", "--currency"),
    usage(f"order create --price 1 --currency io --hours 1 {AS_RENTER}", "'--class': name it, or a --quote"),
    usage(f"order create --class x --currency io {AS_RENTER}", "'--hours': name it, or a --quote"),
    *(
        Wrong(f"order create --quote {name} {AS_RENTER}", said)
        for name, said in (
            ("nowhere.json", "nowhere.json can't be read: No such file or directory"),
            ("folder", "folder can't be read: Is a directory"),
            ("loop", "loop can't be read: Too many levels of symbolic links"),
            ("binary", "no quote that ionet market quote --json wrote"),
            ("list.json", "no quote that ionet market quote --json wrote"),
            ("deep.json", "no quote that ionet market quote --json wrote"),
        )
    ),
    Wrong(f"order create --quote list.json --hours 1 {AS_RENTER}", "leave --hours out, or the quote"),
    Wrong("order show abc --chain test.chain", "'abc' is no address: it takes 32 to 44 letters and digits"),
    Wrong("order show {many} --chain test.chain", "is no address"),
    Wrong("order show {nobody} --chain test.chain", "there is no order"),
    Wrong("order show {device} --chain test.chain", "there is no order"),
    Wrong("order show {config} --chain test.chain", "is no order"),
    usage("order show", "Missing argument"),
    Wrong("order receipt abc --chain test.chain", "'abc' is no address"),
    Wrong("order receipt {nobody} --chain test.chain", "there never was an order"),
    Wrong("history abc --chain test.chain", "'abc' is no address: it takes 32 to 44 letters and digits"),
    Wrong("history {nobody} --before 1-2 --chain test.chain", "'1-2' is no place in a history"),
    Wrong("history {nobody} --before {many}-0-0-0 --chain test.chain", "is no place in a history"),
    Wrong("history {nobody} --program poker --chain test.chain", "no program is called poker"),
    Wrong("history {nobody} --event Won --chain test.chain", "no event is called Won"),
    usage("history {nobody} --limit 0 --chain test.chain", "--limit"),
    usage("history", "Missing argument"),
    Wrong(f"order extend abc --hours 1 {AS_RENTER}", "'abc' is no address"),
    Wrong(
        f"order extend {{order}} --hours 1 {AS_RENTER}", "no lease of this order runs; see ionet order show"
    ),
    Wrong(f"order extend {{order}} --hours 1 --device abc {AS_RENTER}", "'abc' is no address"),
    usage(f"order extend {{order}} --hours 0 {AS_RENTER}", "--hours"),
    Wrong(f"order end {{order}} {AS_RENTER}", "no lease of this order is yours to end"),
    Wrong(f"order end {{order}} --device {{nobody}} {AS_RENTER}", "is yours to end; see ionet order show"),
    Wrong(f"order cancel {{nobody}} {AS_RENTER}", "there is no order"),
    Wrong("order parked --chain empty.chain", "orders is not set up on this chain: ionet deploy"),
    Wrong(f"order pay-parked abc {AS_RENTER}", "'abc' is no address"),
    Wrong(f"order pay-parked {{nobody}} {AS_RENTER}", "nothing is set aside for"),
    Wrong(
        f"{CREATE} --chain empty.chain --keypair renter.json",
        "orders is not set up on this chain: ionet deploy",
    ),
    Wrong(f"{REGISTER} --payout abc {AS_SUPPLIER}", "'abc' is no address"),
    Wrong(f"{REGISTER} --stake much {AS_SUPPLIER}", "'much' is not an amount of IO"),
    Wrong(f"{REGISTER} --ask-io much {AS_SUPPLIER}", "'much' is not an amount of IO"),
    Wrong(f"{REGISTER} --ask-usdc 1,5 {AS_SUPPLIER}", "'1,5' is not an amount of USDC"),
    Wrong(f"{REGISTER} --country Germany {AS_SUPPLIER}", "'Germany' is no country"),
    Wrong(f"{REGISTER} --class Abacus {AS_SUPPLIER}", "no class is called 'Abacus'"),
    Wrong(f"{REGISTER} {AS_SUPPLIER}", "an account that this would create is there already"),
    Wrong(
        f"{REGISTER} --chain empty.chain --keypair supplier.json",
        "this chain has no classes yet: ionet genesis",
    ),
    Wrong(f"{REGISTER} --worker supplier.json {AS_SUPPLIER}", "a machine's key is its own"),
    usage(f"{REGISTER} --processors 9 {AS_SUPPLIER}", "--processors"),
    usage(f"{REGISTER} --tier 0 {AS_SUPPLIER}", "--tier"),
    Wrong(f"device ask abc --ask-io 1 {AS_SUPPLIER}", "'abc' is no address"),
    Wrong(f"device ask {{nobody}} --ask-io 1 {AS_SUPPLIER}", "there is no device"),
    Wrong(f"device ask {{terms}} --ask-io 1 {AS_SUPPLIER}", "is no device"),
    Wrong(f"device ask {{device}} --ask-io -1 {AS_SUPPLIER}", "'-1' is not an amount of IO"),
    Wrong(f"device ask {{device}} --ask-io 1 {AS_RENTER}", "must sign this"),
    usage(f"device ask {{device}} --worker-may-end maybe {AS_SUPPLIER}", "unexpected extra argument"),
    Wrong(f"device pause abc {AS_SUPPLIER}", "'abc' is no address"),
    Wrong(f"device pause {{nobody}} {AS_SUPPLIER}", "there is no device"),
    Wrong(f"device pause {{device}} {AS_SUPPLIER}", "must sign this"),
    usage(f"device accept {{order}} {AS_SUPPLIER}", "Missing option '--worker'"),
    Wrong(f"device accept {{order}} --worker two.json {AS_SUPPLIER}", "there is no device"),
    Wrong(f"device accept abc --worker one.json {AS_SUPPLIER}", "'abc' is no address"),
    Wrong(f"device accept {{order}} --worker one.json {AS_SUPPLIER}", "may: ionet device take"),
    usage(f"device take {{order}} {AS_SUPPLIER}", "Missing option '--worker'"),
    Wrong(f"device take {{order}} --worker two.json {AS_SUPPLIER}", "there is no device"),
    Wrong(f"device take abc --worker one.json {AS_SUPPLIER}", "'abc' is no address"),
    Wrong(f"device take {{order}} --worker one.json {AS_RENTER}", "only the device's supplier"),
    Wrong(f"device take {{order}} --worker one.json {AS_SUPPLIER}", "only operators match this order"),
    Wrong("device list --chain test.chain --supplier abc", "'abc' is no address"),
    Wrong("device list --chain test.chain --class Abacus", "no class is called 'Abacus'"),
    Wrong(f"buyback first-price much {AS_ADMIN}", "'much' is not an amount of IO: write it like 4.25"),
    Wrong(f"buyback first-price {{many}} {AS_ADMIN}", "is not an amount of IO"),
    Wrong(f"buyback first-price 1 {AS_RENTER}", "only the admin of buyback"),
    Wrong(f"keeper once mining {AS_RENTER}", "no job is called mining; there are emission, vesting"),
    Wrong(f"keeper once attest {AS_RENTER}", "set IONET_POW"),
    Wrong(f"keeper once steps {AS_RENTER}", "the job steps needs an operator's folder of the market"),
    Wrong("db rebuild poker", "no program is called poker; there are tokenomics, staking, buyback, orders"),
    usage("order nonsense", "No such command 'nonsense'"),
    usage("mine", "No such command 'mine'"),
]
STAKES = [
    Wrong(f"stake show --wallet abc {ON}", "'abc' is no address"),
    Wrong(f"stake show {ON}", "no keypair"),
    Wrong(f"stake show --wallet {{nobody}} --chain {GONE}", "Is the node running"),
    Wrong(f"stake add abc 1 {AS_SUPPLIER}", "'abc' is no address"),
    Wrong(f"stake add {{nobody}} 1 {AS_SUPPLIER}", "there is no device"),
    Wrong(f"stake add {{terms}} 1 {AS_SUPPLIER}", "is no device"),
    Wrong(f"stake add {{device}} 1,5 {AS_SUPPLIER}", "'1,5' is not an amount of IO"),
    Wrong(f"stake add {{device}} 0 {AS_SUPPLIER}", "name an amount of IO above 0"),
    Wrong(f"stake add {{device}} 1000000 {AS_SUPPLIER}", "IO, but 1,000,000.00000000 are needed"),
    Wrong(f"stake add {{device}} 1 {AS_RENTER}", "must sign this"),
    Wrong(f"stake add {{device}} 1 {AS_SUPPLIER} --signer {{nobody}}", "--signer is for --output"),
    Wrong(f"stake add {{device}} 1 {AS_SUPPLIER} --fee-payer short.json", "short.json: no keypair"),
    Wrong(f"stake add {{device}} 1 {ON} --output base64 --signer abc", "'abc' is no address"),
    usage(f"stake add {{device}} 1 {AS_SUPPLIER} --output base58", "--output"),
    usage(f"stake add {{device}} {AS_SUPPLIER}", "Missing argument 'amount'"),
    Wrong(f"stake unstake {{device}} {AS_RENTER}", "must sign this"),
    Wrong(f"stake withdraw {{device}} {AS_SUPPLIER} --fee-payer poor.json", "nothing of it is in"),
    Wrong(f"stake add {{device}} 1 {AS_SUPPLIER} --fee-payer poor.json", "has 0 SOL, but 0.00001 are needed"),
    Wrong(f"send 1 io {{nobody}} {ON} --keypair poor.json", "has 0 SOL, but"),
    Wrong(f"stake withdraw {{device}} {AS_SUPPLIER}", "nothing of it is in its cooldown"),
    Wrong(f"stake withdraw {{device}} --to abc {AS_SUPPLIER}", "'abc' is no address"),
    Wrong(f"stake overflow {{device}} {AS_SUPPLIER}", "nothing is above what has to stay"),
    Wrong("stake estimate --class Abacus --chain test.chain", "no class is called 'Abacus'"),
    Wrong("stake estimate --class M4 --dir nowhere --chain test.chain", "no hour is published in nowhere"),
    usage("stake estimate --class M4 --hours 0", "--hours"),
    Wrong("co-stake offers --class Abacus --chain test.chain", "no class is called 'Abacus'"),
    Wrong(f"co-stake offer {{device}} --share 4 {AS_SUPPLIER}", "a co-staker gets 5 to 100 % of the rewards"),
    Wrong(f"co-stake offer {{device}} --share much {AS_SUPPLIER}", "'much' is no share"),
    Wrong(f"co-stake offer {{device}} --share 12.345 {AS_SUPPLIER}", "'12.345' is no share"),
    Wrong(f"co-stake offer {{device}} --share 5 --amount 501 {AS_SUPPLIER}", "up to half of the minimum"),
    Wrong(f"co-stake withdraw-offer {{device}} {AS_SUPPLIER}", "it has no open offer"),
    Wrong(f"co-stake take {{device}} {AS_RENTER}", "nobody is looked for as its co-staker"),
    Wrong(f"co-stake leave {{device}} {AS_RENTER}", "has no co-stake on this device"),
    Wrong(f"co-stake withdraw {{device}} --staker abc {AS_RENTER}", "'abc' is no address"),
    Wrong("device show {nobody} --chain test.chain", "there is no device"),
    Wrong(f"device change {{device}} {AS_SUPPLIER}", "has that tier and country already"),
    Wrong(f"device change {{device}} --country Germany {AS_SUPPLIER}", "'Germany' is no country"),
    usage(f"device change {{device}} --tier 9 {AS_SUPPLIER}", "--tier"),
    Wrong(f"device payout {{device}} abc {AS_SUPPLIER}", "'abc' is no address"),
    Wrong(f"device terminate {{device}} {AS_RENTER}", "must sign this"),
    Wrong(f"device close {{device}} {AS_SUPPLIER}", "only a terminated device is closed"),
    Wrong(f"device appeal {{device}} ab --statement list.json {AS_SUPPLIER}", "there is no slash"),
]
SHA256 = "ab" * 32
GOVERNING = [
    Wrong(f"network --chain {GONE}", "Is the node running"),
    Wrong("network --chain empty.chain", "tokenomics is not set up on this chain: ionet deploy"),
    Wrong(f"guardian pause poker orders {AS_RENTER}", "no program is called poker; there are tokenomics"),
    Wrong(f"guardian pause orders orders {AS_RENTER}", "only the guardian of orders"),
    usage(f"guardian pause orders {AS_RENTER}", "Missing argument"),
    usage(f"guardian pause orders orders --hours 169 {AS_RENTER}", "--hours"),
    Wrong(f"guardian lift orders {AS_RENTER}", "only the guardian of orders"),
    Wrong(f"guardian veto-block 0 {AS_RENTER}", "only the guardian of staking"),
    usage(f"guardian veto-block -- -1 {AS_RENTER}", "veto-block"),
    Wrong(f"guardian veto-slash {{device}} {SHA256} {AS_RENTER}", "only the guardian of staking"),
    Wrong(f"guardian hold {{order}} --hours 1 {AS_RENTER}", "only the guardian of orders"),
    Wrong(f"guardian cancel-params orders {AS_RENTER}", "only the guardian of orders"),
    Wrong(f"guardian cancel-class M4 {AS_RENTER}", "only the guardian of staking"),
    Wrong(f"guardian cancel-price M4 {AS_RENTER}", "only the guardian of staking"),
    Wrong(f"guardian cancel-season 1 {AS_RENTER}", "only the guardian of tokenomics"),
    Wrong(f"guardian cancel-first-price {AS_RENTER}", "only the guardian of buyback"),
    Wrong(f"guardian accept orders {AS_RENTER}", "nobody is named as the next guardian of orders"),
    Wrong(f"admin propose orders notice=1 {AS_RENTER}", "only the admin of orders"),
    Wrong(f"admin propose orders notice {AS_ADMIN}", "'notice' is no NAME=VALUE"),
    Wrong(f"admin propose orders notice=1 notice=2 {AS_ADMIN}", "notice is there twice"),
    Wrong(f"admin propose orders notice=-1 {AS_ADMIN}", "notice takes a whole number"),
    Wrong(f"admin propose orders notice={'9' * 30} {AS_ADMIN}", "notice"),
    Wrong(f"admin apply orders {AS_ADMIN}", "no parameters of orders wait for their notice"),
    Wrong(f"admin offer orders abc {AS_ADMIN}", "'abc' is no address"),
    Wrong(f"admin accept orders {AS_RENTER}", "the admin's role of orders is offered to nobody"),
    Wrong(f"admin propose-guardian orders abc {AS_ADMIN}", "'abc' is no address"),
    Wrong(f"admin change-class Abacus --multiplier 1 {AS_ADMIN}", "no class is called 'Abacus'"),
    Wrong(f"admin change-class M4 --multiplier much {AS_ADMIN}", "'much' is no multiplier"),
    Wrong(f"admin change-bounds M4 --low-io much {AS_ADMIN}", "'much' is not an amount of IO"),
    Wrong(f"operator vote-slash {{device}} --evidence {SHA256} --bps 1 {AS_RENTER}", "is no operator"),
    usage(f"operator vote-slash {{device}} --evidence {SHA256} --bps 0 {AS_RENTER}", "--bps"),
    Wrong(f"operator vote-fault {{order}} --evidence {SHA256} --good-hours 0 {AS_RENTER}", "is no operator"),
    Wrong(f"balance abc {ON}", "'abc' is no address"),
    Wrong(f"balance {{nobody}} --chain {GONE}", "Is the node running"),
    Wrong(f"send much io {{nobody}} {AS_RENTER}", "'much' is not an amount of IO"),
    Wrong(f"send 1 io me {AS_RENTER}", "'me' is no address"),
    usage(f"send 1 gold {{nobody}} {AS_RENTER}", "currency"),
    Wrong(f"burn much {AS_RENTER}", "'much' is not an amount of IO"),
    Wrong("key new folder", "folder: no key was written (File exists): a key is never overwritten"),
    Wrong("key new nowhere/key.json", "no key was written (No such file or directory)"),
    Wrong("class list --chain empty.chain", "this chain has no classes yet: ionet genesis"),
    Wrong(f"season show --chain {GONE}", "Is the node running"),
    Wrong(f"season claim 7 --points list.json {AS_RENTER}", "there is no season 7; there are none"),
    usage(f"season claim one --points list.json {AS_RENTER}", "season"),
    Wrong(
        f"season open 1 --points list.json --start soon --end 2090-03-01 {AS_RENTER}",
        "only the admin of tokenomics",
    ),
    Wrong(
        f"season open 1 --points nowhere --start 2090-02-01 --end 2090-03-01 {AS_ADMIN}",
        "nowhere can't be read: No such file or directory",
    ),
    Wrong(
        f"season open 1 --points list.json --start 2090-02-01 --end 2090-03-01 {AS_ADMIN}",
        "the file of points begins with '[1]'",
    ),
    Wrong("vesting show --chain empty.chain", "nothing vests before the launch: ionet genesis"),
    Wrong(f"vesting offer me {{nobody}} {AS_RENTER}", "no allocation is called 'me'; there are"),
    Wrong(f"vesting accept me {AS_RENTER}", "no allocation is called 'me'; there are"),
]
QUOTE = "market quote --class 'rtx 4090' --currency io --hours 10"
MARKET = [
    Wrong(f"market price --chain {GONE}", "Is the node running"),
    Wrong("market price --chain test.chain --class Abacus", "no class is called 'Abacus'"),
    Wrong(
        "market price --chain test.chain --hours 3", "--dir names an operator's folder of them, or --explain"
    ),
    Wrong("market price --chain test.chain --dir nowhere", "nowhere has no steps of the last 1 hours"),
    Wrong("market price --chain test.chain --dir binary", "binary"),
    usage("market price --chain test.chain --hours 0", "--hours"),
    usage("market price --chain test.chain --currency gold", "--currency"),
    Wrong(f"{QUOTE} --chain {GONE}", "Is the node running"),
    Wrong(f"{QUOTE} --chain empty.chain", "orders is not set up on this chain: ionet deploy"),
    Wrong(f"{QUOTE} --class Abacus {ON}", "no class is called 'Abacus'; there are RTX 4090, M4"),
    Wrong(f"{QUOTE} --country Germany {ON}", "'Germany' is no country"),
    Wrong(f"{QUOTE} --min-devices 2 {ON}", "name as many --devices at least"),
    Wrong(f"{QUOTE} {'--class x ' * 8} {ON}", "an order takes at most 8 classes, not 9"),
    usage(f"{QUOTE} --hours 0 {ON}", "--hours"),
    usage("market quote --currency io --hours 1", "--class"),
    Wrong(f"market book --chain {GONE}", "Is the node running"),
    Wrong("market book --chain test.chain --class Abacus", "no class is called 'Abacus'"),
    usage("market replay --chain test.chain", "name one of them"),
    usage("market replay --chain test.chain --tick 1 --hour 1", "name one of them"),
    usage("market replay --chain test.chain --all --hour 1", "name one of them"),
    usage("market replay --tick 1 --dir one --dir two", "several only with --all"),
    usage("market replay --tick 0", "--tick"),
    usage(f"market replay --tick {2**32}", "--tick"),
    usage(f"market replay --hour {2**32}", "--hour"),
    Wrong(f"market replay --tick 5 --chain {GONE}", "Is the node running", code=2),
    Wrong("market replay --tick 5 --chain nowhere.chain", "nowhere.chain: no saved chain here", code=2),
    Wrong(f"market replay --tick {2**31} {ON}", "isn't over, or not final yet", code=2),
    Wrong(f"market replay --hour {2**31} {ON}", "isn't over, or not final yet", code=2),
    usage("market why {device}", "Missing option '--tick'"),
    Wrong("market why abc --tick 5", "'abc' is no address"),
    Wrong(f"market why {{device}} --tick 5 --chain {GONE}", "Is the node running"),
    Wrong("market why {device} --tick 5 --dir nowhere", "tick 5 isn't in nowhere"),
    Wrong(f"market why {{nobody}} --tick {FUTURE // 30} {ON}", "there is no device"),
    Wrong(f"market why {{device}} --tick {2**31} {ON}", "isn't over, or not final yet"),
    usage("market simulate --days 0", "--days"),
    usage("market simulate --attack nonsense", "--attack"),
    usage("market simulate --attack margin --share 1 --devices 50", "1 % of 50 devices is none"),
    usage("market simulate --target 0", "--target"),
    usage("market simulate --step 1251", "--step"),
    usage("market simulate --shock soon", "isn't DAY:DEMAND or DAY:DEMAND:WORTH"),
    usage("market simulate --shock 1:2:3:4", "isn't DAY:DEMAND or DAY:DEMAND:WORTH"),
    usage("market simulate --shock 1:50:0", "both are 10,000 at most"),
    usage("market simulate --chart month.pdf", "a chart ends with .svg or .png"),
    Wrong("market simulate --chart nowhere/month.svg", "nowhere is no folder"),
    Wrong("market simulate --days 1 --devices 2 --chart {long}.svg", "File name too long"),
]
REWARDS = [
    Wrong("rewards show --dir nowhere", "no hour is published in nowhere: --dir (or IONET_REWARDS) names"),
    Wrong("rewards show --dir binary", "no hour is published in binary"),
    Wrong("rewards show --dir {long}", "can't be read: File name too long"),
    Wrong("rewards show", "no hour is published in folder", {"IONET_REWARDS": "folder"}),
    Wrong("rewards show --hour 9", "hour 9 is not in rewards"),
    usage("rewards show --hour -1", "--hour"),
    usage(f"rewards show --hour {2**32}", "--hour"),
    Wrong(
        "rewards show --dir broken --hour 1",
        "manifest.json is no manifest: emitted Input should be a valid integer",
    ),
    Wrong("rewards show --dir broken", "manifest.json is no manifest"),
    Wrong("rewards verify --dir broken --hour 0", "inputs.csv can't be read: Is a directory"),
    Wrong("rewards verify --hour 1 --chain empty.chain", "hour 1 is not on chain"),
    Wrong("rewards proof --wallet abc", "'abc' is no address"),
    Wrong("rewards receipt --wallet abc", "'abc' is no address"),
    Wrong("rewards receipt --wallet {nobody}", "has earned nothing by hour 1"),
    Wrong("rewards receipt --wallet {nobody} --dir nowhere", "no hour is published in nowhere"),
    usage("rewards receipt", "Missing option"),
    Wrong("rewards proof --wallet {nobody}", "has earned nothing by hour 1"),
    Wrong(f"rewards claim --wallet abc {AS_RENTER}", "'abc' is no address"),
    Wrong(f"rewards claim --wallet {{nobody}} {AS_RENTER}", "has earned nothing by hour 1"),
    Wrong(f"rewards claim --wallet {{nobody}} --dir nowhere {AS_RENTER}", "no hour is published in nowhere"),
    Wrong(f"rewards fetch {ON}", "--from (or IONET_PEERS) names who serves blocks"),
    Wrong(f"rewards fetch --from {GONE} {ON}", "no block is final yet"),
    Wrong(f"rewards fetch --hour 7 --from {GONE} {ON}", "hour 7 is not on chain"),
    Wrong(f"rewards fetch --from {GONE} --chain {GONE}", "Is the node running"),
    usage(f"rewards fetch --from {GONE} --hour {2**70}", "--hour"),
    Wrong("rewards serve --dir nowhere", "nowhere is no folder: --dir (or IONET_REWARDS) names"),
    Wrong("rewards serve --dir loop", "loop is no folder"),
    Wrong("rewards serve --port {taken}", "Address already in use): --host and --port name another place"),
    Wrong("rewards serve --host 192.0.2.1", "can't listen on 192.0.2.1:8080"),
    Wrong("rewards serve --host {long}", "--host and --port name another place"),
    usage("rewards serve --port 99999", "--port"),
    Wrong("demo --out binary", "binary can't be written: File exists; name another folder by --out"),
    Wrong("demo --out binary/under", "can't be written: Not a directory; name another folder by --out"),
    Wrong("demo --out loop/under", "can't be written: Too many levels of symbolic links"),
]
GENESES = [
    Wrong(
        f"genesis --beneficiaries people.json --guardian {{nobody}} {AS_ADMIN}",
        "name USDC's mint by --usdc-mint",
    ),
    Wrong(f"{GENESIS} --usdc-mint {{nobody}} {AS_ADMIN}", "name USDC's mint by --usdc-mint"),
    Wrong(f"{GENESIS} --guardian me {AS_ADMIN}", "'me' is no address"),
    Wrong(f"{GENESIS} --operator me {AS_ADMIN}", "'me' is no address"),
    Wrong(f"{GENESIS} --test-usdc 1,5 {AS_ADMIN}", "'1,5' is not an amount of USDC"),
    Wrong(f"{GENESIS} --start soon {AS_ADMIN}", "'soon' is not a month"),
    Wrong(
        f"genesis --beneficiaries people.json --guardian {{nobody}} --usdc-mint me {AS_ADMIN}",
        "'me' is no address",
    ),
    *(
        Wrong(
            f"{GENESIS} --beneficiaries {name} {AS_ADMIN}", f"{name}: no JSON object of labels and addresses"
        )
        for name in (
            "nowhere.json",
            "folder",
            "loop",
            "binary",
            "list.json",
            "numbers.json",
            "names.json",
            "deep.json",
        )
    ),
    Wrong(f"{GENESIS} --beneficiaries few.json {AS_ADMIN}", "rows without a beneficiary: series_a"),
    Wrong(f"{GENESIS} {AS_ADMIN}", "is not the genesis table's"),
    Wrong(f"{GENESIS} --guardian {{nobody}} {AS_ADMIN}", "this chain has a network that began otherwise"),
    Wrong(f"{GENESIS} --keys nowhere {AS_ADMIN}", "staking.json: no keypair"),
    Wrong(f"deploy {ON} --keypair admin.json --keys nowhere", "tokenomics.json: no keypair"),
    Wrong(f"deploy {ON} --keypair admin.json --keys binary", "tokenomics.json: no keypair"),
    Wrong(f"deploy {ON} --keypair admin.json --keys keys", "run toolchain/program_ids.py sync --keys keys"),
    Wrong("deploy --chain empty.chain --keypair poor.json", "Does the key that pays have SOL on this chain?"),
    usage(f"genesis {AS_ADMIN}", "--guardian"),
]
URLS = {
    "keeper.db": 2 * ("not a database's URL: write sqlite:///FILE or postgresql://...",),
    "postgresql://host:port/x": 2 * ("not a database's URL",),
    "mysql://localhost/x": 2 * ("the keeper can't use a mysql database; use sqlite or postgresql",),
    "sqlite://": 2 * ("needs a file: sqlite:///keeper.db",),
    "sqlite:///:memory:": 2 * ("needs a file: sqlite:///keeper.db",),
    "sqlite:///folder": 2 * ("unable to open database file",),
    "sqlite:///binary/x.db": ("binary: File exists", "binary/x.db: Not a directory"),
    "sqlite:///loop": ("unable to open database file", "loop: Too many levels of symbolic links"),
    "sqlite:///garbage.db": 2 * ("file is not a database",),
    "sqlite:///later.db": (
        "'9999'; its tables are another version's: use the keeper that made them",
        "its schema is at 9999",
    ),
    "sqlite:///other.db": ("table chain already exists", "its tables, such as chain, are not the keeper's"),
    "postgresql://nobody:secret@127.0.0.1:9/x": 2 * ("is IONET_DATABASE right?",),
    "postgresql:///x?user=nobody&password=secret&host=127.0.0.1&port=9": 2 * ("is IONET_DATABASE right?",),
    "postgresql://nobody@127.0.0.1:9/x?nonsense=1": 2 * ("nonsense",),
}
"""What whoever makes a database, and whoever only reads one, says of it."""
DATABASES = [
    *(Wrong("db upgrade", made, {"IONET_DATABASE": url}) for url, (made, _) in URLS.items()),
    *(Wrong("keeper retry", read, {"IONET_DATABASE": url}) for url, (_, read) in URLS.items()),
    *(
        Wrong(typed, URLS[url][0], {"IONET_DATABASE": url})
        for url in ("keeper.db", "sqlite:///folder", "postgresql://nobody:secret@127.0.0.1:9/x")
        for typed in (
            "db rebuild staking",
            f"keeper status {ON}",
            f"keeper resume {ON}",
            f"index {ON}",
            f"keeper run --once {AS_RENTER}",
            f"keeper once emission {AS_RENTER}",
        )
    ),
]
RUN = f"keeper run --once {AS_RENTER}"
SERVE = f"keeper run {AS_RENTER}"
ANY_TEXT = {"name", "price_path", "price_time_path"}
"""What may be anything; a file that it names may not, see above, and the doctor looks for the folder."""
SETTINGS = {
    "signer_seconds": "0",
    "websocket": "127.0.0.1",
    "fee_percentile": "101",
    "fee_highest": "-1",
    "fee_daily": "1.5",
    "check_seconds": "often",
    "jobs": '["mining"]',
    "peers": '["127.0.0.1"]',
    "http": "9464",
    "pow_http": "off",
    "pow_metrics": "9471",
    "pow_line": "0",
    "pow_connections": "63",
    "balance_warning": "NaN",
    "balance_stop": "-1",
    "lag_slots": "0",
    "lag_hours": "0",
    "bid_max_io": "800000001",
    "bid_margin_bps": "10000",
    "price_url": "ftp://prices",
    "price_max_age": "0",
    "price_max_deviation_bps": "0",
    "operators": '["127.0.0.1"]',
    "log": "loud",
}
MORE_SETTINGS = [
    Wrong(RUN, "IONET_JOBS: write a JSON list", {"IONET_JOBS": "emission"}),
    Wrong(RUN, "no job is called", {"IONET_JOBS": '["mining"]'}),
    Wrong(RUN, "IONET_PEERS: write a JSON list", {"IONET_PEERS": "http://127.0.0.1"}),
    Wrong(RUN, "IONET_HTTP: write it like 127.0.0.1:9464, or off", {"IONET_HTTP": "host:99999"}),
    Wrong(RUN, "IONET_HTTP: write it like 127.0.0.1:9464, or off", {"IONET_HTTP": "host:²"}),
    Wrong(RUN, "IONET_POW_HTTP: write it like 127.0.0.1:9470", {"IONET_POW_HTTP": "host:99999"}),
    Wrong(RUN, "IONET_POW_METRICS: write it like 127.0.0.1:9471, or off", {"IONET_POW_METRICS": "on"}),
    Wrong(f"operator serve {AS_RENTER}", "IONET_POW names the folder"),
    Wrong(
        "rewards serve --dir .", "IONET_MARKET names where ticks and steps are", {"IONET_MARKET": "nowhere"}
    ),
    Wrong(f"operator serve {AS_RENTER}", "is no operator of this network", {"IONET_POW": "pow"}),
    Wrong(f"operator serve {AS_RENTER} --ray 127.0.0.1:1", "ionet[ray]", {"IONET_POW": "pow"}),
    Wrong(RUN, "IONET_BALANCE_STOP is above IONET_BALANCE_WARNING", {"IONET_BALANCE_STOP": "1"}),
    Wrong(SERVE, "set IONET_HTTP to another address, or to off", {"IONET_HTTP": "192.0.2.1:9464"}),
    Wrong(
        SERVE,
        "set IONET_HTTP to another address, or to off",
        {"IONET_HTTP": "127.0.0.1:{taken}"},
    ),
]
ENROL = "worker enrol --class 'rtx 4090' --backend numpy --keypair one.json"
WORKERS = [
    Wrong("worker run --keypair short.json", "short.json: no keypair"),
    Wrong("worker run --keypair one.json", "is not enrolled in worker: run ionet worker enrol --class"),
    Wrong("worker status --keypair one.json", "is not enrolled in worker: run ionet worker enrol --class"),
    Wrong("worker enrol --class Abacus --keypair one.json", "no class is called 'Abacus'; there are"),
    Wrong(ENROL, "choose the class that this machine is"),
    Wrong(f"{ENROL} --new one.json", "a key is never overwritten"),
    Wrong(ENROL, "binary can't be read and written (File exists)", {"IONET_WORKER": "binary"}),
    Wrong("worker test --profile 999", "there is no profile 999; there are 0, 1"),
    usage(f"{ENROL} --backend abacus", "--backend"),
    usage("worker enrol", "Missing option '--class'"),
    usage("worker test --processors 9", "--processors"),
    usage("worker status --count 0", "--count"),
]
HERE = "localnet --rpc 127.0.0.1:0"
LOCALNETS = [
    Wrong("localnet --rpc nonsense", "'nonsense' is no place to listen: write HOST:PORT"),
    Wrong("localnet --rpc 127.0.0.1:65535", "is no place to listen"),
    Wrong("localnet --rpc 127.0.0.1:²", "is no place to listen"),
    Wrong("localnet --rpc 0.0.0.0:8899", "others may reach 0.0.0.0: with --public that is allowed"),
    Wrong("localnet --rpc 127.0.0.1:{taken}", "Address already in use): is another network running?"),
    Wrong("localnet --rpc 192.0.2.1:8899 --public", "can't listen on 192.0.2.1:8899"),
    Wrong(f"{HERE} --faults rain=1", "'rain=1' is no fault: write drop=0.1"),
    Wrong(f"{HERE} --faults drop=2", "'drop=2' is no fault"),
    Wrong(f"{HERE} --faults drop=0.1,drop=0.1", "'drop=0.1' is no fault"),
    Wrong(f"{HERE} --faults delay=nan", "'delay=nan' is no fault"),
    Wrong(f"{HERE} --chain gone.chain", "gone.chain: no saved chain here"),
    Wrong(f"{HERE} --chain folder", "folder: no saved chain here"),
    Wrong(f"{HERE} --chain binary", "binary: not a saved chain, or damaged"),
    Wrong(f"{HERE} --chain loop", "loop: no saved chain here"),
    Wrong(f"{HERE} --chain test.chain --state mid", "--chain names a chain, --state one of ours"),
    Wrong(f"{HERE} --state end", "there is no out/demo/network.chain yet: run make demo"),
    Wrong(f"{HERE} --state mid", "there is no out/demo/mid.chain yet: run make demo"),
    Wrong(f"{HERE} --chain test.chain --keeper", "there is no keys/keeper.json for a keeper to sign with"),
    Wrong(f"{HERE} --folder binary", "binary can't be written: File exists; name another by --folder"),
    Wrong(f"{HERE} --folder loop/under", "can't be written: Too many levels of symbolic links"),
    usage(f"{HERE} --state late", "'late' is not one of"),
    usage(f"{HERE} --speed -1", "--speed"),
    usage(f"{HERE} --speed 1e9", "--speed"),
    Wrong("clock advance soon", "'soon' is no time to move on by: write 90s, 45m, 2h or 7d"),
    Wrong("clock advance {many}", "is no time to move on by"),
    Wrong(f"clock advance 1h {ON}", "test.chain is a file: name the running network"),
    Wrong(f"clock advance 1h --chain {GONE}", "the RPC node doesn't answer"),
    Wrong(f"clock speed 2 --chain {GONE}", "the RPC node doesn't answer"),
    usage("clock speed -- -1", "greater than or equal to 0"),
    Wrong("chain new test.chain --keypair renter.json", "test.chain is there already"),
    Wrong("chain new new.chain --keypair gone.json", "gone.json"),
    Wrong("chain new binary/under --keypair renter.json", "binary/under can't be written: Not a directory"),
    Wrong(
        "chain new loop/under --keypair renter.json", "can't be written: Too many levels of symbolic links"
    ),
    Wrong(f"faucet me {ON}", "'me' is no address"),
    Wrong("faucet {nobody} --chain gone.chain", "gone.chain: no saved chain here"),
    Wrong("faucet {nobody} --chain binary", "binary: not a saved chain, or damaged"),
    Wrong(f"faucet {{nobody}} --chain {GONE}", "the RPC node doesn't answer"),
]
TABLE = [
    *CHAINS,
    *KEYS,
    *TEXTS,
    *STAKES,
    *GOVERNING,
    *MARKET,
    *REWARDS,
    *GENESES,
    *DATABASES,
    *MORE_SETTINGS,
    *WORKERS,
    *LOCALNETS,
]
TABLE += [
    Wrong(RUN, f"IONET_{name.upper()}", {f"IONET_{name.upper()}": value}) for name, value in SETTINGS.items()
]


@pytest.fixture
def taken() -> Iterator[str]:
    """A port that somebody else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield str(listener.getsockname()[1])


def _called(wrong: Wrong) -> str:
    settings = (f"{name}={value[:30]}" for name, value in wrong.settings.items())
    return " ".join([*settings, wrong.typed[:70]])


@pytest.mark.parametrize("wrong", TABLE, ids=_called)
def test_what_is_said(ionet, there, taken, monkeypatch, wrong: Wrong) -> None:
    known = {**there, "taken": taken}
    for name, value in wrong.settings.items():
        monkeypatch.setenv(name, value.replace("{taken}", taken))
    arguments = [each.format(**known) for each in shlex.split(wrong.typed.replace("{operators}", OPERATORS))]
    code, _, err = ionet(*arguments)
    assert code == wrong.code, err
    assert "Traceback" not in err
    assert wrong.said in " ".join(err.split()), err
    if code == 1:
        said = [line for line in err.splitlines() if not line.startswith("{")]
        assert said[0].startswith("error: ") and len(said) <= 2, err
    assert "secret" not in err


def test_every_command_is_in_the_table() -> None:
    typed = {" ".join(shlex.split(each.typed)[:2]) for each in TABLE}
    lacking = {name for name in _commands() if not any(f"{each} ".startswith(f"{name} ") for each in typed)}
    # What is wrong is its table: it is no error.
    assert lacking == {"keeper doctor", "worker doctor"}


def _commands() -> Iterator[str]:
    for each in COMMANDS:
        found = each.load()
        group = getattr(found, "commands", None)
        yield from [f"{each.name} {name}" for name in group] if group else [str(each.name)]


def test_every_setting_is_in_the_table() -> None:
    tried = {name.removeprefix("IONET_").lower() for each in TABLE for name in each.settings}
    assert set(Settings.model_fields) - tried == ANY_TEXT


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"IONET_CHIAN=x", "ionet.env: no setting is called IONET_CHIAN"),
        (b"PATH=x", "ionet.env: no setting is called PATH"),
        (b"IONET_NAME=\xff", "ionet.env is not UTF-8 text"),
        (b"IONET_LAG_SLOTS=x", "IONET_LAG_SLOTS: Input should be a valid integer"),
    ],
)
def test_a_file_of_settings(ionet, content: bytes, said: str) -> None:
    Path("ionet.env").write_bytes(content)
    code, _, err = ionet("rewards", "show")
    assert (code, len(err.splitlines())) == (1, 1)
    assert err.startswith(f"error: {said}"), err


def test_several_settings_are_named_at_once(ionet, monkeypatch) -> None:
    monkeypatch.setenv("IONET_LAG_SLOTS", "x")
    monkeypatch.setenv("IONET_LAG_HOURS", "0")
    code, _, err = ionet("rewards", "show")
    assert (code, len(err.splitlines())) == (1, 2)
    assert "IONET_LAG_SLOTS: " in err and "IONET_LAG_HOURS: " in err


def test_a_web_page_in_place_of_a_node(ionet, there) -> None:
    with serving(Path("rewards")) as url:
        code, _, err = ionet("supply", "--chain", url)
    assert code == 1
    assert err.startswith("error: the RPC node doesn't answer: HTTP status 40") and len(err.splitlines()) == 2


DEFECT = """
import sys
from keeper.cli import emission, main

def defect(start):
    raise ValueError("this can't be")

emission.years = defect
sys.argv = ["ionet", "emission"]
main.main()
"""


def test_a_defect_shows_its_trace() -> None:
    done = subprocess.run([sys.executable, "-c", DEFECT], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" in done.stderr and "this can't be" in done.stderr and "in emission" in done.stderr
    assert "error:" not in done.stderr
