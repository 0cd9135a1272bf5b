"""A team with three leads and an analyst, and resets that two of the leads sign."""

from datetime import date

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seal import HybridIdentity
from storage import manifest
from storage.manifest import Compartment, Manifest, MemberKeys, Signed

CEREMONY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = CEREMONY.public_key()
HERON, WREN, OWL, SWIFT = (f"00000000-0000-0000-0000-00000000000{number}" for number in range(1, 5))
ROLES = {HERON: "lead", WREN: "lead", OWL: "analyst", SWIFT: "lead"}
SIGNERS = {member: Ed25519PrivateKey.generate() for member in ROLES}
RECIPIENTS = [str(HybridIdentity.generate().recipient) for _ in range(7)]


def public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes_raw().hex()


FIRST = Manifest(
    serial=4,
    expires=date(2031, 1, 1),
    recovery=RECIPIENTS[0],
    compartments={"team": Compartment(epoch=2, recipient=RECIPIENTS[1], former={1: RECIPIENTS[2]})},
    members={
        member: MemberKeys(
            recipient=RECIPIENTS[3 + at],
            signing_key=public(SIGNERS[member]),
            role=role,
            compartments=["team"],
        )
        for at, (member, role) in enumerate(ROLES.items())
    },
    routing={"family": "team"},
)
SIGNED_FIRST = manifest.sign(FIRST, CEREMONY)
NEW_KEY, NEW_RECIPIENT = Ed25519PrivateKey.generate(), str(HybridIdentity.generate().recipient)


def reset(before: Manifest = FIRST, member: str = OWL) -> Manifest:
    return manifest.reset(before, member, NEW_RECIPIENT, public(NEW_KEY))


def by(after: Manifest, *leads: str, before: Signed = SIGNED_FIRST) -> Signed:
    return manifest.sign_together(after, before, {lead: SIGNERS[lead] for lead in leads})


def resets(length: int) -> list[Signed]:
    """Resets of owl by heron and wren, the newest first, down to what the ceremony key signed."""
    signed, before = [SIGNED_FIRST], FIRST
    for _ in range(length):
        recipient = str(HybridIdentity.generate().recipient)
        before = manifest.reset(before, OWL, recipient, public(Ed25519PrivateKey.generate()))
        signed.insert(0, by(before, HERON, WREN, before=signed[0]))
    return signed
