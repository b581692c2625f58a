"""Who may be one person: the keys by which people are compared, and the pairs that a person has to decide about."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATEMENTS = (
    # Profiles under one key are compared with each other. Derived from the records' evidence; made anew by a replay.
    """
    CREATE TABLE block_key (
        key text NOT NULL,
        profile_id uuid NOT NULL,
        PRIMARY KEY (key, profile_id)
    )
    """,
    "CREATE INDEX block_key_profile ON block_key (profile_id)",
    # Two profiles by their founders' records. The fingerprint is what the score depends on; decided_on is what it was
    # when the decision was made. A past decision stays named when the pair is open again.
    """
    CREATE TABLE suspect_pair (
        rec_a uuid NOT NULL,
        rec_b uuid NOT NULL,
        source text NOT NULL CHECK (source IN ('score', 'refused')),
        band text,
        weight double precision NOT NULL,
        probability double precision NOT NULL,
        reasons json NOT NULL,
        refusal text,
        fingerprint text NOT NULL,
        weights text NOT NULL,
        state text NOT NULL CHECK (state IN ('open', 'confirmed', 'rejected', 'superseded')),
        decision_id uuid,
        decided_on text,
        decided_by text,
        decided_at timestamptz,
        seen_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (rec_a, rec_b),
        CHECK (rec_a < rec_b)
    ) WITH (fillfactor = 80)
    """,
    "CREATE INDEX suspect_pair_other ON suspect_pair (rec_b)",
    "CREATE INDEX suspect_pair_surest ON suspect_pair (state, probability DESC, rec_a DESC, rec_b DESC)",
)


def upgrade() -> None:
    """Make the tables."""
    for statement in STATEMENTS:
        op.execute(statement)
