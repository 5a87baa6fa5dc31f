"""Keys: what is accepted, what is refused and why, and signer commands that misbehave."""

import base64
import json
import sys
import time
from pathlib import Path

import base58
import pytest
from solders.keypair import Keypair
from solders.system_program import TransferParams, transfer

from keeper.chain import SigningFailed
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.landing import land
from keeper.settings.keys import CommandSigner, KeyRefused, choose_signer, parse_keypair, read_private_keypair
from tests.keeper.chain.rpc_node import RpcNode, through
from tests.programs.world import key

ALICE, BOB = key("alice"), key("bob")
SIGNER = """
import base64, json, sys
from pathlib import Path
from solders.keypair import Keypair
keypair = Keypair.from_bytes(bytes(json.loads(Path(sys.argv[1]).read_text())))
message = base64.b64decode(sys.stdin.buffer.readline().strip(), validate=True)
print(base64.b64encode(bytes(keypair.sign_message(message))).decode())
"""


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "id.json"
    path.touch(0o600)
    path.write_text(json.dumps(list(bytes(ALICE))))
    return path


@pytest.fixture
def command(tmp_path):
    """Makes a signer command out of a Python program."""

    def make(program, *arguments, address=ALICE, seconds=20.0):
        path = tmp_path / "signer.py"
        path.write_text(program)
        return CommandSigner(
            " ".join(map(str, [sys.executable, path, *arguments])), address.pubkey(), seconds
        )

    return make


def test_a_file_of_its_owner_alone(key_file):
    assert read_private_keypair(key_file) == ALICE


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o601])
def test_a_file_that_others_can_open_is_refused_with_what_to_do(key_file, mode):
    key_file.chmod(mode)
    with pytest.raises(KeyRefused) as refusal:
        read_private_keypair(key_file)
    assert f"(mode {mode:04o}): run chmod 600 {key_file}" in str(refusal.value)


@pytest.mark.parametrize("content", ["", "[]", "[1, 2, 3]", "{}", "[300]", "7", json.dumps([0] * 65)])
def test_a_file_that_is_no_keypair(key_file, content):
    key_file.write_text(content)
    with pytest.raises(KeyRefused, match=r"id\.json: no keypair, a JSON list of 64 numbers"):
        read_private_keypair(key_file)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(KeyRefused, match="no keypair"):
        read_private_keypair(tmp_path / "none.json")


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(list(bytes(ALICE))),
        f"  {json.dumps(list(bytes(ALICE)))}\n",
        base58.b58encode(bytes(ALICE)).decode(),
        f"{base58.b58encode(bytes(ALICE)).decode()}\n",
    ],
)
def test_a_key_as_text(text):
    assert parse_keypair(text) == ALICE


@pytest.mark.parametrize("text", ["", "[", "[1]", "secret!", "abc", str(ALICE.pubkey())])
def test_a_text_that_is_no_key_is_not_repeated(text):
    with pytest.raises(KeyRefused) as refusal:
        parse_keypair(text)
    assert str(refusal.value) == "IONET_KEY: no keypair, a JSON list of 64 numbers or 64 bytes in base58"
    assert refusal.value.__cause__ is None


def test_which_key_is_taken(key_file):
    options = {"keypair": key_file, "key": None, "command": None, "address": None, "seconds": 1.0}
    assert choose_signer(**options) == ALICE
    as_text = {**options, "key": base58.b58encode(bytes(BOB)).decode()}
    assert choose_signer(**as_text) == BOB
    by_command = {**as_text, "command": "sign", "address": str(ALICE.pubkey())}
    assert choose_signer(**by_command) == CommandSigner("sign", ALICE.pubkey(), 1.0)
    for address in (None, "nobody"):
        with pytest.raises(KeyRefused, match="in IONET_SIGNER_ADDRESS"):
            choose_signer(**{**by_command, "address": address})


def test_a_command_signs(command, key_file):
    signer = command(SIGNER, key_file)
    assert signer.pubkey() == ALICE.pubkey()
    assert signer.sign_message(b"\x00\xffmessage") == ALICE.sign_message(b"\x00\xffmessage")


def test_a_command_that_signs_with_another_key(command, key_file):
    with pytest.raises(SigningFailed, match=r"not .*'s: is IONET_SIGNER_ADDRESS right\?"):
        command(SIGNER, key_file, address=BOB).sign_message(b"message")


def test_a_command_that_signed_something_else(command):
    wrong = base64.b64encode(bytes(ALICE.sign_message(b"another"))).decode()
    with pytest.raises(SigningFailed, match="IONET_SIGNER_ADDRESS"):
        command(f"print({wrong!r})").sign_message(b"message")


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("print('never')", "not a signature in base64"),
        ("print('AAAA')", "not a signature in base64"),
        ("", "not a signature in base64"),
        ("import sys; sys.exit('the vault is sealed')", "ended with 1: the vault is sealed"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "ended with -9: it said nothing"),
    ],
)
def test_a_command_that_gives_no_signature(command, program, message):
    with pytest.raises(SigningFailed, match=message):
        command(program).sign_message(b"message")


def test_a_command_that_there_is_not():
    with pytest.raises(SigningFailed, match="can't be run"):
        CommandSigner("/nowhere/signer", ALICE.pubkey(), 1.0).sign_message(b"message")


def test_a_command_that_hangs_is_ended_with_all_it_started(tmp_path):
    pid = tmp_path / "pid"
    hang = f"sh -c 'sleep 600 & echo $! > {pid}; wait'"
    began = time.monotonic()
    with pytest.raises(SigningFailed, match="took more than 3 seconds"):
        CommandSigner(hang, ALICE.pubkey(), 3.0).sign_message(b"message")
    assert time.monotonic() - began < 60, "it didn't wait for the child's end"
    child, until = Path(f"/proc/{pid.read_text().strip()}/stat"), time.monotonic() + 30
    while has_not_ended(child):
        assert time.monotonic() < until, "it goes on"
        time.sleep(0.01)


def has_not_ended(process):
    """Killed, it takes a moment; then it is gone, or not collected yet (Z)."""
    try:
        return process.read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def test_transactions_signed_by_a_command_land_on_both_chains(command, key_file):
    signer = command(SIGNER, key_file)
    pay = transfer(TransferParams(from_pubkey=ALICE.pubkey(), to_pubkey=BOB.pubkey(), lamports=10_000_000))
    embedded = EmbeddedChain()
    embedded.airdrop(ALICE.pubkey(), 10**9)
    assert (await embedded.send([pay], [signer])).signers == (ALICE.pubkey(),)

    behind = EmbeddedChain(verify_signatures=False)
    behind.airdrop(ALICE.pubkey(), 10**9)
    node = RpcNode(behind)
    async with through(node) as chain:
        assert (await land(chain, [pay], [signer], poll_seconds=0)).error is None
    for each in (embedded, behind):
        account = each.get(BOB.pubkey())
        assert account and account.lamports == 10_000_000


async def test_a_simulation_asks_no_signer(tmp_path):
    """A person may have to approve each signature."""
    chain = EmbeddedChain(verify_signatures=False)
    chain.airdrop(ALICE.pubkey(), 10**9)
    pay = transfer(TransferParams(from_pubkey=ALICE.pubkey(), to_pubkey=BOB.pubkey(), lamports=10_000_000))
    async with through(RpcNode(chain)) as rpc:
        record = await rpc.simulate([pay], [CommandSigner("/nowhere/signer", ALICE.pubkey(), 1.0)])
    assert record.error is None


async def test_a_keypair_beside_a_command(command, key_file):
    """Both kinds in one transaction, each at its place."""
    chain = EmbeddedChain()
    for each in (ALICE, BOB):
        chain.airdrop(each.pubkey(), 10**9)
    pay = transfer(TransferParams(from_pubkey=ALICE.pubkey(), to_pubkey=Keypair().pubkey(), lamports=10**8))
    record = await chain.send([pay], [BOB, command(SIGNER, key_file)])
    assert record.signers == (BOB.pubkey(), ALICE.pubkey())
