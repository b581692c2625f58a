"""Who is in which segment, when that is looked at next, and how far a new segment has got."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

STATEMENTS = (
    # Who is in it, since when, and the event that told so (NULL: they were in it before, under another id).
    """
    CREATE TABLE segment_member (
        profile_id uuid NOT NULL,
        segment text NOT NULL,
        since timestamptz NOT NULL,
        event_id uuid,
        PRIMARY KEY (profile_id, segment)
    )
    """,
    "CREATE INDEX segment_member_segment ON segment_member (segment, since DESC, profile_id DESC)",
    # A row for every profile (`id`) that was looked at. No look goes back behind `looked_at`. Until `until` the answer
    # stands by itself (NULL: for ever); `because` says why the next look is taken, `due_at` when a worker takes it.
    """
    CREATE TABLE segment_check (
        id uuid PRIMARY KEY,
        looked_at timestamptz NOT NULL,
        until timestamptz,
        because text NOT NULL DEFAULT 'time',
        state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'working')),
        due_at timestamptz,
        lease_until timestamptz,
        token bigint NOT NULL DEFAULT 0
    ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500)
    """,
    "CREATE INDEX segment_check_due ON segment_check (due_at) WHERE state = 'waiting' AND due_at IS NOT NULL",
    "CREATE INDEX segment_check_taken ON segment_check (lease_until) WHERE state = 'working'",
    # The version that counts, and since when: everybody up to the profile `upto` was looked at (NULL: nobody yet).
    """
    CREATE TABLE segment_round (
        segment text PRIMARY KEY,
        version integer NOT NULL,
        since timestamptz NOT NULL,
        upto uuid,
        done boolean NOT NULL DEFAULT false
    )
    """,
)


def upgrade() -> None:
    """Make the tables."""
    for statement in STATEMENTS:
        op.execute(statement)
