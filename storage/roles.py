"""Who may do what in PostgreSQL: one login role per process, each with exactly the rights of its zone.

The owner of all tables is `dodomu_owner` (NOLOGIN). `RIGHTS` is the whole table of grants;
`tests/storage/test_roles.py` asks the database, as each role, for what it may not have.
"""

OWNER = "dodomu_owner"
BOT, CONSOLE, KEEPER = "dodomu_bot", "dodomu_console", "dodomu_keeper"
LOGIN_ROLES = (BOT, CONSOLE, KEEPER)

_ALL = "SELECT, INSERT, UPDATE, DELETE"

RIGHTS: dict[str, dict[str, str]] = {
    # Intake: the report being given now. Of a submitted report it may only add, never read; replies wait here.
    BOT: {
        "chats": _ALL,
        "updates_taken": _ALL,
        "drafts": _ALL,
        "message_ids": _ALL,
        "outgoing": _ALL,
        "downloads": _ALL,
        "draft_files": _ALL,
        "parked": _ALL,
        "tallies": _ALL,
        "attendance": "SELECT",
        "threads": _ALL,
        "receipts": "SELECT, INSERT",
        "reports": "INSERT, SELECT (id, status, compartment, withdrawn_hour), UPDATE (unread, withdrawn_hour)",
        "replies": "SELECT, UPDATE (read_hour, told_at)",
        "bodies": "INSERT, SELECT (report, number)",
        "files": "INSERT",
        "manifests": "SELECT",
        "custody_leaves": "INSERT",
    },
    # The team's desk: reports and who works on them; nothing that leads to a chat.
    CONSOLE: {
        "reports": "SELECT, UPDATE (due_at, status, closed_reason, waiting, unread, assignee, locked_by,"
        " locked_until, hold, waiting_room)",
        "bodies": "SELECT",
        "files": "SELECT",
        "replies": "SELECT, INSERT",
        "shred_agreements": "SELECT, INSERT, DELETE",
        "members": "SELECT, UPDATE (totp_step)",
        "team_keys": "SELECT",
        "factors": "SELECT, INSERT, UPDATE (counter, removed_hour)",
        "used_codes": "SELECT, INSERT",
        "attendance": "SELECT, INSERT, UPDATE",
        "sessions": _ALL,
        "manifests": "SELECT",
        "custody_leaves": "SELECT, INSERT",
        "custody_sequence": "SELECT",
        "custody_tiles": "SELECT",
        "custody_checkpoints": "SELECT",
        "custody_cosignatures": "SELECT",
    },
    # Maintenance, backups and key acts: everything that stays, sealed as it is; nothing of what is being given now.
    KEEPER: {
        "reports": "SELECT, UPDATE (retain_until)",
        "bodies": "SELECT",
        "files": "SELECT",
        "receipts": "SELECT",
        "threads": "SELECT",
        "replies": "SELECT",
        "shred_agreements": "SELECT",
        "attendance": "SELECT",
        "draft_files": "SELECT (id, blob)",
        "members": "SELECT, INSERT, UPDATE (left_hour, role, recipient, signing_key, identity, signing_secret, totp,"
        " totp_step)",
        "team_keys": "SELECT, INSERT, UPDATE (sealed), DELETE",
        "factors": "SELECT, INSERT, UPDATE (removed_hour)",
        "used_codes": "SELECT",
        "sessions": "SELECT (member), DELETE",
        "manifests": "SELECT, INSERT",
        "custody_leaves": "SELECT, INSERT",
        "custody_sequence": "SELECT, INSERT",
        "custody_tiles": "SELECT, INSERT",
        "custody_checkpoints": "SELECT, INSERT",
        "custody_publications": "SELECT, INSERT",
        "custody_cosignatures": "SELECT, INSERT",
        "custody_timestamps": "SELECT, INSERT",
    },
}


def grants() -> list[str]:
    """SQL statements that take every right away and give each role exactly its own. Run as the owner."""
    roles = ", ".join(LOGIN_ROLES)
    statements = [
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, {roles}",
        "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC",
        f"GRANT USAGE ON SCHEMA public TO {roles}",
        f"GRANT EXECUTE ON FUNCTION open_chat TO {BOT}",
        f"GRANT EXECUTE ON FUNCTION joined_by_addition TO {BOT}",
        f"GRANT EXECUTE ON FUNCTION shred_due TO {KEEPER}",
        f"GRANT EXECUTE ON FUNCTION reseal_body TO {KEEPER}",
        f"GRANT EXECUTE ON FUNCTION reseal_file TO {KEEPER}",
    ]
    for role, tables in RIGHTS.items():
        for table, rights in tables.items():
            # "SELECT (a, b), INSERT" is split only between rights, never inside a column list.
            statements.append(f"GRANT {rights} ON {table} TO {role}")
    return statements
