"""Time stamps (RFC 3161): an authority of somebody else's says when a checkpoint existed at the latest.

    authority = Authority.of("https://tsa.example.org/tsr")
    token = await authority.stamp(session, note, roots)      # verified before it is given back
    when = stamped(token, note, roots)                       # and whenever it is read again, offline

A token is the authority's whole answer in DER (`application/timestamp-reply`), as `openssl ts -verify -in` reads it.
The authority learns a hash of a text that is public anyway.
"""

import hashlib
import re
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import aiohttp
from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from admin.errors import AdminError

ANSWER_LIMIT = 64 * 1024  # bytes; an answer with its certificates has about five thousand
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9.-]+")


class TimestampError(AdminError):
    """A time stamp is not one of these bytes by an authority that the root certificates name."""


@dataclass(frozen=True, slots=True)
class Authority:
    """Who stamps: the name under which its tokens are kept (of letters, digits, `.` and `-`), and its address."""

    name: str
    url: str

    @classmethod
    def of(cls, url: str) -> Self:
        """Named by its address, without what may stand in it for signing in."""
        parts = urllib.parse.urlsplit(url)
        place = f"{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"
        return cls(_NOT_A_NAME.sub("-", place).strip("-"), url)

    async def stamp(
        self, session: aiohttp.ClientSession, data: bytes, roots: Sequence[x509.Certificate]
    ) -> bytes:
        """A token over the SHA-256 of `data`. Raises TimestampError, aiohttp.ClientError, TimeoutError."""
        asked = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256).build()
        headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
        async with session.post(
            self.url, data=asked.as_bytes(), headers=headers, allow_redirects=False
        ) as answer:
            answer.raise_for_status()
            token = b""
            async for piece in answer.content.iter_any():
                token += piece
                if len(token) > ANSWER_LIMIT:
                    raise TimestampError("the authority's answer is too long")
        stamped(token, data, roots, nonce=asked.nonce)
        return token


def stamped(
    token: bytes, data: bytes, roots: Sequence[x509.Certificate], *, nonce: int | None = None
) -> datetime:
    """When an authority saw `data`, by a token that one of the roots vouches for. Raises TimestampError."""
    answer = _decoded(token)
    try:
        trusted = VerifierBuilder(
            roots=[root for root in roots if root.issuer == root.subject],
            intermediates=[between for between in roots if between.issuer != between.subject],
            nonce=nonce,
        ).build()
        trusted.verify(answer, _imprint(answer, data))
        return answer.tst_info.gen_time.astimezone(UTC)
    except (VerificationError, ValueError, x509.ExtensionNotFound):
        raise TimestampError(
            "a time stamp is not of these bytes, or no root certificate vouches for it"
        ) from None


def read_roots(path: Path) -> list[x509.Certificate]:
    """The certificates of a PEM file: the roots that are trusted, and those between them and an authority."""
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise TimestampError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError:
        found = []
    if not any(root.issuer == root.subject for root in found):
        raise TimestampError(f"{path} holds no root certificate in PEM.")
    return found


def _decoded(token: bytes) -> TimeStampResponse:
    try:
        return decode_timestamp_response(token)
    except ValueError:
        raise TimestampError("a time stamp cannot be read") from None


def _imprint(answer: TimeStampResponse, data: bytes) -> bytes:
    """The hash of `data` by the algorithm that the token names; SHA-2 only."""
    algorithm = answer.tst_info.message_imprint.hash_algorithm
    known = {
        "2.16.840.1.101.3.4.2.1": hashlib.sha256,
        "2.16.840.1.101.3.4.2.2": hashlib.sha384,
        "2.16.840.1.101.3.4.2.3": hashlib.sha512,
    }
    if algorithm.dotted_string not in known:
        raise TimestampError("a time stamp is over a hash that is not SHA-2")
    return known[algorithm.dotted_string](data).digest()
