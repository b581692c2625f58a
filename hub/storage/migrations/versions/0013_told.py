"""What rules did is told to tools beside what profiles are: a delivery of its own for each, and in nobody's way."""

from alembic import op

revision = "0013"
down_revision = "0011"
branch_labels = None
depends_on = None

STATEMENTS = (
    # One open row per tool and profile holds for what is told of profiles; each deed of a rule has a row of its own.
    "DROP INDEX delivery_open",
    """
    CREATE UNIQUE INDEX delivery_open ON delivery (destination, profile_id)
        WHERE state IN ('pending', 'sending', 'retry') AND type <> 'action.fired'
    """,
)


def upgrade() -> None:
    """Make the index anew."""
    for statement in STATEMENTS:
        op.execute(statement)
