"""The way back: replies, the chat's link, withdrawal, and the one way in which evidence may ever go."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _may_be_shredded() -> None:
    """A withdrawn report goes after 14 days and by two people, by the database's own clock, unless it is held."""
    op.execute("""CREATE FUNCTION may_be_shredded(the_report uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
        SELECT EXISTS (SELECT 1 FROM reports r WHERE r.id = the_report AND NOT r.hold
            AND r.withdrawn_hour <= now() - interval '14 days'
            AND (SELECT count(*) FROM shred_agreements a WHERE a.report = r.id) >= 2) $$""")
    op.execute("""CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' AND TG_TABLE_NAME IN ('bodies', 'files') THEN
                IF may_be_shredded(OLD.report) THEN RETURN OLD; END IF;
            END IF;
            RAISE EXCEPTION 'table % only grows', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
        END $$""")


def _shred_withdrawn() -> None:
    """Runs as the owner: the keeper may have done what is due, and may delete nothing by itself."""
    op.execute("""CREATE FUNCTION shred_withdrawn() RETURNS TABLE (report uuid, bodies integer, blobs text[])
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        #variable_conflict use_column
        DECLARE
            due uuid;
            gone integer;
            names text[];
        BEGIN
            FOR due IN
                SELECT r.id FROM reports r WHERE r.withdrawn_hour IS NOT NULL AND may_be_shredded(r.id)
                AND EXISTS (SELECT 1 FROM bodies b WHERE b.report = r.id) FOR UPDATE OF r SKIP LOCKED
            LOOP
                WITH f AS (DELETE FROM files WHERE files.report = due RETURNING blob)
                    SELECT coalesce(array_agg(f.blob), '{}') INTO names FROM f;
                DELETE FROM replies WHERE replies.report = due;
                DELETE FROM bodies WHERE bodies.report = due;
                GET DIAGNOSTICS gone = ROW_COUNT;
                RETURN QUERY SELECT due, gone, names;
            END LOOP;
        END $$""")


def upgrade() -> None:
    """Forward, giving up rather than making intake wait."""
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.execute("SET LOCAL statement_timeout = '60s'")
    op.add_column("reports", sa.Column("withdrawn_hour", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "reports", sa.Column("waiting_room", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column("threads", sa.Column("place", sa.BigInteger(), sa.Identity(always=True), nullable=False))
    op.add_column("threads", sa.Column("chat", sa.LargeBinary(), nullable=True))
    op.add_column("threads", sa.Column("ends_on", sa.Date(), nullable=True))
    op.create_check_constraint(op.f("ck_threads_chat_32_bytes"), "threads", "length(chat) = 32")
    op.create_index(op.f("ix_threads_chat"), "threads", ["chat"], unique=False)
    op.create_table(
        "replies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("report", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("member", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("written_hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_hour", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("length(signature) = 64", name=op.f("ck_replies_signature_64_bytes")),
        sa.ForeignKeyConstraint(["member"], ["members.id"], name=op.f("fk_replies_member")),
        sa.ForeignKeyConstraint(["report"], ["reports.id"], name=op.f("fk_replies_report")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_replies")),
        sa.UniqueConstraint("report", "number", name=op.f("uq_replies_report")),
    )
    op.create_index(
        "replies_to_tell",
        "replies",
        ["report"],
        unique=False,
        postgresql_where=sa.text("read_hour IS NULL AND told_at IS NULL"),
    )
    op.create_table(
        "shred_agreements",
        sa.Column("report", sa.Uuid(), nullable=False),
        sa.Column("member", sa.Uuid(), nullable=False),
        sa.Column("agreed_hour", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["member"], ["members.id"], name=op.f("fk_shred_agreements_member")),
        sa.ForeignKeyConstraint(["report"], ["reports.id"], name=op.f("fk_shred_agreements_report")),
        sa.PrimaryKeyConstraint("report", "member", name=op.f("pk_shred_agreements")),
    )
    _may_be_shredded()
    _shred_withdrawn()


def downgrade() -> None:
    """Back."""
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.execute("SET LOCAL statement_timeout = '60s'")
    op.execute("""CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'table % only grows', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
        END $$""")
    op.execute("DROP FUNCTION shred_withdrawn")
    op.execute("DROP FUNCTION may_be_shredded")
    op.drop_table("shred_agreements")
    op.drop_index("replies_to_tell", table_name="replies")
    op.drop_table("replies")
    op.drop_index(op.f("ix_threads_chat"), table_name="threads")
    op.drop_constraint(op.f("ck_threads_chat_32_bytes"), "threads")
    op.drop_column("threads", "ends_on")
    op.drop_column("threads", "chat")
    op.drop_column("threads", "place")
    op.drop_column("reports", "waiting_room")
    op.drop_column("reports", "withdrawn_hour")
