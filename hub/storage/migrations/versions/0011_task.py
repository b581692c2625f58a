"""Tasks and reminders: what is to be done about somebody, until when, and whose it is."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

STATEMENTS = (
    # `parts` is the truth: what counts of the task's events, whatever their order. The columns up to `since` follow
    # from it, and are empty as long as nobody heard of its creation. `status` is the task's own; `state`, `due_at`,
    # `lease_until` and `token` are the lease engine's, for reminders: `armed` is one that is to be told of at `due_at`.
    # `reminded_for` is the time that it was told for, `reminded_to` says to whom.
    """
    CREATE TABLE task (
        id uuid PRIMARY KEY,
        record_id uuid NOT NULL,
        parts json NOT NULL DEFAULT '{}',
        kind text CHECK (kind IN ('task', 'reminder')),
        title text,
        assignee text,
        team text,
        due timestamptz,
        status text CHECK (status IN ('open', 'waiting', 'done', 'dropped')),
        since timestamptz,
        state text NOT NULL DEFAULT 'idle' CHECK (state IN ('idle', 'armed', 'reminding')),
        due_at timestamptz,
        lease_until timestamptz,
        token bigint NOT NULL DEFAULT 0,
        reminded_for timestamptz,
        reminded_to text[],
        heard_at timestamptz NOT NULL DEFAULT clock_timestamp()
    ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500)
    """,
    "CREATE INDEX task_record ON task (record_id)",
    "CREATE INDEX task_open ON task (due) WHERE status IN ('open', 'waiting')",
    "CREATE INDEX task_ended ON task (since) WHERE status IN ('done', 'dropped')",
    "CREATE INDEX task_due ON task (due_at) WHERE state = 'armed'",
    "CREATE INDEX task_taken ON task (lease_until) WHERE state = 'reminding'",
)


def upgrade() -> None:
    """Make the table."""
    for statement in STATEMENTS:
        op.execute(statement)
