"""What isn't answered is refused as Agave's node does it: number, words, and what comes with them."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from keeper.chain.framework import SYSTEM_PROGRAM, TOKEN_PROGRAM
from keeper.chain.token import transfer
from keeper.localnet.refusal import words
from keeper.localnet.rpc import MAX_BATCH, respond
from tests.keeper.chain.conftest import ALICE, BOB, pay
from tests.keeper.localnet.conftest import MINT, Local, new, tokens
from tests.keeper.localnet.test_methods import B64, encoded

ALICES = str(ALICE.pubkey())
INVALID = -32602


@pytest.mark.parametrize(
    ("method", "parameters", "code", "said"),
    [
        ("getNothing", [], -32601, "Method not found"),
        ("getBalance", [], INVALID, "`params` should have at least 1 argument(s)"),
        ("getBalance", ["abc"], INVALID, "Invalid param: WrongSize"),
        ("getBalance", [7], INVALID, "Invalid params: invalid type: integer, expected a string."),
        ("getBalance", [ALICES, 7], INVALID, "expected a map of settings."),
        ("getBalance", [ALICES, {"commitment": "sure"}], INVALID, "unknown variant `sure`"),
        ("getAccountInfo", [ALICES, {"encoding": "hex"}], INVALID, "unknown variant `hex`"),
        ("getMultipleAccounts", [[ALICES] * 101], INVALID, "Too many inputs provided; max 100"),
        ("getSignatureStatuses", [["1" * 64] * 257], INVALID, "Too many inputs provided; max 256"),
        ("getSignaturesForAddress", [ALICES, {"limit": 1_001}], INVALID, "Invalid limit; max 1000"),
        ("getTransaction", ["abc"], INVALID, "Invalid param: WrongSize"),
        (
            "getTransaction",
            ["1" * 64, {"commitment": "processed"}],
            INVALID,
            "Method does not support commitment below `confirmed`",
        ),
        ("getTokenAccountBalance", [ALICES], INVALID, "Invalid param: not a Token account"),
        ("getTokenAccountBalance", [str(BOB.pubkey())[::-1]], INVALID, "Invalid param"),
        ("getTokenSupply", [ALICES], INVALID, "Invalid param: not a Token mint"),
        (
            "getTokenAccountsByOwner",
            [ALICES, {"programId": ALICES}],
            INVALID,
            "Invalid param: unrecognized Token program id",
        ),
        (
            "getTokenAccountsByOwner",
            [ALICES, {"mint": ALICES}],
            INVALID,
            "Invalid param: could not find mint",
        ),
        ("getBlock", [3], -32004, "Block not available for slot 3"),
        ("getBlock", [1], -32007, "Slot 1 was skipped, or missing due to ledger jump to recent snapshot"),
        ("getBlock", [2], -32015, 'following configuration parameter: "maxSupportedTransactionVersion": 0'),
        ("getBlockTime", [99], -32004, "Block not available for slot 99"),
        ("getHighestSnapshotSlot", [], -32008, "No snapshot"),
        ("getSlot", [{"minContextSlot": 9}], -32016, "Minimum context slot has not been reached"),
        ("sendTransaction", ["!", B64], INVALID, "invalid base64 encoding"),
        ("sendTransaction", ["AA==", B64], INVALID, "failed to deserialize solana_transaction"),
        (
            "sendTransaction",
            ["A" * 1_700, B64],
            INVALID,
            "too large: 1700 bytes (max: encoded/raw",
        ),
        ("getMinimumBalanceForRentExemption", [-1], INVALID, "expected an integer from 0"),
        ("getMinimumBalanceForRentExemption", [True], INVALID, "invalid value: boolean"),
        ("getProgramAccounts", [ALICES, {"filters": [{"size": 1}]}], INVALID, "unknown filter"),
        ("getProgramAccounts", [ALICES, {"filters": [{"dataSize": 1}] * 5}], INVALID, "max 4"),
        ("ionet_setSpeed", [-1], INVALID, "a speed is a number from 0"),
        ("ionet_setSpeed", [True], INVALID, "a speed is a number from 0"),
        ("ionet_advance", [2**60], INVALID, "expected an integer from 0"),
        ("requestAirdrop", [ALICES, 10**18], -32002, "the faucet can't give that"),
    ],
)
async def test_a_question_that_is_wrong(
    local: Local, method: str, parameters: list[Any], code: int, said: str
) -> None:
    error = await local.refused(method, *parameters)
    assert error["code"] == code, error
    assert said in error["message"]


async def test_what_is_too_long_for_base58(local: Local) -> None:
    error = await local.refused("getAccountInfo", str(tokens(ALICE)))
    assert error == {
        "code": -32600,
        "message": "Encoded binary (base 58) data should be less than 128 bytes, please use Base64 encoding.",
    }


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", -32700),
        (b"{", -32700),
        (b"[" * 100_000, -32700),
        (b"\xff", -32700),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "getSlot", "params": [NaN]}', -32700),
        (b"[]", -32600),
        (b"7", -32600),
        (b'{"id": 1, "method": "getSlot"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": 7}', -32600),
        (b'{"jsonrpc": "2.0", "id": [1], "method": "getSlot"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "getSlot", "params": {"a": 1}}', -32602),
    ],
)
async def test_a_body_that_is_wrong(local: Local, body: bytes, code: int) -> None:
    answer = json.loads(await respond(local.node, body))
    assert answer["error"]["code"] == code
    assert set(answer) == {"jsonrpc", "error", "id"}


async def test_batches(local: Local) -> None:
    """Each question has its answer, a notice has none; more than fifty are refused as one."""
    question = {"jsonrpc": "2.0", "id": 1, "method": "getSlot"}
    notice = {"jsonrpc": "2.0", "method": "getSlot"}
    batch = json.dumps([question, notice, {**question, "id": "two", "method": "nothing"}, 7]).encode()
    answers = json.loads(await respond(local.node, batch))
    assert [each["id"] for each in answers] == [1, "two", None]
    assert [each.get("error", {}).get("code") for each in answers] == [None, -32601, -32600]
    assert await respond(local.node, json.dumps(notice).encode()) == b""
    whole = json.dumps([question] * MAX_BATCH).encode()
    assert len(json.loads(await respond(local.node, whole))) == MAX_BATCH
    more = json.dumps([question] * (MAX_BATCH + 1)).encode()
    assert json.loads(await respond(local.node, more))["error"]["code"] == -32600


async def test_a_transaction_that_a_program_refuses(local: Local) -> None:
    """The trial says why, and nothing is sent; without it the signature is answered, and it lands refused."""
    poor = transfer(tokens(ALICE), tokens(ALICE), ALICE.pubkey(), 2_000_000_000)
    sent = local.signed([pay(1), poor], ALICE)
    error = await local.refused("sendTransaction", encoded(sent), B64)
    assert error["code"] == -32002
    assert error["message"] == (
        "Transaction simulation failed: Error processing Instruction 1: custom program error: 0x1"
    )
    data = error["data"]
    assert data["err"] == {"InstructionError": [1, {"Custom": 1}]}
    assert data["accounts"] is None and data["unitsConsumed"] > 150
    assert data["logs"][-1] == f"Program {TOKEN_PROGRAM} failed: custom program error: 0x1"
    assert len(local.node.chain.transactions()) == 1
    signature = await local.ask("sendTransaction", encoded(sent), {**B64, "skipPreflight": True})
    (status,) = (await local.ask("getSignatureStatuses", [signature]))["value"]
    assert status["err"] == {"InstructionError": [1, {"Custom": 1}]}
    assert status["status"] == {"Err": status["err"]}


async def test_a_transaction_lands_once(local: Local) -> None:
    sent = encoded(local.signed([pay(1)], ALICE))
    first = await local.ask("sendTransaction", sent, B64)
    error = await local.refused("sendTransaction", sent, B64)
    assert (error["code"], error["data"]["err"]) == (-32002, "AlreadyProcessed")
    assert error["message"] == "Transaction simulation failed: This transaction has already been processed"
    assert await local.ask("sendTransaction", sent, {**B64, "skipPreflight": True}) == first
    assert len(local.node.chain.transactions()) == 2


async def test_signatures_are_verified(local: Local) -> None:
    message = local.signed([pay(1)], ALICE).message
    forged = encoded(VersionedTransaction.populate(message, [Signature(b"\x09" * 64)]))
    error = await local.refused("sendTransaction", forged, B64)
    assert error == {"code": -32003, "message": "Transaction signature verification failure"}
    await local.ask("sendTransaction", forged, {**B64, "skipPreflight": True})
    assert len(local.node.chain.transactions()) == 1
    error = await local.refused("simulateTransaction", forged, {**B64, "sigVerify": True})
    assert error["code"] == -32003


async def test_who_has_no_sol(local: Local) -> None:
    sent = local.signed([pay(1, payer=(poor := Keypair()))], poor)
    error = await local.refused("sendTransaction", encoded(sent), B64)
    assert (error["code"], error["data"]["err"]) == (-32002, "AccountNotFound")
    assert error["message"].endswith("Attempt to debit an account but found no record of a prior credit.")


async def test_a_blockhash_lasts_for_150_blocks_however_much_happens(local: Local) -> None:
    """Three hundred transactions in between take nothing from it; a hundred and fifty ticks end it."""
    chain = local.node.chain
    early, late = (local.signed([pay(amount)], ALICE) for amount in (1, 2))
    blockhash = str(early.message.recent_blockhash)
    for amount in range(300):
        chain.submit(local.signed([pay(amount + 10)], ALICE))
    for _ in range(150):
        chain.tick()
    assert (await local.ask("isBlockhashValid", blockhash))["value"] is True
    await local.ask("sendTransaction", encoded(early), B64)
    chain.tick()
    assert (await local.ask("isBlockhashValid", blockhash))["value"] is False
    error = await local.refused("sendTransaction", encoded(late), B64)
    assert error["message"] == "Transaction simulation failed: Blockhash not found"
    found = await local.ask("simulateTransaction", encoded(late), {**B64, "replaceRecentBlockhash": True})
    assert found["value"]["err"] is None
    assert (await local.ask("getFeeForMessage", _message(late)))["value"] is None


def _message(transaction: VersionedTransaction) -> str:
    from solders.message import to_bytes_versioned  # noqa: PLC0415

    return base64.b64encode(to_bytes_versioned(transaction.message)).decode()


async def test_a_network_that_others_reach_gives_nothing_away() -> None:
    local = Local(new(public=True))
    for method, parameters in (
        ("requestAirdrop", [ALICES, 1]),
        ("ionet_faucet", [ALICES]),
        ("ionet_advance", [1]),
        ("ionet_setSpeed", [1]),
    ):
        assert (await local.refused(method, *parameters))["code"] == -32601
    assert (await local.ask("getBalance", ALICES))["value"] > 0


def test_errors_in_the_runtime_s_words() -> None:
    assert words({"InstructionError": [2, "InvalidAccountData"]}) == (
        "Error processing Instruction 2: invalid account data for instruction"
    )
    assert words({"InsufficientFundsForRent": {"account_index": 3}}) == (
        "Transaction results in an account (3) with insufficient funds for rent"
    )
    assert words("InsufficientFundsForFee") == "Insufficient funds for fee"
    assert words("SomethingNew") == "SomethingNew"


async def test_an_account_that_is_no_program_is_called(local: Local) -> None:
    call = Instruction(MINT, b"", [])
    error = await local.refused("sendTransaction", encoded(local.signed([call], ALICE)), B64)
    assert error["code"] == -32002
    assert error["data"]["err"] in ("InvalidProgramForExecution", "ProgramAccountNotFound")
    assert SYSTEM_PROGRAM != MINT
