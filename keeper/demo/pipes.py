"""What workers of another process say to operators of this one through its pipe, in place of HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from multiprocessing import connection
from typing import Any, NamedTuple

import httpx2 as httpx
from solders.pubkey import Pubkey

from keeper.demo.crew import Line
from keeper.demo.fleet import Machine
from keeper.operator.intake import Intake
from keeper.operator.operator import Operator
from keeper.operator.refusals import Refusal, told
from keeper.operator.service import identity
from keeper.operator.waves import Taken
from keeper.pow.messages import Opening
from keeper.worker.client import Refused

AT_ONCE = 128
"""Messages that are sent in one: the pipe takes them whole, and whoever reads it answers meanwhile."""


class Asked(NamedTuple):
    """A worker's call."""

    number: int
    operator: int
    path: str
    content: bytes | None


class Answered(NamedTuple):
    """What an operator says to it."""

    number: int
    answer: bytes | Refusal


class Wire:
    """The workers' end: calls that are made at once go out together."""

    def __init__(self, pipe: connection.Connection) -> None:
        """Whoever reads ``pipe`` gives the answers to :meth:`hear`."""
        self._pipe = pipe
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._out: list[Asked] = []
        self._number = 0

    async def ask(self, operator: int, path: str, content: bytes | None) -> bytes:
        """An operator's answer. Raises Refused."""
        loop = asyncio.get_running_loop()
        self._number += 1
        future: asyncio.Future[bytes] = loop.create_future()
        self._waiting[self._number] = future
        if not self._out:
            loop.call_soon(self._send)
        self._out.append(Asked(self._number, operator, path, content))
        return await future

    def hear(self, answers: Sequence[Answered]) -> None:
        """Take answers."""
        for number, answer in answers:
            future = self._waiting.pop(number)
            if future.done():
                continue
            if isinstance(answer, Refusal):
                future.set_exception(Refused(answer.why, answer.detail, answer.retry_after))
            else:
                future.set_result(answer)

    def _send(self) -> None:
        out, self._out = self._out, []
        for at in range(0, len(out), AT_ONCE):
            self._pipe.send(out[at : at + AT_ONCE])


class PipedLine(Line):
    """A worker's line through the pipe to the operator with a number."""

    def __init__(self, wire: Wire, number: int, machines: Mapping[Pubkey, Machine]) -> None:
        """See :class:`~keeper.demo.crew.Line`."""
        super().__init__("", httpx.AsyncClient(verify=False), machines)
        self._wire, self._number = wire, number

    async def send(self, method: str, path: str, content: Any = None, *args: Any, **how: Any) -> bytes:
        """See :class:`~keeper.demo.crew.Line`."""
        return await self._wire.ask(self._number, path, content)


class Clerk:
    """The operators' end: gives every call to the service that it is for."""

    def __init__(self, operators: Sequence[Operator], genesis: str) -> None:
        """By their numbers; ``genesis`` is the chain's genesis hash, base58."""
        self._operators = operators
        self._about = [json.dumps(identity(each.desk, genesis)).encode() for each in operators]

    async def answer(self, asked: Sequence[Asked]) -> list[Answered]:
        """Answer each, in their order."""
        return [Answered(each.number, await self._one(each)) for each in asked]

    async def _one(self, asked: Asked) -> bytes | Refusal:
        operator, content = self._operators[asked.operator], asked.content or b""
        desk = operator.desk
        where, _, after = asked.path.partition("?after=")
        match where:
            case "/pow/operator":
                return self._about[asked.operator]
            case "/pow/waves":
                return json.dumps(desk.news.after(int(after))).encode()
            case "/pow/commit":
                found = desk.intake.commit(content, "", desk.monotonic())
                return await desk.receipt(found) if isinstance(found, Taken) else found
            case "/pow/ping":
                return desk.intake.ping(content, "", desk.monotonic()) or b""
            case "/pow/pings":
                return json.dumps(told(desk.intake.answers(content, "", desk.monotonic()))).encode()
            case _:
                return _open(operator, content, desk.intake) or b""


def _open(operator: Operator, content: bytes, intake: Intake) -> Refusal | None:
    head, blob = content[: Opening.HEADER], content[Opening.HEADER :]
    due = intake.expected(head, len(content), "", operator.desk.monotonic())
    if isinstance(due, Refusal):
        return due
    if refusal := intake.bind(due, blob):
        return refusal
    operator.collecting.keep(due, blob, operator.desk.store.put_opening(blob))
    return None
