"""The child: it gives everything up first and reads the file after. One file, one answer, then it ends.

Started by `admin.previews.maker` with no environment and its own session; see `admin.previews.wire` for what
is said. It prints nothing, keeps nothing and writes to nothing but its answer.
"""

import os
import sys
from collections.abc import Callable
from io import BytesIO

from admin.previews.wire import Answer, PreviewRefused, Refusal, Request, read_file


def main() -> None:
    """Read one request, answer it and end the process; a request that breaks off is not answered."""
    answer = _only_pipes()
    os.environ.clear()  # the interpreter itself puts LC_CTYPE there
    head, body = _answered()
    for part in (head.pack(), body):
        _write(answer, part)
    os._exit(0)  # the libraries' own farewells would ask for what is no longer allowed


def _only_pipes() -> int:
    """Point standard output and error to nowhere, for decoders print; return where the answer goes."""
    answer = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    return answer


def _write(answer: int, said: bytes) -> None:
    while said:
        said = said[os.write(answer, said) :]


def _answered() -> tuple[Answer, bytes]:
    try:
        return _preview()
    except PreviewRefused as refused:
        return Answer(refused.reason), b""
    except MemoryError:
        return Answer(Refusal.OUT_OF_MEMORY), b""


def _preview() -> tuple[Answer, bytes]:
    from admin.previews import picture  # noqa: PLC0415 - a child without Pillow must end, not answer

    picture.prepare()
    contain = _containment()
    request = Request.read(sys.stdin.buffer)
    contain(memory_bytes=request.memory_bytes, cpu_s=request.cpu_s)
    file = BytesIO()
    if not read_file(sys.stdin.buffer, file):
        raise PreviewRefused(Refusal.EMPTY)
    try:
        made = picture.make(
            file,
            max_pixels=request.max_pixels,
            longest_side=request.longest_side,
            max_bytes=request.max_preview_bytes,
            blurred=request.blurred,
        )
    except (PreviewRefused, MemoryError):
        raise
    except Exception as error:
        # A decoder over hostile bytes raises what it likes; whatever it is, the file is the reason.
        raise PreviewRefused(Refusal.DAMAGED) from error
    return Answer(None, made.partial, made.width, made.height, len(made.jpeg)), made.jpeg


def _containment() -> Callable[..., None]:
    try:
        from admin.previews.containment import contain  # noqa: PLC0415 - fails where libseccomp is missing
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        raise PreviewRefused(Refusal.NO_FILTER) from error
    return contain
