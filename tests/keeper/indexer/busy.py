"""A network on which much happens: what indexers are tested on."""

from __future__ import annotations

from dataclasses import dataclass, replace

from keeper.chain import Event, Program, TransactionRecord
from keeper.chain.embedded import EmbeddedChain
from keeper.clients import staking, tokenomics
from keeper.db import Database
from keeper.db.events import EventPlace, EventTables
from keeper.economy.supply import IO
from keeper.indexer import ProgramIndexer
from tests.keeper.chain.rpc_node import RpcNode
from tests.programs.staking.world import StakingWorld
from tests.programs.world import DAY, HOUR, key

PROGRAMS = (tokenomics.PROGRAM, staking.PROGRAM)


class BusyWorld(StakingWorld):
    """A world in which the next of many things can be done."""

    acts = 0

    @classmethod
    def started(cls) -> BusyWorld:
        world = cls.ready()
        assert isinstance(world, BusyWorld)
        return world

    def act(self, times: int = 1) -> None:
        """Do the next of many things: most succeed, some are refused, some send several events."""
        for _ in range(times):
            number, turn = divmod(self.acts, 6)
            self.acts += 1
            payer, admin = self.payer.pubkey(), self.admin
            if turn == 0:
                person = self.person(f"supplier {number}")
                self.do(staking.open_wallet(payer, person.pubkey()))
                self.give(person.pubkey(), 5_000 * IO)
            elif turn == 1:
                self.device(f"worker {number}", key(f"supplier {number}"))
            elif turn == 2:
                device = self.read_device(f"worker {number}")
                parts = (0, 300), (300, 800), (1_100, 40)
                stakes = [staking.stake(replace(device, own=has * IO), more * IO) for has, more in parts]
                self.do(*stakes, signers=[key(f"supplier {number}")])
            elif turn == 3:
                assert self.send(tokenomics.propose_guardian(payer, payer)).error is not None
            elif turn == 4:
                self.chain.advance(HOUR)
                self.do(tokenomics.emit())
            else:
                device = self.read_device(f"worker {number}")
                supplier = key(f"supplier {number}")
                self.do(staking.withdraw_overflow(device, 100 * IO), signers=[supplier])
                self.do(tokenomics.propose_admin(admin.pubkey(), supplier.pubkey()), signers=[admin])


class NodeWorld(BusyWorld):
    """The same with a node in front of it, from its first transaction on."""

    def __init__(self, *, verify_signatures: bool = False, chain: EmbeddedChain | None = None) -> None:
        super().__init__(verify_signatures=verify_signatures, chain=chain)
        self.node = RpcNode(self.chain)

    @classmethod
    def started(cls) -> NodeWorld:
        world = super().started()
        assert isinstance(world, NodeWorld)
        return world


@dataclass
class Indexed:
    """What a database has of a program."""

    places: list[EventPlace]
    events: list[Event]


def expected(chain: EmbeddedChain, program: Program) -> Indexed:
    """All events of a program, read straight from the chain."""
    found = [
        (EventPlace(record.slot, 0, each.outer, each.inner, record.time), each.event)
        for record in chain.transactions()
        for each in program.located_events(record)
    ]
    return Indexed([place for place, _ in found], [event for _, event in found])


async def indexed(database: Database, program: Program) -> Indexed:
    """All events of a program that a database has."""
    async with database.reading() as connection:
        found = await EventTables(program).read(connection, -1, 2**62)
    return Indexed([place for place, _ in found], [event for _, event in found])


async def stakes(world: BusyWorld) -> list[TransactionRecord]:
    """Transactions of staking that succeeded: three stakes each."""
    records = await world.chain.history(staking.PROGRAM.address)
    return [each for each in records if "Staked" in {event.name for event in staking.PROGRAM.events(each)}]


async def prepared(indexer: ProgramIndexer) -> ProgramIndexer:
    await indexer.prepare()
    return indexer


__all__ = [
    "DAY",
    "PROGRAMS",
    "BusyWorld",
    "Indexed",
    "NodeWorld",
    "expected",
    "indexed",
    "prepared",
    "stakes",
]
