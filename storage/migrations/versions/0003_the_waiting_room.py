"""The waiting room: what one chat gave on one day, and a queue that a flood does not lengthen."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

OPEN = "status <> 'closed'"


def _index(name: str, where: str) -> None:
    op.create_index(name, "reports", ["compartment", "due_at"], unique=False, postgresql_where=sa.text(where))


def upgrade() -> None:
    """Forward, giving up rather than making intake wait."""
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.execute("SET LOCAL statement_timeout = '60s'")
    op.create_table(
        "tallies",
        sa.Column("tally", sa.LargeBinary(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("reports", sa.Integer(), nullable=False),
        sa.Column("mebibytes", sa.Integer(), nullable=False),
        sa.CheckConstraint("length(tally) = 32", name=op.f("ck_tallies_tally_32_bytes")),
        sa.PrimaryKeyConstraint("tally", name=op.f("pk_tallies")),
    )
    op.create_index(op.f("ix_tallies_day"), "tallies", ["day"], unique=False)
    op.drop_index("reports_by_clock", table_name="reports")
    _index("reports_by_clock", f"{OPEN} AND NOT waiting_room")
    _index("reports_waiting_room", f"{OPEN} AND waiting_room")
    op.drop_column("outgoing", "attempts")


def downgrade() -> None:
    """Back."""
    op.execute("SET LOCAL lock_timeout = '4s'")
    op.execute("SET LOCAL statement_timeout = '60s'")
    op.add_column("outgoing", sa.Column("attempts", sa.Integer(), server_default="0", nullable=False))
    op.drop_index("reports_waiting_room", table_name="reports")
    op.drop_index("reports_by_clock", table_name="reports")
    _index("reports_by_clock", OPEN)
    op.drop_index(op.f("ix_tallies_day"), table_name="tallies")
    op.drop_table("tallies")
