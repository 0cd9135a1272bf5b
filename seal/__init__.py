"""Ordinary age v1 files: sealing, opening, keys. Pure: no database, no framework, no network.

    identity = HybridIdentity.generate()
    sealed = seal_bytes(b"Halyna, nine, last seen in Oleshky", [identity.recipient])
    assert open_bytes(sealed, [identity]) == b"Halyna, nine, last seen in Oleshky"

What is sealed here is always sealed to hybrid post-quantum recipients or, alone, to a passphrase.
`docs/sealing.md` tells the whole; the format is C2SP age.md.
"""

from seal.armoring import Armorer, Dearmorer, armor, dearmor
from seal.errors import MalformedError, Part, SealError, TamperedError, WrongKeyError
from seal.files import Opener, Sealer
from seal.hybrid import HybridIdentity, HybridRecipient
from seal.keys import (
    Identity,
    Recipient,
    parse_identities,
    parse_identity,
    parse_recipient,
    parse_recipients,
)
from seal.passphrase import ScryptIdentity, ScryptRecipient
from seal.streams import open_bytes, open_chunks, open_stream, seal_bytes, seal_chunks, seal_stream
from seal.x25519 import X25519Identity

__all__ = [
    "Armorer",
    "Dearmorer",
    "HybridIdentity",
    "HybridRecipient",
    "Identity",
    "MalformedError",
    "Opener",
    "Part",
    "Recipient",
    "ScryptIdentity",
    "ScryptRecipient",
    "SealError",
    "Sealer",
    "TamperedError",
    "WrongKeyError",
    "X25519Identity",
    "armor",
    "dearmor",
    "open_bytes",
    "open_chunks",
    "open_stream",
    "parse_identities",
    "parse_identity",
    "parse_recipient",
    "parse_recipients",
    "seal_bytes",
    "seal_chunks",
    "seal_stream",
]
