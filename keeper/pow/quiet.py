"""Said to a process before it imports numpy, so nothing here may import it."""

from __future__ import annotations

import os


def one_thread() -> None:
    """Let libraries for products use one thread: there is a process for each core already."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.putenv(name, "1")
