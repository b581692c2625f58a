"""What people decide about who is who, and what the history of profiles is asked for."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STATEMENTS = (
    # Which records a decision names, and on which side each stands; the rest of it is in its activity.
    """
    CREATE TABLE link_decision (
        decision_id uuid NOT NULL,
        record_id uuid NOT NULL,
        side smallint NOT NULL,
        PRIMARY KEY (decision_id, record_id)
    )
    """,
    "CREATE INDEX link_decision_record ON link_decision (record_id)",
    # The version of the rules that an operation was made under.
    "ALTER TABLE identity_op ADD COLUMN rules integer NOT NULL DEFAULT 1",
    "CREATE INDEX membership_log_op ON membership_log (op_id)",
    "CREATE INDEX membership_log_to ON membership_log (to_profile)",
)


def upgrade() -> None:
    """Make the tables."""
    for statement in STATEMENTS:
        op.execute(statement)
