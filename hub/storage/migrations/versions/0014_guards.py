"""Which mails are to customers: these count for how often somebody may be written to."""

from alembic import op

revision = "0014"
down_revision = "0010"
branch_labels = None
depends_on = None

STATEMENTS = (
    # NULL: from before, and its ledger's row says no more what it was.
    "ALTER TABLE mail ADD COLUMN audience text CHECK (audience IN ('customer', 'ours'))",
    """
    UPDATE mail m SET audience = CASE verb WHEN 'send_email' THEN 'customer' ELSE 'ours' END
    FROM ledger l, json_array_elements_text(l.effect->'mails') AS of_it(id)
    WHERE l.verb IN ('send_email', 'notify') AND l.state = 'done' AND json_typeof(l.effect->'mails') = 'array'
      AND m.id = of_it.id::uuid
    """,
)


def upgrade() -> None:
    """Add the column, and fill it in where the ledger knows."""
    for statement in STATEMENTS:
        op.execute(statement)
