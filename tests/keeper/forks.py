"""Processes for tests to kill: forked from one that has imported what they need."""

from multiprocessing import forkserver, get_context
from multiprocessing.context import ForkServerContext

from keeper.pow.quiet import one_thread

PRELOADED = [
    "keeper.demo.processes",
    "tests.keeper.chain.mortal_writer",
    "tests.keeper.cli.process",
    "tests.keeper.faults.child",
    "tests.keeper.indexer.crash_child",
    "tests.keeper.worker.child",
    "tests.keeper.worker.lease_child",
]
"""All there are: the server that forks is one for all tests of a process."""


def forks() -> ForkServerContext:
    """What makes such processes."""
    context = get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def serving() -> None:
    """Start the server now, so that nobody else's in this process has imported other things."""
    # Products are small in tests: threads for them cost far more, the more so on a loaded machine.
    one_thread()
    forks()
    forkserver.ensure_running()
