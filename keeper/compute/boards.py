"""All operators' boards together: what is said goes to every one, and any of them is enough to hear it.

A board may be away, slow, keep messages back, or give nonsense; what it can't is change or invent one. So
whoever speaks goes on asking each until it has taken the message, and whoever listens has what any board has.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import NamedTuple

from solders.pubkey import Pubkey
from structlog.typing import FilteringBoundLogger

from keeper.budgets import Buckets
from keeper.chain import SigningFailed
from keeper.chain.services import OperatorError, Refused
from keeper.chain.signer import Signer
from keeper.compute.bodies import Beat, Body, Kind, Probed
from keeper.compute.client import Board, Numbered
from keeper.compute.hearing import PACE, Heard
from keeper.compute.refusals import Why
from keeper.compute.wire import Equivocation, Message, Network, Signed, Slot
from keeper.errors import UserError

PAUSES = 1.0, 2.0, 5.0, 15.0, 30.0
"""Seconds before a board that failed is asked again."""
FRESH_MS = 20_000
"""A message that is older is signed anew, under the next number: boards refuse what is 30 seconds old."""
QUIET_SECONDS = 1.0
"""Between two questions to a board that has nothing and doesn't wait either."""
REMEMBERED = 65_536
"""Messages that are read of a board: none has more of an order."""
READ_SECONDS = 60.0
"""For all that a board has of an order: one that gives pages without end keeps nobody waiting."""


MOST_QUESTIONS = 64
"""Probes that wait for an agent to take them."""


class Question(NamedTuple):
    """A probe that an operator asks for with its answer to a BEAT: see :mod:`keeper.compute.probe`."""

    board: Board
    operator: Pubkey
    order: Pubkey
    epoch: int
    number: int
    """The lease's own."""
    seed: bytes


class NobodyTookIt(UserError):
    """All boards refused a message for good."""


class Boards:
    """The boards of all operators; ``close`` ends what is still being delivered."""

    def __init__(
        self,
        boards: Sequence[Board],
        network: Network,
        log: FilteringBoundLogger,
        *,
        unix_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """``unix_ms`` gives unix time; ``sleep`` waits between tries."""
        self.boards, self.network = tuple(boards), network
        self._log, self._unix_ms = log, unix_ms
        self.sleep = sleep
        self.away: dict[str, str] = {}
        """Boards that failed when they were last asked, by URL, and why."""
        self._last = 0
        self._nonces: dict[tuple[str, Pubkey, Pubkey], bytes] = {}
        self._probes: dict[tuple[str, Pubkey, Pubkey], bytes] = {}
        self._questions = deque[Question](maxlen=MOST_QUESTIONS)
        self._deliveries: dict[tuple[Pubkey, Pubkey, Kind], list[asyncio.Task[None]]] = {}

    # -- speaking --------------------------------------------------------------------------------

    async def say(self, order: Pubkey, epoch: int, body: Body, signer: Signer, enough: int = 1) -> int:
        """Have something taken by ``enough`` boards; the rest are asked on meanwhile, and after that.

        What the same sender says next of the same kind takes its place. Returns how many have it. Raises
        SigningFailed; NobodyTookIt where so many refuse it for good that too few are left.
        """
        sender = signer.pubkey()
        said = _Saying(self, order, epoch, body, signer)
        await said.signed()  # A signature that fails is told to who speaks.
        key = (order, sender, body.KIND)
        for task in self._deliveries.pop(key, ()):
            task.cancel()
        tasks = self._deliveries[key] = [asyncio.create_task(said.to(board)) for board in self.boards]
        for task in tasks:
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        enough = min(enough, len(self.boards))
        while said.taken < enough:
            if said.refusals and len(self.boards) - len(said.refusals) < enough:
                reasons = "; ".join(f"{url}: {reason}" for url, reason in said.refusals.items())
                raise NobodyTookIt(f"no board takes this {body.KIND.name}: {reasons}")
            said.changed.clear()
            await said.changed.wait()
        return said.taken

    async def beat(
        self, order: Pubkey, epoch: int, signer: Signer, beat: Callable[[Pubkey, bytes], Beat]
    ) -> int:
        """Send one BEAT to each board: ``beat`` makes it from the operator and its nonce.

        Returns how many took it; the rest are named in :attr:`away`.
        """
        tried = (self._beat(board, order, epoch, signer, beat) for board in self.boards)
        return sum(await asyncio.gather(*tried))

    def asked(self) -> list[Question]:
        """What operators have asked of sandboxes with their answers to BEATs: each once."""
        found = list(self._questions)
        self._questions.clear()
        return found

    async def answer(self, question: Question, answer: bytes, signer: Signer) -> None:
        """Tell who asked what the sandbox made of it; raises OperatorError, SigningFailed."""
        body, ms = Probed(question.operator, question.seed, answer, question.number), self.next_ms()
        message = Message(self.network, question.order, signer.pubkey(), question.epoch, ms, ms, body)
        await question.board.post(await asyncio.to_thread(message.sign, signer))

    async def close(self) -> None:
        """Deliver nothing more."""
        tasks = [task for each in self._deliveries.values() for task in each]
        self._deliveries.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # -- listening -------------------------------------------------------------------------------

    async def follow(
        self, order: Pubkey, wanted: Callable[[Message], bool] = lambda message: True
    ) -> AsyncIterator[Signed]:
        """Every message of an order that any board has, each once, and from then on what is said next.

        Who may say what is for whoever listens, see :func:`keeper.compute.board.require_may`; ``wanted`` has
        what strangers say passed over, which a bad board may have without end. Two messages under one number
        are a proof, which all boards are given. Whatever a board gives costs so much time and memory at most.
        """
        heard: asyncio.Queue[Signed] = asyncio.Queue(1_024)
        known, pace = Heard(wanted), Buckets(PACE, len(self.boards))

        async def listen(board: Board) -> None:
            number, failed = 0, 0
            while True:
                began = asyncio.get_running_loop().time()
                try:
                    found: list[Numbered] = await board.after(order, number)
                except OperatorError as error:
                    self.failed(board, error)
                    await self.sleep(PAUSES[min(failed, len(PAUSES) - 1)])
                    failed += 1
                    continue
                failed = 0
                self.away.pop(board.url, None)
                for each in found:
                    number = each.number
                    await heard.put(each.signed)
                wait = pace.take(board.url, began, 0)
                pace.owe(board.url, began, len(found))
                if wait:
                    self.failed(board, OperatorError(f"{board.url}: more messages than are said"))
                    await self.sleep(wait)
                if not found and asyncio.get_running_loop().time() - began < QUIET_SECONDS:
                    await self.sleep(QUIET_SECONDS)

        tasks = [asyncio.create_task(listen(board)) for board in self.boards]
        try:
            while True:
                signed = await heard.get()
                found = known.take(signed)
                if isinstance(found, Equivocation):
                    sender = str(signed.message.sender)
                    self._log.warning("board.equivocation", order=str(order), sender=sender)
                    await self._accuse(found)
                elif found:
                    yield signed
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def read(self, order: Pubkey) -> list[Signed]:
        """Every message of an order that boards have now, each once; boards that fail are in ``away``.

        In the order in which the first board that has them took them.
        """
        found: OrderedDict[Slot, Signed] = OrderedDict()
        for each in await asyncio.gather(*(self._all(board, order) for board in self.boards)):
            for signed in each:
                before = found.setdefault(signed.message.slot, signed)
                if before is not signed and (proof := Equivocation.of(before, signed)) is not None:
                    await self._accuse(proof)
        return list(found.values())

    async def beats(self, order: Pubkey) -> dict[Pubkey, dict[Pubkey, Signed]]:
        """The last BEATs of an order's workers, by operator and worker."""
        found: defaultdict[Pubkey, dict[Pubkey, Signed]] = defaultdict(dict)
        for board in self.boards:
            try:
                for each in await board.beats(order):
                    if isinstance(each.message.body, Beat):
                        found[each.message.body.operator][each.message.sender] = each
            except OperatorError as error:
                self.failed(board, error)
        return dict(found)

    # -- inside ----------------------------------------------------------------------------------

    def next_ms(self) -> int:
        """The time, and a number that was never used: both rise, also over a restart."""
        self._last = max(self._last + 1, self._unix_ms())
        return self._last

    def failed(self, board: Board, error: OperatorError) -> None:
        """Note that a board doesn't answer as it should."""
        if board.url not in self.away:
            self._log.warning("board.away", url=board.url, reason=str(error))
        self.away[board.url] = str(error)

    async def _all(self, board: Board, order: Pubkey) -> list[Signed]:
        """All that a board has: as much, and for as long, as an honest one may take for it."""
        found: list[Numbered] = []
        slots: set[Slot] = set()
        try:
            async with asyncio.timeout(READ_SECONDS):
                while some := await board.after(order, found[-1].number if found else 0, waits=False):
                    slots.update(each.signed.message.slot for each in some)
                    if len(slots) < len(found) + len(some) or len(slots) > REMEMBERED:
                        raise OperatorError(f"{board.url}: messages twice, or more than {REMEMBERED:,}")
                    found += some
        except TimeoutError:
            late = f"{board.url}: its messages take more than {READ_SECONDS:g} seconds"
            self.failed(board, OperatorError(late))
        except OperatorError as error:
            self.failed(board, error)
        else:
            self.away.pop(board.url, None)
        return [each.signed for each in found]

    async def _accuse(self, proof: Equivocation) -> None:
        for board in self.boards:
            try:
                await board.accuse(proof)
            except OperatorError as error:
                self.failed(board, error)

    async def _beat(
        self,
        board: Board,
        order: Pubkey,
        epoch: int,
        signer: Signer,
        beat: Callable[[Pubkey, bytes], Beat],
    ) -> bool:
        key = (board.url, order, signer.pubkey())
        try:
            operator = (board.identity or await board.identify()).operator
            for _ in range(2):
                nonce = self._nonces.pop(key, None) or await board.nonce(order, signer.pubkey())
                ms = self.next_ms()
                body = beat(operator, nonce)
                message = Message(self.network, order, signer.pubkey(), epoch, ms, ms, body)
                try:
                    taken = await board.post(await asyncio.to_thread(message.sign, signer))
                except Refused as error:
                    if error.code != Why.WRONG_NONCE:
                        raise
                    continue
                self._nonces[key] = taken.nonce
                if taken.probe and self._probes.get(key) != taken.probe:
                    self._probes[key] = taken.probe
                    asked = Question(board, operator, order, epoch, body.number, taken.probe)
                    self._questions.append(asked)
                self.away.pop(board.url, None)
                return True
        except OperatorError as error:
            self.failed(board, error)
        return False


class _Saying:
    """One message on its way to all boards."""

    def __init__(self, boards: Boards, order: Pubkey, epoch: int, body: Body, signer: Signer) -> None:
        self._boards, self._signer = boards, signer
        self._order, self._epoch, self._body = order, epoch, body
        self._made: Signed | None = None
        self._making = asyncio.Lock()
        self.taken = 0
        self.refusals: dict[str, str] = {}
        self.changed = asyncio.Event()

    async def signed(self) -> Signed:
        """The message; made anew, with another number, once it is too old for a board that hasn't had it."""
        async with self._making:
            ms = self._boards.next_ms()
            if self._made is None or ms - self._made.message.ms > FRESH_MS:
                sender = self._signer.pubkey()
                message = Message(self._boards.network, self._order, sender, self._epoch, ms, ms, self._body)
                self._made = await asyncio.to_thread(message.sign, self._signer)
            return self._made

    async def to(self, board: Board) -> None:
        """Ask one board until it has it, or never will."""
        failed = 0
        while True:
            try:
                await board.post(await self.signed())
            except SigningFailed as error:
                self.refusals[board.url] = str(error)
                self.changed.set()
                return
            except OperatorError as error:
                if isinstance(error, Refused) and error.is_final and error.code != Why.OLD_SEQ:
                    if error.code == Why.KEY_TAKEN and failed:
                        break  # It had taken the same one, and its answer was lost.
                    self.refusals[board.url] = str(error)
                    self.changed.set()
                    return
                if isinstance(error, Refused) and error.code == Why.OLD_SEQ:
                    self._made = None  # A clock that went back.
                self._boards.failed(board, error)
                wait = error.wait if isinstance(error, Refused) else 0.0
                await self._boards.sleep(max(wait, PAUSES[min(failed, len(PAUSES) - 1)]))
                failed += 1
                continue
            break
        self._boards.away.pop(board.url, None)
        self.taken += 1
        self.changed.set()
