"""The websocket: who wants to hear of what, and what they hear."""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import Any, NamedTuple

from pydantic_core import from_json, to_json
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from starlette.websockets import WebSocket, WebSocketDisconnect

from keeper.budgets import network_of
from keeper.chain.records import Account, TransactionRecord
from keeper.localnet.accounts import ENCODINGS, account_json, closed
from keeper.localnet.methods.accounts import filters
from keeper.localnet.node import Node
from keeper.localnet.parameters import Config, Parameters
from keeper.localnet.refusal import INTERNAL, NO_METHOD, PARSE, Refusal, invalid
from keeper.localnet.rpc import read
from keeper.localnet.transactions import error_json
from keeper.patience import Patient

MAX_SOCKETS, MAX_SUBSCRIPTIONS = 50, 200
MAX_EACH = 10
"""Connections of an address that isn't this machine's own (of an IPv6 network of 64 bits)."""
MAX_TICKING = 4
"""Subscriptions of a connection to each slot, or to each root: all are told of every one."""
MAX_WAITING, MAX_BEHIND = 10_000, 16 * 2**20
"""Notices that a client may be behind with, and their bytes: one that reads no more is cut off."""
TRY_AGAIN_LATER = 1013
TOO_LONG = "error: data too large for bs58 encoding"
EVERYBODY = "all"
TICKING = "slot", "root"


class Subscription(NamedTuple):
    """What a client wants to hear of: the kind's notices about ``subject``."""

    number: int
    kind: str
    subject: Hashable
    session: Session
    shown: Callable[[Account | None], Any]
    """An account as the client wants to see it."""
    wanted: Callable[[bytes], bool]
    """Whether an account of these bytes is one that it wants to hear of."""


class Session:
    """A client's connection."""

    def __init__(self, websocket: WebSocket) -> None:
        """Nothing is subscribed to yet."""
        self.websocket = websocket
        self.subscriptions: dict[int, Subscription] = {}
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._behind = 0
        self._cut = False

    @property
    def address(self) -> str:
        """Whose it is, as it is counted."""
        return network_of(self.websocket.client.host if self.websocket.client else "")

    def tell(self, message: Any) -> None:
        """Send a message when the client takes it; one that is too far behind is told nothing more."""
        if self._cut:
            return
        text = to_json(message)
        self._behind += len(text)
        if self._waiting.qsize() < MAX_WAITING and self._behind <= MAX_BEHIND:
            self._waiting.put_nowait(text)
            return
        self._cut = True
        while not self._waiting.empty():
            self._waiting.get_nowait()
        self._waiting.put_nowait(None)

    def notify(self, subscription: Subscription, result: Any) -> None:
        """Send a notice."""
        parameters = {"result": result, "subscription": subscription.number}
        self.tell({"jsonrpc": "2.0", "method": f"{subscription.kind}Notification", "params": parameters})

    async def write(self) -> None:
        """Send what waits, for as long as there is a client."""
        with suppress(WebSocketDisconnect, RuntimeError):
            while (message := await self._waiting.get()) is not None:
                self._behind -= len(message)
                await self.websocket.send_text(message.decode())
            await self.websocket.close(TRY_AGAIN_LATER)


class Sockets:
    """All connections, and who of them hears of what."""

    def __init__(self, node: Node) -> None:
        """Hear of all that lands from now on."""
        self.node = node
        self.open: set[Session] = set()
        self._numbers = itertools.count(1)
        self._by_subject: defaultdict[tuple[str, Hashable], dict[int, Subscription]] = defaultdict(dict)
        self._slot = node.chain.newest_slot()
        node.landed.append(self._landed)

    async def serve(self, websocket: WebSocket) -> None:
        """Talk to one client until it goes."""
        session = Session(websocket)
        if len(self.open) >= MAX_SOCKETS or self._has_enough(session):
            await websocket.close(TRY_AGAIN_LATER)
            return
        await websocket.accept()
        self.open.add(session)
        writing = asyncio.create_task(session.write())
        try:
            while True:
                message = await websocket.receive()
                if message["type"] == "websocket.disconnect":
                    break
                self._answer(session, message.get("text") or message.get("bytes") or b"")
        except (WebSocketDisconnect, RuntimeError):
            pass
        finally:
            self.open.discard(session)
            for each in list(session.subscriptions.values()):
                self._forget(each)
            writing.cancel()

    def _has_enough(self, session: Session) -> bool:
        client = session.websocket.client
        if client is None or Patient.is_own(client.host):
            return False
        return sum(each.address == session.address for each in self.open) >= MAX_EACH

    def slot(self) -> None:
        """Say which slot it is, to those who want to know, once for each."""
        slot = self.node.chain.newest_slot()
        if slot == self._slot:
            return
        self._slot = slot
        self._tell("slot", None, {"slot": slot, "parent": slot - 1, "root": max(0, slot - 32)})
        self._tell("root", None, slot)

    async def close(self) -> None:
        """End all connections."""
        for each in list(self.open):
            with suppress(WebSocketDisconnect, RuntimeError):
                await each.websocket.close()

    # -- questions -----------------------------------------------------------------------------

    def _answer(self, session: Session, text: str | bytes) -> None:
        number, subscribed = None, None
        try:
            try:
                question = from_json(text, allow_inf_nan=False)
            except ValueError:
                raise Refusal(PARSE, "Parse error") from None
            number = question.get("id") if isinstance(question, dict) else None
            method, values = read(question)
            if "id" not in question:
                return  # such as the pings of web3.js and kit
            parameters = Parameters(values, self.node.chain.newest_slot())
            if method.endswith("Unsubscribe"):
                result: Any = self._unsubscribe(session, parameters)
            elif method in _READERS:
                subscribed = self._subscribe(session, method, parameters)
                result = subscribed.number
            else:
                raise Refusal(NO_METHOD, "Method not found")
        except Refusal as refused:
            session.tell({"jsonrpc": "2.0", "error": refused.json(), "id": number})
            return
        session.tell({"jsonrpc": "2.0", "result": result, "id": number})
        if subscribed is not None and subscribed.kind == "signature":
            self._if_landed(subscribed)

    def _subscribe(self, session: Session, method: str, parameters: Parameters) -> Subscription:
        if len(session.subscriptions) >= MAX_SUBSCRIPTIONS:
            raise Refusal(INTERNAL, f"Internal Error: Subscription refused. Max {MAX_SUBSCRIPTIONS} allowed")
        subject, shown, wanted = _READERS[method](self.node, parameters)
        kind = method.removesuffix("Subscribe")
        alike = sum(each.kind == kind for each in session.subscriptions.values())
        if kind in TICKING and alike >= MAX_TICKING:
            raise Refusal(INTERNAL, f"Internal Error: Subscription refused. Max {MAX_TICKING} allowed")
        found = Subscription(next(self._numbers), kind, subject, session, shown, wanted)
        session.subscriptions[found.number] = found
        self._by_subject[kind, subject][found.number] = found
        return found

    def _unsubscribe(self, session: Session, parameters: Parameters) -> bool:
        found = session.subscriptions.get(parameters.number(0))
        if found is None:
            raise invalid("Invalid subscription id.")
        self._forget(found)
        return True

    def _forget(self, subscription: Subscription) -> None:
        subscription.session.subscriptions.pop(subscription.number, None)
        subject = subscription.kind, subscription.subject
        self._by_subject[subject].pop(subscription.number, None)
        if not self._by_subject[subject]:
            del self._by_subject[subject]

    def _if_landed(self, subscription: Subscription) -> None:
        """A transaction may be here before anybody asks for it: whoever asks hears of it at once."""
        assert isinstance(subscription.subject, Signature)
        record = self.node.chain.kept.find(subscription.subject)
        if record is not None:
            self._signed(subscription, record)

    # -- notices -------------------------------------------------------------------------------

    def _landed(
        self, record: TransactionRecord, transaction: VersionedTransaction, writable: list[Pubkey]
    ) -> None:
        if not self._by_subject:
            return
        self.slot()
        for each in self._of("signature", record.signature):
            self._signed(each, record)
        logged = self._logged(record)
        for subject in (EVERYBODY, *self.node.chain.keys(transaction)):
            self._tell("logs", subject, logged)
        for address in writable:
            account = self.node.chain.get(address)
            for each in self._of("account", address):
                each.session.notify(each, _in_context(record.slot, each.shown(account)))
            for each in self._of("program", account.owner) if account else ():
                if account is not None and each.wanted(account.data):
                    value = {"pubkey": str(address), "account": each.shown(account)}
                    each.session.notify(each, _in_context(record.slot, value))

    def _of(self, kind: str, subject: Hashable) -> list[Subscription]:
        return list(self._by_subject[kind, subject].values()) if (kind, subject) in self._by_subject else []

    def _tell(self, kind: str, subject: Hashable, result: Any) -> None:
        for each in self._of(kind, subject):
            each.session.notify(each, result)

    def _signed(self, subscription: Subscription, record: TransactionRecord) -> None:
        """A transaction landed: that is said once, and then it is unsubscribed."""
        error = error_json(record, self.node.chain.whole(record.signature))
        subscription.session.notify(subscription, _in_context(record.slot, {"err": error}))
        self._forget(subscription)

    def _logged(self, record: TransactionRecord) -> Any:
        error = error_json(record, self.node.chain.whole(record.signature))
        value = {"signature": str(record.signature), "err": error, "logs": list(record.logs)}
        return _in_context(record.slot, value)


Reader = Callable[
    [Node, Parameters], tuple[Hashable, Callable[[Account | None], Any], Callable[[bytes], bool]]
]


def _whatever(data: bytes) -> bool:
    return True


def _unshown(account: Account | None) -> Any:
    return None


def _shown(node: Node, config: Config) -> Callable[[Account | None], Any]:
    encoding, part = config.text("encoding", "binary", ENCODINGS), config.slice()

    def shown(account: Account | None) -> Any:
        if account is None:
            return closed(encoding)
        try:
            return account_json(account, encoding, part, node.chain.get)
        except Refusal:
            short = Account(account.lamports, b"", account.owner, account.executable)
            found = account_json(short, encoding, None, node.chain.get) or {}
            return found | {"data": TOO_LONG, "space": len(account.data)}

    return shown


def _account(node: Node, parameters: Parameters) -> Any:
    return parameters.address(0), _shown(node, parameters.config(1)), _whatever


def _program(node: Node, parameters: Parameters) -> Any:
    config = parameters.config(1)
    passes = filters(config)
    shown = _shown(node, config)
    return parameters.address(0), shown, lambda data: all(each(data) for each in passes)


def _logs(node: Node, parameters: Parameters) -> Any:
    parameters.config(1)
    match parameters.needed(0):
        case "all" | "allWithVotes":
            return EVERYBODY, _unshown, _whatever
        case {"mentions": [str(text)]}:
            return Parameters([text], 0).address(0), _unshown, _whatever
        case {"mentions": list()}:
            raise invalid("Invalid Request: Only 1 address supported")
    raise invalid("Invalid params: expected `all`, `allWithVotes` or `mentions`.")


def _signature(node: Node, parameters: Parameters) -> Any:
    parameters.config(1)
    return parameters.signature(0), _unshown, _whatever


def _time(node: Node, parameters: Parameters) -> Any:
    return None, _unshown, _whatever


_READERS: dict[str, Reader] = {
    "accountSubscribe": _account,
    "programSubscribe": _program,
    "logsSubscribe": _logs,
    "signatureSubscribe": _signature,
    "slotSubscribe": _time,
    "rootSubscribe": _time,
}
SUBSCRIPTIONS = {
    "accountSubscribe": "An account, each time it is written; one that was closed is empty.",
    "programSubscribe": "Each account of a program that is written, by filters.",
    "logsSubscribe": "What transactions log: all, or those that mention an address.",
    "signatureSubscribe": "That a transaction landed, at once if it has already.",
    "slotSubscribe": "Each new slot.",
    "rootSubscribe": "Each new slot, too: all is final at once.",
}
"""What can be subscribed to; each has its Unsubscribe."""


def _in_context(slot: int, value: Any) -> dict[str, Any]:
    return {"context": {"slot": slot}, "value": value}
