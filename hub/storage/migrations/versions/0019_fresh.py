"""Waits that have just begun: whoever looks after journeys asks once what they have missed."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE journey ADD COLUMN fresh boolean NOT NULL DEFAULT false",
    "CREATE INDEX journey_fresh ON journey (began_at) WHERE fresh",
)


def upgrade() -> None:
    """Add the column."""
    for statement in STATEMENTS:
        op.execute(statement)
