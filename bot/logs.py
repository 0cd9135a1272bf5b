"""Logs: static event names and ids of ours, one JSON object a line on standard error; never what an update holds.

aiogram's, aiohttp's and asyncio's own loggers would quote updates, URLs with the token, or arguments; what comes
from them is cut down to the logger's name and the level.
"""

import logging
import sys

import structlog

_TIME = structlog.processors.TimeStamper(fmt="iso", utc=True)


class _NameOnly(logging.Handler):
    """Says that a library logged something, without saying what."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().warning(
            "library_log", library=record.name.partition(".")[0], level=record.levelname
        )


def configure(level: str) -> None:
    """Sets up logging for a process."""
    number = logging.getLevelNamesMapping()[level]
    structlog.configure(
        processors=[structlog.processors.add_log_level, _TIME, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.root.handlers = [_NameOnly(level=max(number, logging.WARNING))]
    logging.root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
