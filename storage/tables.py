"""The schema: every table, and what guards it. Which columns are clear is told by `storage.columns`."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.schema import SchemaItem

CLASSES = ("critical", "high", "normal")
STATUSES = ("new", "in triage", "waiting for reporter", "linked", "closed")
CLOSED_REASONS = ("duplicate", "out of scope", "no answer", "hostile")
FACTORS = ("security key", "recovery codes")
ROLES = ("observer", "analyst", "lead", "keeper", "auditor", "safeguarding")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _bytes32(name: str, *, primary_key: bool = False) -> list[SchemaItem]:
    """A column of exactly 32 bytes: a keyed hash, a salt or a SHA-256."""
    return [
        Column(name, LargeBinary, nullable=False, primary_key=primary_key),
        CheckConstraint(f"length({name}) = 32", name=f"{name}_32_bytes"),
    ]


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


def _day_sealed() -> list[SchemaItem]:
    """Columns of a row that is AEAD under one day's draft secret; `version` is in its associated data."""
    return [
        Column("version", Integer, nullable=False),
        Column("day", Date, nullable=False),
        *_bytes32("salt"),
        Column("sealed", LargeBinary, nullable=False),
    ]


def _chat(*, nullable: bool = False, primary_key: bool = False) -> Column[bytes]:
    return Column("chat", ForeignKey("chats.chat"), nullable=nullable, primary_key=primary_key)


# ---- intake -------------------------------------------------------------------------------------

chats = Table("chats", metadata, *_bytes32("chat", primary_key=True))

updates_taken = Table(
    "updates_taken",
    metadata,
    *_bytes32("update_mac", primary_key=True),
    Column("taken_hour", DateTime(timezone=True), nullable=False, index=True),
)

drafts = Table(
    "drafts",
    metadata,
    Column("id", Uuid, primary_key=True),
    _chat(),
    Column("active", Boolean, nullable=False),
    *_day_sealed(),
    Column("expires_on", Date, nullable=False, index=True),
    Index("one_active_draft", "chat", unique=True, postgresql_where=text("active")),
    Index("ix_drafts_chat", "chat"),
)

message_ids = Table(
    "message_ids",
    metadata,
    _chat(primary_key=True),
    *_day_sealed(),
    Column("sweep_at", DateTime(timezone=True), nullable=True, index=True),
)

outgoing = Table(
    "outgoing",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("place", BigInteger, Identity(always=True), nullable=False),
    _chat(),
    *_day_sealed(),
    Column("not_before", DateTime(timezone=True), nullable=False),
    Column("sender", Uuid, nullable=True),
    Column("leased_until", DateTime(timezone=True), nullable=True),
    Index("ix_outgoing_chat_place", "chat", "place"),
)

downloads = Table(
    "downloads",
    metadata,
    Column("id", Uuid, primary_key=True),
    _chat(nullable=True),
    *_day_sealed(),
    Column("not_before", DateTime(timezone=True), nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("leased_until", DateTime(timezone=True), nullable=True),
    Index("ix_downloads_chat", "chat"),
)

draft_files = Table(
    "draft_files",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("blob", Text, nullable=False, unique=True),
    *_bytes32("ciphertext_sha256"),
    Column("sealed_size", BigInteger, nullable=False),
    Column("compartment", Text, nullable=False),
    Column("key_epoch", Integer, nullable=False),
    Column("expires_on", Date, nullable=False, index=True),
)

parked = Table(
    "parked",
    metadata,
    Column("id", Uuid, primary_key=True),
    *_bytes32("update_mac"),
    Column("version", Integer, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("error", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("parked_hour", DateTime(timezone=True), nullable=False),
    UniqueConstraint("update_mac"),
)

# What a chat has given on one day. The key is another each day and like no other table's: nothing leads to a chat.
tallies = Table(
    "tallies",
    metadata,
    *_bytes32("tally", primary_key=True),
    Column("day", Date, nullable=False, index=True),
    Column("reports", Integer, nullable=False),
    Column("mebibytes", Integer, nullable=False),
)

# ---- reports ------------------------------------------------------------------------------------

members = Table(
    "members",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("call_sign", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    *_bytes32("signing_key"),
    Column("identity", LargeBinary, nullable=False),
    Column("signing_secret", LargeBinary, nullable=False),
    Column("totp", LargeBinary, nullable=False),
    Column("totp_step", BigInteger, nullable=False, server_default="0"),
    Column("joined_hour", DateTime(timezone=True), nullable=False),
    Column("left_hour", DateTime(timezone=True), nullable=True),
    _one_of("role", ROLES),
    CheckConstraint("call_sign ~ '^[a-z][a-z0-9-]{1,31}$'", name="call_sign_plain"),
)

reports = Table(
    "reports",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("public_code", Text, nullable=False, unique=True),
    Column("desk_code", Text, nullable=False, unique=True),
    Column("form", Text, nullable=False),
    Column("form_version", Integer, nullable=False),
    Column("received_hour", DateTime(timezone=True), nullable=False),
    Column("class", Text, nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=True),
    Column("compartment", Text, nullable=False),
    Column("status", Text, nullable=False, server_default="new"),
    Column("closed_reason", Text, nullable=True),
    Column("waiting", Boolean, nullable=False, server_default=text("false")),
    Column("unread", Boolean, nullable=False, server_default=text("true")),
    Column("assignee", ForeignKey("members.id"), nullable=True),
    Column("locked_by", ForeignKey("members.id"), nullable=True),
    Column("locked_until", DateTime(timezone=True), nullable=True),
    Column("retain_until", Date, nullable=True),
    Column("hold", Boolean, nullable=False, server_default=text("false")),
    Column("withdrawn_hour", DateTime(timezone=True), nullable=True),
    Column("waiting_room", Boolean, nullable=False, server_default=text("false")),
    _one_of("class", CLASSES),
    _one_of("status", STATUSES),
    _one_of("closed_reason", CLOSED_REASONS),
    CheckConstraint("(status = 'closed') = (closed_reason IS NOT NULL)", name="closed_says_why"),
    CheckConstraint("(locked_by IS NULL) = (locked_until IS NULL)", name="lock_has_holder"),
    Index(
        "reports_by_clock",
        "compartment",
        "due_at",
        postgresql_where=text("status <> 'closed' AND NOT waiting_room"),
    ),
    Index(
        "reports_waiting_room",
        "compartment",
        "due_at",
        postgresql_where=text("status <> 'closed' AND waiting_room"),
    ),
)

bodies = Table(
    "bodies",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("report", ForeignKey("reports.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    *_bytes32("ciphertext_sha256"),
    Column("key_epoch", Integer, nullable=False),
    UniqueConstraint("report", "number"),
)

files = Table(
    "files",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("report", ForeignKey("reports.id"), nullable=False, index=True),
    Column("body", ForeignKey("bodies.id"), nullable=False),
    Column("blob", Text, nullable=False, unique=True),
    *_bytes32("ciphertext_sha256"),
    Column("sealed_size", BigInteger, nullable=False),
    # Whose key sealed it: another compartment's than the report's until it is sealed anew.
    Column("compartment", Text, nullable=False),
    Column("key_epoch", Integer, nullable=False),
)

receipts = Table(
    "receipts",
    metadata,
    *_bytes32("words_mac", primary_key=True),
    Column("report", ForeignKey("reports.id"), nullable=False, unique=True),
)

threads = Table(
    "threads",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("report", ForeignKey("reports.id"), nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("place", BigInteger, Identity(always=True), nullable=False),  # of several, the newest is added to
    # Not a key of `chats`: a chat is forgotten when it is empty, and its thread may wait for an answer.
    Column("chat", LargeBinary, nullable=True, index=True),
    Column("ends_on", Date, nullable=True),
    CheckConstraint("length(chat) = 32", name="chat_32_bytes"),
)

replies = Table(
    "replies",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("report", ForeignKey("reports.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("member", ForeignKey("members.id"), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("written_hour", DateTime(timezone=True), nullable=False),
    Column("read_hour", DateTime(timezone=True), nullable=True),
    Column("told_at", DateTime(timezone=True), nullable=True),
    UniqueConstraint("report", "number"),
    CheckConstraint("length(signature) = 64", name="signature_64_bytes"),
    Index("replies_to_tell", "report", postgresql_where=text("read_hour IS NULL AND told_at IS NULL")),
)

shred_agreements = Table(
    "shred_agreements",
    metadata,
    Column("report", ForeignKey("reports.id"), primary_key=True),
    Column("member", ForeignKey("members.id"), primary_key=True),
    Column("agreed_hour", DateTime(timezone=True), nullable=False),
)

# ---- trust --------------------------------------------------------------------------------------

manifests = Table(
    "manifests",
    metadata,
    Column("serial", Integer, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
)

team_keys = Table(
    "team_keys",
    metadata,
    Column("compartment", Text, primary_key=True),
    Column("epoch", Integer, primary_key=True),
    Column("holder", Uuid, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    *_bytes32("token_sha256", primary_key=True),
    Column("member", ForeignKey("members.id"), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("seen_at", DateTime(timezone=True), nullable=False),
    Column("proved_at", DateTime(timezone=True), nullable=False),  # the second factor, the last time
    # Keyed hashes, under a key that lives as long as the web process: where the session was proved from.
    *_bytes32("network"),
    Column("certificate", LargeBinary, nullable=True),
    Column("expires_at", DateTime(timezone=True), nullable=False, index=True),
    CheckConstraint("length(certificate) = 32", name="certificate_32_bytes"),
)

# Second factors besides the authenticator app's: each sealed to its member.
factors = Table(
    "factors",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("member", ForeignKey("members.id"), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("counter", BigInteger, nullable=False, server_default="0"),
    Column("added_hour", DateTime(timezone=True), nullable=False),
    Column("removed_hour", DateTime(timezone=True), nullable=True),
    _one_of("kind", FACTORS),
    Index(
        "one_set_of_codes",
        "member",
        unique=True,
        postgresql_where=text("kind = 'recovery codes' AND removed_hour IS NULL"),
    ),
)

used_codes = Table(
    "used_codes",
    metadata,
    Column("factor", ForeignKey("factors.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("used_hour", DateTime(timezone=True), nullable=False),
)

custody_leaves = Table(
    "custody_leaves",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("leaf", LargeBinary, nullable=False),
    # RFC 8785 has no line feed: so leaves written one a line are the leaves.
    CheckConstraint("position('\\x0a'::bytea in leaf) = 0", name="leaf_one_line"),
)

custody_sequence = Table(
    "custody_sequence",
    metadata,
    Column("index", BigInteger, primary_key=True, autoincrement=False),
    Column("leaf", ForeignKey("custody_leaves.id"), nullable=False, unique=True),
    *_bytes32("leaf_hash"),
    Column(
        "object", Text, nullable=True, index=True
    ),  # as the leaf names it; the history of one thing is found by it
)

# The tree's complete hash tiles (C2SP tlog-tiles, height 8): 256 hashes of 32 bytes each, and the root over them, which
# is one hash of the tile above.
custody_tiles = Table(
    "custody_tiles",
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("index", BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
    *_bytes32("root"),
    CheckConstraint("length(hashes) = 8192", name="hashes_256"),
)

custody_checkpoints = Table(
    "custody_checkpoints",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("note", LargeBinary, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
)

custody_publications = Table(
    "custody_publications",
    metadata,
    Column("size", ForeignKey("custody_checkpoints.size"), primary_key=True, autoincrement=False),
    Column("place", Text, primary_key=True),
    Column("published_at", DateTime(timezone=True), nullable=False),
)

custody_cosignatures = Table(
    "custody_cosignatures",
    metadata,
    Column("size", ForeignKey("custody_checkpoints.size"), primary_key=True, autoincrement=False),
    Column("witness", Text, primary_key=True),
    Column("line", LargeBinary, nullable=False),
)

custody_timestamps = Table(
    "custody_timestamps",
    metadata,
    Column("size", ForeignKey("custody_checkpoints.size"), primary_key=True, autoincrement=False),
    Column("authority", Text, primary_key=True),
    Column("token", LargeBinary, nullable=False),
)

attendance = Table(
    "attendance",
    metadata,
    Column("compartment", Text, primary_key=True),
    Column("opened_hour", DateTime(timezone=True), nullable=False),
)

APPEND_ONLY = (
    "bodies", "files", "receipts", "manifests", "used_codes", "custody_leaves", "custody_sequence", "custody_tiles",
    "custody_checkpoints", "custody_publications", "custody_cosignatures", "custody_timestamps",
)  # fmt: skip
"""Tables whose rows no login role may change, remove or truncate (a trigger refuses, besides the rights).

Two ways are open to `bodies` and `files`, both in 0006: they go with a report that was withdrawn 14 days ago or whose
time has ended, by two people; and they are sealed anew, their key's epoch rising, with a leaf that says old and new.
"""
