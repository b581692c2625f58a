"""Telling the tools: what each knows of each profile, what is on its way, and every try."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    # Level-triggered: what a destination was told of a profile id, and what it should know. `tried` says that bytes
    # about this id may have reached the tool, answered or not. No second index: a change stays within its page.
    """
    CREATE TABLE told (
        destination text NOT NULL,
        profile_id uuid NOT NULL,
        want_kind text NOT NULL CHECK (want_kind IN ('alive', 'merged', 'erased')),
        want_version bigint NOT NULL,
        want_into uuid,
        told_kind text CHECK (told_kind IN ('alive', 'merged')),
        told_version bigint NOT NULL DEFAULT 0,
        told_into uuid,
        tried boolean NOT NULL DEFAULT false,
        PRIMARY KEY (destination, profile_id)
    ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05)
    """,
    # `id` is the webhook-id. Until the first try renders the body it stands for the version known then. `lane` is the
    # profile whose line the body carries: a merge told under the absorbed id waits its turn among the survivor's.
    """
    CREATE TABLE delivery (
        id uuid PRIMARY KEY,
        destination text NOT NULL,
        profile_id uuid NOT NULL,
        lane uuid NOT NULL,
        type text NOT NULL,
        version bigint NOT NULL,
        state text NOT NULL CHECK (state IN ('pending', 'sending', 'retry', 'delivered', 'folded', 'dead')),
        body bytea,
        attempts integer NOT NULL DEFAULT 0,
        step integer NOT NULL DEFAULT 0,
        due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        lease_until timestamptz,
        token bigint NOT NULL DEFAULT 0,
        status smallint,
        error text,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        first_try_at timestamptz,
        last_try_at timestamptz,
        failing_since timestamptz,
        ended_at timestamptz
    ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500)
    """,
    # One open row per tool and profile, one on the wire per tool and line: order by construction.
    """
    CREATE UNIQUE INDEX delivery_open ON delivery (destination, profile_id)
        WHERE state IN ('pending', 'sending', 'retry')
    """,
    "CREATE UNIQUE INDEX delivery_lane ON delivery (destination, lane) WHERE state = 'sending'",
    "CREATE INDEX delivery_due ON delivery (destination, due_at) WHERE state IN ('pending', 'retry')",
    "CREATE INDEX delivery_dead ON delivery (destination, profile_id, version) WHERE state = 'dead'",
    "CREATE INDEX delivery_made ON delivery (created_at, id)",
    # What every try heard; the request's bytes stand in the delivery, once.
    """
    CREATE TABLE delivery_attempt (
        delivery_id uuid NOT NULL,
        attempt integer NOT NULL,
        at timestamptz NOT NULL,
        status smallint,
        error text,
        milliseconds integer,
        response text,
        PRIMARY KEY (delivery_id, attempt)
    )
    """,
)


def upgrade() -> None:
    """Make the tables."""
    for statement in STATEMENTS:
        op.execute(statement)
