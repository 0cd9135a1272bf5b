"""What is added ends the wait for its reporter, and can make a report more urgent; intake reads neither."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward, giving up rather than making intake wait."""
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.execute("SET LOCAL statement_timeout = '60s'")
    # A clock that somebody's claim has stopped stays stopped: they see that something new has come.
    op.execute("""CREATE FUNCTION joined_by_addition(the_report uuid, its_class text, its_due timestamptz)
        RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        UPDATE reports SET unread = true, waiting = false,
            class = CASE WHEN higher THEN its_class ELSE class END,
            due_at = CASE WHEN higher AND due_at IS NOT NULL THEN least(due_at, its_due) ELSE due_at END
        FROM (SELECT array_position(classes, its_class) < array_position(classes, r.class) AS higher
            FROM reports r, (SELECT ARRAY['critical', 'high', 'normal'] AS classes) AS ranked
            WHERE r.id = the_report) AS compared
        WHERE id = the_report $$""")


def downgrade() -> None:
    """Back."""
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.execute("SET LOCAL statement_timeout = '60s'")
    op.execute("DROP FUNCTION joined_by_addition")
