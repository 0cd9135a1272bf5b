"""Keys come from text and are either understood or refused by name; no error repeats what it was given.

A recipient is hybrid or a passphrase, never anything weaker; an identity may also be an older X25519 one.
"""

from collections.abc import Callable
from typing import TypeAlias, TypeVar

from seal import bech32, hybrid, x25519
from seal.errors import MalformedError, Part
from seal.hybrid import HybridIdentity, HybridRecipient
from seal.passphrase import ScryptIdentity, ScryptRecipient
from seal.x25519 import X25519Identity

Recipient: TypeAlias = HybridRecipient | ScryptRecipient
Identity: TypeAlias = HybridIdentity | X25519Identity | ScryptIdentity

_Key = TypeVar("_Key")


def parse_recipient(text: str) -> HybridRecipient:
    """The recipient written `age1pq1…`; raises MalformedError."""
    prefix, raw = _decoded(text)
    match prefix:
        case hybrid.RECIPIENT_PREFIX:
            return HybridRecipient(raw)
        case x25519.RECIPIENT_PREFIX:
            raise _no_key(
                "This is an X25519 public key (age1…). Files are sealed only to hybrid ones (age1pq1…)."
            )
        case hybrid.IDENTITY_PREFIX | x25519.IDENTITY_PREFIX:
            raise _no_key("This is a secret key. A public key (age1pq1…) is needed here.")
        case _:
            raise _no_key("This is not a public key (age1pq1…).")


def parse_recipients(text: str) -> list[HybridRecipient]:
    """The recipients of a file, one a line; empty lines and lines that begin with # are passed over.

    Raises MalformedError, with the number of the line, also if there is none.
    """
    return _parse_lines(text, parse_recipient, "public key (age1pq1…)")


def parse_identity(text: str) -> HybridIdentity | X25519Identity:
    """The identity written `AGE-SECRET-KEY-PQ-1…` or `AGE-SECRET-KEY-1…`; raises MalformedError."""
    prefix, raw = _decoded(text)
    match prefix:
        case hybrid.IDENTITY_PREFIX:
            return HybridIdentity(raw)
        case x25519.IDENTITY_PREFIX:
            return X25519Identity(raw)
        case hybrid.RECIPIENT_PREFIX | x25519.RECIPIENT_PREFIX:
            raise _no_key("This is a public key. A secret key (AGE-SECRET-KEY-PQ-1…) is needed here.")
        case _:
            raise _no_key("This is not a secret key (AGE-SECRET-KEY-PQ-1…).")


def parse_identities(text: str) -> list[HybridIdentity | X25519Identity]:
    """The identities of a file, as `parse_recipients` reads recipients."""
    return _parse_lines(text, parse_identity, "secret key (AGE-SECRET-KEY-PQ-1…)")


def _decoded(text: str) -> tuple[str, bytes]:
    try:
        return bech32.decode(text.strip())
    except ValueError:
        # Not chained: the reason is in bech32's terms, and a secret must not ride along in a traceback.
        raise _no_key("This is not a key, or it was copied with a mistake.") from None


def _parse_lines(text: str, parse: Callable[[str], _Key], what: str) -> list[_Key]:
    keys = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            keys.append(parse(line))
        except MalformedError as fault:
            raise _no_key(f"Line {number}: {fault}") from None
    if not keys:
        raise _no_key(f"There is no {what} in it.")
    return keys


def _no_key(sentence: str) -> MalformedError:
    return MalformedError(Part.KEY, sentence)
