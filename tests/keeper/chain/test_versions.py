"""Transactions of every version, those to come, and calls whose heights a node leaves out."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from solders.transaction_status import (
    EncodedConfirmedTransactionWithStatusMeta,
    InstructionErrorCustom,
    InstructionErrorFieldless,
    TransactionErrorFieldless,
    TransactionErrorInstructionError,
)

from keeper.chain import ChainUnreachable, TransactionRecord
from keeper.chain.embedded import EmbeddedChain
from keeper.chain.errors import NodeRefused
from keeper.chain.failure import describe, describe_json
from keeper.chain.landed import CUT, landed
from keeper.chain.rpc import RpcChain
from keeper.clients import orders, staking, tokenomics
from keeper.db import Database
from keeper.indexer import ProgramIndexer
from tests.keeper.chain.rpc_node import Faults, RpcNode, through
from tests.keeper.indexer.busy import expected, indexed, prepared
from tests.programs.orders.world import OrdersWorld

Json = Any
PROGRAMS = (tokenomics.PROGRAM, staking.PROGRAM, orders.PROGRAM)


class NodeWorld(OrdersWorld):
    """Leases behind a node: orders calls staking, which calls itself with its events, three deep."""

    def __init__(self, *, verify_signatures: bool = False, chain: EmbeddedChain | None = None) -> None:
        super().__init__(verify_signatures=verify_signatures, chain=chain)
        self.node = RpcNode(self.chain)

    @classmethod
    def started(cls) -> NodeWorld:
        world = cls.ready()
        assert isinstance(world, NodeWorld)
        ruth, supplier = world.renter("ruth"), world.supplier("supplier")
        for number, name in enumerate(("worker 1", "worker 2")):
            device = world.let(name, supplier)
            world.run(world.order(ruth, number, hours=3), name)
        refused = staking.withdraw_overflow(device, 10**18)
        assert world.send(refused, signers=[supplier]).error is not None
        return world


@pytest.fixture
async def busy() -> AsyncIterator[tuple[RpcChain, NodeWorld]]:
    world = NodeWorld.started()
    async with through(world.node) as chain:
        yield chain, world


async def answer(node: RpcNode, record: TransactionRecord) -> Json:
    config = {"encoding": "json", "maxSupportedTransactionVersion": 1}
    return await node._rpc_getTransaction(str(record.signature), config)


def deep(world: NodeWorld) -> TransactionRecord:
    """The transaction with the deepest calls."""
    return max(world.chain.transactions(), key=lambda each: max([c.stack_height for c in each.inner] or [0]))


def same(chain: list[TransactionRecord], read: list[TransactionRecord]) -> bool:
    """Whether all is equal but the logs, of which some nodes have none."""
    return [each._replace(logs=()) for each in chain] == [each._replace(logs=()) for each in read]


async def everything_is_indexed(chain: RpcChain, world: NodeWorld, database: Database) -> None:
    for program in PROGRAMS:
        await (await prepared(ProgramIndexer(chain, database, program))).poll()
        assert await indexed(database, program) == expected(world.chain, program)


# -- versions ---------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["legacy", 0, 1])
async def test_a_transaction_of_each_version(
    busy: tuple[RpcChain, NodeWorld], database: Database, version: int | str
) -> None:
    chain, world = busy
    world.node.faults.version = version
    records = await world.chain.history(staking.PROGRAM.address)
    assert await chain.history(staking.PROGRAM.address) == records
    await everything_is_indexed(chain, world, database)


async def test_the_shapes_are_those_of_the_real_nodes(busy: tuple[RpcChain, NodeWorld]) -> None:
    """What solders takes for JSON of each version; it has the config of version 1, and no tables."""
    _, world = busy
    for version in ("legacy", 0, 1):
        world.node.faults.version = version
        shape = await answer(world.node, deep(world))
        read = EncodedConfirmedTransactionWithStatusMeta.from_json(json.dumps(shape))
        assert str(read.transaction.version) in (str(version), "Legacy.Legacy")
        message = read.transaction.transaction.message
        assert (message.transaction_config is not None, message.address_table_lookups is not None) == (
            version == 1,
            version == 0,
        )


async def test_addresses_from_tables_come_after_a_message_own(busy: tuple[RpcChain, NodeWorld]) -> None:
    """The last two accounts are looked up instead, one of them to be written to."""
    _, world = busy
    record = deep(world)
    shape = await answer(world.node, record)
    message = shape["transaction"]["message"]
    *message["accountKeys"], first, second = message["accountKeys"]
    table = {"accountKey": first, "writableIndexes": [7], "readonlyIndexes": [9]}
    message["addressTableLookups"] = [table]
    shape["meta"]["loadedAddresses"] = {"writable": [first], "readonly": [second]}
    assert landed(shape, record.signature) == record
    for loaded in (None, {"writable": [first, second], "readonly": []}, {"writable": [], "readonly": []}):
        with pytest.raises(ValueError, match="looked up"):
            landed({**shape, "meta": {**shape["meta"], "loadedAddresses": loaded}}, record.signature)


@pytest.mark.parametrize("logless", [False, True])
async def test_a_version_to_come_is_read(
    busy: tuple[RpcChain, NodeWorld], database: Database, logless: bool
) -> None:
    """Its calls are those of its logs, or it has none."""
    chain, world = busy
    world.node.faults = Faults(version=2, logless=logless)
    records = await world.chain.history(staking.PROGRAM.address)
    assert same(await chain.history(staking.PROGRAM.address), records)
    await everything_is_indexed(chain, world, database)


@pytest.mark.parametrize("change", ["keys", "logs", "another place"])
async def test_a_version_to_come_that_says_something_else(
    busy: tuple[RpcChain, NodeWorld], monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """It is named, with what to do; everything else is read."""
    chain, world = busy
    world.node.faults.version = 2
    record, good = deep(world), world.node._rpc_getTransaction

    async def other(signature: str, config: Json) -> Json:
        shape = await good(signature, config)
        if signature == str(record.signature):
            message, meta = shape["transaction"]["message"], shape["meta"]
            if change == "keys":
                message["accountKeys"][-2:] = message["accountKeys"][:-3:-1]
            elif change == "logs":
                meta["logMessages"] = [each for each in meta["logMessages"] if "[3]" not in each]
            else:
                message["accounts"] = message.pop("accountKeys")
        return shape

    monkeypatch.setattr(world.node, "_rpc_getTransaction", other)
    with pytest.raises(NodeRefused, match=f"{record.signature} is of a newer version .*: upgrade"):
        await chain.records([record.signature])
    rest = [
        each for each in world.chain.transactions() if each != record and each.signature in world.node._landed
    ]
    assert await chain.records([each.signature for each in rest]) == rest


# -- who called whom --------------------------------------------------------------------------


async def test_heights_that_are_left_out_follow_from_the_logs(
    busy: tuple[RpcChain, NodeWorld], database: Database
) -> None:
    chain, world = busy
    assert max(call.stack_height for call in deep(world).inner) == 3
    world.node.faults.heightless = True
    records = await world.chain.history(staking.PROGRAM.address)
    assert any(each.error for each in records)
    assert await chain.history(staking.PROGRAM.address) == records
    await everything_is_indexed(chain, world, database)


async def test_heights_that_nothing_tells_are_not_guessed(
    busy: tuple[RpcChain, NodeWorld], database: Database
) -> None:
    """Nothing is indexed without them, and all of it once a node has them again."""
    chain, world = busy
    world.node.faults = Faults(heightless=True, logless=True)
    indexer = await prepared(ProgramIndexer(chain, database, staking.PROGRAM))
    with pytest.raises(ChainUnreachable, match="it isn't known who called whom"):
        await indexer.poll()
    assert (await indexed(database, staking.PROGRAM)).events == []
    world.node.faults = Faults()
    await everything_is_indexed(chain, world, database)


async def test_logs_that_tell_something_else(busy: tuple[RpcChain, NodeWorld]) -> None:
    _, world = busy
    world.node.faults.heightless = True
    record = deep(world)
    shape = await answer(world.node, record)
    logs = shape["meta"]["logMessages"]
    invoked = [index for index, line in enumerate(logs) if "invoke [" in line]
    program, other = str(record.programs[0]), str(tokenomics.PROGRAM.event_authority)
    wrong = {
        "cut": [*logs[:-1], CUT],
        "one less": logs[: invoked[-1]] + logs[invoked[-1] + 1 :],
        "one more": [*logs, logs[invoked[-1]]],
        "another program": [line.replace(str(record.inner[-1].program), other) for line in logs],
        "another instruction": [
            line.replace(f"Program {program} invoke [1]", "Program log: x") for line in logs
        ],
        "too deep": [line.replace("invoke [3]", "invoke [4]") for line in logs],
    }
    for name, lines in wrong.items():
        with pytest.raises(ValueError, match=r"."):
            landed({**shape, "meta": {**shape["meta"], "logMessages": lines}}, record.signature)
            pytest.fail(name)
    forged = [*logs, f"Program log: Program {program} invoke [1]", f"Program {program} invoke [1]\n"]
    assert landed(
        {**shape, "meta": {**shape["meta"], "logMessages": forged}}, record.signature
    ) == record._replace(logs=tuple(forged))


@pytest.mark.parametrize("heights", [[1], [3], [2, 4], [2, 2, 5], [255]])
async def test_heights_that_cannot_be(busy: tuple[RpcChain, NodeWorld], heights: list[int]) -> None:
    _, world = busy
    record = deep(world)
    shape = await answer(world.node, record)
    calls = shape["meta"]["innerInstructions"][0]["instructions"]
    calls[:] = [{**calls[0], "stackHeight": height} for height in heights]
    with pytest.raises(ValueError, match=r"a call that nobody made|greater than or equal to 2"):
        landed(shape, record.signature)


# -- failures ---------------------------------------------------------------------------------

NAMES = [each for each in dir(TransactionErrorFieldless) if each[0].isupper()]
INSTRUCTION_NAMES = [each for each in dir(InstructionErrorFieldless) if each[0].isupper()]


def test_failures_have_the_same_names_on_both_kinds_of_chain() -> None:
    for name in NAMES:
        assert describe_json(name) == describe(getattr(TransactionErrorFieldless, name)) == (name, None, None)
    for name in INSTRUCTION_NAMES:
        error = TransactionErrorInstructionError(3, getattr(InstructionErrorFieldless, name))
        assert describe_json({"InstructionError": [3, name]}) == describe(error)
        assert describe(error) == (f"instruction 3: {name}", 3, None)
    custom = TransactionErrorInstructionError(3, InstructionErrorCustom(6001))
    assert describe_json({"InstructionError": [3, {"Custom": 6001}]}) == describe(custom)
    assert describe(custom) == ("instruction 3: custom error 6001", 3, 6001)


@pytest.mark.parametrize(
    ("error", "described"),
    [
        (
            {"InsufficientFundsForRent": {"account_index": 2}},
            ("InsufficientFundsForRent { account_index: 2 }", None, None),
        ),
        ({"DuplicateInstruction": 3}, ("DuplicateInstruction(3)", None, None)),
        (
            {"InstructionError": [0, {"BorshIoError": "Unknown"}]},
            ("instruction 0: BorshIoError(Unknown)", 0, None),
        ),
        ({"InstructionError": [0, "Unheard"]}, ("instruction 0: Unheard", 0, None)),
        ({"InstructionError": [0, {"Custom": 2**32}]}, (f"instruction 0: Custom({2**32})", 0, None)),
        ({"InstructionError": [0, {"Custom": True}]}, ("instruction 0: Custom(True)", 0, None)),
        ({"InstructionError": [True, "X"]}, ("InstructionError([True, 'X'])", None, None)),
        ({"InstructionError": [256, "X"]}, ("InstructionError([256, 'X'])", None, None)),
        ({"InstructionError": "X"}, ("InstructionError(X)", None, None)),
        ("Unheard\0of\n", ("Unheard?of?", None, None)),
        ("", ("unknown", None, None)),
        ({}, ("{}", None, None)),
        ({"a": 1, "b": 2}, ("{'a': 1, 'b': 2}", None, None)),
        ("x" * 10**6, ("x" * 200, None, None)),
    ],
)
def test_a_failure_of_any_kind_has_words(error: Json, described: tuple[str, int | None, int | None]) -> None:
    assert describe_json(error) == described
