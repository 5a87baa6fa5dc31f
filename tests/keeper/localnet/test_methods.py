"""Every method: its answer is read by Agave's own types (solders'), and its figures are the chain's."""

from __future__ import annotations

import base64
from typing import Any

import base58
import pytest
from solders.message import to_bytes_versioned
from solders.pubkey import Pubkey
from solders.rpc import responses
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from keeper.chain.framework import SYSTEM_PROGRAM, TOKEN_PROGRAM
from keeper.chain.heads import APART
from keeper.chain.token import create_associated, transfer
from keeper.localnet.methods import METHODS
from scripts import localnet_methods
from tests.keeper.chain.conftest import ADMIN, ALICE, BOB, LAMPORTS, pay
from tests.keeper.localnet.conftest import GENESIS, MINT, NOW, Local, tokens

OWN = {"ionet_advance", "ionet_setSpeed", "ionet_faucet"}
"""Methods that no other node has."""
REFUSED = {"getHighestSnapshotSlot"}
B64 = {"encoding": "base64"}
PARSED = {"encoding": "jsonParsed"}
RENT = 2_039_280
"""What a token account of 165 bytes keeps, lamports."""


def encoded(transaction: VersionedTransaction) -> str:
    return base64.b64encode(bytes(transaction)).decode()


def calls(local: Local) -> dict[str, list[Any]]:
    """A question of each method."""
    alice, token, mint = str(ALICE.pubkey()), str(tokens(ALICE)), str(MINT)
    sent = local.node.chain.transactions()[0].signature
    message = local.signed([pay(5)], ALICE).message
    return {
        "getAccountInfo": [alice, B64],
        "getBalance": [alice],
        "getBlock": [2, {"maxSupportedTransactionVersion": 0}],
        "getBlockHeight": [],
        "getBlockTime": [2],
        "getBlocks": [0],
        "getBlocksWithLimit": [0, 5],
        "getClusterNodes": [],
        "getEpochInfo": [],
        "getEpochSchedule": [],
        "getFeeForMessage": [base64.b64encode(to_bytes_versioned(message)).decode()],
        "getFirstAvailableBlock": [],
        "getGenesisHash": [],
        "getHealth": [],
        "getIdentity": [],
        "getLargestAccounts": [],
        "getLatestBlockhash": [],
        "getMinimumBalanceForRentExemption": [165],
        "getMultipleAccounts": [[alice, str(Pubkey(b"\x55" * 32))], B64],
        "getProgramAccounts": [str(TOKEN_PROGRAM), B64],
        "getRecentPerformanceSamples": [5],
        "getRecentPrioritizationFees": [[alice]],
        "getSignatureStatuses": [[str(sent), str(Signature.default())]],
        "getSignaturesForAddress": [str(ADMIN.pubkey())],
        "getSlot": [],
        "getSlotLeader": [],
        "getSlotLeaders": [1, 3],
        "getSupply": [],
        "getTokenAccountBalance": [token],
        "getTokenAccountsByDelegate": [alice, {"mint": mint}, B64],
        "getTokenAccountsByOwner": [alice, {"mint": mint}, B64],
        "getTokenLargestAccounts": [mint],
        "getTokenSupply": [mint],
        "getTransaction": [str(sent), {"maxSupportedTransactionVersion": 0}],
        "getTransactionCount": [],
        "getVersion": [],
        "getVoteAccounts": [],
        "isBlockhashValid": [str(local.node.chain.latest_blockhash())],
        "minimumLedgerSlot": [],
        "requestAirdrop": [alice, 10**9],
        "sendTransaction": [encoded(local.signed([pay(7)], ALICE)), B64],
        "simulateTransaction": [encoded(local.signed([pay(8)], ALICE)), B64],
    }


FIGURES: dict[str, Any] = {
    "getBalance": LAMPORTS,
    "getBlockHeight": 1,
    "getBlockTime": NOW,
    "getBlocks": [0, 2],
    "getBlocksWithLimit": [0],
    "getFeeForMessage": 5_000,
    "getFirstAvailableBlock": 0,
    "getGenesisHash": GENESIS,
    "getMinimumBalanceForRentExemption": RENT,
    "getSlot": 2,
    "getTransactionCount": 1,
    "isBlockhashValid": True,
    "minimumLedgerSlot": 0,
    "getTokenAccountsByDelegate": [],
}


def test_there_is_a_question_of_each_method(local: Local) -> None:
    assert set(METHODS) == set(calls(local)) | OWN | REFUSED


def test_the_page_has_all_of_them() -> None:
    """docs/localnet.md has its tables from the methods themselves: python -m scripts.localnet_methods."""
    assert localnet_methods.PAGE.read_text() == localnet_methods.text()


@pytest.mark.parametrize("method", sorted(set(METHODS) - OWN - REFUSED))
async def test_agave_s_own_types_read_the_answer(local: Local, method: str) -> None:
    name = {"minimumLedgerSlot": "MinimumLedgerSlotResp", "isBlockhashValid": "IsBlockhashValidResp"}.get(
        method, f"{method[0].upper()}{method[1:]}Resp"
    )
    text = await local.raw(method, *calls(local)[method])
    answer = getattr(responses, name).from_json(text)
    assert type(answer).__name__ == name, text
    if method in FIGURES:
        assert answer.value == FIGURES[method]


async def test_an_account_in_each_encoding(local: Local) -> None:
    mint, token = str(MINT), str(tokens(ALICE))
    account = local.node.chain.get(MINT)
    assert account is not None
    data = account.data
    found = {
        encoding: (await local.ask("getAccountInfo", mint, {"encoding": encoding}))["value"]
        for encoding in ("base58", "base64", "base64+zstd", "jsonParsed")
    }
    assert found["base58"]["data"] == [base58.b58encode(data).decode(), "base58"]
    assert found["base64"]["data"] == [base64.b64encode(data).decode(), "base64"]
    frame = base64.b64decode(found["base64+zstd"]["data"][0])
    assert frame == b"\x28\xb5\x2f\xfd\xe0" + len(data).to_bytes(8, "little") + bytes([145, 2, 0]) + data
    assert found["jsonParsed"]["data"] == {
        "program": "spl-token",
        "parsed": {
            "type": "mint",
            "info": {
                "mintAuthority": str(ADMIN.pubkey()),
                "supply": "1000000000",
                "decimals": 6,
                "isInitialized": True,
                "freezeAuthority": None,
            },
        },
        "space": 82,
    }
    assert (await local.ask("getAccountInfo", mint))["value"]["data"] == base58.b58encode(data).decode()
    amount = {"amount": "1000000000", "decimals": 6, "uiAmount": 1000.0, "uiAmountString": "1000"}
    assert (await local.ask("getAccountInfo", token, PARSED))["value"] == {
        "lamports": RENT,
        "owner": str(TOKEN_PROGRAM),
        "executable": False,
        "rentEpoch": 2**64 - 1,
        "space": 165,
        "data": {
            "program": "spl-token",
            "parsed": {
                "type": "account",
                "info": {
                    "isNative": False,
                    "mint": mint,
                    "owner": str(ALICE.pubkey()),
                    "state": "initialized",
                    "tokenAmount": amount,
                },
            },
            "space": 165,
        },
    }
    assert '"rentEpoch":18446744073709551615' in await local.raw("getAccountInfo", token, B64)
    sliced = {**B64, "dataSlice": {"offset": 64, "length": 8}}
    (part, _) = (await local.ask("getAccountInfo", token, sliced))["value"]["data"]
    assert int.from_bytes(base64.b64decode(part), "little") == 1_000_000_000


async def test_accounts_of_a_program_by_size_and_content(local: Local) -> None:
    alice = bytes(ALICE.pubkey())
    patterns: list[dict[str, Any]] = [
        {"bytes": base58.b58encode(alice).decode()},
        {"bytes": base58.b58encode(alice).decode(), "encoding": "base58"},
        {"bytes": base64.b64encode(alice).decode(), "encoding": "base64"},
        {"bytes": list(alice)},
    ]
    for each in patterns:
        filters = [{"dataSize": 165}, {"memcmp": {"offset": 32, **each}}]
        found = await local.ask("getProgramAccounts", str(TOKEN_PROGRAM), {**B64, "filters": filters})
        assert [each["pubkey"] for each in found] == [str(tokens(ALICE))]
    nothing = {**B64, "filters": [{"dataSize": 83}], "withContext": True, "minContextSlot": None}
    found = await local.ask("getProgramAccounts", str(TOKEN_PROGRAM), nothing)
    assert found == {"context": {"apiVersion": "4.1.1", "slot": 2}, "value": []}


async def test_a_transfer_of_tokens_as_explorers_show_it(local: Local) -> None:
    """In JSON, parsed, and as bytes: with lamports and tokens before and after."""
    alice, bob = tokens(ALICE), tokens(BOB)
    opening = create_associated(ALICE.pubkey(), BOB.pubkey(), MINT)
    sent = local.signed([opening, transfer(alice, bob, ALICE.pubkey(), 250_000_000)], ALICE)
    signature = str(sent.signatures[0])
    assert await local.ask("sendTransaction", encoded(sent), B64) == signature
    known = {"maxSupportedTransactionVersion": 0}
    found = await local.ask("getTransaction", signature, known)
    keys = found["transaction"]["message"]["accountKeys"]
    meta = found["meta"]
    assert (found["slot"], found["blockTime"], found["version"]) == (3, NOW, 0)
    assert meta["err"] is None and meta["status"] == {"Ok": None} and meta["fee"] == 5_000
    before, after = (dict(zip(keys, meta[f"{each}Balances"], strict=True)) for each in ("pre", "post"))
    assert before[str(ALICE.pubkey())] - after[str(ALICE.pubkey())] == 5_000 + RENT
    assert (before[str(bob)], after[str(bob)]) == (0, RENT)
    moved_tokens = [
        {
            (keys[each["accountIndex"]], each["owner"], each["uiTokenAmount"]["uiAmountString"])
            for each in meta[f"{when}TokenBalances"]
        }
        for when in ("pre", "post")
    ]
    assert moved_tokens == [
        {(str(alice), str(ALICE.pubkey()), "1000")},
        {(str(alice), str(ALICE.pubkey()), "750"), (str(bob), str(BOB.pubkey()), "250")},
    ]
    (group,) = meta["innerInstructions"]
    assert group["index"] == 0 and {each["stackHeight"] for each in group["instructions"]} == {2}
    parsed = await local.ask("getTransaction", signature, {**known, **PARSED})
    opened, moved = parsed["transaction"]["message"]["instructions"]
    kind = opened["program"], opened["parsed"]["type"]
    assert kind == ("spl-associated-token-account", "createIdempotent")
    assert moved["parsed"] == {
        "type": "transfer",
        "info": {
            "source": str(alice),
            "destination": str(bob),
            "authority": str(ALICE.pubkey()),
            "amount": "250000000",
        },
    }
    signers = [each["pubkey"] for each in parsed["transaction"]["message"]["accountKeys"] if each["signer"]]
    assert signers == [str(ALICE.pubkey())]
    data, _ = (await local.ask("getTransaction", signature, {**known, **B64}))["transaction"]
    assert base64.b64decode(data) == bytes(sent)
    for encoding in ("json", "jsonParsed", "base64", "base58"):
        text = await local.raw("getTransaction", signature, {**known, "encoding": encoding})
        assert type(responses.GetTransactionResp.from_json(text)).__name__ == "GetTransactionResp", text
        text = await local.raw("getBlock", 3, {**known, "encoding": encoding})
        assert type(responses.GetBlockResp.from_json(text)).__name__ == "GetBlockResp", text
    for details in ("accounts", "signatures", "none"):
        text = await local.raw("getBlock", 3, {**known, "transactionDetails": details})
        assert type(responses.GetBlockResp.from_json(text)).__name__ == "GetBlockResp", text


async def test_blocks_of_time_alone_are_those_that_are_drawn_from(local: Local) -> None:
    """The same that the chain itself names: whoever asks the node and whoever reads the file agree."""
    local.node.chain.warp_to(NOW + 100)
    assert await local.ask("getBlocks", 0, 64) == [0, 2, 32, 64]
    assert await local.ask("getBlocksWithLimit", 1, 2) == [32, 64]
    block = await local.ask("getBlock", 64, {"transactionDetails": "none"})
    head = await local.node.chain.head(33, "confirmed")  # type: ignore[arg-type]
    assert head is not None and (head.slot, head.time) == (64, block["blockTime"])
    assert block["blockhash"] == base58.b58encode(head.blockhash).decode()
    assert block["parentSlot"] == 64 - APART


async def test_lists_of_an_address_in_pages(local: Local) -> None:
    sent = []
    for amount in range(1, 6):
        transaction = local.signed([pay(amount)], ALICE)
        sent.append(await local.ask("sendTransaction", encoded(transaction), B64))
    listed = await local.ask("getSignaturesForAddress", str(BOB.pubkey()))
    assert [each["signature"] for each in listed] == sent[::-1]
    page = {"before": sent[4], "until": sent[1], "limit": 1}
    assert await local.ask("getSignaturesForAddress", str(BOB.pubkey()), page) == [
        {
            "signature": sent[3],
            "slot": 6,
            "err": None,
            "memo": None,
            "blockTime": NOW,
            "confirmationStatus": "finalized",
            "transactionIndex": 0,
        }
    ]


async def test_a_simulation_shows_what_would_be(local: Local) -> None:
    """Of an unsigned transaction, with accounts as they would be afterwards; nothing changes."""
    sent = local.signed([pay(7 * 10**9)], ALICE)
    blank = VersionedTransaction.populate(sent.message, [Signature.default()])
    settings = {
        **B64,
        "replaceRecentBlockhash": True,
        "innerInstructions": True,
        "accounts": {"encoding": "base64", "addresses": [str(BOB.pubkey()), str(SYSTEM_PROGRAM)]},
    }
    found = (await local.ask("simulateTransaction", encoded(blank), settings))["value"]
    assert found["err"] is None and found["unitsConsumed"] == 150 and found["fee"] == 5_000
    assert found["accounts"][0]["lamports"] == LAMPORTS + 7 * 10**9
    assert found["replacementBlockhash"]["blockhash"] == str(local.node.chain.latest_blockhash())
    assert (await local.ask("getBalance", str(BOB.pubkey())))["value"] == LAMPORTS


async def test_accounts_of_a_wallet(local: Local) -> None:
    """By mint and by token program; there is nothing of Token-2022."""
    alice = str(ALICE.pubkey())
    for chosen in ({"mint": str(MINT)}, {"programId": str(TOKEN_PROGRAM)}):
        (found,) = (await local.ask("getTokenAccountsByOwner", alice, chosen, PARSED))["value"]
        assert found["account"]["data"]["parsed"]["info"]["tokenAmount"]["uiAmount"] == 1000.0
    token_2022 = {"programId": "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"}
    assert (await local.ask("getTokenAccountsByOwner", alice, token_2022, PARSED))["value"] == []
