"""How often a journey went on because nothing came."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

STATEMENTS = (
    # A wait that heeds something ends because it came, or by its timeout: the latter are counted here.
    "ALTER TABLE journey ADD COLUMN silences integer NOT NULL DEFAULT 0",
)


def upgrade() -> None:
    """Add the column."""
    for statement in STATEMENTS:
        op.execute(statement)
