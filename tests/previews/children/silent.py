"""Hears everything and never answers."""

import signal


def main() -> None:
    while True:
        signal.pause()
