"""The core of sealing and opening: bytes are pushed in, bytes come out, and memory stays constant.

Example:
    sealer = Sealer([identity.recipient])
    sealed = sealer.update(b"Halyna, nine, last seen in Oleshky") + sealer.finish()
    opener = Opener([identity])
    plaintext = opener.update(sealed) + opener.finish()

Every byte that an Opener hands out is authentic. Only `finish` says that it was also the whole file:
whoever acts on the plaintext before that acts on a part.
"""

import secrets
from collections.abc import Sequence
from typing import TypeAlias

from seal import passphrase
from seal.armoring import Dearmorer
from seal.errors import MalformedError, Part, SealError, TamperedError, WrongKeyError
from seal.header import FILE_KEY_LENGTH, NAME, Header, HeaderReader, write_header
from seal.keys import Identity, Recipient
from seal.passphrase import ScryptIdentity, ScryptRecipient
from seal.payload import NONCE_LENGTH, ChunkOpener, ChunkSealer, payload_key

Bytes: TypeAlias = bytes | bytearray | memoryview

_HEADER_PIECE = 4096  # bytes looked at in one go while the header lasts


class Sealer:
    """Seals one file: `update` any number of times, then `finish` once; what they return is the file.

    Every file has a file key and a nonce of its own, from the system's randomness. They are no parameters:
    given twice, they would open both files.
    """

    def __init__(self, recipients: Sequence[Recipient]) -> None:
        """Raises ValueError if there is no recipient, or a passphrase is not the only one."""
        if not recipients:
            raise ValueError("a file sealed to nobody could never be opened")
        if len(recipients) > 1 and any(isinstance(one, ScryptRecipient) for one in recipients):
            raise ValueError("a passphrase must be the only recipient")
        file_key = secrets.token_bytes(FILE_KEY_LENGTH)
        nonce = secrets.token_bytes(NONCE_LENGTH)
        self._head = write_header([one.wrap(file_key) for one in recipients], file_key) + nonce
        self._chunks = ChunkSealer(payload_key(file_key, nonce))
        self._finished = False

    def update(self, plaintext: Bytes) -> bytes:
        """What can be sealed now of all that was given; perhaps nothing yet."""
        return self._seal(plaintext, last=False)

    def finish(self, plaintext: Bytes = b"") -> bytes:
        """The rest of the file, with `plaintext` as its last piece."""
        return self._seal(plaintext, last=True)

    def _seal(self, plaintext: Bytes, *, last: bool) -> bytes:
        if self._finished:
            raise ValueError("this file is finished")
        self._finished = last
        head, self._head = self._head, b""
        return self._chunks.seal(memoryview(plaintext), head=head, last=last)


class Opener:
    """Opens one file, armored or not. `update` any number of times, then `finish` once.

    What it hands out does not depend on how the file was cut: plaintext that was found authentic before a
    fault is returned first, and the fault is raised by the next call. After a fault every call raises it.
    """

    def __init__(self, identities: Sequence[Identity]) -> None:
        """Raises ValueError if there is no identity."""
        if not identities:
            raise ValueError("no key was given to open the file with")
        self._identities = tuple(identities)
        self._start = b""  # the first bytes, until they tell whether the file is armored
        self._started = False
        self._dearmorer: Dearmorer | None = None
        self._header = HeaderReader()
        self._file_key: bytes | None = None
        self._nonce = b""
        self._chunks: ChunkOpener | None = None
        self._failure: SealError | None = None
        self._finished = False

    def update(self, sealed: Bytes) -> bytes:
        """The plaintext that is now authentic. Raises WrongKeyError, TamperedError or MalformedError."""
        return self._guarded(memoryview(sealed), finish=False)

    def finish(self) -> bytes:
        """The last plaintext; raises TamperedError or MalformedError if the file is not whole."""
        return self._guarded(memoryview(b""), finish=True)

    def _guarded(self, sealed: memoryview, *, finish: bool) -> bytes:
        if self._failure is not None:
            raise self._failure
        if self._finished:
            raise ValueError("this file is finished")
        opened: list[bytes] = []
        try:
            self._take(sealed, opened)
            if finish:
                self._end(opened)
                self._finished = True
        except SealError as failure:
            self._failure = failure
            if finish or not opened:
                raise
        return opened[0] if len(opened) == 1 else b"".join(opened)

    def _take(self, data: memoryview, opened: list[bytes]) -> None:
        """Take bytes of the file as it came, armored or not."""
        if not self._started:
            start = self._start + data[: len(NAME)]
            self._start = start[: len(NAME)]
            if len(self._start) < len(NAME) and NAME.startswith(self._start):
                return
            self._started = True
            if not self._start.startswith(NAME):
                self._dearmorer = Dearmorer()
            self._take(memoryview(start), opened)
            data = data[len(NAME) :]
        if self._dearmorer is not None:
            self._take_binary(memoryview(self._dearmorer.update(data)), opened)
        else:
            self._take_binary(data, opened)

    def _take_binary(self, data: memoryview, opened: list[bytes]) -> None:
        while self._file_key is None and data:
            piece, data = bytes(data[:_HEADER_PIECE]), data[_HEADER_PIECE:]
            rest = self._header.feed(piece)
            if rest is not None:
                self._file_key = _file_key(self._header.header, self._identities)
                self._take_payload(memoryview(rest), opened)
        if data:
            self._take_payload(data, opened)

    def _take_payload(self, data: memoryview, opened: list[bytes]) -> None:
        if self._chunks is None:
            missing = NONCE_LENGTH - len(self._nonce)
            self._nonce += data[:missing]
            if len(self._nonce) < NONCE_LENGTH or self._file_key is None:
                return
            self._chunks = ChunkOpener(payload_key(self._file_key, self._nonce))
            data = data[missing:]
        self._chunks.update(data, opened)

    def _end(self, opened: list[bytes]) -> None:
        if not self._started:
            raise MalformedError(Part.HEADER, "The file is empty, or cut off inside its first line.")
        if self._dearmorer is not None:
            self._take_binary(memoryview(self._dearmorer.finish()), opened)
        if self._chunks is None:
            raise MalformedError(Part.HEADER, "The file ends inside its header.")
        opened.append(self._chunks.finish())


def _file_key(header: Header, identities: Sequence[Identity]) -> bytes:
    """The file key of `header`, found with the first identity that opens a stanza, and proven by the MAC."""
    for_passphrase = any(stanza.kind == passphrase.KIND for stanza in header.stanzas)
    if for_passphrase and len(header.stanzas) > 1:
        # Who knows the passphrase may take the file for its only sender's: nobody else may hold a key.
        raise MalformedError(Part.HEADER, "A passphrase stanza is not alone in its header.")
    for identity in identities:
        for stanza in header.stanzas:
            file_key = identity.unwrap(stanza)
            if file_key is None:
                continue
            if not header.made_with(file_key):
                raise TamperedError(Part.MAC, "The file's header was changed after it was sealed.")
            return file_key
    if for_passphrase and not any(isinstance(one, ScryptIdentity) for one in identities):
        raise WrongKeyError("This file was sealed under a passphrase, not to a key.")
    raise WrongKeyError
