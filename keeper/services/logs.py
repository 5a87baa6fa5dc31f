"""The keeper's log: events with stable names and typed fields, one JSON object a line."""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog


def configure(style: Literal["json", "console"], level: int = logging.INFO) -> None:
    """Write structlog's events to stderr; times are UTC."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if style == "json" else structlog.dev.ConsoleRenderer()
    )
    processors: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        renderer,
    ]
    if style == "json":
        processors.insert(-1, structlog.processors.format_exc_info)
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
