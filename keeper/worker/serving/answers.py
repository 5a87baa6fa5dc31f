"""An agent's answers to operators' probes: computed in its sandbox, told to who asked.

Whoever has a device can have any machine compute an answer, so one shows that an agent is there with a
sandbox that works, not that its supplier is honest. What it finds is the device that fails and doesn't know.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

from keeper.budgets import Buckets, Rate
from keeper.chain import Signer
from keeper.compute.boards import Boards, Question
from keeper.errors import UserError

ANSWERED_SECONDS = 120.0
"""So long an operator waits for an answer: see :mod:`keeper.operator.clusters.probing`."""
PACE = Rate(4, 1 / 240)
"""Probes for one operator: an honest one asks every five minutes at most, and again should it start anew."""


class Answers:
    """Of one device in one order; :meth:`turn` is called about once a second."""

    def __init__(
        self,
        boards: Boards,
        signer: Signer,
        probe: Callable[[bytes], Awaitable[bytes]],
        log: Any,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``probe`` computes in the sandbox what a seed comes to, and may raise UserError."""
        self._boards, self._signer, self._probe, self._log = boards, signer, probe, log
        self._monotonic = monotonic
        # By service, as none can prove whose it is: what one makes up takes no other one's place.
        self._open: dict[str, tuple[Question, float]] = {}
        self._found: dict[bytes, bytes] = {}
        """Answers that aren't told yet, by seed."""
        self._pace = Buckets(PACE, len(boards.boards))

    async def turn(self) -> None:
        """Try to answer what is asked; what can't be now is tried again the next time, for a while."""
        now = self._monotonic()
        for asked in self._boards.asked():
            url = asked.board.url
            if self._pace.take(url, now):
                self._log.warning("worker.probes_too_many", url=url)
            else:
                self._open[url] = asked, now
        for url, (question, since) in list(self._open.items()):
            reason = await self._failed(question)
            if not reason:
                self._log.info("worker.probed", url=url)
            elif self._monotonic() - since < ANSWERED_SECONDS:
                continue
            else:
                self._log.error("worker.probe_unanswered", url=url, reason=reason)
            del self._open[url]
            self._found.pop(question.seed, None)

    async def _failed(self, question: Question) -> str:
        """Answer one; why it couldn't be, or nothing."""
        try:
            if question.seed not in self._found:
                self._found[question.seed] = await self._probe(question.seed)
            await self._boards.answer(question, self._found[question.seed], self._signer)
        except (UserError, OSError) as error:
            return str(error)
        return ""
