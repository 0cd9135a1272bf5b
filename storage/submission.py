"""From a draft to a sealed report: body, files, receipt, thread and custody leaf in one transaction.

What is sealed (kind "report", version 1):

    {"kind", "id", "version", "report", "received": exact time, "language", "form", "form_version",
     "answers": …, "files": [{"id", "name", "mime", "kind", "step", "length", "sha256", "ciphertext_sha256",
                              "salt", "compartment", "epoch"} …], "files_on_their_way": [ids], "salt"}

`salt` opens the leaf's commitment. What comes after sending (a file still on its way) is an *addition*: a body
of its own with the next number; nobody at intake can read the first.
"""

import hashlib
import os
import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from storage import custody, threads
from storage.bodies import SealedBody, seal_body
from storage.database import Connection
from storage.manifest import Compartment
from storage.secrets import ProcessSecret

CLAIM_WITHIN = {"critical": timedelta(hours=1), "high": timedelta(hours=4), "normal": timedelta(hours=24)}
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # no 0 O 1 I L U: read aloud and typed without doubt
_CODE_LENGTH = 8  # 39 bits
RECEIPT_WORDS = 7  # of 2,048: 77 bits
_WORDS = 2048
_CLOCK_GRAIN_S = 15 * 60  # `due_at` is a clear column: the quarter hour is all it says of when

_SUBMIT = """WITH report AS (
  INSERT INTO reports (id, public_code, desk_code, form, form_version, received_hour, class, due_at, compartment,
    waiting_room)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $19)
), body AS (
  INSERT INTO bodies (id, report, number, sealed, ciphertext_sha256, key_epoch) VALUES ($10, $1, 1, $11, $12, $13)
), receipt AS (
  INSERT INTO receipts (words_mac, report) VALUES ($14, $1)
), leaf AS (
  INSERT INTO custody_leaves (leaf) VALUES ($15)
), thread AS (
  INSERT INTO threads (id, report, version, sealed, chat)
  SELECT $17, $1, $20::integer, $18::bytea, $21::bytea WHERE $18 IS NOT NULL
) DELETE FROM drafts WHERE id = $16"""
_ADD_BODY = """WITH body AS (
  INSERT INTO bodies (id, report, number, sealed, ciphertext_sha256, key_epoch) VALUES ($1, $2, $3, $4, $5, $6)
), leaf AS (INSERT INTO custody_leaves (leaf) VALUES ($7))
SELECT joined_by_addition($2, $8, $9)"""
_MOVE_FILE = """WITH gone AS (DELETE FROM draft_files WHERE id = $1)
INSERT INTO files (id, report, body, blob, ciphertext_sha256, sealed_size, key_epoch, compartment)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"""


@dataclass(frozen=True, slots=True)
class SealedFile:
    """A file whose blob is complete: `meta` goes into the seal, the rest into its row."""

    id: uuid.UUID
    blob: str
    ciphertext_sha256: bytes
    sealed_size: int
    epoch: int
    meta: Mapping[str, Any]

    def sealed_entry(self) -> dict[str, Any]:
        """How a body lists this file."""
        return {**self.meta, "id": str(self.id), "ciphertext_sha256": self.ciphertext_sha256.hex()}


@dataclass(frozen=True, slots=True)
class Given:
    """What a person sends: `content` is what is sealed, besides ids and files.

    Only if `answer_here` are kept: `address`, `chat` (its name in the store), `push` (the IANA zone in whose day one
    word may come, or "") and `lang`.
    """

    form: str
    form_version: int
    urgency: str
    content: Mapping[str, Any]
    files: Sequence[SealedFile]
    answer_here: bool
    address: int
    chat: bytes = b""
    push: str = ""
    lang: str = ""
    waiting_room: bool = False  # it looks scripted: kept like any other, and shown to the team apart


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the reporter keeps: the public code and the numbers of seven return words."""

    report: uuid.UUID
    public_code: str
    words: tuple[int, ...]


def new_code() -> str:
    """A random code, like «K7MX-4TQ9»; it says nothing of when or how many."""
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
    return f"{letters[:4]}-{letters[4:]}"


def words_mac(secret: ProcessSecret, words: Sequence[int]) -> bytes:
    """How return words are kept: HMAC-SHA-256 of their numbers, found by equality."""
    return secret.mac("receipt words", b"".join(number.to_bytes(2, "big") for number in words))


async def submit(
    connection: Connection,
    draft: uuid.UUID,
    given: Given,
    *,
    to: tuple[str, Compartment],
    secret: ProcessSecret,
    now: datetime,
) -> Receipt:
    """Seals and keeps a report, in the caller's transaction. The draft's row goes with it."""
    compartment, key = to
    report, body_id = uuid.uuid4(), uuid.uuid4()
    receipt = Receipt(report, new_code(), tuple(secrets.randbelow(_WORDS) for _ in range(RECEIPT_WORDS)))
    salt = os.urandom(32)
    content = {
        "report": str(report),
        "received": now.isoformat(),
        **given.content,
        "files": [file.sealed_entry() for file in given.files],
        "salt": salt.hex(),
    }
    body = seal_body("report", body_id, 1, content, [key.key()])
    leaf = custody.leaf(
        "receipt",
        at=now,
        actor="bot",
        obj=str(report),
        items=_items(body_id, body, salt, content, given.files),
    )
    thread = uuid.uuid4()
    address = None  # kept only when the reporter said that we may write back
    if given.answer_here:
        to_whom = threads.Thread(given.address, given.push, given.lang)
        address = threads.seal_thread(thread, report, to_whom, secret)
    await connection.execute(
        _SUBMIT, report, receipt.public_code, new_code(), given.form, given.form_version, custody.hour(now),
        given.urgency, _due(now, given.urgency), compartment,
        body_id, body.sealed, body.ciphertext_sha256, key.epoch,
        words_mac(secret, receipt.words), leaf, draft, thread, address,
        given.waiting_room, threads.VERSION, given.chat or None,
    )  # fmt: skip
    await _move_files(connection, report, body_id, given.files)
    return receipt


async def add(
    connection: Connection,
    report: uuid.UUID,
    content: Mapping[str, Any],
    files: Sequence[SealedFile],
    *,
    key: Compartment,
    now: datetime,
    urgency: str = "normal",
) -> None:
    """Adds what came after sending, as a body of its own, in the caller's transaction.

    The class of the report rises to `urgency`, and its clock with it; it never falls by what a reporter adds.
    """
    body_id, salt = uuid.uuid4(), os.urandom(32)
    # The highest number is read under a lock that serialises additions to one report.
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", str(report))
    # None are left of a report that was shredded while a file was still on its way.
    last = await connection.fetchval("SELECT coalesce(max(number), 0) FROM bodies WHERE report = $1", report)
    number = 1 + last
    entries = [file.sealed_entry() for file in files]
    sealed_content = {
        "report": str(report),
        "received": now.isoformat(),
        **content,
        "files": entries,
        "salt": salt.hex(),
    }
    body = seal_body("addition", body_id, number, sealed_content, [key.key()])
    leaf = custody.leaf(
        "addition",
        at=now,
        actor="bot",
        obj=str(report),
        items=_items(body_id, body, salt, sealed_content, files),
    )
    await connection.execute(
        _ADD_BODY, body_id, report, number, body.sealed, body.ciphertext_sha256, key.epoch, leaf,
        urgency, _due(now, urgency),
    )  # fmt: skip
    await _move_files(connection, report, body_id, files)


def _items(
    body_id: uuid.UUID, body: SealedBody, salt: bytes, content: Mapping[str, Any], files: Sequence[SealedFile]
) -> list[dict[str, str]]:
    """The leaf's items: ciphertext hash and commitment of the body and of each file as received."""
    answers = custody.canonical({key: value for key, value in content.items() if key != "salt"})
    items = [
        {
            "id": str(body_id),
            "ciphertext_sha256": body.ciphertext_sha256.hex(),
            "commitment": custody.commitment(salt, hashlib.sha256(answers).digest(), len(answers)).hex(),
        }
    ]
    for file in files:
        opening = bytes.fromhex(file.meta["salt"])
        promise = custody.commitment(opening, bytes.fromhex(file.meta["sha256"]), file.meta["length"])
        items.append(
            {
                "id": str(file.id),
                "ciphertext_sha256": file.ciphertext_sha256.hex(),
                "commitment": promise.hex(),
            }
        )
    return items


async def _move_files(
    connection: Connection, report: uuid.UUID, body: uuid.UUID, files: Sequence[SealedFile]
) -> None:
    if files:
        await connection.executemany(
            _MOVE_FILE,
            [
                (
                    f.id,
                    report,
                    body,
                    f.blob,
                    f.ciphertext_sha256,
                    f.sealed_size,
                    f.epoch,
                    f.meta["compartment"],
                )
                for f in files
            ],
        )


async def thread_address(connection: Connection, report: uuid.UUID, secret: ProcessSecret) -> int | None:
    """The chat address of a report's open thread; SwappedRowError if the row is another's."""
    row = await connection.fetchrow(
        "SELECT id, report, version, sealed FROM threads WHERE report = $1", report
    )
    return threads.read_thread(row, secret).address if row else None


def _due(now: datetime, urgency: str) -> datetime:
    due = now + CLAIM_WITHIN[urgency]
    return datetime.fromtimestamp(due.timestamp() // _CLOCK_GRAIN_S * _CLOCK_GRAIN_S, due.tzinfo)
