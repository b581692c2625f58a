"""How far behind each group was, on a clock of our own: the history that a lag's state is told from."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    # One row per group and look; partitions side by side. A few hundred rows, the oldest go as new ones come.
    """
    CREATE TABLE lag_sample (
        grp text NOT NULL,
        at timestamptz NOT NULL,
        members integer,
        topics text[] NOT NULL,
        parts integer[] NOT NULL,
        committed bigint[] NOT NULL,
        beginnings bigint[] NOT NULL,
        ends bigint[] NOT NULL,
        seconds double precision[] NOT NULL,
        PRIMARY KEY (grp, at)
    ) WITH (autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0.5)
    """,
)


def upgrade() -> None:
    """Make the table."""
    for statement in STATEMENTS:
        op.execute(statement)
