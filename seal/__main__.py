"""The edge of `python -m seal`: the arguments and the clock are taken here and handed on."""

import sys
from datetime import UTC, datetime

from seal.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], now=datetime.now(UTC)))
