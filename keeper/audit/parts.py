"""The parts of an audit, each loaded when it is run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from importlib import import_module

from keeper.audit.findings import Part, Report
from keeper.audit.sources import Shared, Source, Told, untold

Run = Callable[[Source, Told], Awaitable[Part]]
"""Looks at all of a source that the part is about. Raises UserError where nothing can be looked at."""

PARTS: Mapping[str, str] = {
    "chain": "keeper.audit.chain:check",
    "programs": "keeper.audit.programs:check",
    "hours": "keeper.audit.hours:check",
    "pow": "keeper.audit.pow:check",
    "market": "keeper.audit.market:check",
}
"""By name, in the order of a whole audit: ``module:function``, a :data:`Run`."""
TOGETHER = "hours", "pow"
"""They go side by side where there is a process for the latter: what takes them long are the same files."""


async def run(source: Source, names: tuple[str, ...] = (), told: Told = untold) -> Report:
    """Run some parts by their names, or all of them, told in this order."""
    clock = await source.chain.final_clock()
    parts: list[Part] = []
    async with shared(source) as one:
        for group in _groups(names or PARTS, together=source.beside is not None):
            parts += await _all([loaded(name)(one, told) for name in group])
    return Report(source.name, tuple(parts), clock.slot)


def _groups(names: Iterable[str], *, together: bool) -> Iterator[tuple[str, ...]]:
    """Those that go side by side."""
    left = list(names)
    while left:
        many = len(TOGETHER) if together and tuple(left[: len(TOGETHER)]) == TOGETHER else 1
        yield tuple(left[:many])
        del left[:many]


async def _all(runs: Sequence[Awaitable[Part]]) -> Sequence[Part]:
    """All of them; when one fails the others end, too."""
    tasks = [asyncio.ensure_future(each) for each in runs]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def only(source: Source, check: Run, told: Told = untold) -> Report:
    """Run one part as it is asked for: of one hour, say."""
    clock = await source.chain.final_clock()
    async with shared(source) as one:
        return Report(source.name, (await check(one, told),), clock.slot)


@asynccontextmanager
async def shared(source: Source) -> AsyncIterator[Source]:
    """A source whose parts share what they make."""
    async with AsyncExitStack() as ends:
        yield replace(source, shared=Shared(ends))


def loaded(name: str) -> Run:
    """A part by its name."""
    module, _, attribute = PARTS[name].partition(":")
    found: Run = getattr(import_module(module), attribute)
    return found
