"""A lane of their own for events about groups that are too large to be looked at with every batch."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE link_group ADD COLUMN oversize boolean NOT NULL DEFAULT false",
    # A fact as it was read, until the slow lane has written it; its offset is stored with it.
    """
    CREATE TABLE slow_lane (
        event_id uuid PRIMARY KEY,
        fact bytea NOT NULL,
        failures integer NOT NULL DEFAULT 0,
        at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
)


def upgrade() -> None:
    """Make the table."""
    for statement in STATEMENTS:
        op.execute(statement)
