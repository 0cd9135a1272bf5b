"""Older files still open: X25519 identities are read, and nothing is ever sealed to one.

age.md, "The X25519 recipient type". A recipient of this kind does not exist here: what is stored today must
stay closed to whoever keeps it and waits for a quantum computer.
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from seal.errors import MalformedError, Part
from seal.header import Stanza

IDENTITY_PREFIX = "age-secret-key-"
RECIPIENT_PREFIX = "age"

_KIND = "X25519"
_INFO = b"age-encryption.org/v1/X25519"
_KEY_LENGTH = 32


class X25519Identity:
    """A secret scalar of 32 bytes, hidden in `repr` and `str`."""

    __slots__ = ("_key",)

    def __init__(self, scalar: bytes) -> None:
        """From the 32 raw bytes; raises MalformedError on any other length."""
        if len(scalar) != _KEY_LENGTH:
            raise MalformedError(Part.KEY, "This is not an X25519 secret key.")
        self._key = X25519PrivateKey.from_private_bytes(scalar)

    def unwrap(self, stanza: Stanza) -> bytes | None:
        """The file key, or None if the stanza is of another kind or for another identity.

        Raises MalformedError if it is of this kind and not as age.md has it.
        """
        if stanza.kind != _KIND:
            return None
        stanza.check(arguments=1)
        share = stanza.argument_bytes(0, _KEY_LENGTH)
        try:
            secret = self._key.exchange(X25519PublicKey.from_public_bytes(share))
        except ValueError:  # the shared secret would be all zeros
            raise MalformedError(Part.HEADER, "A stanza holds a point of low order.") from None
        salt = share + self._key.public_key().public_bytes_raw()
        wrap_key = HKDF(algorithm=SHA256(), length=32, salt=salt, info=_INFO).derive(secret)
        try:
            # The nonce is fixed because the key is used once: it comes from a share made for this stanza.
            return ChaCha20Poly1305(wrap_key).decrypt(bytes(12), stanza.body, None)
        except InvalidTag:
            return None

    def __repr__(self) -> str:
        return "X25519Identity(hidden)"
