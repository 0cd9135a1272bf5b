"""What a security key is asked to sign: fresh, ours, of the last minutes, and good for one answer.

    challenge = challenges.new(about, now)          # 56 bytes, to the browser
    taken = challenges.take(challenge, about, now)  # Taken.FRESH once; then USED

A challenge carries its own end and a MAC under a key that lives as long as this process, so whoever asks for
millions of them fills no memory and drops nobody else's; only those that were answered are remembered.
"""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from enum import Enum, auto

LASTS = timedelta(minutes=5)
_NONCE, _ENDS, _MAC = 16, 8, 32  # bytes


class Taken(Enum):
    """What became of a challenge that came back."""

    FRESH = auto()
    USED = auto()
    UNKNOWN = auto()  # another process's, about something else, or too old


class Challenges:
    """Of one process; what it made, an earlier one or another does not know."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._used: dict[bytes, float] = {}  # challenge -> when it would have ended anyway

    def new(self, about: bytes, now: datetime) -> bytes:
        """A challenge for one purpose (`about`: any bytes)."""
        ends = int((now + LASTS).timestamp()).to_bytes(_ENDS, "big")
        head = secrets.token_bytes(_NONCE) + ends
        return head + self._mac(head, about)

    def take(self, challenge: bytes, about: bytes, now: datetime) -> Taken:
        """Uses a challenge up, whatever then comes of the answer."""
        head, mac = challenge[: _NONCE + _ENDS], challenge[_NONCE + _ENDS :]
        if not hmac.compare_digest(mac, self._mac(head, about)):
            return Taken.UNKNOWN
        moment = now.timestamp()
        if challenge in self._used:
            return Taken.USED
        ends = int.from_bytes(head[_NONCE:], "big")
        if ends <= moment:
            return Taken.UNKNOWN
        self._used = {one: end for one, end in self._used.items() if end > moment}
        self._used[challenge] = ends
        return Taken.FRESH

    def _mac(self, head: bytes, about: bytes) -> bytes:
        return hmac.digest(self._key, head + about, hashlib.sha256)[:_MAC]
