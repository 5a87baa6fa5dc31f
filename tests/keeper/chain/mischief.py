"""A node that misbehaves, or what stands before it: by a seed, in every way that was seen or thought of.

It stands between a client and a node: the tests' own on an embedded chain (``RpcNode``), or any at a URL
(``HttpProxy``), for questions, and for notices. It tells no lie that nobody could see through, such as
another balance: it loses, delays, repeats, reorders, leaves out, cuts, refuses and talks nonsense.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, fields
from random import Random
from time import monotonic
from typing import Any

from tests.keeper.chain.bad_answers import CODES, error, rows
from tests.keeper.chain.reply import Lost, Reply

Json = Any
CHANGING = "getSlot", "getSignatureStatuses", "getEpochInfo"
"""Questions about how far the chain is."""
STATE = (
    "getAccountInfo",
    "getMultipleAccounts",
    "getProgramAccounts",
    "getLatestBlockhash",
    "getSignaturesForAddress",
)
"""Questions about what is in it, whose answers change with every slot."""
LISTS = "getSignaturesForAddress"
RECORDS = "getTransaction"
EMPTY_IN_A_ROW = 2
"""Three empty lists in a row are an end of history: everybody has to believe somebody in the end."""
LISTINGS = 4
"""So many lists in a row leave out a transaction that is hidden for a while."""


@dataclass(frozen=True, kw_only=True)
class Knobs:
    """What it does, each to a share of the answers that it may happen to: 0 never, 1 always."""

    lose_question: float = 0
    """The connection breaks, and the node wasn't asked."""
    lose_answer: float = 0
    """The node has done what it was asked to, and nobody hears of it."""
    cut: float = 0
    """The connection breaks in the middle of the answer."""
    delay: float = 0
    longest_delay: float = 0.01
    """Seconds."""
    silence: float = 0
    """The question is taken, and never answered."""
    silent_seconds: float = 10.0
    """Until it hangs up."""
    refuse: float = 0
    """An error of any code, known or not, with or without its data, in HTTP 200."""
    nonsense: float = 0
    """Any row of ``bad_answers``: HTTP statuses, web pages, numbers of other questions, bytes."""
    null: float = 0
    """The result is null."""
    truncate: float = 0
    """Accounts' base64 is cut, anywhere."""
    stale: float = 0
    """Of :data:`CHANGING` questions: what was answered before, as a node behind the others does."""
    stale_state: float = 0
    """The same of :data:`STATE`."""
    foreign: float = 0
    """Another transaction than was asked for."""
    heightless: float = 0
    """A transaction's calls have no stack heights."""
    version_1: float = 0
    """A transaction has the shape of version 1."""
    empty_page: float = 0
    short_page: float = 0
    repeat: float = 0
    reorder: float = 0
    gaps: float = 0
    """Lists leave out single transactions, each time others."""
    hide: float = 0
    """Of transactions: lists leave them out, LISTINGS times in a row."""
    calls: int = 0
    """How many calls of a method are answered in ``window`` seconds, 0 for any number."""
    window: float = 1.0
    lose_notice: float = 0
    double_notice: float = 0
    cut_notice: float = 0
    garbage_notice: float = 0
    hang_up: float = 0
    """Of notices: the websocket breaks instead."""

    @property
    def on(self) -> set[str]:
        """The faults that it does at all."""
        settings = {"longest_delay", "silent_seconds", "window"}
        return {each.name for each in fields(self) if each.name not in settings and getattr(self, each.name)}


LOSSY = Knobs(
    lose_question=0.08,
    lose_answer=0.08,
    delay=0.08,
    stale=0.2,
    empty_page=0.08,
    short_page=0.08,
    repeat=0.08,
    reorder=0.08,
)
"""A proxy that loses, delays, repeats and reorders."""
EVERYTHING = Knobs(
    lose_question=0.01,
    lose_answer=0.01,
    cut=0.01,
    delay=0.1,
    longest_delay=0.1,
    silence=0.001,
    refuse=0.02,
    nonsense=0.02,
    null=0.01,
    truncate=0.02,
    stale=0.1,
    stale_state=0.05,
    foreign=0.02,
    heightless=0.1,
    version_1=0.1,
    empty_page=0.02,
    short_page=0.05,
    repeat=0.05,
    reorder=0.05,
    gaps=0.05,
    hide=0.01,
    calls=60,
    lose_notice=0.3,
    double_notice=0.2,
    cut_notice=0.1,
    garbage_notice=0.1,
    hang_up=0.1,
)
"""All of it, as bad as a node can be with which work still gets done."""


class Limit:
    """So many calls of each method in a window."""

    def __init__(self, calls: int, window: float) -> None:
        self._calls, self._window = calls, window
        self._windows: dict[str, tuple[float, int]] = {}

    def is_too_much(self, method: str) -> bool:
        """Count a call; whether it is one too many."""
        start, count = self._windows.get(method, (0.0, 0))
        if monotonic() - start > self._window:
            start, count = monotonic(), 0
        self._windows[method] = start, count + 1
        return count >= self._calls


class Mischief:
    """Does what its knobs say, and counts it in ``done`` by their names, among ``asked`` questions."""

    def __init__(self, seed: int, knobs: Knobs = LOSSY) -> None:
        self.knobs = knobs
        self.done: Counter[str] = Counter()
        self.asked = 0
        self.noticed = 0
        self.over = asyncio.Event()
        """Ends all silence."""
        self._random = Random(seed)
        self._limit = Limit(knobs.calls, knobs.window)
        self._before: dict[str, Json] = {}
        self._foreign: Json = None
        self._empty = 0
        self._listings: dict[str, int] = {}
        # With the longest waits that a node may ask for a test would be over.
        self._rows = [row.spoil for row in rows() if "retry after" not in row.name]

    # -- questions -----------------------------------------------------------------------------

    async def answer(self, question: Json, ask: Callable[[], Awaitable[bytes]]) -> bytes | Reply:
        """What the client gets in place of the node's answer."""
        method, knobs = question["method"], self.knobs
        self.asked += 1
        if knobs.calls and self._limit.is_too_much(method):
            self.done["calls"] += 1
            wait = {"retry-after": "1"} if self._random.random() < 0.5 else {}
            return Reply(b"Too many requests for a specific RPC call", 429, wait)
        fault = self._draw("lose_question", "lose_answer", "cut", "delay", "silence", "refuse", "nonsense")
        if fault == "lose_question":
            raise Lost
        if fault == "silence":
            with suppress(TimeoutError):
                await asyncio.wait_for(self.over.wait(), knobs.silent_seconds)
            raise Lost
        good = await ask()
        if fault == "lose_answer":
            raise Lost
        if fault == "cut":
            return Reply(good, cut=True)
        if fault == "delay":
            await asyncio.sleep(self._random.uniform(0, knobs.longest_delay))
        answer = json.loads(good)
        if fault == "refuse":
            return error(answer, self._refusal())
        if fault == "nonsense" and "result" in answer:
            return self._random.choice(self._rows)(answer)
        if "result" in answer:
            answer["result"] = self._spoiled(method, question.get("params", []), answer["result"])
        return json.dumps(answer).encode()

    def _draw(self, *names: str) -> str:
        """One of these faults, or none, each as often as its knob says; counted."""
        drawn = self._random.random()
        for name in names:
            drawn -= getattr(self.knobs, name)
            if drawn < 0:
                self.done[name] += 1
                return name
        return ""

    def _refusal(self) -> Json:
        code = self._random.choice(list(CODES))
        more: Json = self._random.choice(
            [{}, {"message": None}, {"message": "no"}, {"message": "no", "data": None}, {"data": {"x": [1]}}]
        )
        return {"code": code, **more}

    def _spoiled(self, method: str, parameters: Json, result: Json) -> Json:
        result = self._aged(method, parameters, result)
        if method == LISTS:
            return self._listed(result)
        if method == RECORDS and result:
            return self._recorded(result)
        if self._draw("null"):
            return None
        pairs = list(_base64(result)) if self.knobs.truncate else []
        if pairs and self._draw("truncate"):
            pair = self._random.choice(pairs)
            pair[0] = pair[0][: self._random.randrange(len(pair[0]))]
        return result

    def _aged(self, method: str, parameters: Json, result: Json) -> Json:
        """What the same question was answered with before, now and then."""
        if method not in (*CHANGING, *STATE):
            return result
        asked = json.dumps([method, parameters])
        old, self._before[asked] = self._before.get(asked), json.dumps(result)
        if old is not None and self._draw("stale" if method in CHANGING else "stale_state"):
            return json.loads(old)
        return result

    def _listed(self, listed: Json) -> Json:
        """A page of signatures."""
        knobs, random = self.knobs, self._random
        if knobs.hide:
            listed = [row for row in listed if not self._hides(row["signature"])]
        if knobs.gaps:
            kept = [row for row in listed if random.random() >= knobs.gaps / 10]
            self.done["gaps"] += len(listed) - len(kept)
            listed = kept
        if not listed:
            return listed
        fault = self._draw("empty_page", "short_page", "repeat", "reorder", "null")
        if fault == "null":
            return None
        if fault == "empty_page":
            if self._empty < EMPTY_IN_A_ROW:
                self._empty += 1
                return []
            self.done[fault] -= 1
        self._empty = 0
        if fault == "short_page":
            return listed[: random.randrange(1, len(listed) + 1)]
        if fault == "repeat":
            return [row for row in listed for _ in range(random.choice((1, 2)))]
        if fault == "reorder":
            random.shuffle(listed)
        return listed

    def _hides(self, signature: str) -> bool:
        """Whether this list leaves a transaction out; it is decided at its first one."""
        if signature not in self._listings:
            hidden = self._random.random() < self.knobs.hide
            self._listings[signature] = LISTINGS if hidden else 0
        left = self._listings[signature]
        self._listings[signature] = max(0, left - 1)
        self.done["hide"] += left > 0
        return left > 0

    def _recorded(self, record: Json) -> Json:
        """A transaction."""
        other, self._foreign = self._foreign, record
        fault = self._draw("null", "foreign", "heightless", "version_1")
        if fault == "null":
            return None
        if fault == "foreign" and other:
            return other
        record = json.loads(json.dumps(record))
        message = record["transaction"]["message"]
        if fault == "heightless":
            for group in record["meta"]["innerInstructions"] or []:
                for call in group["instructions"]:
                    call["stackHeight"] = None
        elif fault == "version_1" and not message.get("addressTableLookups"):
            message.pop("addressTableLookups", None)
            message["transactionConfig"] = {"priorityFee": 1_000, "computeUnitLimit": 200_000}
            record["version"] = 1
        return record

    # -- notices -------------------------------------------------------------------------------

    def notice(self, text: str) -> list[str | bytes]:
        """What is sent in place of a notice; raises Lost where the connection breaks instead."""
        self.noticed += 1
        fault = self._draw("lose_notice", "double_notice", "cut_notice", "garbage_notice", "hang_up")
        if fault == "hang_up":
            raise Lost
        bad: dict[str, list[str | bytes]] = {
            "lose_notice": [],
            "double_notice": [text, text],
            "cut_notice": [text[: self._random.randrange(len(text))]],
            "garbage_notice": [self._random.choice(["[]", "{}", "null", "<html>", b"\xff\x00", "1"])],
        }
        return bad.get(fault, [text])


def _base64(value: Json) -> Iterator[list[str]]:
    """All pairs of base64 and that word in a JSON value, but for those that are empty."""
    if isinstance(value, list) and value[1:] == ["base64"]:
        if value[0]:
            yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _base64(each)
