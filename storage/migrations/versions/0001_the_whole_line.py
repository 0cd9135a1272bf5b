"""The whole line, thin but real."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ONLY_GROW = ("bodies", "files", "receipts", "manifests", "custody_leaves", "custody_sequence")


def _open_chat() -> None:
    """One round trip for what every update begins with. Each statement of the function sees what was committed
    before it began, so the chat is read as whoever held its lock left it.
    """
    op.execute("""CREATE FUNCTION open_chat(
            the_chat bytea, at_time timestamptz, the_update bytea, the_hour timestamptz
        ) RETURNS TABLE (
            what text, id uuid, active boolean, version integer, day date, salt bytea, sealed bytea
        ) LANGUAGE plpgsql AS $$
        #variable_conflict use_column
        BEGIN
            IF the_update IS NOT NULL THEN
                INSERT INTO updates_taken (update_mac, taken_hour) VALUES (the_update, the_hour)
                ON CONFLICT DO NOTHING;
                IF NOT FOUND THEN RETURN; END IF;
            END IF;
            INSERT INTO chats (chat) VALUES (the_chat) ON CONFLICT (chat) DO UPDATE SET chat = excluded.chat;
            RETURN QUERY SELECT 'open', NULL::uuid, NULL::boolean, NULL::integer, NULL::date, NULL::bytea, NULL::bytea;
            RETURN QUERY SELECT 'draft', d.id, d.active, d.version, d.day, d.salt, d.sealed
                FROM drafts d WHERE d.chat = the_chat;
            RETURN QUERY SELECT 'ids', NULL::uuid, NULL::boolean, m.version, m.day, m.salt, m.sealed
                FROM message_ids m WHERE m.chat = the_chat;
            RETURN QUERY SELECT 'queued', o.id, NULL::boolean, NULL::integer, NULL::date, NULL::bytea, NULL::bytea
                FROM outgoing o WHERE o.chat = the_chat AND o.not_before <= at_time;
        END $$""")


def _refuse_change() -> None:
    """The evidence and its log only grow, whoever asks, TRUNCATE included."""
    op.execute("""CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'table % only grows', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
        END $$""")
    for table in ONLY_GROW:
        op.execute(
            f"CREATE TRIGGER {table}_only_grow BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_never_truncated BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def upgrade() -> None:
    """Forward, giving up rather than making intake wait."""
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.execute("SET LOCAL statement_timeout = '60s'")
    op.create_table(
        "chats",
        sa.Column("chat", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("length(chat) = 32", name=op.f("ck_chats_chat_32_bytes")),
        sa.PrimaryKeyConstraint("chat", name=op.f("pk_chats")),
    )
    op.create_table(
        "custody_leaves",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custody_leaves")),
    )
    op.create_table(
        "draft_files",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("blob", sa.Text(), nullable=False),
        sa.Column("ciphertext_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_size", sa.BigInteger(), nullable=False),
        sa.Column("compartment", sa.Text(), nullable=False),
        sa.Column("key_epoch", sa.Integer(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.CheckConstraint(
            "length(ciphertext_sha256) = 32", name=op.f("ck_draft_files_ciphertext_sha256_32_bytes")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft_files")),
        sa.UniqueConstraint("blob", name=op.f("uq_draft_files_blob")),
    )
    op.create_index(op.f("ix_draft_files_expires_on"), "draft_files", ["expires_on"], unique=False)
    op.create_table(
        "manifests",
        sa.Column("serial", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_manifests")),
    )
    op.create_table(
        "members",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("call_sign", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("signing_key", sa.LargeBinary(), nullable=False),
        sa.Column("identity", sa.LargeBinary(), nullable=False),
        sa.Column("signing_secret", sa.LargeBinary(), nullable=False),
        sa.Column("totp", sa.LargeBinary(), nullable=False),
        sa.Column("totp_step", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("joined_hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("left_hour", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("call_sign ~ '^[a-z][a-z0-9-]{1,31}$'", name=op.f("ck_members_call_sign_plain")),
        sa.CheckConstraint(
            "role IN ('observer', 'analyst', 'lead', 'keeper', 'auditor', 'safeguarding')",
            name=op.f("ck_members_role_known"),
        ),
        sa.CheckConstraint("length(signing_key) = 32", name=op.f("ck_members_signing_key_32_bytes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_members")),
        sa.UniqueConstraint("call_sign", name=op.f("uq_members_call_sign")),
    )
    op.create_table(
        "parked",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("update_mac", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("parked_hour", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(update_mac) = 32", name=op.f("ck_parked_update_mac_32_bytes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parked")),
        sa.UniqueConstraint("update_mac", name=op.f("uq_parked_update_mac")),
    )
    op.create_table(
        "team_keys",
        sa.Column("compartment", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("holder", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("compartment", "epoch", "holder", name=op.f("pk_team_keys")),
    )
    op.create_table(
        "updates_taken",
        sa.Column("update_mac", sa.LargeBinary(), nullable=False),
        sa.Column("taken_hour", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(update_mac) = 32", name=op.f("ck_updates_taken_update_mac_32_bytes")),
        sa.PrimaryKeyConstraint("update_mac", name=op.f("pk_updates_taken")),
    )
    op.create_index(op.f("ix_updates_taken_taken_hour"), "updates_taken", ["taken_hour"], unique=False)
    op.create_table(
        "custody_sequence",
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("leaf", sa.BigInteger(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("length(leaf_hash) = 32", name=op.f("ck_custody_sequence_leaf_hash_32_bytes")),
        sa.ForeignKeyConstraint(["leaf"], ["custody_leaves.id"], name=op.f("fk_custody_sequence_leaf")),
        sa.PrimaryKeyConstraint("index", name=op.f("pk_custody_sequence")),
        sa.UniqueConstraint("leaf", name=op.f("uq_custody_sequence_leaf")),
    )
    op.create_table(
        "downloads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("chat", sa.LargeBinary(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("length(salt) = 32", name=op.f("ck_downloads_salt_32_bytes")),
        sa.ForeignKeyConstraint(["chat"], ["chats.chat"], name=op.f("fk_downloads_chat")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_downloads")),
    )
    op.create_index("ix_downloads_chat", "downloads", ["chat"], unique=False)
    op.create_table(
        "drafts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("chat", sa.LargeBinary(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.CheckConstraint("length(salt) = 32", name=op.f("ck_drafts_salt_32_bytes")),
        sa.ForeignKeyConstraint(["chat"], ["chats.chat"], name=op.f("fk_drafts_chat")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drafts")),
    )
    op.create_index("ix_drafts_chat", "drafts", ["chat"], unique=False)
    op.create_index(op.f("ix_drafts_expires_on"), "drafts", ["expires_on"], unique=False)
    op.create_index("one_active_draft", "drafts", ["chat"], unique=True, postgresql_where=sa.text("active"))
    op.create_table(
        "message_ids",
        sa.Column("chat", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("sweep_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("length(salt) = 32", name=op.f("ck_message_ids_salt_32_bytes")),
        sa.ForeignKeyConstraint(["chat"], ["chats.chat"], name=op.f("fk_message_ids_chat")),
        sa.PrimaryKeyConstraint("chat", name=op.f("pk_message_ids")),
    )
    op.create_index(op.f("ix_message_ids_sweep_at"), "message_ids", ["sweep_at"], unique=False)
    op.create_table(
        "outgoing",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("chat", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sender", sa.Uuid(), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("length(salt) = 32", name=op.f("ck_outgoing_salt_32_bytes")),
        sa.ForeignKeyConstraint(["chat"], ["chats.chat"], name=op.f("fk_outgoing_chat")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing")),
    )
    op.create_index("ix_outgoing_chat_place", "outgoing", ["chat", "place"], unique=False)
    op.create_table(
        "reports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("public_code", sa.Text(), nullable=False),
        sa.Column("desk_code", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("form_version", sa.Integer(), nullable=False),
        sa.Column("received_hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("class", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("compartment", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="new", nullable=False),
        sa.Column("closed_reason", sa.Text(), nullable=True),
        sa.Column("waiting", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("unread", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("assignee", sa.Uuid(), nullable=True),
        sa.Column("locked_by", sa.Uuid(), nullable=True),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retain_until", sa.Date(), nullable=True),
        sa.Column("hold", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint(
            "(status = 'closed') = (closed_reason IS NOT NULL)", name=op.f("ck_reports_closed_says_why")
        ),
        sa.CheckConstraint("class IN ('critical', 'high', 'normal')", name=op.f("ck_reports_class_known")),
        sa.CheckConstraint(
            "closed_reason IN ('duplicate', 'out of scope', 'no answer', 'hostile')",
            name=op.f("ck_reports_closed_reason_known"),
        ),
        sa.CheckConstraint(
            "status IN ('new', 'in triage', 'waiting for reporter', 'linked', 'closed')",
            name=op.f("ck_reports_status_known"),
        ),
        sa.CheckConstraint(
            "(locked_by IS NULL) = (locked_until IS NULL)", name=op.f("ck_reports_lock_has_holder")
        ),
        sa.ForeignKeyConstraint(["assignee"], ["members.id"], name=op.f("fk_reports_assignee")),
        sa.ForeignKeyConstraint(["locked_by"], ["members.id"], name=op.f("fk_reports_locked_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
        sa.UniqueConstraint("desk_code", name=op.f("uq_reports_desk_code")),
        sa.UniqueConstraint("public_code", name=op.f("uq_reports_public_code")),
    )
    op.create_index(
        "reports_by_clock",
        "reports",
        ["compartment", "due_at"],
        unique=False,
        postgresql_where=sa.text("status <> 'closed'"),
    )
    op.create_table(
        "sessions",
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("member", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(token_sha256) = 32", name=op.f("ck_sessions_token_sha256_32_bytes")),
        sa.ForeignKeyConstraint(["member"], ["members.id"], name=op.f("fk_sessions_member")),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_expires_at"), "sessions", ["expires_at"], unique=False)
    op.create_table(
        "bodies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("report", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("ciphertext_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("key_epoch", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "length(ciphertext_sha256) = 32", name=op.f("ck_bodies_ciphertext_sha256_32_bytes")
        ),
        sa.ForeignKeyConstraint(["report"], ["reports.id"], name=op.f("fk_bodies_report")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bodies")),
        sa.UniqueConstraint("report", "number", name=op.f("uq_bodies_report")),
    )
    op.create_table(
        "receipts",
        sa.Column("words_mac", sa.LargeBinary(), nullable=False),
        sa.Column("report", sa.Uuid(), nullable=False),
        sa.CheckConstraint("length(words_mac) = 32", name=op.f("ck_receipts_words_mac_32_bytes")),
        sa.ForeignKeyConstraint(["report"], ["reports.id"], name=op.f("fk_receipts_report")),
        sa.PrimaryKeyConstraint("words_mac", name=op.f("pk_receipts")),
        sa.UniqueConstraint("report", name=op.f("uq_receipts_report")),
    )
    op.create_table(
        "threads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("report", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["report"], ["reports.id"], name=op.f("fk_threads_report")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_threads")),
        sa.UniqueConstraint("report", name=op.f("uq_threads_report")),
    )
    op.create_table(
        "files",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("report", sa.Uuid(), nullable=False),
        sa.Column("body", sa.Uuid(), nullable=False),
        sa.Column("blob", sa.Text(), nullable=False),
        sa.Column("ciphertext_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_size", sa.BigInteger(), nullable=False),
        sa.Column("key_epoch", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "length(ciphertext_sha256) = 32", name=op.f("ck_files_ciphertext_sha256_32_bytes")
        ),
        sa.ForeignKeyConstraint(["body"], ["bodies.id"], name=op.f("fk_files_body")),
        sa.ForeignKeyConstraint(["report"], ["reports.id"], name=op.f("fk_files_report")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_files")),
        sa.UniqueConstraint("blob", name=op.f("uq_files_blob")),
    )
    op.create_index(op.f("ix_files_report"), "files", ["report"], unique=False)

    _refuse_change()
    _open_chat()


def downgrade() -> None:
    """Back."""
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.execute("SET LOCAL statement_timeout = '60s'")
    op.drop_index(op.f("ix_files_report"), table_name="files")
    op.drop_table("files")
    op.drop_table("threads")
    op.drop_table("receipts")
    op.drop_table("bodies")
    op.drop_index(op.f("ix_sessions_expires_at"), table_name="sessions")
    op.drop_table("sessions")
    op.drop_index("reports_by_clock", table_name="reports", postgresql_where=sa.text("status <> 'closed'"))
    op.drop_table("reports")
    op.drop_index("ix_outgoing_chat_place", table_name="outgoing")
    op.drop_table("outgoing")
    op.drop_index(op.f("ix_message_ids_sweep_at"), table_name="message_ids")
    op.drop_table("message_ids")
    op.drop_index("one_active_draft", table_name="drafts", postgresql_where=sa.text("active"))
    op.drop_index(op.f("ix_drafts_expires_on"), table_name="drafts")
    op.drop_index("ix_drafts_chat", table_name="drafts")
    op.drop_table("drafts")
    op.drop_index("ix_downloads_chat", table_name="downloads")
    op.drop_table("downloads")
    op.drop_table("custody_sequence")
    op.drop_index(op.f("ix_updates_taken_taken_hour"), table_name="updates_taken")
    op.drop_table("updates_taken")
    op.drop_table("team_keys")
    op.drop_table("parked")
    op.drop_table("members")
    op.drop_table("manifests")
    op.drop_index(op.f("ix_draft_files_expires_on"), table_name="draft_files")
    op.drop_table("draft_files")
    op.drop_table("custody_leaves")
    op.drop_table("chats")
    op.execute("DROP FUNCTION open_chat")
    op.execute("DROP FUNCTION refuse_change()")
