"""Which mails are to customers, for how often somebody may be written to; and how many customers each of ours has."""

from alembic import op

revision = "0014"
down_revision = "0013"
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
    # As the line says it, written with it: a number of customers is a look at an index.
    "ALTER TABLE profile ADD COLUMN owner text",
    "UPDATE profile SET owner = line->>'owner' WHERE line->>'owner' IS NOT NULL",
    "CREATE INDEX profile_owner ON profile (owner) WHERE owner IS NOT NULL",
    "CREATE INDEX ledger_assigned ON ledger (at) WHERE verb = 'assign_owner' AND state = 'done'",
)


def upgrade() -> None:
    """Add the columns, and fill them in."""
    for statement in STATEMENTS:
        op.execute(statement)
