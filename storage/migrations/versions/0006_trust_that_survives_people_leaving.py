"""Second factors, bound sessions, the log's tree and checkpoints, renewed keys, and the end of evidence."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ONLY_GROW = (
    "used_codes",
    "custody_tiles",
    "custody_checkpoints",
    "custody_publications",
    "custody_cosignatures",
    "custody_timestamps",
)
_AT = sa.DateTime(timezone=True)


def _how_evidence_may_change() -> None:
    """It goes by two people, withdrawn or at its time's end, unless held; it is sealed anew, its epoch rising."""
    op.execute("""CREATE OR REPLACE FUNCTION may_be_shredded(the_report uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
        SELECT EXISTS (SELECT 1 FROM reports r WHERE r.id = the_report AND NOT r.hold
            AND (r.withdrawn_hour <= now() - interval '14 days'
                OR (r.retain_until < (now() AT TIME ZONE 'UTC')::date AND r.status IN ('linked', 'closed')))
            AND (SELECT count(*) FROM shred_agreements a WHERE a.report = r.id) >= 2) $$""")
    op.execute("""CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            was jsonb;
            becomes jsonb;
        BEGIN
            IF TG_OP = 'DELETE' AND TG_TABLE_NAME IN ('bodies', 'files') THEN
                IF may_be_shredded(OLD.report) THEN RETURN OLD; END IF;
            END IF;
            IF TG_OP = 'UPDATE' AND TG_TABLE_NAME IN ('bodies', 'files') THEN
                was := to_jsonb(OLD) - '{sealed,ciphertext_sha256,sealed_size,blob,key_epoch,compartment}'::text[];
                becomes := to_jsonb(NEW) - '{sealed,ciphertext_sha256,sealed_size,blob,key_epoch,compartment}'::text[];
                IF was = becomes AND OLD.ciphertext_sha256 <> NEW.ciphertext_sha256
                    AND (NEW.key_epoch > OLD.key_epoch
                         OR to_jsonb(NEW) ->> 'compartment' <> to_jsonb(OLD) ->> 'compartment')
                    AND EXISTS (SELECT 1
                        FROM (SELECT leaf, xmin AS made_by FROM custody_leaves ORDER BY id DESC LIMIT 200) newest
                        WHERE made_by = pg_current_xact_id()::xid AND convert_from(leaf, 'UTF8')::jsonb @>
                            jsonb_build_object('kind', 'resealed', 'object', OLD.id,
                                'old', encode(OLD.ciphertext_sha256, 'hex'),
                                'new', encode(NEW.ciphertext_sha256, 'hex'),
                                'epoch', NEW.key_epoch))
                THEN RETURN NEW; END IF;
            END IF;
            RAISE EXCEPTION 'table % only grows', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
        END $$""")


def _shred_due() -> None:
    """Runs as the owner: the keeper may have done what is due, and may delete nothing by itself."""
    op.execute("DROP FUNCTION shred_withdrawn")
    op.execute("""CREATE FUNCTION shred_due() RETURNS TABLE (report uuid, bodies integer, blobs text[])
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        #variable_conflict use_column
        DECLARE
            due uuid;
            gone integer;
            names text[];
        BEGIN
            FOR due IN
                SELECT r.id FROM reports r WHERE (r.withdrawn_hour IS NOT NULL OR r.retain_until IS NOT NULL)
                AND may_be_shredded(r.id)
                AND EXISTS (SELECT 1 FROM bodies b WHERE b.report = r.id) FOR UPDATE OF r SKIP LOCKED
            LOOP
                WITH f AS (DELETE FROM files WHERE files.report = due RETURNING blob)
                    SELECT coalesce(array_agg(f.blob), '{}') INTO names FROM f;
                DELETE FROM replies WHERE replies.report = due;
                DELETE FROM threads WHERE threads.report = due;
                DELETE FROM bodies WHERE bodies.report = due;
                GET DIAGNOSTICS gone = ROW_COUNT;
                RETURN QUERY SELECT due, gone, names;
            END LOOP;
        END $$""")


def _reseal() -> None:
    """The keeper puts new ciphertext in the place of old, with the leaf that says so, or nothing at all.

    False: the row is gone, another's ciphertext stands in it, or somebody is at it now. Nobody waits for a row, so
    that many at once never wait for each other.
    """
    op.execute("""CREATE FUNCTION reseal_body(
            the_body uuid, old_sha256 bytea, new_sealed bytea, new_sha256 bytea, new_epoch integer, the_leaf bytea
        ) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        BEGIN
            PERFORM 1 FROM bodies WHERE id = the_body AND ciphertext_sha256 = old_sha256
                FOR NO KEY UPDATE SKIP LOCKED;
            IF NOT FOUND THEN RETURN false; END IF;
            INSERT INTO custody_leaves (leaf) VALUES (the_leaf);
            UPDATE bodies SET sealed = new_sealed, ciphertext_sha256 = new_sha256, key_epoch = new_epoch
                WHERE id = the_body;
            RETURN true;
        END $$""")
    op.execute("""CREATE FUNCTION reseal_file(
            the_file uuid, old_sha256 bytea, new_blob text, new_sha256 bytea, new_size bigint,
            new_compartment text, new_epoch integer, the_leaf bytea
        ) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        BEGIN
            PERFORM 1 FROM files WHERE id = the_file AND ciphertext_sha256 = old_sha256
                FOR NO KEY UPDATE SKIP LOCKED;
            IF NOT FOUND THEN RETURN false; END IF;
            INSERT INTO custody_leaves (leaf) VALUES (the_leaf);
            UPDATE files SET blob = new_blob, ciphertext_sha256 = new_sha256, sealed_size = new_size,
                compartment = new_compartment, key_epoch = new_epoch WHERE id = the_file;
            RETURN true;
        END $$""")


def _door() -> None:
    op.execute("DELETE FROM sessions")  # each ends with the console's process anyway
    op.add_column("sessions", sa.Column("proved_at", _AT, nullable=False))
    op.add_column("sessions", sa.Column("network", sa.LargeBinary(), nullable=False))
    op.add_column("sessions", sa.Column("certificate", sa.LargeBinary(), nullable=True))
    op.create_check_constraint(op.f("ck_sessions_network_32_bytes"), "sessions", "length(network) = 32")
    op.create_check_constraint(
        op.f("ck_sessions_certificate_32_bytes"), "sessions", "length(certificate) = 32"
    )
    op.create_table(
        "factors",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("counter", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("added_hour", _AT, nullable=False),
        sa.Column("removed_hour", _AT, nullable=True),
        sa.CheckConstraint("kind IN ('security key', 'recovery codes')", name=op.f("ck_factors_kind_known")),
        sa.ForeignKeyConstraint(["member"], ["members.id"], name=op.f("fk_factors_member")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_factors")),
    )
    op.create_index(op.f("ix_factors_member"), "factors", ["member"], unique=False)
    one_set = sa.text("kind = 'recovery codes' AND removed_hour IS NULL")
    op.create_index("one_set_of_codes", "factors", ["member"], unique=True, postgresql_where=one_set)
    op.create_table(
        "used_codes",
        sa.Column("factor", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("used_hour", _AT, nullable=False),
        sa.ForeignKeyConstraint(["factor"], ["factors.id"], name=op.f("fk_used_codes_factor")),
        sa.PrimaryKeyConstraint("factor", "number", name=op.f("pk_used_codes")),
    )


def _log() -> None:
    op.create_check_constraint(
        op.f("ck_custody_leaves_leaf_one_line"), "custody_leaves", r"position('\x0a'::bytea in leaf) = 0"
    )
    op.add_column("custody_sequence", sa.Column("object", sa.Text(), nullable=True))
    # The objects of leaves that were numbered before: ids, so their canonical JSON has no escapes.
    op.execute("ALTER TABLE custody_sequence DISABLE TRIGGER custody_sequence_only_grow")
    op.execute(r"""UPDATE custody_sequence s
        SET object = substring(encode(l.leaf, 'escape') from '"object":"([^"\\]{1,200})"')
        FROM custody_leaves l WHERE l.id = s.leaf""")
    op.execute("ALTER TABLE custody_sequence ENABLE TRIGGER custody_sequence_only_grow")
    op.create_index(op.f("ix_custody_sequence_object"), "custody_sequence", ["object"], unique=False)
    op.create_table(
        "custody_tiles",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("length(hashes) = 8192", name=op.f("ck_custody_tiles_hashes_256")),
        sa.CheckConstraint("length(root) = 32", name=op.f("ck_custody_tiles_root_32_bytes")),
        sa.PrimaryKeyConstraint("level", "index", name=op.f("pk_custody_tiles")),
    )
    op.create_table(
        "custody_checkpoints",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", _AT, nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_custody_checkpoints")),
    )
    for table, by, column in (
        ("custody_publications", "place", sa.Column("published_at", _AT, nullable=False)),
        ("custody_cosignatures", "witness", sa.Column("line", sa.LargeBinary(), nullable=False)),
        ("custody_timestamps", "authority", sa.Column("token", sa.LargeBinary(), nullable=False)),
    ):
        op.create_table(
            table,
            sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
            sa.Column(by, sa.Text(), nullable=False),
            column,
            sa.ForeignKeyConstraint(["size"], ["custody_checkpoints.size"], name=op.f(f"fk_{table}_size")),
            sa.PrimaryKeyConstraint("size", by, name=op.f(f"pk_{table}")),
        )


def upgrade() -> None:
    """Forward, giving up rather than making intake wait."""
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.execute("SET LOCAL statement_timeout = '60s'")
    op.add_column("files", sa.Column("compartment", sa.Text(), nullable=True))
    op.execute("ALTER TABLE files DISABLE TRIGGER files_only_grow")
    op.execute(
        "UPDATE files SET compartment = reports.compartment FROM reports WHERE reports.id = files.report"
    )
    op.execute("ALTER TABLE files ENABLE TRIGGER files_only_grow")
    op.alter_column("files", "compartment", nullable=False)
    _door()
    _log()
    for table in ONLY_GROW:
        op.execute(
            f"CREATE TRIGGER {table}_only_grow BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_never_truncated BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    _how_evidence_may_change()
    _shred_due()
    _reseal()


def downgrade() -> None:
    """Back. What was sealed anew stays so."""
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.execute("SET LOCAL statement_timeout = '60s'")
    op.execute("DROP FUNCTION reseal_file")
    op.execute("DROP FUNCTION reseal_body")
    op.execute("ALTER FUNCTION shred_due() RENAME TO shred_withdrawn")
    op.execute("""CREATE OR REPLACE FUNCTION may_be_shredded(the_report uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
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
    for table in reversed(ONLY_GROW):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP TABLE factors")
    op.drop_index(op.f("ix_custody_sequence_object"), table_name="custody_sequence")
    op.drop_column("custody_sequence", "object")
    op.drop_constraint(op.f("ck_custody_leaves_leaf_one_line"), "custody_leaves")
    op.drop_constraint(op.f("ck_sessions_certificate_32_bytes"), "sessions")
    op.drop_constraint(op.f("ck_sessions_network_32_bytes"), "sessions")
    op.drop_column("sessions", "certificate")
    op.drop_column("sessions", "network")
    op.drop_column("sessions", "proved_at")
    op.drop_column("files", "compartment")
