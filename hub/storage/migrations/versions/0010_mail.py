"""The hub's own mails: each written once, sent at least once under one Message-ID."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

STATEMENTS = (
    # `id` is the ledger's key as a hash; the Message-ID is made of it. Subject and text are fixed when the row is made.
    """
    CREATE TABLE mail (
        id uuid PRIMARY KEY,
        record_id uuid,
        recipient text NOT NULL,
        subject text NOT NULL,
        body text NOT NULL,
        headers json NOT NULL DEFAULT '{}',
        state text NOT NULL CHECK (state IN ('pending', 'sending', 'retry', 'sent', 'dead')),
        attempts integer NOT NULL DEFAULT 0,
        step integer NOT NULL DEFAULT 0,
        due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        lease_until timestamptz,
        token bigint NOT NULL DEFAULT 0,
        answer text,
        failing_since timestamptz,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        ended_at timestamptz
    ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500)
    """,
    "CREATE INDEX mail_due ON mail (due_at) WHERE state IN ('pending', 'retry')",
    "CREATE INDEX mail_sending ON mail (lease_until) WHERE state = 'sending'",
    "CREATE INDEX mail_record ON mail (record_id)",
)


def upgrade() -> None:
    """Make the table."""
    for statement in STATEMENTS:
        op.execute(statement)
