"""Is killed by somebody else, as the kernel does when memory runs out."""

import os
import signal


def main() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
