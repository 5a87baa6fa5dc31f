"""Whatever a node answers, a question ends as unreachable, refused or read, and the next one is answered.

Hundreds of answers for each question: see ``bad_answers.py``; the numbers are printed with ``-s``.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from solders.hash import Hash
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from keeper.chain import ChainUnreachable, Commitment, asking, newest
from keeper.chain.errors import NodeRefused
from keeper.chain.records import Memcmp
from keeper.chain.rpc import RpcChain
from keeper.clients import staking, tokenomics
from keeper.db import Database
from keeper.indexer import ProgramIndexer
from tests.keeper.chain.bad_answers import (
    MISSING,
    READ,
    REFUSED,
    UNREACHABLE,
    VALUES,
    changed,
    places,
    reply,
    rows,
)
from tests.keeper.chain.conftest import ALICE, pay
from tests.keeper.chain.reply import Reply
from tests.keeper.chain.rpc_node import through
from tests.keeper.indexer.busy import NodeWorld, expected, indexed, prepared

Json = Any
PROGRAM = tokenomics.PROGRAM.address
ROWS = list(rows())


class Spoiled:
    """Answers one method badly, as told."""

    def __init__(self) -> None:
        self.method = ""
        self.spoil: Callable[[Json], Reply] = reply
        self.good: Json = None

    async def answer(self, question: Json, ask: Callable[[], Awaitable[bytes]]) -> Reply:
        answer = json.loads(await ask())
        if question["method"] != self.method:
            return reply(answer)
        self.good = answer
        return self.spoil(answer)


class Site:
    """A busy network behind a node that answers as told, asked once for each question."""

    def __init__(self, world: NodeWorld, chain: RpcChain) -> None:
        self.world, self.chain = world, chain
        self.spoiled = world.node.mischief = Spoiled()
        record = next(each for each in world.chain.transactions() if len(each.inner) > 1)
        self.signature, self.slot = record.signature, record.slot
        message = MessageV0.try_compile(ALICE.pubkey(), [pay(1)], [], Hash.default())
        self.transaction = VersionedTransaction(message, [ALICE])

    async def ending(self, question: Question) -> tuple[str, object]:
        """How a question ends, and what was read."""
        self.chain._asker._gates.clear()
        try:
            return READ, await question(self)
        except ChainUnreachable:
            return UNREACHABLE, None
        except NodeRefused:
            return REFUSED, None


Question = Callable[[Site], Awaitable[object]]
QUESTIONS: dict[str, Question] = {
    "getGenesisHash": lambda site: site.chain.genesis_hash(),
    "getVersion": lambda site: site.chain.version(),
    "getAccountInfo": lambda site: site.chain.clock(),
    "getMultipleAccounts": lambda site: site.chain.accounts([PROGRAM, Pubkey(b"\x77" * 32)]),
    "getProgramAccounts": lambda site: site.chain.program_accounts(
        PROGRAM, matches=[Memcmp(0, tokenomics.PROGRAM.discriminator("Config"))]
    ),
    "getProgramAccounts, as of a slot": lambda site: site.chain.snapshot(PROGRAM),
    "simulateTransaction": lambda site: site.chain.simulate([pay(1)], [ALICE]),
    "getSignaturesForAddress": lambda site: site.chain.signatures(PROGRAM, Commitment.FINALIZED),
    "getTransaction": lambda site: site.chain.records([site.signature]),
    "getSlot": lambda site: site.chain.slot(Commitment.FINALIZED),
    "getBlock": lambda site: site.chain.block(site.slot),
    "getBlocksWithLimit": lambda site: site.chain.head(site.slot // 2, Commitment.FINALIZED),
    "getBlock, its head": lambda site: site.chain.head(site.slot // 2, Commitment.FINALIZED),
    "getLatestBlockhash": lambda site: site.chain.blockhash(),
    "getEpochInfo": lambda site: site.chain.tip(),
    "sendTransaction": lambda site: site.chain.broadcast(site.transaction),
    "getSignatureStatuses": lambda site: site.chain.statuses([site.signature, Signature.default()]),
    "getRecentPrioritizationFees": lambda site: site.chain.recent_fees([PROGRAM]),
}


ANY_ERROR = ("empty text", "text", "zero digit", "other base64", "number as text", "empty object", "object")
"""Whatever it is, the transaction failed."""
ANY_TEXT = ANY_ERROR[:5]
OPTIONAL = ("null", "missing")
ACCOUNT = {"lamports": ("zero",), "executable": ("true",), "space": OPTIONAL}
CALL = {
    "programIdIndex": ("zero",),
    "accounts": ("empty list",),
    "accounts.?": ("zero", "missing"),
    "data": ("empty text", "text", "number as text"),
    "stackHeight": OPTIONAL,
}
"""A call's height follows from the logs when it isn't there."""


def under(place: str, table: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {f"{place}.{path}": values for path, values in table.items()}


OWNED = {
    "value": ("empty list",),
    "value.?": ("missing",),
    **under("value.?.account", ACCOUNT),
}
ALSO_READ: dict[str, dict[str, tuple[str, ...]]] = {
    "getVersion": {"solana-core": ANY_TEXT},
    "getAccountInfo": under("value", ACCOUNT),
    "getMultipleAccounts": {"value.?": ("null",), **under("value.?", ACCOUNT)},
    "getProgramAccounts": OWNED,
    "getProgramAccounts, as of a slot": {"context.slot": ("zero",), **OWNED},
    "simulateTransaction": {
        "value.err": ("null", *ANY_ERROR),
        "value.logs": ("null", "empty list"),
        "value.unitsConsumed": ("zero", *OPTIONAL),
    },
    "getSignaturesForAddress": {
        "": ("empty list",),
        "?": ("missing",),
        "?.slot": ("zero",),
        "?.err": ("null", *ANY_ERROR),
        "?.transactionIndex": ("zero", *OPTIONAL),
    },
    "getTransaction": {
        "": ("null",),
        "slot": ("zero",),
        "blockTime": ("zero", "negative"),
        "version": ("zero", "missing"),
        "transaction.message.accountKeys.?": ("missing",),
        "transaction.message.addressTableLookups": ("empty list", *OPTIONAL),
        "transaction.message.instructions.?": ("missing",),
        "transaction.message.instructions.?.programIdIndex": ("zero",),
        "meta.err": ("null", *ANY_ERROR),
        "meta.fee": ("zero",),
        "meta.innerInstructions": ("empty list",),
        "meta.innerInstructions.?": ("missing",),
        "meta.innerInstructions.?.index": ("zero",),
        "meta.innerInstructions.?.instructions": ("empty list",),
        "meta.innerInstructions.?.instructions.?": ("missing",),
        **under("meta.innerInstructions.?.instructions.?", CALL),
        "meta.logMessages": ("empty list", *OPTIONAL),
        "meta.logMessages.?": (*ANY_TEXT, "missing"),
        "meta.loadedAddresses": OPTIONAL,
        "meta.loadedAddresses.*": ("empty list",),
        "meta.computeUnitsConsumed": ("zero", *OPTIONAL),
    },
    "getSlot": {"": ("zero",)},
    "getBlock": {"signatures": ("empty list",), "signatures.?": ("missing",)},
    "getBlocksWithLimit": {"": ("empty list",), "?": ("missing",)},
    "getBlock, its head": {"parentSlot": ("zero",), "blockTime": ("zero", "negative")},
    "getLatestBlockhash": {"value.lastValidBlockHeight": ("zero",)},
    "getEpochInfo": {"absoluteSlot": ("zero",), "blockHeight": ("zero",)},
    "getSignatureStatuses": {
        "context.slot": ("zero",),
        "value.?": ("null",),
        "value.?.slot": ("zero",),
        "value.?.err": ("null", *ANY_ERROR),
        "value.?.confirmationStatus": ("null",),
    },
    "getRecentPrioritizationFees": {
        "": ("empty list",),
        "?": ("missing",),
        "?.prioritizationFee": ("zero",),
    },
}
"""What is an answer too, by place; whatever else is written there is none."""
IGNORED: dict[str, tuple[str, ...]] = {
    "getVersion": ("feature-set",),
    "getAccountInfo": ("context.apiVersion", "value.rentEpoch"),
    "getMultipleAccounts": ("context.apiVersion", "value.?.rentEpoch"),
    "getProgramAccounts": ("context.apiVersion", "value.?.account.rentEpoch"),
    "getProgramAccounts, as of a slot": ("context.apiVersion", "value.?.account.rentEpoch"),
    "simulateTransaction": (
        "context.apiVersion",
        "value.accounts",
        "value.returnData",
        "value.innerInstructions",
        "value.replacementBlockhash*",
    ),
    "getSignaturesForAddress": ("?.memo", "?.blockTime", "?.confirmationStatus"),
    "getTransaction": (
        "transaction.message.header.numReadonly*",
        "transaction.message.recentBlockhash",
        "transaction.message.instructions.?.accounts*",
        "transaction.message.instructions.?.data",
        "transaction.message.instructions.?.stackHeight",
        "meta.status*",
        "meta.*Balances",
        "meta.rewards",
    ),
    "getBlock": ("blockhash", "previousBlockhash", "parentSlot", "blockTime", "blockHeight"),
    "getBlock, its head": ("previousBlockhash", "blockHeight"),
    "getLatestBlockhash": ("context.apiVersion",),
    "getEpochInfo": ("epoch", "slotIndex", "slotsInEpoch", "transactionCount"),
    "getSignatureStatuses": ("context.apiVersion", "value.?.confirmations", "value.?.status*"),
    "getRecentPrioritizationFees": ("?.slot",),
}
"""Places that nobody reads: whatever is written there, the answer is the same."""
REFUSED_VALUES = {
    ("getAccountInfo", "value", "null"),
    ("getBlock", "", "null"),
    ("getBlock, its head", "", "null"),
    ("getTransaction", "version", "beyond u64"),
}
"""No clock, no such block, and a version to come."""


@pytest.fixture
async def database(empty_sqlite: Path, tmp_path: Path) -> AsyncIterator[Database]:
    found = Database(f"sqlite:///{shutil.copy(empty_sqlite, tmp_path)}")
    yield found
    await found.close()


@pytest.fixture(scope="module")
def impatient() -> Iterator[None]:
    """No waits and no second tries: each answer is judged by itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asking, "TRIES", 1)
        patch.setattr(asking, "SILENT_TRIES", 1)
        patch.setattr(asking, "LIMIT_SECONDS", 0.0)
        patch.setattr(newest, "CATCH_UP_SECONDS", 0.0)
        yield


@pytest.fixture
async def site(impatient: None) -> AsyncIterator[Site]:
    world = NodeWorld.started()
    world.act(8)
    world.node.faults.fees = [1, 2]
    async with through(world.node) as chain:
        yield Site(world, chain)


def ending_of(name: str, path: str, value: str) -> str:
    """How the table says that an answer with another value at a place ends."""
    if (name, path, value) in REFUSED_VALUES:
        return REFUSED
    if any(fnmatchcase(path, each) for each in IGNORED.get(name, ())):
        return READ
    also = [values for each, values in ALSO_READ.get(name, {}).items() if fnmatchcase(path, each)]
    return READ if any(value in values for values in also) else UNREACHABLE


async def test_every_answer_ends_as_the_table_says(site: Site, database: Database) -> None:
    """Each of them to each question; afterwards the same chain object indexes everything."""
    counts: Counter[str] = Counter()
    wrong = []
    for name, question in QUESTIONS.items():
        site.spoiled.spoil, site.spoiled.method = reply, name.partition(",")[0]
        good = await question(site)
        result = site.spoiled.good["result"]
        for row in ROWS:
            site.spoiled.spoil = row.spoil
            ending, found = await site.ending(question)
            counts[f"{name}, {ending}"] += 1
            if ending != row.ending or (ending == READ and found != good):
                wrong.append((name, row.name, ending, found))
        for path in places(result):
            place = ".".join(map(str, path))
            ignored = any(fnmatchcase(place, each) for each in IGNORED.get(name, ()))
            for value, new in {**VALUES, "missing": MISSING}.items():
                if not path and new is MISSING:
                    continue
                site.spoiled.spoil = lambda answer, p=path, n=new: reply(changed(answer, ("result", *p), n))
                ending, found = await site.ending(question)
                counts[f"{name}, {ending}"] += 1
                if ending != ending_of(name, place, value) or (ignored and found != good):
                    wrong.append((name, place, value, ending, found))
    assert wrong == [], "\n".join(map(str, wrong))
    for name in QUESTIONS:
        print(name, *(f"{each} {counts[f'{name}, {each}']}" for each in (UNREACHABLE, REFUSED, READ)))
    assert sum(counts.values()) > 400 * len(QUESTIONS)
    site.spoiled.spoil = reply
    for program in (tokenomics.PROGRAM, staking.PROGRAM):
        await (await prepared(ProgramIndexer(site.chain, database, program))).poll()
        assert await indexed(database, program) == expected(site.world.chain, program)
