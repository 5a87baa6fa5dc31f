"""A log for the demo, whose tables say what there is to say."""

from __future__ import annotations

import logging

import structlog
from structlog.typing import FilteringBoundLogger


def quiet_log() -> FilteringBoundLogger:
    """A log that keeps nothing short of critical."""
    log: FilteringBoundLogger = structlog.wrap_logger(
        structlog.PrintLogger(), wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL)
    )
    return log
