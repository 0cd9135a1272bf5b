"""A file under a passphrase costs whoever guesses 2^work_factor rounds of scrypt for every guess.

age.md, "The scrypt recipient type". At the default of 18 one try takes about a second and 256 MiB.
"""

import re
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from seal import base64
from seal.errors import MalformedError, Part
from seal.header import Stanza

KIND = "scrypt"

_LABEL = b"age-encryption.org/v1/scrypt"
_SALT_LENGTH = 16
_WORK_FACTOR = re.compile(r"[1-9][0-9]?")  # no leading zero; a third digit is past every limit


class ScryptRecipient:
    """Seals under a passphrase. It is always the only recipient of its file."""

    __slots__ = ("_passphrase", "_work_factor")

    def __init__(self, passphrase: str, work_factor: int = 18) -> None:
        """`work_factor` is the base-two logarithm of the rounds. An empty passphrase is a ValueError."""
        if not passphrase:
            raise ValueError("the passphrase is empty")
        if work_factor not in range(1, 31):
            raise ValueError("the work factor must lie between 1 and 30")
        self._passphrase = passphrase.encode()
        self._work_factor = work_factor

    def wrap(self, file_key: bytes) -> Stanza:
        """The stanza that carries `file_key`, under a salt of its own."""
        salt = secrets.token_bytes(_SALT_LENGTH)
        key = _stretch(self._passphrase, salt, self._work_factor)
        # The nonce is fixed because the key is used once: its salt was made for this stanza.
        body = ChaCha20Poly1305(key).encrypt(bytes(12), file_key, None)
        return Stanza(KIND, (base64.encode(salt).decode("ascii"), str(self._work_factor)), body)

    def __repr__(self) -> str:
        return "ScryptRecipient(hidden)"


class ScryptIdentity:
    """Opens what was sealed under the same passphrase, if that takes no more work than allowed."""

    __slots__ = ("_max_work_factor", "_passphrase")

    def __init__(self, passphrase: str, max_work_factor: int = 20) -> None:
        """A file that asks for more than `max_work_factor` is refused before any work is done."""
        self._passphrase = passphrase.encode()
        self._max_work_factor = max_work_factor

    def unwrap(self, stanza: Stanza) -> bytes | None:
        """The file key, or None if the stanza is of another kind or under another passphrase.

        Raises MalformedError if it is of this kind and not as age.md has it, or asks for too much work.
        """
        if stanza.kind != KIND:
            return None
        stanza.check(arguments=2)
        salt = stanza.argument_bytes(0, _SALT_LENGTH)
        if (
            not _WORK_FACTOR.fullmatch(stanza.arguments[1])
            or int(stanza.arguments[1]) > self._max_work_factor
        ):
            raise MalformedError(Part.HEADER, "The file's work factor is malformed or higher than allowed.")
        key = _stretch(self._passphrase, salt, int(stanza.arguments[1]))
        try:
            return ChaCha20Poly1305(key).decrypt(bytes(12), stanza.body, None)
        except InvalidTag:
            return None

    def __repr__(self) -> str:
        return "ScryptIdentity(hidden)"


def _stretch(passphrase: bytes, salt: bytes, work_factor: int) -> bytes:
    return Scrypt(salt=_LABEL + salt, length=32, n=1 << work_factor, r=8, p=1).derive(passphrase)
