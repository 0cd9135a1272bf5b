"""Sealing and opening take constant memory, and importing the package takes little time to read."""

import io
import subprocess
import sys
import tracemalloc
from collections.abc import AsyncIterator, Callable

import pytest

import seal
from seal import HybridIdentity

MIB = 1 << 20
OLHA = HybridIdentity.generate()


def peak(do: Callable[[], object]) -> int:
    """Bytes that `do` had allocated at its highest point."""
    tracemalloc.start()
    try:
        do()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


class Endless(io.RawIOBase):
    """So many bytes, none of them kept."""

    def __init__(self, length: int) -> None:
        self.left = length

    def read(self, size: int = -1) -> bytes:
        taken = min(size, self.left)
        self.left -= taken
        return bytes(taken)

    def writelines(self, lines: object) -> None:
        for _ in lines:
            pass


def test_whole_bytes_cost_less_than_8_mib_beyond_what_comes_out() -> None:
    plaintext = bytes(20 * MIB)
    sealed = seal.seal_bytes(plaintext, [OLHA.recipient])
    assert peak(lambda: seal.seal_bytes(plaintext, [OLHA.recipient])) < len(sealed) + 8 * MIB
    assert peak(lambda: seal.open_bytes(sealed, [OLHA])) < len(plaintext) + 8 * MIB
    armored = seal.armor(sealed)
    assert peak(lambda: seal.open_bytes(armored, [OLHA])) < len(armored) + 8 * MIB


def test_streams_cost_the_same_at_any_length() -> None:
    def seal_so_many(length: int) -> int:
        return peak(lambda: seal.seal_stream(Endless(length), Endless(0), [OLHA.recipient]))

    seal_so_many(1)
    assert seal_so_many(64 * MIB) < 2 * MIB


async def test_async_pieces_may_be_large() -> None:
    async def arriving(length: int) -> AsyncIterator[bytes]:
        yield bytes(length)

    sealed = [len(piece) async for piece in seal.seal_chunks(arriving(8 * MIB), [OLHA.recipient])]
    assert max(sealed) < MIB
    assert sum(sealed) > 8 * MIB


@pytest.mark.parametrize("module", ["argparse", "asyncio", "getpass", "hypothesis", "seal.command", "ssl"])
def test_importing_seal_brings_no_more_than_it_needs(module: str) -> None:
    script = f"import sys, seal; sys.exit({module!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=60).returncode == 0
