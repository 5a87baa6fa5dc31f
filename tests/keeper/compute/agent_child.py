"""``ionet worker run`` as it is, in a process of its own: this module, with two folders.

What differs is what a test needs: a tiny product in its waves, little memory for two nodes on one machine,
and sandboxes of another user where this is root, whom a worker refuses to be.
"""

from __future__ import annotations

import os
import sys
from functools import partial

from keeper.cli import main
from keeper.worker import assemble
from keeper.worker.serving import capacity
from keeper.worker.serving.machine import Machine
from tests.keeper.compute.booting import LIMITS
from tests.keeper.compute.sandboxing import PYTHON, USER


def run(hours: str, files: str) -> None:
    """Be a worker whose tables are in ``hours``, and whose leases' files go to ``files``."""
    os.environ["IONET_PROFILES"] = hours
    assemble.Machine = partial(Machine, user=USER, python=PYTHON)  # type: ignore[assignment,misc]
    assemble.LEASES = files
    assemble.is_processor = lambda class_id: True
    capacity.limits = lambda memory, wave, disk: LIMITS
    sys.argv = ["ionet", "worker", "run"]
    main.main()


if __name__ == "__main__":
    run(*sys.argv[1:])
