"""A profile's line without what rules set, where that is another one."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

STATEMENTS = (
    # Written with the line; NULL for most people: no rule set anything of them.
    "ALTER TABLE profile ADD COLUMN facts json",
)


def upgrade() -> None:
    """Add the column."""
    for statement in STATEMENTS:
        op.execute(statement)
