"""Messages signed and sent to all operators at once, each with its own tries: none waits for another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

from solders.keypair import Keypair

from keeper.chain import Signer
from keeper.pow.messages import Message, Signed
from keeper.worker.client import Operator, OperatorError, Refused

M = TypeVar("M", bound=Message)
PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Seconds before a message is sent again, the last from then on."""
TRIES = 2
"""For an opening, which is large, and which operators have from one another."""
OPENING_PAUSE = 15.0
"""Seconds before the second try."""
OPENING_SECONDS = 60.0
"""So long after the picks are known operators take openings."""


async def sign(message: M, signer: Signer) -> Signed[M]:
    """Sign without holding up anything else. Raises SigningFailed."""
    if isinstance(signer, Keypair):
        return message.sign(signer)
    return await asyncio.to_thread(message.sign, signer)


async def until(
    operators: Iterable[Operator],
    send: Callable[[Operator], Awaitable[None]],
    left: Callable[[], float],
    log: Any,
) -> int:
    """Send to each until it has it, refuses it for good, or no seconds are ``left``.

    Returns how many have it.
    """

    async def to(operator: Operator) -> bool:
        tries = 0
        while left() > 0:
            try:
                async with asyncio.timeout(left()):
                    await send(operator)
                return True
            except TimeoutError:
                break
            except Refused as error:
                if error.is_final:
                    log.warning("worker.refused", url=operator.url, code=error.code, reason=str(error))
                    return False
                pause, reason = error.wait, str(error)
            except OperatorError as error:
                pause, reason = 0.0, str(error)
            if not tries:
                log.info("worker.again", url=operator.url, reason=reason)
            await asyncio.sleep(max(pause, PAUSES[min(tries, len(PAUSES) - 1)]))
            tries += 1
        return False

    return sum(await asyncio.gather(*map(to, operators)))


async def twice(
    operators: Iterable[Operator],
    send: Callable[[Operator], Awaitable[None]],
    log: Any,
) -> list[str]:
    """Send to each, a second time where that failed; returns why some haven't got it.

    Whoever says when to come again hasn't read it, so that this is no try; for OPENING_SECONDS in all.
    """
    events = asyncio.get_running_loop()
    end = events.time() + OPENING_SECONDS

    async def to(operator: Operator) -> str:
        tries = 0
        while True:
            try:
                await send(operator)
                return ""
            except OperatorError as error:
                reason, pause = str(error), OPENING_PAUSE
                if isinstance(error, Refused) and not error.is_final and error.wait:
                    pause = error.wait
                else:
                    tries += 1
                    log.warning("worker.opening_failed", url=operator.url, reason=reason)
                final = isinstance(error, Refused) and error.is_final
            if final or tries == TRIES or events.time() + pause > end:
                return f"{operator.url}: {reason}"
            await asyncio.sleep(pause)

    return [each for each in await asyncio.gather(*map(to, operators)) if each]
