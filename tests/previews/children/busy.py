"""Contains itself and then computes for ever, as a decoder in a loop would."""

import sys

from admin.previews.containment import contain
from admin.previews.wire import Request


def main() -> None:
    request = Request.read(sys.stdin.buffer)
    contain(memory_bytes=request.memory_bytes, cpu_s=request.cpu_s)
    while True:
        pass
