"""The keeper's log: events with stable names and typed fields, one JSON object a line.

docs/operations.md lists every name. What libraries log comes as ``library.logged``, from warnings up.
"""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger


def configure(style: Literal["json", "console"], level: int = logging.INFO) -> None:
    """Write structlog's events, and the libraries', to stderr; times are UTC."""
    shared: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Without frames' variables, which may hold keys.
    renderer: Processor = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    if style == "json":
        shared.append(structlog.processors.format_exc_info)
        renderer = structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    handler = _Libraries()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, _name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    for each in [each for each in root.handlers if isinstance(each, _Libraries)]:
        root.removeHandler(each)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)


class _Libraries(logging.Handler):
    """What libraries log, to stderr as it is at the time."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line."""
        print(self.format(record), file=sys.stderr, flush=True)


def _name(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """A name that can be searched for; the library's own words are a field."""
    event["message"], event["event"] = event["event"], "library.logged"
    event["library"] = event["_record"].name
    return event
