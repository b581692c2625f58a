"""The straight line: who is who, what happened, what is to be told, how far each consumer is."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = (
    # The truth: what one source calls one person. Its evidence is JSON text, read and written whole under its
    # group's lock. Updates leave the indexed column alone, so they stay within the page.
    """
    CREATE TABLE source_record (
        record_id uuid PRIMARY KEY,
        group_id uuid NOT NULL,
        profile_id uuid NOT NULL,
        source text NOT NULL,
        kind text NOT NULL,
        key_namespace text NOT NULL,
        key text NOT NULL,
        activities integer NOT NULL DEFAULT 0,
        evidence json
    ) WITH (fillfactor = 70)
    """,
    "CREATE INDEX source_record_group ON source_record (group_id)",
    "CREATE INDEX source_record_profile ON source_record (profile_id)",
    # Identifiers that link, and the group that they lead to.
    """
    CREATE TABLE identifier (
        identifier_id uuid PRIMARY KEY,
        namespace text NOT NULL,
        value text NOT NULL,
        state text NOT NULL,
        group_id uuid NOT NULL
    ) WITH (fillfactor = 80)
    """,
    # Who claims what; times and states of a claim live in the record's evidence, written with it.
    """
    CREATE TABLE claim (
        identifier_id uuid NOT NULL,
        record_id uuid NOT NULL,
        trusted boolean NOT NULL,
        PRIMARY KEY (identifier_id, record_id)
    )
    """,
    # The lock row: everything that may be one person, now or after the next event, has one of these in common.
    "CREATE TABLE link_group (group_id uuid PRIMARY KEY)",
    # Derived: the line as it is told, and its version. Lookups go through record and claim.
    """
    CREATE TABLE profile (
        profile_id uuid PRIMARY KEY,
        group_id uuid NOT NULL,
        version bigint NOT NULL,
        line json NOT NULL
    ) WITH (fillfactor = 70)
    """,
    # Why records came together or apart, and when: history that no table can be asked for later.
    """
    CREATE TABLE identity_op (
        op_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        kind text NOT NULL,
        profiles uuid[] NOT NULL,
        cause uuid,
        at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE membership_log (
        record_id uuid NOT NULL,
        op_id bigint NOT NULL,
        from_profile uuid,
        to_profile uuid NOT NULL,
        PRIMARY KEY (record_id, op_id)
    )
    """,
    # One row per inbound event, for ever: the history and the mark against repeats in one. No record: nobody's.
    """
    CREATE TABLE activity (
        event_id uuid PRIMARY KEY,
        record_id uuid,
        type text NOT NULL,
        source text NOT NULL,
        at timestamptz NOT NULL,
        received_at timestamptz NOT NULL,
        spam boolean NOT NULL DEFAULT false,
        data json NOT NULL
    )
    """,
    "CREATE INDEX activity_record ON activity (record_id, at) WHERE record_id IS NOT NULL",
    # What is to be put on Kafka: a row holds the messages of one shard of one transaction, in order.
    """
    CREATE TABLE outbox (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        shard smallint NOT NULL,
        messages integer NOT NULL,
        body json NOT NULL,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp()
    ) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 200)
    """,
    "ALTER TABLE outbox ALTER COLUMN body SET STORAGE EXTERNAL",
    # The truth about a consumer group's progress; Kafka's own offset is a hint.
    """
    CREATE TABLE stored_offset (
        grp text NOT NULL,
        topic text NOT NULL,
        part integer NOT NULL,
        next_offset bigint NOT NULL,
        cluster text,
        PRIMARY KEY (grp, topic, part)
    ) WITH (fillfactor = 50)
    """,
    """
    CREATE TABLE dead_letter (
        letter_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        grp text NOT NULL,
        topic text NOT NULL,
        part integer NOT NULL,
        next_offset bigint NOT NULL,
        at timestamptz NOT NULL,
        key bytea,
        headers json NOT NULL,
        body bytea,
        event_id uuid,
        source text,
        stage text NOT NULL,
        error text NOT NULL,
        reason text NOT NULL,
        field text,
        state text NOT NULL DEFAULT 'open',
        failures integer NOT NULL DEFAULT 1,
        replays integer NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE UNIQUE INDEX dead_letter_place ON dead_letter (grp, topic, part, next_offset) WHERE event_id IS NULL",
    "CREATE UNIQUE INDEX dead_letter_event ON dead_letter (grp, event_id) WHERE event_id IS NOT NULL",
    "CREATE INDEX dead_letter_open ON dead_letter (state, letter_id)",
)


def upgrade() -> None:
    """Make the tables."""
    for statement in STATEMENTS:
        op.execute(statement)
