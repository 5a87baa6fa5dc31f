"""The parts of an audit, each loaded when it is run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
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


async def run(source: Source, names: tuple[str, ...] = (), told: Told = untold) -> Report:
    """Run some parts by their names, or all of them, one after the other."""
    clock = await source.chain.final_clock()
    async with shared(source) as one:
        parts = [await loaded(name)(one, told) for name in names or PARTS]
    return Report(source.name, tuple(parts), clock.slot)


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
