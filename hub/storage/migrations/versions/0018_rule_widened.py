"""From when a rule looks at events of a type that an earlier version did not look at."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

STATEMENTS = (
    # What sets each version off, as words: a type of events, or a change of a segment and that segment.
    """
    CREATE VIEW rule_trigger AS
    SELECT r.name, r.version, k.kind FROM rule r CROSS JOIN LATERAL (
        SELECT json_array_elements_text(r.body->'when'->'event')
        UNION SELECT 'segment.entered ' || (r.body->'when'->>'enters')
        UNION SELECT 'segment.left ' || (r.body->'when'->>'leaves')
    ) AS k(kind)
    WHERE r.kind = 'rule' AND k.kind IS NOT NULL
    """,
    # A live version takes the place of another one, and its `live_since`: that holds for what both look at. What came
    # in as the version before it was live, and only the new one looks at, is past.
    """
    CREATE TABLE rule_widened (
        name text NOT NULL,
        kind text NOT NULL,
        since timestamptz NOT NULL,
        PRIMARY KEY (name, kind)
    )
    """,
    # Of versions that are live already: behind the last one that did not look at it, the first that came.
    """
    INSERT INTO rule_widened (name, kind, since)
    SELECT s.name, t.kind, min(r.applied_at)
    FROM rule_state s JOIN rule_trigger t ON t.name = s.name AND t.version = s.live
    CROSS JOIN LATERAL (
        SELECT max(o.version) AS version FROM rule o WHERE o.name = s.name AND o.version < s.live
          AND NOT EXISTS (SELECT FROM rule_trigger l WHERE (l.name, l.version, l.kind) = (o.name, o.version, t.kind))
    ) blind
    JOIN rule r ON r.name = s.name AND r.version > blind.version AND r.version <= s.live
    GROUP BY s.name, t.kind
    """,
)


def upgrade() -> None:
    """Make the view and the table."""
    for statement in STATEMENTS:
        op.execute(statement)
