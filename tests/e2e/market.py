"""What the market's own processes do on the scenarios' chain: operators' jobs, and devices' workers.

They act on the chain alone. What they did is told to the models afterwards, from the chain's history, so that
every account and balance is compared as ever.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from solders.pubkey import Pubkey
from solders.signature import Signature

from keeper.chain import TransactionRecord
from keeper.chain.embedded import EmbeddedChain
from keeper.clients import orders, staking
from keeper.market.folder import MarketFolder
from keeper.worker.state import Enrolment, Store
from tests.e2e.live import LiveChain
from tests.e2e.network import Network
from tests.keeper.chain.rpc_node import RpcNode
from tests.keeper.worker.operators import Service
from tests.model.state import Event
from tests.programs.side_by_side import plain
from tests.programs.world import key

RUN = "import sys; from keeper.cli import main; sys.argv = ['ionet', 'worker', 'run']; main.main()"
SECONDS = 300
"""How long a process is waited for: far longer than it takes."""
PROCESSORS = 4


class Told:
    """Tells the models what others did on the chain."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._known: set[Signature] = set()
        self.own()

    def _history(self) -> list[TransactionRecord]:
        """All transactions of both programs, oldest first."""
        chain = self.network.pair.world.chain
        found: dict[Signature, TransactionRecord] = {}
        for program in (staking.PROGRAM, orders.PROGRAM):
            found |= {each.signature: each for each in self._all(chain, program.address)}
        return sorted(found.values(), key=lambda each: each.slot)

    @staticmethod
    def _all(chain: Any, program: Pubkey) -> list[TransactionRecord]:
        if isinstance(chain, LiveChain):
            return chain.run(lambda rpc: rpc.history(program))
        return [each for each in chain.transactions() if program in each.programs]

    def own(self) -> None:
        """What happened until now is in the models already.

        A node lists what was done a moment after it has confirmed it: what was done here is known anyway.
        """
        ours = self.network.pair.world.chain.transactions()
        self._known |= {each.signature for each in (*self._history(), *ours)}

    def others(self, *awaited: str, folder: MarketFolder | None = None) -> list[str]:
        """Do on the models what happened since then; the names of the events, in order.

        Waits until those of the names ``awaited`` are listed. ``folder`` has the steps that were applied. The
        chain is compared with the models then: nobody else may be about to do something.
        """
        names, begun = self._others(folder), time.monotonic()
        while not Counter(awaited) <= Counter(names):
            assert time.monotonic() - begun < SECONDS, f"no more than {names} came, of {awaited}"
            time.sleep(0.2)
            names += self._others(folder)
        pair = self.network.pair
        pair.tell_time(self.network.now)
        pair.compare()
        pair.model.invariants()
        return names

    def _others(self, folder: MarketFolder | None) -> list[str]:
        """Of those that are listed by now."""
        pair, names = self.network.pair, []
        for record in self._history():
            if record.signature in self._known:
                continue
            self._known.add(record.signature)
            if record.error is not None:
                continue
            chain = pair.world.chain
            if isinstance(chain, LiveChain):
                chain.tell(record)
            pair.tell_time(record.time)
            found = [(each.name, plain(each.fields)) for each in pair._events(record)]
            expected: list[Event] = []
            for name, fields in found:
                expected += self._again(name, fields, folder)
            assert sorted(found, key=_order) == sorted(expected, key=_order)
            names += [name for name, _ in found]
        return names

    def _again(  # noqa: PLR0911 - an event each
        self, name: str, fields: dict[str, Any], folder: MarketFolder | None
    ) -> list[Event]:
        """The same on the models; nothing for an event that follows from another one."""
        model, stakes = self.network.model, self.network.staking
        match name:
            case "Posted":
                posted = (fields[each] for each in ("operator", "number", "kind", "slot", "hash", "now_slot"))
                return [stakes.post(*posted)]
            case "LeaseMatched":
                device = fields["device"]
                number = stakes.devices[device].class_id
                named = fields["matcher"], fields["order"], device, number, fields["tick"]
                return model.match_device(*named, worker=False)
            case "LeaseAccepted":
                return model.accept_lease(model.leases[fields["lease"]].worker, fields["lease"])
            case "FaultVoted":
                operator, lease, evidence = (fields[each] for each in ("operator", "lease", "evidence"))
                hours, number, registered_at = (
                    fields[each] for each in ("good_hours", "number", "registered_at")
                )
                return model.vote_fault(operator, lease, evidence, hours, number, registered_at)
            case "PricesVoted":
                return [stakes.vote_prices(fields["operator"], fields["hour"], fields["root"])]
            case "PriceApplied":
                assert folder is not None
                number, hour = fields["class"], fields["hour"]
                table = folder.steps(hour)
                return [stakes.apply_price(number, hour, table.steps[number], table.proof(number))]
        return []


def _order(event: Event) -> tuple[str, str]:
    """A place for an event: programs' events are told apart by their names."""
    name, fields = event
    return name, repr(sorted(fields.items()))


@asynccontextmanager
async def url_of(network: Network) -> AsyncIterator[str]:
    """Where the chain answers over HTTP: a validator, or a node in front of the embedded one."""
    chain = network.pair.world.chain
    if isinstance(chain, LiveChain):
        yield chain.url
        return
    assert isinstance(chain, EmbeddedChain)
    node = RpcNode(chain)
    await node.start()
    try:
        yield node.url
    finally:
        await node.stop()


class Worker:
    """``ionet worker run`` for one device, in a process of its own that can be killed."""

    def __init__(self, name: str, folder: Path, url: str, services: list[Service]) -> None:
        """A machine that was enrolled as ``name``; ``services`` are the operators that it knows of."""
        folder.mkdir()
        self.device = staking.device_address(key(name).pubkey())
        file = folder / "key.json"
        file.touch(0o600)
        file.write_text(json.dumps(list(bytes(key(name)))))
        store = Store(folder / "state")
        store.enrol(Enrolment(self.device, 1, 0, PROCESSORS, "numpy", 1))
        store.close()
        self.events: list[dict[str, Any]] = []
        self._environment = {
            **os.environ,
            "IONET_CHAIN": url,
            "IONET_KEYPAIR": str(file),
            "IONET_WORKER": str(folder / "state"),
            "IONET_LEASES": "unserved",
            "IONET_OPERATORS": json.dumps([each.url for each in services] or ["http://127.0.0.1:9"]),
        }
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Run it, after a kill once more."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", RUN, stderr=asyncio.subprocess.PIPE, env=self._environment
        )
        self._reading = asyncio.create_task(self._read(self._process))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        while line := await process.stderr.readline():
            self.events.append(json.loads(line))

    async def kill(self) -> None:
        """As SIGKILL does; nothing when it doesn't run."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
        if self._process is not None:
            await self._process.wait()
        if self._reading is not None:
            await self._reading

    async def says(self, event: str) -> dict[str, Any]:
        """Wait for an event of its log."""
        await until(lambda: any(each["event"] == event for each in self.events), lambda: str(self.events))
        return next(each for each in self.events if each["event"] == event)


async def until(condition: Callable[[], object], about: Callable[[], str] = str) -> None:
    """Wait for something that a process does."""
    try:
        async with asyncio.timeout(SECONDS):
            while not condition():
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"it didn't come: {about()}") from None
