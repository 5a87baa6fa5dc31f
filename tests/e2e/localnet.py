"""A localnet of one's own in a thread of this process, and its chain as the tests' worlds drive one."""

from __future__ import annotations

import asyncio
import socket
import threading
from types import TracebackType

from solders.pubkey import Pubkey

from keeper import deploy
from keeper.chain import Commitment
from keeper.chain.notices import Notices
from keeper.chain.rpc import RpcChain
from keeper.localnet.chain import LocalChain
from keeper.localnet.node import Node
from keeper.localnet.server import served
from tests.e2e.live import LiveChain


class Localnet:
    """A node with the programs on it, which answers at ``url`` meanwhile."""

    def __init__(self, now: int, authority: Pubkey) -> None:
        """The clock shows ``now`` and stands still; ``authority`` may upgrade the programs."""
        chain = LocalChain(now=now)
        chain.set_speed(0)
        deploy.load_programs(chain, authority)
        self.node = Node(chain)
        listener = socket.create_server(("127.0.0.1", 0))
        websocket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.websocket = f"ws://127.0.0.1:{websocket.getsockname()[1]}"
        self._listeners = [listener, websocket]
        self._loop = asyncio.new_event_loop()
        self._ready, self._stop = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._serve, name="localnet", daemon=True)

    def __enter__(self) -> Localnet:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()

    def jump(self, keep: int, slots: int, ahead: int | None = None) -> None:
        """Its clock is moved by a method: nobody jumps."""
        raise NotImplementedError

    def set_ahead(self, seconds: int) -> None:
        """Nor does anybody set another."""
        raise NotImplementedError

    def _serve(self) -> None:
        async def work() -> None:
            async with served(self.node, self._listeners):
                self._ready.set()
                await self._stop.wait()

        self._loop.run_until_complete(work())


class LocalnetChain(LiveChain):
    """A localnet's chain: all is final at once, and its clock goes where it is told to."""

    def __init__(self, localnet: Localnet) -> None:
        self._localnet = localnet
        super().__init__(localnet, localnet.node.faucet)

    def _connect(self) -> RpcChain:
        return RpcChain(self.url, Commitment.CONFIRMED, Notices(self._localnet.websocket))

    def finalized(self) -> LiveChain:
        other = LocalnetChain(self._localnet)
        other._records = self._records
        return other

    def warp_to(self, unix_timestamp: int) -> None:
        """Move the clock by the method that clients have for it."""
        seconds = max(0, unix_timestamp - self.now())
        if seconds:
            self.run(lambda chain: chain._asker.ask("ionet_advance", [seconds], dict, again=False))

    def pass_through(self, begin: int, end: int) -> None:
        """What it executed has blocks at all times, however its clock was moved."""
        self.warp_to(end)
