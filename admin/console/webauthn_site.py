"""Security keys (W3C WebAuthn): a key answers for this site alone, for a fresh challenge of ours, and once.

    site = Site.at("https://desk.example.org")
    options = site.to_sign_in(now)                   # JSON for navigator.credentials.get
    signed = site.check(answer, public_keys, now)    # KeyAnswerError, CopiedAnswerError

The key is the second factor, the passphrase the first: the person's touch is required, a PIN of the key is preferred
and not required (docs/decisions/206-second-factors.md). Where browsers have no WebAuthn (an address instead of a
name, plain http to another machine) no keys are offered.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

import webauthn
from webauthn.helpers import (
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from admin.console.challenges import LASTS, Challenges, Taken

LONGEST_ANSWER = 16 * 1024  # characters of JSON; a key's answer has one or two thousand
_NAME = "Dodomu"
_TO_SIGN_IN, _TO_ADD = b"sign in\n", b"add\n"
_PREFERRED = UserVerificationRequirement.PREFERRED
# What a library and its parsers raise at bytes that are not what they should be.
_MALFORMED = (WebAuthnException, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError)


class KeyAnswerError(Exception):
    """A security key's answer is not right: another key, another site, an old challenge, a wrong signature."""


class CopiedAnswerError(KeyAnswerError):
    """A security key's answer was given before."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A key's right answer. `counter`: how often it says it has signed; 0 when it does not count."""

    credential: bytes
    counter: int


@dataclass(frozen=True, slots=True)
class Registered:
    """A new key: its id, its public key (COSE, RFC 9052) and its counter."""

    credential: bytes
    public_key: bytes
    counter: int


@dataclass(frozen=True, slots=True)
class Site:
    """The address that browsers use. `name` is what keys know the site by; None where there can be no keys."""

    origin: str
    name: str | None
    _challenges: Challenges = field(default_factory=Challenges, repr=False)

    @classmethod
    def at(cls, url: str) -> "Site":
        """The site at an address like https://desk.example.org."""
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        secure = parts.scheme == "https" or host == "localhost" or host.endswith(".localhost")
        port = parts.port if parts.port != {"https": 443, "http": 80}.get(parts.scheme) else None
        # The last label tells an address of numbers from a name, as the URL standard's host parser does.
        named = bool(host) and ":" not in host and not host.rpartition(".")[2].isdigit()
        shown = f"[{ipaddress.ip_address(host)}]" if ":" in host else host
        return cls(
            f"{parts.scheme}://{shown}{f':{port}' if port else ''}", host if secure and named else None
        )

    def to_sign_in(self, now: datetime) -> str:
        """Options for navigator.credentials.get, as JSON. Whose key it will be is not said: the key knows."""
        assert self.name is not None
        options = webauthn.generate_authentication_options(
            rp_id=self.name,
            challenge=self._challenges.new(_TO_SIGN_IN, now),
            timeout=_LASTS_MS,
            user_verification=_PREFERRED,
        )
        return webauthn.options_to_json(options)

    def to_add(
        self, session: bytes, user: bytes, call_sign: str, known: Sequence[bytes], now: datetime
    ) -> str:
        """Options for navigator.credentials.create, as JSON, good in this session only."""
        assert self.name is not None
        options = webauthn.generate_registration_options(
            rp_id=self.name,
            rp_name=_NAME,
            user_id=user,
            user_name=call_sign,
            challenge=self._challenges.new(_TO_ADD + session, now),
            timeout=_LASTS_MS,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=_PREFERRED
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
        )
        return webauthn.options_to_json(options)

    def check(self, answer: str, public_keys: Mapping[bytes, bytes], now: datetime) -> Signed:
        """Checks the answer of one of these keys (credential id → public key); uses up its challenge.

        The counter is for the caller to compare, where it is kept.
        """
        try:
            credential = parse_authentication_credential_json(_short(answer))
            challenge = parse_client_data_json(credential.response.client_data_json).challenge
            public_key = public_keys[credential.raw_id]
            self._take(challenge, _TO_SIGN_IN, now)
            verified = webauthn.verify_authentication_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self.name or "",
                expected_origin=self.origin,
                credential_public_key=public_key,
                credential_current_sign_count=0,
            )
        except _MALFORMED:
            raise KeyAnswerError from None
        return Signed(verified.credential_id, verified.new_sign_count)

    def register(self, answer: str, session: bytes, now: datetime) -> Registered:
        """Checks a new key's answer to `to_add`; uses up its challenge."""
        try:
            credential = parse_registration_credential_json(_short(answer))
            challenge = parse_client_data_json(credential.response.client_data_json).challenge
            self._take(challenge, _TO_ADD + session, now)
            verified = webauthn.verify_registration_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self.name or "",
                expected_origin=self.origin,
            )
        except _MALFORMED:
            raise KeyAnswerError from None
        return Registered(verified.credential_id, verified.credential_public_key, verified.sign_count)

    def _take(self, challenge: bytes, about: bytes, now: datetime) -> None:
        taken = self._challenges.take(challenge, about, now)
        if taken is Taken.USED:
            raise CopiedAnswerError
        if taken is Taken.UNKNOWN:
            raise KeyAnswerError


_LASTS_MS = int(LASTS.total_seconds() * 1000)


def _short(answer: str) -> str:
    if len(answer) > LONGEST_ANSWER:
        raise KeyAnswerError
    return answer
