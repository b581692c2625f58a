"""Who was erased, and what it takes to make a record anew from those of its events that are left."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

STATEMENTS = (
    # Ids of records and identifiers (hashes): whatever happened to one of them until then counts no more.
    """
    CREATE TABLE erasure (
        key uuid PRIMARY KEY,
        until timestamptz NOT NULL,
        event_id uuid NOT NULL
    )
    """,
    # What a source said is believed or not; with its words this is all that a fact is made of.
    "ALTER TABLE activity ADD COLUMN trusted boolean NOT NULL DEFAULT true",
    # Of what was there before, the claims tell: a record that nobody ever believed has said nothing that was.
    """
    UPDATE activity a SET trusted = false
    FROM (SELECT record_id FROM claim GROUP BY record_id HAVING NOT bool_or(trusted)) strangers
    WHERE a.record_id = strangers.record_id
    """,
    # Spam and what no source reads: nobody's, and yet it may name somebody.
    "CREATE INDEX activity_nobodys ON activity (at) WHERE record_id IS NULL",
    "ALTER TABLE told DROP CONSTRAINT told_told_kind_check",
    "ALTER TABLE told ADD CONSTRAINT told_told_kind_check CHECK (told_kind IN ('alive', 'merged', 'erased'))",
)


def upgrade() -> None:
    """Make the table."""
    for statement in STATEMENTS:
        op.execute(statement)
