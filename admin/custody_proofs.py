"""What a court gets of the log: some leaves, and the proof that they are in it, without the rest.

    proof = await prove(connection, "17")               # a leaf's index, or the id of what it is about
    path.write_bytes(proof)
    checked = check(path.read_bytes(), Trust(log_keys=[vkey]))

The file is JSON, and each part of it a standard's own: RFC 6962 inclusion proofs, a C2SP checkpoint, RFC 3161 tokens:

    {"format": "dodomu custody proof 1", "checkpoint": note,
     "leaves": [{"index", "leaf": text, "proof": [hex, …]}, …],
     "manifest": {"body", "signature"}, the one that names the log's key, in Base64, if the ceremony key signed it,
     "timestamps": [{"authority", "token": Base64}, …]}
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from admin.custody_dump import bare
from admin.custody_heads import Trust
from admin.custody_leaves import read
from admin.errors import AdminError
from admin.timestamps import TimestampError, stamped
from storage import checkpoints, custody, manifest, merkle, notes, proofs
from storage.checkpoints import Kept
from storage.database import Connection
from storage.errors import LogError, ManifestError
from storage.manifest import Manifest, Signed
from storage.notes import Checkpoint

FORMAT = "dodomu custody proof 1"
_INDEX = re.compile(r"\d{1,18}")


class ProofError(AdminError):
    """There is nothing to prove yet, or a proof does not hold."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A proof that holds: the leaves by index, in the log of `checkpoint`; who stamped and cosigned it, and when."""

    checkpoint: Checkpoint
    leaves: Mapping[int, Mapping[str, Any]]
    stamps: Mapping[str, datetime] = field(default_factory=dict)
    witnesses: Sequence[str] = ()


async def prove(connection: Connection, wanted: str) -> bytes:
    """The proof file for a leaf by its index, or for all leaves about an object. Raises ProofError, LogError."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        rows = await _leaves(connection, wanted)
        if not rows:
            raise ProofError(f"The log has no leaf {wanted}, and none about it.")
        checkpoint = await _checkpoint(connection, rows[-1]["index"])
        if checkpoint is None:
            raise ProofError("No checkpoint holds this yet. The keeper makes the next within the hour.")
        tokens = await connection.fetch(
            "SELECT authority, token FROM custody_timestamps WHERE size = $1 ORDER BY authority",
            checkpoint.size,
        )
        proof: dict[str, Any] = {
            "format": FORMAT,
            "checkpoint": (await checkpoints.cosigned(connection, checkpoint)).decode(),
            "leaves": [
                {
                    "index": row["index"],
                    "leaf": row["leaf"].decode(),
                    "proof": [
                        one.hex() for one in await proofs.inclusion(connection, row["index"], checkpoint.size)
                    ],
                }
                for row in rows
            ],
            "timestamps": [
                {"authority": row["authority"], "token": base64.b64encode(row["token"]).decode()}
                for row in tokens
            ],
        }
        named = await _naming(connection, checkpoint)
    if named is not None:
        proof["manifest"] = {
            "body": base64.b64encode(named.body).decode(),
            "signature": base64.b64encode(named.signature).decode(),
        }
    return custody.canonical(proof)


async def _leaves(connection: Connection, wanted: str) -> Sequence[Mapping[str, Any]]:
    by_index = _INDEX.fullmatch(wanted) is not None
    found = []
    if by_index:
        found = await connection.fetch(f'{_LEAVES} WHERE s."index" = $1', int(wanted))
    # A manifest's number is an object too; an index is meant first.
    return found or await connection.fetch(f'{_LEAVES} WHERE s.object = $1 ORDER BY s."index"', wanted)


_LEAVES = 'SELECT s."index", l.leaf FROM custody_sequence s JOIN custody_leaves l ON l.id = s.leaf'


async def _checkpoint(connection: Connection, index: int) -> Kept | None:
    """The first that holds the leaf and is stamped, else the first that holds it."""
    row = await connection.fetchrow(
        """SELECT c.size, c.note FROM custody_checkpoints c WHERE c.size > $1
           ORDER BY NOT EXISTS (SELECT 1 FROM custody_timestamps t WHERE t.size = c.size), c.size LIMIT 1""",
        index,
    )
    return Kept(*row) if row else None


async def _naming(connection: Connection, checkpoint: Kept) -> Signed | None:
    """The newest manifest that the ceremony key alone signed and that names the key of this checkpoint."""
    async for row in connection.cursor("SELECT body, signature FROM manifests ORDER BY serial DESC"):
        signed = Signed(row["body"], row["signature"])
        if signed.by_two_leads:
            continue
        try:
            notes.verify(checkpoint.note, [Manifest.model_validate_json(signed.body).log])
        except (LogError, ValueError):
            continue
        return signed
    return None


def check(content: bytes, trust: Trust) -> Checked:
    """What a proof file proves. Raises ProofError with what does not hold."""
    try:
        proof = json.loads(content)
        if proof["format"] != FORMAT:
            raise ProofError("This is a proof of another format.")
        note = proof["checkpoint"].encode()
        checkpoint = Checkpoint.parse(notes.verify(note, _keys(proof, trust)))
        leaves = {one["index"]: _leaf(one, checkpoint) for one in proof["leaves"]}
        stamps = {
            one["authority"]: stamped(base64.b64decode(one["token"]), bare(note), trust.roots)
            for one in proof["timestamps"]
            if trust.roots
        }
        seen = sorted(notes.cosigners(note, trust.witnesses))
    except (LogError, ManifestError, TimestampError) as error:
        raise ProofError(f"The proof does not hold: {error}.") from None
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ProofError("This is no proof, or not a whole one.") from None
    return Checked(checkpoint, leaves, stamps, seen)


def _keys(proof: Mapping[str, Any], trust: Trust) -> list[str]:
    """The log's keys that are trusted: given by the person, or named by a manifest that the ceremony key signed."""
    keys = list(trust.log_keys)
    if trust.ceremony_key is not None and "manifest" in proof:
        kept = proof["manifest"]
        signed = Signed(base64.b64decode(kept["body"]), base64.b64decode(kept["signature"]))
        if named := manifest.verify(signed, trust.ceremony_key).log:
            keys.append(named)
    return keys


def _leaf(one: Mapping[str, Any], checkpoint: Checkpoint) -> Mapping[str, Any]:
    data = one["leaf"].encode()
    path = [bytes.fromhex(beside) for beside in one["proof"]]
    merkle.verify_inclusion(merkle.leaf_hash(data), one["index"], checkpoint.size, path, checkpoint.root)
    content = read(data)
    if content is None:
        raise ProofError(f"Leaf {one['index']} is in the log, and is not a leaf of a kind that we know.")
    return content
