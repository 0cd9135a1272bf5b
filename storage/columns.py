"""Which columns are clear, for every table: the one list.

What is not in `CLEAR_COLUMNS` is ciphertext: an age file sealed to people, or AEAD under a process's own
secret. `tests/storage/test_schema.py` holds this list against `information_schema`.
"""

SEALED_COLUMNS: dict[str, frozenset[str]] = {
    "drafts": frozenset({"sealed"}),
    "message_ids": frozenset({"sealed"}),
    "outgoing": frozenset({"sealed"}),
    "downloads": frozenset({"sealed"}),
    "parked": frozenset({"sealed"}),
    "bodies": frozenset({"sealed"}),
    "threads": frozenset({"sealed"}),
    "replies": frozenset({"sealed"}),
    "team_keys": frozenset({"sealed"}),
    "factors": frozenset({"sealed"}),
    "members": frozenset({"identity", "signing_secret", "totp"}),
}

CLEAR_COLUMNS: dict[str, frozenset[str]] = {
    "chats": frozenset({"chat"}),
    "updates_taken": frozenset({"update_mac", "taken_hour"}),
    "drafts": frozenset({"id", "chat", "active", "version", "day", "salt", "expires_on"}),
    "message_ids": frozenset({"chat", "version", "day", "salt", "sweep_at"}),
    "outgoing": frozenset(
        {"id", "place", "chat", "version", "day", "salt", "not_before", "sender", "leased_until"}
    ),
    "downloads": frozenset(
        {"id", "chat", "version", "day", "salt", "not_before", "attempts", "leased_until"}
    ),
    "draft_files": frozenset(
        {"id", "blob", "ciphertext_sha256", "sealed_size", "compartment", "key_epoch", "expires_on"}
    ),
    "parked": frozenset({"id", "update_mac", "version", "error", "attempts", "parked_hour"}),
    "attendance": frozenset({"compartment", "opened_hour"}),
    "tallies": frozenset({"tally", "day", "reports", "mebibytes"}),
    "members": frozenset(
        {"id", "call_sign", "role", "recipient", "signing_key", "totp_step", "joined_hour", "left_hour"}
    ),
    "reports": frozenset(
        {
            "id", "public_code", "desk_code", "form", "form_version", "received_hour", "class", "due_at",
            "compartment", "status", "closed_reason", "waiting", "unread", "assignee", "locked_by",
            "locked_until", "retain_until", "hold", "withdrawn_hour", "waiting_room",
        }
    ),
    "bodies": frozenset({"id", "report", "number", "ciphertext_sha256", "key_epoch"}),
    "files": frozenset(
        {"id", "report", "body", "blob", "ciphertext_sha256", "sealed_size", "compartment", "key_epoch"}
    ),
    "receipts": frozenset({"words_mac", "report"}),
    "threads": frozenset({"id", "report", "version", "place", "chat", "ends_on"}),
    "replies": frozenset(
        {"id", "report", "number", "member", "signature", "written_hour", "read_hour", "told_at"}
    ),
    "shred_agreements": frozenset({"report", "member", "agreed_hour"}),
    "manifests": frozenset({"serial", "body", "signature"}),
    "team_keys": frozenset({"compartment", "epoch", "holder"}),
    "sessions": frozenset(
        {"token_sha256", "member", "created_at", "seen_at", "proved_at", "network", "certificate", "expires_at"}
    ),
    "factors": frozenset({"id", "member", "kind", "counter", "added_hour", "removed_hour"}),
    "used_codes": frozenset({"factor", "number", "used_hour"}),
    "custody_leaves": frozenset({"id", "leaf"}),
    "custody_sequence": frozenset({"index", "leaf", "leaf_hash", "object"}),
    "custody_tiles": frozenset({"level", "index", "hashes", "root"}),
    "custody_checkpoints": frozenset({"size", "note", "made_at"}),
    "custody_publications": frozenset({"size", "place", "published_at"}),
    "custody_cosignatures": frozenset({"size", "witness", "line"}),
    "custody_timestamps": frozenset({"size", "authority", "token"}),
}  # fmt: skip
