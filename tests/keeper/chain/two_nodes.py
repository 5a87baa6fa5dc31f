"""Two nodes behind one URL, one of which stays behind: every other answer about accounts is its."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from keeper.chain.embedded import EmbeddedChain
from tests.keeper.chain.rpc_node import RpcNode

STATE = {
    "getAccountInfo",
    "getMultipleAccounts",
    "getProgramAccounts",
    "getLatestBlockhash",
    "simulateTransaction",
}
"""Questions whose answers follow from the accounts of a slot."""


class TwoNodes:
    """Stands where a proxy's mischief does."""

    def __init__(self, chain: EmbeddedChain, folder: Path) -> None:
        """The one that stays behind is where the chain is now."""
        chain.save(folder / "behind")
        behind = EmbeddedChain.load(folder / "behind", verify_signatures=False)
        self._behind = RpcNode(behind)
        self._next = False
        self.old = 0
        """Answers that it gave."""

    async def answer(self, question: Any, ask: Callable[[], Awaitable[bytes]]) -> bytes:
        if question["method"] in STATE:
            self._next = not self._next
            if self._next:
                self.old += 1
                return await self._behind._answer(json.dumps(question).encode())
        return await ask()
