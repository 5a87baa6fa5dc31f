"""A network that goes on while it is read: nothing honest is called a lie."""

from __future__ import annotations

from typing import Any

from solders.pubkey import Pubkey

from keeper.audit.findings import Code
from keeper.chain import Account
from keeper.chain.records import Commitment, Listed
from keeper.clients import staking
from keeper.clients.programs import PROGRAMS
from keeper.economy.supply import IO
from tests.keeper.audit.falsified import Falsified, audited
from tests.programs.staking.world import StakingWorld


class Earlier(Falsified):
    """Accounts as of before the last transactions; the first list of a program lacks the newest of them."""

    snapshots: dict[Pubkey, tuple[int, dict[Pubkey, Account]]]
    behind: int = 0
    """How many lists of programs are still without the newest transaction."""

    async def snapshot(self, program: Pubkey, *, min_slot: int = 0) -> tuple[int, dict[Pubkey, Account]]:
        return self.snapshots[program]

    async def signatures(self, address: Pubkey, commitment: Commitment, **options: Any) -> list[Listed]:
        found = await super().signatures(address, commitment, **options)
        if address == staking.PROGRAM.address and self.behind and found:
            self.behind -= 1
            return found[1:]
        return found


async def test_stakes_that_come_and_go_while_accounts_are_read() -> None:
    world = StakingWorld.ready()
    supplier = world.earner("supplier", 5_000 * IO)
    device = world.device("one", supplier)
    world.do(staking.stake(device, 1_500 * IO), signers=[supplier])
    chain = Earlier(world.chain)
    chain.snapshots = {}
    for program in PROGRAMS.values():
        chain.snapshots[program.address] = await world.chain.snapshot(program.address)
        world.do(staking.stake(world.read_device("one"), 100 * IO), signers=[supplier])
    world.do(staking.withdraw_overflow(world.read_device("one"), 600 * IO), signers=[supplier])
    chain.behind = 4  # the first reading of the list, and the second, which ends when nothing more comes
    part = await audited(chain)
    assert part.findings == () and part.unchecked == ()
    chain.behind = 10**6
    assert [each.code for each in (await audited(chain)).findings] == [Code.TRANSACTION_UNLISTED]
