"""Who sends which instruction: the commands and jobs whose code reaches the function that builds it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from keeper.chain.embedded import EmbeddedChain
from keeper.cli.answering import walk
from keeper.cli.main import COMMANDS
from keeper.clients.programs import PROGRAMS
from keeper.db import Database
from keeper.jobs import names
from keeper.rewards.history import History
from keeper.runtime.wiring import chosen_jobs, market_of
from keeper.settings import Settings
from scripts.reach import Code, Name

PLAY = ("demo", "localnet", "cluster demo")
"""They play everybody on a network of their own: what they send is no proof that anybody else can."""
KEEPERS = ("keeper run", "keeper once", "buyback run")
"""They send what their jobs send, which are told one by one."""
NOBODYS = {
    "staking.lease_device": "orders' `match_device` calls it: no key can",
    "staking.record_lease": "orders' `end_lease` and `vote_fault` call it: no key can",
    "staking.free_device": "orders' `end_lease` calls it: no key can",
    "staking.settle_device": "every instruction that needs it does the same first; a device's account alone "
    "would look newer",
}
"""Instructions that no person and no job of ours sends, and why."""


def senders(code: Code) -> dict[str, list[str]]:
    """Of each instruction that is sent, ``staking.claim``, who sends it: a command, or a job."""
    found: dict[str, list[str]] = {}
    for who, start in starts().items():
        for instruction in sorted(sent(code, start)):
            found.setdefault(instruction, []).append(who)
    return found


def sent(code: Code, start: Name) -> set[str]:
    """The instructions that are built by what a function reaches."""
    return {each for name in code.reached(start) for each in _built(code, name)}


@cache
def starts() -> dict[str, Name]:
    """Each command and job, and the function that it is."""
    commands = {name: command.callback for name, command in walk(COMMANDS) if name not in PLAY + KEEPERS}
    return {
        **{f"`ionet {name}`": _function(called) for name, called in commands.items()},
        **{f"job `{name}`": _function(called) for name, called in _jobs().items()},
    }


def _function(called: Any) -> Name:
    called = inspect.unwrap(called.func if isinstance(called, partial) else called)
    return called.__module__, called.__qualname__


def _jobs() -> dict[str, Any]:
    """All jobs, as an operator's keeper with money has them."""
    with TemporaryDirectory() as folder:
        path = Path(folder)
        settings = Settings(rewards=path, pow=path, market=path, bid_max_io=1)
        history = History(EmbeddedChain(), Database(f"sqlite:///{path}/keeper.db"))
        return dict(chosen_jobs(settings, names.NAMES, history, market_of(settings, history)))


def _built(code: Code, name: Name) -> Iterator[str]:
    """The instructions that a client's function builds: itself, or as the roles that all programs have."""
    program = next((each for each in PROGRAMS if f"{name[0]}.".startswith(f"keeper.clients.{each}.")), None)
    if program is None:
        return
    for each in (part for node in code.definitions(name) for part in ast.walk(node)):
        match each:
            case ast.Call(
                func=ast.Attribute(attr="instruction"), args=[ast.Constant(value=str(instruction)), *_]
            ):
                yield f"{program}.{instruction}"
            case ast.Attribute(value=ast.Name(id="_ROLES"), attr=instruction):
                yield f"{program}.{instruction}"
