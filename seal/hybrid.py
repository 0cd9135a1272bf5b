"""The one kind of key that files are sealed to: ML-KEM-768 with X25519, safe if either of the two holds.

age.md, "The MLKEM768-X25519 hybrid post-quantum recipient type": HPKE base mode with that KEM, HKDF-SHA256
and ChaCha20-Poly1305. A 32-byte seed is the identity; SHAKE256 stretches it to both private keys.
"""

import hashlib
import secrets
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from seal import base64, bech32
from seal.errors import MalformedError, Part
from seal.header import Stanza

IDENTITY_PREFIX = "age-secret-key-pq-"
RECIPIENT_PREFIX = "age1pq"

_KIND = "mlkem768x25519"
_INFO = b"age-encryption.org/mlkem768x25519"
_SEED_LENGTH = 32
_MLKEM_SEED_LENGTH = 64
_MLKEM_PUBLIC_LENGTH = 1184
_MLKEM_SHARE_LENGTH = 1088
_SHARE_LENGTH = _MLKEM_SHARE_LENGTH + 32


class HybridRecipient:
    """Whom a file is sealed to: the public half of a HybridIdentity. `str` gives its `age1pq1…` text."""

    __slots__ = ("_key", "_raw")

    def __init__(self, raw: bytes) -> None:
        """From the 1,216 raw bytes; raises MalformedError if they are no public key, or a weak one."""
        try:
            x25519_key = X25519PublicKey.from_public_bytes(raw[_MLKEM_PUBLIC_LENGTH:])
            mlkem_key = MLKEM768PublicKey.from_public_bytes(raw[:_MLKEM_PUBLIC_LENGTH])
            # A point of low order gives every sender the same shared secret: the exchange refuses it.
            X25519PrivateKey.generate().exchange(x25519_key)
        except ValueError:
            raise MalformedError(Part.KEY, "This is not a hybrid public key.") from None
        self._raw = bytes(raw)
        self._key = MLKEM768X25519PublicKey(mlkem_key, x25519_key)

    def wrap(self, file_key: bytes) -> Stanza:
        """The stanza that carries `file_key` to the holder of the identity."""
        sealed = _suite().encrypt(file_key, self._key, _INFO)
        return Stanza(_KIND, (base64.encode(sealed[:_SHARE_LENGTH]).decode("ascii"),), sealed[_SHARE_LENGTH:])

    def __str__(self) -> str:
        return bech32.encode(RECIPIENT_PREFIX, self._raw)

    def __repr__(self) -> str:
        return f"HybridRecipient({str(self)[:16]}…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HybridRecipient) and self._raw == other._raw

    def __hash__(self) -> int:
        return hash(self._raw)


class HybridIdentity:
    """Who opens a file: a 32-byte secret seed. Neither `repr` nor `str` shows it; only `reveal` does."""

    __slots__ = ("_key", "_raw_public", "_seed", "_x25519_key")

    def __init__(self, seed: bytes) -> None:
        """From the 32 raw bytes; raises MalformedError on any other length."""
        if len(seed) != _SEED_LENGTH:
            raise MalformedError(Part.KEY, "This is not a hybrid secret key.")
        stretched = hashlib.shake_256(seed).digest(_MLKEM_SEED_LENGTH + 32)
        mlkem_key = MLKEM768PrivateKey.from_seed_bytes(stretched[:_MLKEM_SEED_LENGTH])
        self._seed = bytes(seed)
        self._x25519_key = X25519PrivateKey.from_private_bytes(stretched[_MLKEM_SEED_LENGTH:])
        self._key = MLKEM768X25519PrivateKey(mlkem_key, self._x25519_key)
        self._raw_public = (
            mlkem_key.public_key().public_bytes_raw() + self._x25519_key.public_key().public_bytes_raw()
        )

    @classmethod
    def generate(cls) -> Self:
        """A new identity from the system's randomness."""
        return cls(secrets.token_bytes(_SEED_LENGTH))

    @property
    def recipient(self) -> HybridRecipient:
        """The public half."""
        return HybridRecipient(self._raw_public)

    def reveal(self) -> str:
        """The secret itself, as `AGE-SECRET-KEY-PQ-1…`."""
        return bech32.encode(IDENTITY_PREFIX, self._seed).upper()

    def unwrap(self, stanza: Stanza) -> bytes | None:
        """The file key, or None if the stanza is of another kind or for another identity.

        Raises MalformedError if it is of this kind and not as age.md has it.
        """
        if stanza.kind != _KIND:
            return None
        stanza.check(arguments=1)
        share = stanza.argument_bytes(0, _SHARE_LENGTH)
        try:
            self._x25519_key.exchange(X25519PublicKey.from_public_bytes(share[_MLKEM_SHARE_LENGTH:]))
        except ValueError:
            raise MalformedError(Part.HEADER, "A stanza holds a point of low order.") from None
        try:
            return _suite().decrypt(share + stanza.body, self._key, _INFO)
        except InvalidTag:
            return None

    def __repr__(self) -> str:
        return "HybridIdentity(hidden)"


def _suite() -> Suite:
    return Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
