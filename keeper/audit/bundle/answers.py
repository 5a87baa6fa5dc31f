"""What a chain was asked and answered, kept, and answered again without it.

An audit asks the same of the same: so what it was answered once is all that it takes to come to the same
findings, and nothing has to be known of what that will be.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from enum import Enum
from typing import Any, cast

from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from keeper.chain import ChainReader, records, whole
from keeper.errors import UserError

METHODS = (
    "genesis_hash",
    "version",
    "clock",
    "accounts",
    "program_accounts",
    "history",
    "slot",
    "final_clock",
    "signatures",
    "records",
    "signed",
    "block",
    "head",
    "snapshot",
    "tip",
    "statuses",
)
"""What can be asked of a chain that is only read, where it has it; nothing is awaited of a bundle's."""
SHAPES: Mapping[str, Any] = {
    name: kind
    for module in (records, whole)
    for name, kind in vars(module).items()
    if isinstance(kind, type) and (dataclasses.is_dataclass(kind) or hasattr(kind, "_fields"))
}
"""What answers are made of, by name: no other type is ever made of what a bundle says."""


class NotHeld(UserError):
    """Something that wasn't asked when a bundle was written."""


class AnswersDamaged(UserError):
    """Answers that no bundle of ours has."""


class Recording:
    """A chain that is asked as always, and what it answered."""

    def __init__(self, chain: ChainReader) -> None:
        """Nothing was asked yet."""
        self._chain = chain
        self.answers: dict[str, str] = {}

    def __getattr__(self, name: str) -> Any:
        """Ask the chain; of two answers to one question the first is what is kept and said."""
        method = getattr(self._chain, name)
        if name not in METHODS:
            return method

        async def ask(*args: Any, **options: Any) -> Any:
            key = question(name, args, options)
            if key not in self.answers:
                self.answers[key] = _text(await method(*args, **options))
            return _value(json.loads(self.answers[key]))

        return ask

    def lines(self) -> Iterator[bytes]:
        """All of it, sorted: the same questions and answers are the same bytes."""
        for key in sorted(self.answers):
            yield f"[{key},{self.answers[key]}]\n".encode()


class Replayed:
    """A chain that says what it was once heard to say."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        """Raises AnswersDamaged."""
        self._answers: dict[str, Any] = {}
        try:
            for line in lines:
                key, answer = json.loads(line)
                self._answers[_dumps(key)] = answer
        except (ValueError, TypeError, RecursionError) as error:
            raise AnswersDamaged("the bundle's answers of a chain can't be read") from error

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        """What was answered; raises NotHeld, AnswersDamaged."""
        if name not in METHODS:
            raise AttributeError(name)

        async def answer(*args: Any, **options: Any) -> Any:
            key = question(name, args, options)
            if key not in self._answers:
                raise NotHeld(
                    f"the bundle doesn't hold what this asks of a chain ({name}): it was written for another "
                    "range or by another version; ionet audit bundle write makes one that does"
                )
            try:
                return _value(self._answers[key])
            except (ValueError, TypeError, KeyError, RecursionError) as error:
                raise AnswersDamaged(f"the bundle's answer to {name} can't be read") from error

        return answer

    async def changed(self, programs: object) -> None:
        """Nothing ever changes."""
        await asyncio.Event().wait()


def as_reader(chain: Recording | Replayed) -> ChainReader:
    """It answers as one, question by question."""
    return cast(ChainReader, chain)


def question(name: str, args: tuple[Any, ...], options: Mapping[str, Any]) -> str:
    """A question as text, one for each."""
    return _dumps(
        [name, [_plain(each) for each in args], {key: _plain(options[key]) for key in sorted(options)}]
    )


def _text(value: Any) -> str:
    return _dumps(_plain(value))


def _dumps(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _plain(value: Any) -> Any:  # noqa: PLR0911 - a kind each
    """A value as JSON, with what it is."""
    if value is None or (isinstance(value, bool | int) and not isinstance(value, Enum)):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return {"bytes": b64encode(value).decode()}
    if isinstance(value, Pubkey):
        return {"key": str(value)}
    if isinstance(value, Signature):
        return {"signature": str(value)}
    if isinstance(value, VersionedTransaction):
        return {"transaction": b64encode(bytes(value)).decode()}
    if type(value).__name__ in SHAPES:
        names = getattr(value, "_fields", None) or [each.name for each in dataclasses.fields(value)]
        return {"is": type(value).__name__, "of": [_plain(getattr(value, name)) for name in names]}
    if isinstance(value, Mapping):
        return {"map": [[_plain(key), _plain(each)] for key, each in value.items()]}
    if isinstance(value, tuple):
        return {"tuple": [_plain(each) for each in value]}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    raise TypeError(f"no bundle holds a {type(value).__name__}")


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "bytes": lambda text: b64decode(text, validate=True),
    "key": Pubkey.from_string,
    "signature": Signature.from_string,
    "transaction": lambda text: VersionedTransaction.from_bytes(b64decode(text, validate=True)),
    "map": lambda pairs: {_value(key): _value(each) for key, each in pairs},
    "tuple": lambda values: tuple(_value(each) for each in values),
}


def _value(plain: Any) -> Any:
    """What :func:`_plain` wrote; raises ValueError, TypeError and KeyError for anything else."""
    if isinstance(plain, list):
        return [_value(each) for each in plain]
    if not isinstance(plain, dict):
        return plain
    if "is" in plain:
        return SHAPES[plain["is"]](*(_value(each) for each in plain["of"]))
    ((kind, value),) = plain.items()
    return _READERS[kind](value)
