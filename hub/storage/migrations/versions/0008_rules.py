"""What happens by itself: the rules, what they decided, what was done, and who is on the way."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

STATEMENTS = (
    # Every version that was ever applied, for ever: who waits ends on the version they began with.
    """
    CREATE TABLE rule (
        name text NOT NULL,
        version integer NOT NULL,
        kind text NOT NULL CHECK (kind IN ('rule', 'segment')),
        body json NOT NULL,
        sentence text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (name, version)
    )
    """,
    # Which version counts for what begins now. A version on trial may stand beside the live one. What arrived before
    # `…_since` sets nothing off: a new rule, or one that was paused, leaves the past alone, also when it is read again.
    """
    CREATE TABLE rule_state (
        name text PRIMARY KEY,
        live integer,
        live_since timestamptz,
        trial integer,
        trial_since timestamptz,
        paused boolean NOT NULL DEFAULT false,
        changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        changed_by text NOT NULL
    )
    """,
    # One row per rule version that looked at an event, also for "no", with the values that it saw.
    """
    CREATE TABLE rule_decision (
        event_id uuid NOT NULL,
        rule text NOT NULL,
        version integer NOT NULL,
        record_id uuid NOT NULL,
        verdict text NOT NULL,
        reason text NOT NULL,
        seen json NOT NULL,
        at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (event_id, rule, version)
    )
    """,
    "CREATE INDEX rule_decision_rule ON rule_decision (rule, at)",
    "CREATE INDEX rule_decision_record ON rule_decision (record_id)",
    # Somebody on the way through a rule, from its first step to its end. It hangs on the trigger's record, so a merge
    # brings it to the survivor and a split takes it back. `place` is the instruction at which it waits, from `since` to
    # `until`; what of the types in `heeds` arrived in between may end that wait. `due_at` is when a worker looks at it:
    # `roused`, because something was heard that it may heed. All but that follows from events alone.
    """
    CREATE TABLE journey (
        id uuid PRIMARY KEY,
        rule text NOT NULL,
        version integer NOT NULL,
        event_id uuid NOT NULL,
        record_id uuid NOT NULL,
        occasion json NOT NULL,
        happened_at timestamptz NOT NULL,
        state text NOT NULL CHECK (state IN ('waiting', 'working', 'ended')),
        place integer,
        since timestamptz,
        until timestamptz,
        heeds text[] NOT NULL DEFAULT '{}',
        roused boolean NOT NULL DEFAULT false,
        due_at timestamptz,
        lease_until timestamptz,
        token bigint NOT NULL DEFAULT 0,
        outcome text,
        began_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        ended_at timestamptz,
        UNIQUE (event_id, rule)
    ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500)
    """,
    # No index begins with the rule: a plan made while the table was small would go through all of its journeys.
    "CREATE INDEX journey_due ON journey (due_at) WHERE state = 'waiting'",
    "CREATE INDEX journey_taken ON journey (lease_until) WHERE state = 'working'",
    "CREATE INDEX journey_record ON journey (record_id, rule)",
    # What was done, once: the key is the deed. `effect` is what it came to (an event id, a task, a delivery, an owner).
    """
    CREATE TABLE ledger (
        rule text NOT NULL,
        event_id uuid NOT NULL,
        step text NOT NULL,
        version integer NOT NULL,
        record_id uuid NOT NULL,
        verb text NOT NULL,
        state text NOT NULL CHECK (state IN ('done', 'held', 'failed')),
        effect json NOT NULL,
        at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (rule, event_id, step)
    )
    """,
    "CREATE INDEX ledger_record ON ledger (record_id)",
    # How often somebody of a team was given something: whose turn it is. The row is locked until the deed is written.
    """
    CREATE TABLE team_turn (
        team text PRIMARY KEY,
        turn bigint NOT NULL
    ) WITH (fillfactor = 50)
    """,
)


def upgrade() -> None:
    """Make the tables."""
    for statement in STATEMENTS:
        op.execute(statement)
