"""How much sealing costs beside the bare cipher over the same bytes, memory to memory, in one run.

The bare loop is ChaCha20Poly1305 over the same 64 KiB chunks, its results kept, and nothing else: no header,
no key exchange, no copies. All take turns, so whatever else the machine does falls on each.
"""

import os
import statistics
import time
import tracemalloc
from collections.abc import Callable, Sequence
from functools import partial

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

import seal
from seal.payload import CHUNK

KIB, MIB = 1 << 10, 1 << 20
TO_REACH = 0.60  # of the bare loop, at 20 MiB
MEMORY_TO_REACH = 8 * MIB  # bytes beyond what goes in and comes out


def run() -> None:
    """Print the figures; takes a few seconds."""
    identity = seal.HybridIdentity.generate()
    recipients = [identity.recipient]
    print("Sealing (mlkem768x25519, one recipient) beside a bare ChaCha20Poly1305 loop")
    print(f"{'':10}{'bare loop':>14}{'seal':>14}{'open':>14}{'seal/bare':>12}{'open/bare':>12}")
    for name, length, turns in (("1 KiB", KIB, 400), ("20 MiB", 20 * MIB, 25)):
        plaintext = os.urandom(length)
        sealed = seal.seal_bytes(plaintext, recipients)
        bare_s, seal_s, open_s = _medians(
            turns,
            partial(_bare, plaintext),
            partial(seal.seal_bytes, plaintext, recipients),
            partial(seal.open_bytes, sealed, [identity]),
        )
        print(
            f"{name:10}{_told(bare_s):>14}{_told(seal_s):>14}{_told(open_s):>14}"
            f"{bare_s / seal_s:>12.1%}{bare_s / open_s:>12.1%}"
        )
    print("1 KiB is the hybrid key exchange and little else; every report pays it once.")
    extra = _extra_memory(os.urandom(20 * MIB), recipients)
    print(f"To reach at 20 MiB: {TO_REACH:.0%} of the bare loop.")
    print(f"Extra memory at 20 MiB: {extra / MIB:.2f} MiB (to reach: below {MEMORY_TO_REACH / MIB:.0f} MiB).")


def _bare(plaintext: bytes) -> list[bytes]:
    cipher, view = ChaCha20Poly1305(bytes(32)), memoryview(plaintext)
    return [
        cipher.encrypt(number.to_bytes(12, "big"), view[start : start + CHUNK], None)
        for number, start in enumerate(range(0, len(view), CHUNK))
    ]


def _medians(turns: int, *contenders: Callable[[], object]) -> list[float]:
    """The median time of each contender, in seconds, all of them run in every turn."""
    times: list[list[float]] = [[] for _ in contenders]
    for _ in range(turns):
        for contender, taken in zip(contenders, times, strict=True):
            start = time.perf_counter()
            contender()
            taken.append(time.perf_counter() - start)
    return [statistics.median(taken) for taken in times]


def _extra_memory(plaintext: bytes, recipients: Sequence[seal.HybridRecipient]) -> int:
    """Bytes that sealing had allocated at its highest point, beyond the file that it returned."""
    tracemalloc.start()
    sealed = seal.seal_bytes(plaintext, recipients)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak - len(sealed)


def _told(seconds: float) -> str:
    return f"{seconds * 1e3:.3f} ms"


if __name__ == "__main__":
    run()
