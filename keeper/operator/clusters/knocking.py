"""This operator's knocks at the others' boards, once a minute: see :mod:`keeper.compute.knocks`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

from structlog.typing import FilteringBoundLogger

from keeper.chain.services import OperatorError
from keeper.chain.signer import Signer, SigningFailed
from keeper.compute.client import Board
from keeper.compute.knocks import knock


class Knocking:
    """One operator's, at ``boards``, of which one may be its own."""

    def __init__(
        self,
        boards: Sequence[Board],
        signer: Signer,
        log: FilteringBoundLogger,
        *,
        unix_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """``signer`` is the operator's."""
        self._boards, self._signer, self._log = boards, signer, log
        self._unix_ms = unix_ms
        self._operator = signer.pubkey()
        self._told: set[str] = set()

    async def knock(self) -> None:
        """Knock once at each; one that doesn't take it has its next knock a minute later."""
        await asyncio.gather(*map(self._at, self._boards))

    async def _at(self, board: Board) -> None:
        try:
            to = (board.identity or await board.identify()).operator
            if to == self._operator:
                return
            data = await asyncio.to_thread(knock, board.network, to, self._unix_ms(), self._signer)
            await board.knock(data)
        except (OperatorError, SigningFailed) as error:
            board.identity = None  # Another operator may be there by now.
            if board.url not in self._told:
                self._log.warning("board.unreached", url=board.url, reason=str(error))
            self._told.add(board.url)
        else:
            self._told.discard(board.url)
