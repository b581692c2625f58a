"""Decisions say whether they were made on trial; changes of stage are found without reading all activities."""

from alembic import op

revision = "0015"
down_revision = "0013"
branch_labels = None
depends_on = None

STATEMENTS = (
    # A version on trial may be switched: what it decided before stays a decision on trial.
    "ALTER TABLE rule_decision ADD COLUMN on_trial boolean NOT NULL DEFAULT false",
    """
    UPDATE rule_decision d SET on_trial = true FROM rule r
    WHERE r.name = d.rule AND r.version = d.version AND r.body->>'mode' = 'trial'
    """,
    # How a version stands is told beside its sentence.
    "UPDATE rule SET sentence = replace(sentence, ' On trial: decisions are written down, nothing is done.', '')",
    "CREATE INDEX activity_stage ON activity (record_id, at) WHERE type = 'stage.set' AND source = 'hub'",
)


def upgrade() -> None:
    """Add the column and the index."""
    for statement in STATEMENTS:
        op.execute(statement)
