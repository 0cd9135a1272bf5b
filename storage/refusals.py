"""What was not as it should be and was not accepted is told by a leaf of its own kind, with one word of a closed list.

    await refused(pool, Refusal.CODE_AGAIN, obj=str(member.id), actor=str(member.id), now=now)

A refusal often ends the act that met it: write it outside the act's transaction, or the roll-back takes it along.
"""

from datetime import datetime
from enum import StrEnum

from storage import custody
from storage.database import Database
from storage.errors import BadSignatureError, ManifestError, OldManifestError

MOST_TOLD = 1000  # leaves of one process


class Refusal(StrEnum):
    """What was refused: the fact `what` of the leaf. A word is never used for another meaning."""

    # the door
    PASSPHRASE = "passphrase"  # noqa: S105 - what was wrong, not a secret
    CODE = "code"
    CODE_AGAIN = "code used before"
    RECOVERY_CODE = "recovery code"
    SECURITY_KEY = "security key"
    SECURITY_KEY_AGAIN = "answer of a security key used before"
    SECURITY_KEY_COPIED = "copied security key"
    # sessions
    NETWORK = "session from another network"
    CERTIFICATE = "session with another certificate"
    PROOF = "proof of the second factor"
    # what is kept
    MANIFEST_OLD = "old manifest"
    MANIFEST_CHANGED = "changed manifest"
    MEMBER_ROW = "changed member row"
    RECIPIENT_ROW = "changed recipient row"
    TEAM_KEY = "changed team key"
    FACTOR_ROW = "changed factor row"
    SEALED_ROW = "changed or swapped row"
    REPLY = "reply not signed by a member"
    # the log and the copies
    LOG = "changed log"
    CHECKPOINT = "forged checkpoint"
    BACKUP = "backup that did not pass its check"


def of_manifest(error: ManifestError) -> Refusal | None:
    """The word for a manifest that was refused; None where nothing was tampered with (there is none yet, say)."""
    if isinstance(error, OldManifestError):
        return Refusal.MANIFEST_OLD
    return Refusal.MANIFEST_CHANGED if isinstance(error, BadSignatureError) else None


async def refused(connection: Database, what: Refusal, *, obj: str, actor: str, now: datetime) -> None:
    """Writes the leaf, in a transaction of its own if none is open. `obj` and `actor` are ids, codes or ""."""
    leaf = custody.leaf("refused", at=now, actor=actor, obj=obj, what=Refusal(what).value)
    await connection.execute("INSERT INTO custody_leaves (leaf) VALUES ($1)", leaf)


class OnRecord:
    """What one process refuses, each thing once for as long as it runs: whoever sends it again fills no log."""

    def __init__(self, actor: str) -> None:
        self._actor = actor
        self._told: set[tuple[Refusal, str]] = set()

    async def refused(self, connection: Database, what: Refusal, obj: str, now: datetime) -> None:
        """Writes the leaf, if it is the first time and no more than `MOST_TOLD` were written."""
        if (what, obj) in self._told or len(self._told) >= MOST_TOLD:
            return
        await refused(connection, what, obj=obj, actor=self._actor, now=now)
        self._told.add((what, obj))
