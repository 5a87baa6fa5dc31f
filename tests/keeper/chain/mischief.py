"""A proxy's mischief: what stands between a client and a node loses, delays, repeats and reorders."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any, NamedTuple

Json = Any
CHANGING = "getSlot", "getSignatureStatuses", "getEpochInfo"
"""Questions that a proxy answers with what it was told before."""


class Lost(ConnectionError):
    """The connection breaks without an answer."""


class Reply(NamedTuple):
    """All of an HTTP response."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = {}  # noqa: RUF012 - nobody changes it


class Mischief:
    """Does something to every so many answers, by a seed; never the same kind three times in a row.

    Three empty answers in a row are an end of history; everybody has to believe somebody in the end.
    """

    ANY = "lose question", "lose answer", "delay"
    """What happens to any question."""
    AGEING = "stale"
    """What happens to questions whose answers change with time: the one from before is given again."""
    PAGES = "empty page", "short page", "repeat", "reorder"
    """What happens to pages of signatures."""
    KINDS = (*ANY, AGEING, *PAGES)

    def __init__(self, seed: int, share: float = 0.4) -> None:
        self.done: Counter[str] = Counter()
        self._random = Random(seed)
        self._share = share
        self._before: dict[str, bytes] = {}
        self._empty = 0

    async def answer(self, question: Json, ask: Callable[[], Awaitable[bytes]]) -> bytes | Reply:
        """What the client gets in place of the node's answer."""
        method = question["method"]
        kinds = list(self.ANY)
        if method in CHANGING:
            kinds += [self.AGEING] * 3
        elif method == "getSignaturesForAddress":
            kinds += self.PAGES * 2
        kind = self._random.choice(kinds) if self._random.random() < self._share else ""
        if kind == "lose question":
            self.done[kind] += 1
            raise Lost
        good = await ask()
        asked = json.dumps([method, question.get("params")])
        old = self._before.get(asked)
        self._before[asked] = good
        if kind == "lose answer":
            self.done[kind] += 1
            raise Lost
        if kind == "delay":
            self.done[kind] += 1
            await asyncio.sleep(self._random.uniform(0, 0.01))
        if kind == self.AGEING and old:
            self.done[kind] += 1
            return json.dumps({**json.loads(old), "id": question["id"]}).encode()
        return self._spoil(kind, good) if kind in self.PAGES else good

    def _spoil(self, kind: str, good: bytes) -> bytes:
        answer = json.loads(good)
        rows = answer.get("result")
        if not rows:
            return good
        if kind == "empty page" and self._empty < 2:
            self._empty += 1
            rows = []
        elif kind == "short page" and len(rows) > 1:
            rows = rows[: self._random.randrange(1, len(rows))]
        elif kind == "repeat":
            rows = [row for row in rows for _ in range(self._random.choice((1, 2)))]
        elif kind == "reorder":
            self._random.shuffle(rows)
        else:
            return good
        if kind != "empty page":
            self._empty = 0
        self.done[kind] += 1
        return json.dumps({**answer, "result": rows}).encode()
