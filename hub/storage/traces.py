"""Taking out what tables hold of somebody who is erased. The caller holds the fence of `hub.storage.erasure`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from hub.storage import fired, told
from hub.storage.pool import Connection
from schemas.envelope import DEEDS, HUB, SEGMENT_CHANGES


async def empty_activities(connection: Connection, events: Collection[bytes]) -> None:
    """These are nobody's from now on; what is left says that something came from a source, and when."""
    await connection.execute(
        "UPDATE activity SET record_id = NULL, data = 'null' WHERE event_id = ANY($1::uuid[])", list(events)
    )


async def move_activities(connection: Connection, moved: Mapping[bytes, bytes]) -> None:
    """Event → the record that it belongs to from now on."""
    await connection.execute(
        "UPDATE activity SET record_id = r FROM unnest($1::uuid[], $2::uuid[]) u(e, r) WHERE event_id = e",
        list(moved),
        list(moved.values()),
    )


async def retell_decisions(
    connection: Connection, told_anew: Mapping[bytes, bytes], records: Collection[bytes]
) -> None:
    """Decision → its data without these records; they are named no more."""
    await connection.execute(
        "UPDATE activity SET data = d FROM unnest($1::uuid[], $2::json[]) u(e, d) WHERE event_id = e",
        list(told_anew),
        [data.decode() for data in told_anew.values()],
    )
    await connection.execute("DELETE FROM link_decision WHERE record_id = ANY($1::uuid[])", list(records))


async def forget_claims(connection: Connection, records: Collection[bytes]) -> list[bytes]:
    """What these records claim is claimed no more; gives the identifiers."""
    rows = await connection.fetch(
        "DELETE FROM claim WHERE record_id = ANY($1::uuid[]) RETURNING identifier_id", list(records)
    )
    return sorted({row[0] for row in rows})


async def forget_records(connection: Connection, records: Collection[bytes], bare: Collection[bytes]) -> None:
    """Nobody lives under these ids, and nothing tells who did; of those in `bare` the row stays."""
    for statement in (
        "DELETE FROM profile WHERE profile_id = ANY($1::uuid[])",
        "DELETE FROM membership_log WHERE record_id = ANY($1::uuid[])",
        "DELETE FROM suspect_pair WHERE rec_a = ANY($1::uuid[]) OR rec_b = ANY($1::uuid[])",
    ):
        await connection.execute(statement, list(records))
    await connection.execute(
        "DELETE FROM source_record WHERE record_id = ANY($1::uuid[])", sorted(set(records) - set(bare))
    )


async def forget_identifiers(connection: Connection, identifiers: Collection[bytes], links: Collection[bytes]) -> None:
    """Drop those of `identifiers` that nobody claims, and those of `links`, by which nobody is linked any more."""
    await connection.execute(
        """
        DELETE FROM identifier i WHERE identifier_id = ANY($1::uuid[]) AND
            NOT EXISTS (SELECT FROM claim c WHERE c.identifier_id = i.identifier_id)
        """,
        list(identifiers),
    )
    await connection.execute(
        "DELETE FROM identifier WHERE identifier_id = ANY($1::uuid[]) AND state = 'link'", list(links)
    )


async def forget_groups(connection: Connection, groups: Collection[bytes]) -> None:
    """Drop those of these groups that nobody is in."""
    await connection.execute(
        """
        DELETE FROM link_group g WHERE group_id = ANY($1::uuid[]) AND
            NOT EXISTS (SELECT FROM source_record r WHERE r.group_id = g.group_id)
        """,
        list(groups),
    )


async def profiles_of(connection: Connection, records: Collection[bytes]) -> set[bytes]:
    """Every profile id under which one of these records was ever told of, its own included."""
    rows = await connection.fetch(
        """
        SELECT from_profile, to_profile FROM membership_log WHERE record_id = ANY($1::uuid[])
        UNION SELECT NULL, profile_id FROM source_record WHERE record_id = ANY($1::uuid[])
        """,
        list(records),
    )
    return {one for row in rows for one in row if one} | set(records)


async def empty_deliveries(connection: Connection, profiles: Collection[bytes]) -> None:
    """Drop the bytes that tools were sent about these profiles, and what they answered.

    What still waits is rendered again when it goes out: nothing that names somebody of these is wanted any more, so it
    goes out under another id. What a rule did is not told any more. Nobody renders meanwhile, and the rows of `told`
    are locked against answers.
    """
    rows = await connection.fetch(
        """
        SELECT DISTINCT destination, profile_id FROM delivery
        WHERE profile_id = ANY($1::uuid[]) OR lane = ANY($1::uuid[])
        """,
        list(profiles),
    )
    await told.lock(connection, sorted((row[0], row[1]) for row in rows))
    await fired.forget(connection, profiles)
    await connection.execute(
        """
        WITH emptied AS (
            UPDATE delivery SET body = NULL WHERE profile_id = ANY($1::uuid[]) OR lane = ANY($1::uuid[]) RETURNING id
        )
        UPDATE delivery_attempt a SET response = NULL FROM emptied WHERE a.delivery_id = emptied.id
        """,
        list(profiles),
    )


async def empty_letters(connection: Connection, events: Collection[bytes], values: Sequence[str]) -> int:
    """Drop the bytes of dead letters of these events, and of those that state one of these values; gives how many.

    A letter that nobody could read belongs to nobody, so its text is searched, in any case.
    """
    status: str = await connection.execute(
        """
        UPDATE dead_letter SET body = NULL, key = NULL, headers = '[]', reason = 'erased', field = NULL,
               state = 'resolved'
        WHERE event_id = ANY($1::uuid[])
           OR concat_ws(' ', encode(body, 'escape'), encode(key, 'escape'), headers, reason) ILIKE ANY($2::text[])
        """,
        list(events),
        _anywhere(values),
    )
    return int(status.rpartition(" ")[2])


async def empty_nobodys(connection: Connection, values: Sequence[str], at: str) -> None:
    """Drop the data of activities of nobody, spam say, that state one of these values, until this time."""
    await connection.execute(
        """
        UPDATE activity SET data = 'null'
        WHERE record_id IS NULL AND at <= $2::text::timestamptz AND type <> ALL($3::text[])
          AND data::text ILIKE ANY($1::text[])
        """,
        _anywhere(values),
        at,
        sorted(DEEDS),
    )


async def empty_suspicions(connection: Connection, profiles: Collection[bytes], values: Sequence[str]) -> None:
    """Drop the keys under which these are compared, and why a rule kept two apart where it names one of these values.

    Whoever is left of them is told of, so they are looked at again.
    """
    await connection.execute("DELETE FROM block_key WHERE profile_id = ANY($1::uuid[])", list(profiles))
    await connection.execute(
        "UPDATE suspect_pair SET refusal = NULL WHERE refusal ILIKE ANY($1::text[])", _anywhere(values)
    )


async def move_automation(connection: Connection, moved: Mapping[bytes, bytes]) -> None:
    """Trigger → the record that it belongs to from now on: what rules decided and did goes with it."""
    for table in ("rule_decision", "journey", "ledger"):
        await connection.execute(
            f"UPDATE {table} SET record_id = r FROM unnest($1::uuid[], $2::uuid[]) u(e, r) WHERE event_id = e",  # noqa: S608 - our own tables
            list(moved),
            list(moved.values()),
        )


async def empty_automation(
    connection: Connection, touched: Collection[bytes], gone: Collection[bytes], events: Collection[bytes]
) -> None:
    """What rules saw and wrote about the touched records is forgotten. Whoever is gone, or on the way because of these
    events, goes no further. That something was decided and done stays: it is not to be done again.

    A profile may have told rules of its other records as well. Comes after `move_automation`, before the records go.
    """
    await connection.execute(
        """
        UPDATE rule_decision SET seen = '[]', reason = 'erased' WHERE record_id IN (
            SELECT record_id FROM source_record WHERE record_id = ANY($1::uuid[]) OR profile_id IN
                (SELECT profile_id FROM source_record WHERE record_id = ANY($1::uuid[])))
        """,
        list(touched),
    )
    for change in (
        "ledger SET effect = '{}'",
        """journey SET occasion = '{}', state = 'ended', outcome = coalesce(outcome, 'erased'), place = NULL,
           ended_at = coalesce(ended_at, clock_timestamp()), lease_until = NULL, token = token + 1""",
    ):
        await connection.execute(
            f"UPDATE {change} WHERE record_id = ANY($1::uuid[]) OR event_id = ANY($2::uuid[])", list(gone), list(events)
        )
    await connection.execute(
        """
        UPDATE mail SET recipient = '', subject = '', body = '', headers = '{}', answer = NULL, lease_until = NULL,
               token = token + 1, state = CASE WHEN state = 'sent' THEN state ELSE 'dead' END
        WHERE record_id = ANY($1::uuid[])
        """,
        list(touched),
    )


async def empty_segments(
    connection: Connection, touched: Collection[bytes], gone: Collection[bytes], left: Collection[bytes]
) -> None:
    """Nobody is in anything under ids that nobody bears, and what records went through that lost words is forgotten.

    Whoever is `left` of them is somebody else now, and looked at anew.
    """
    nobodys = sorted({*touched, *gone} - set(left))
    await connection.execute(
        "UPDATE activity SET record_id = NULL, data = 'null' WHERE record_id = ANY($1::uuid[]) AND source = $2"
        " AND type = ANY($3::text[])",
        list(touched),
        HUB,
        sorted(SEGMENT_CHANGES),
    )
    await connection.execute("DELETE FROM segment_member WHERE profile_id = ANY($1::uuid[])", nobodys)
    await connection.execute("DELETE FROM segment_check WHERE id = ANY($1::uuid[])", nobodys)
    await connection.execute(
        """
        INSERT INTO segment_check AS c (id, looked_at, until, because, due_at)
        SELECT id, now, now, 'applied', now
        FROM unnest($1::uuid[]) AS u(id) CROSS JOIN (SELECT clock_timestamp() AS now) moment
        WHERE EXISTS (SELECT FROM segment_round) ORDER BY id
        ON CONFLICT (id) DO UPDATE SET until = greatest(c.looked_at, excluded.until), because = 'applied',
               state = 'waiting', due_at = excluded.due_at, lease_until = NULL, token = c.token + 1
        """,
        list(left),
    )


def _anywhere(values: Sequence[str]) -> list[str]:
    """Patterns for ILIKE: each value as it stands, anywhere."""
    plain = [value.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") for value in values]
    return [f"%{value}%" for value in plain]
