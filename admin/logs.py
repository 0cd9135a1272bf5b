"""Logs are a static event name and ids of ours, one JSON line on standard error; libraries' words stay out.

What a library logs may quote a statement, an address or a value: only its name and the level come through.
"""

import logging
import sys

import structlog


class _NameOnly(logging.Handler):
    """Says which library logged something, not what."""

    def emit(self, record: logging.LogRecord) -> None:
        library = record.name.partition(".")[0]
        structlog.get_logger().warning("library log", library=library, severity=record.levelname)


def start() -> None:
    """Sets up this process's logs; its entry point calls it once."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.root.handlers = [_NameOnly(logging.WARNING)]
    logging.root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
