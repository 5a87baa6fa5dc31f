"""JSON-RPC 2.0: questions out of bytes, one or a batch, and answers into bytes."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

from pydantic_core import from_json, to_json

from keeper.chain.errors import ChainError
from keeper.localnet.methods import METHODS
from keeper.localnet.node import Node
from keeper.localnet.parameters import Parameters
from keeper.localnet.refusal import INTERNAL, INVALID_REQUEST, NO_METHOD, PARSE, Refusal

MAX_BATCH = 50
"""Questions that may be asked at once."""


async def respond(node: Node, body: bytes) -> bytes:
    """Answer a body, which may be anything; empty for a question that wants no answer."""
    try:
        questions = from_json(body, allow_inf_nan=False)
    except ValueError:
        return to_json(_failed(None, Refusal(PARSE, "Parse error")))
    if not isinstance(questions, list):
        answer = await ask(node, questions)
        return b"" if answer is None else to_json(answer)
    if not 0 < len(questions) <= MAX_BATCH:
        refused = Refusal(INVALID_REQUEST, f"Invalid request: a batch has 1 to {MAX_BATCH} questions")
        return to_json(_failed(None, refused))
    answers = []
    for question in questions:
        answers.append(await ask(node, question))
        await asyncio.sleep(0)  # others get their turn between two of them
    answers = [each for each in answers if each is not None]
    return to_json(answers) if answers else b""


async def ask(node: Node, question: Any) -> dict[str, Any] | None:
    """Answer one question; None for one without an id, which wants no answer."""
    number = question.get("id") if isinstance(question, dict) else None
    try:
        method, parameters = read(question)
        if "id" not in question:
            return None
        return {"jsonrpc": "2.0", "result": await _result(node, method, parameters), "id": number}
    except Refusal as refused:
        return _failed(number, refused)
    except ChainError as error:
        return _failed(number, Refusal(INTERNAL, str(error)))


def read(question: Any) -> tuple[str, Any]:
    """A question's method and parameters; raises Refusal for what isn't a question."""
    match question:
        case {"jsonrpc": "2.0", "method": str(method)}:
            if isinstance(question.get("id"), str | int | float | None):
                return method, question.get("params")
    raise Refusal(INVALID_REQUEST, "Invalid request")


async def _result(node: Node, name: str, values: Any) -> Any:
    method = METHODS.get(name)
    if method is None or (node.public and not method.on_public):
        raise Refusal(NO_METHOD, "Method not found")
    if seconds := node.faults.seconds():
        await asyncio.sleep(seconds)
    node.faults.behind = node.faults.slots_behind()
    try:
        found = method.answer(node, Parameters(values, node.slot))
        return await found if inspect.isawaitable(found) else found
    finally:
        node.faults.behind = 0


def _failed(number: Any, refused: Refusal) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "error": refused.json(), "id": number}
