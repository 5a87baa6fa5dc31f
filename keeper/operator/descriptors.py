"""File descriptors: a connection takes one, and a process that has none left takes no commit."""

from __future__ import annotations

import resource

from keeper.errors import UserError

RESERVE = 512
"""For the folder, the book, the chain, peers and processes that verify."""


class TooFewDescriptors(UserError):
    """The system gives this process fewer file descriptors than its connections need."""


def require_descriptors(connections: int) -> None:
    """Have enough for so many connections: raises the process's limit as far as the system lets it.

    Raises TooFewDescriptors with what to do, before anything is served: with too few the service would stand
    still in the first wave of many devices.
    """
    needed = connections + RESERVE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise TooFewDescriptors(
            f"IONET_POW_CONNECTIONS is {connections}, which takes {needed} file descriptors, and the system "
            f"gives this process {hard}: raise that (LimitNOFILE={needed} in its systemd unit, or ulimit "
            f"-Hn), or set IONET_POW_CONNECTIONS to {max(1, hard - RESERVE)} at most"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
