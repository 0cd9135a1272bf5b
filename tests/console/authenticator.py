"""A security key in software (WebAuthn, ES256): it answers as a browser's script passes answers on."""

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, encode_cbor

ORIGIN, NAME = "http://localhost:8080", "localhost"


@dataclass
class SecurityKey:
    """`counts`: whether it counts what it signs. `origin` and `name` are where its browser believes to be."""

    counts: bool = True
    origin: str = ORIGIN
    name: str = NAME
    counter: int = 0
    credential: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    secret: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    touched: bool = True

    def creates(self, options: dict[str, Any]) -> str:
        """The answer to navigator.credentials.create."""
        numbers = self.secret.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = bytes(16) + len(self.credential).to_bytes(2, "big") + self.credential + encode_cbor(cose)
        statement = {"fmt": "none", "attStmt": {}, "authData": self._data(0x40) + attested}
        return self._said(
            clientDataJSON=self._client("webauthn.create", options), attestationObject=encode_cbor(statement)
        )

    def gets(self, options: dict[str, Any]) -> str:
        """The answer to navigator.credentials.get."""
        client, data = self._client("webauthn.get", options), self._data(0)
        signature = self.secret.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._said(clientDataJSON=client, authenticatorData=data, signature=signature)

    def _data(self, flags: int) -> bytes:
        if self.counts:
            self.counter += 1
        head = hashlib.sha256(self.name.encode()).digest() + bytes([flags | self.touched])
        return head + self.counter.to_bytes(4, "big")

    def _client(self, kind: str, options: dict[str, Any]) -> bytes:
        challenge = bytes_to_base64url(base64url_to_bytes(options["challenge"]))
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _said(self, **response: bytes) -> str:
        own = bytes_to_base64url(self.credential)
        given = {name: bytes_to_base64url(value) for name, value in response.items()}
        return json.dumps({"id": own, "rawId": own, "type": "public-key", "response": given})
