"""The servers' own loggers say nothing: their tracebacks would quote what they could not handle.

What goes wrong is said by `admin.console.protect` instead: the type of the error, and ids of ours.
"""

import logging

_SPEAK_TOO_MUCH = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi", "aiohttp.client", "asyncio")


def quiet() -> None:
    """Once a process, at its start."""
    for name in _SPEAK_TOO_MUCH:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
