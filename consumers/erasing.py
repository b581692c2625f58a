"""Somebody is erased: everything that they said is taken out, and whoever is left is who they would be without it.

One transaction for one erasure, alone behind the fence of `hub.storage.erasure`. What it comes to is decided by
`hub.identity.forgetting`; this is the order of what is read and written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from consumers.rereading import reread
from consumers.telling import states, tombstone
from hub.identity.decisions import Erasure
from hub.identity.erasure import Until, again, at_first, keys, retold
from hub.identity.evidence import Fact
from hub.identity.forgetting import Forgotten, Said, Scope, Sifted, forget, sift
from hub.identity.strategies import Rules
from hub.storage import erasure, outbox, profiles, review, suspects, tasks, traces
from hub.storage.pool import Connection

Regions = Mapping[str, str | None]


async def erase(transaction: Connection, fact: Fact, regions: Regions, rules: Rules) -> None:
    """Do what the fact says; one that was done changes nothing. Raises Retry where writers keep us out for too long."""
    if fact.erasure is None:
        return
    await erasure.alone(transaction)
    if not await profiles.mark(transaction, [fact]):
        return
    records, identifiers = fact.erasure
    await erasure.write(transaction, {*records, *identifiers}, fact.at, fact.event)
    said, until = await _said(transaction, fact.erasure, regions)
    sifted = sift(said, frozenset(records), until)
    scope = await _scope(transaction, sifted)
    found = forget(scope, sifted, until, fact.event, rules)
    values = await erasure.addresses_of(transaction, identifiers)
    await _take_out_words(transaction, fact, fact.erasure, sifted, values)
    await _take_out_people(transaction, sifted, found, values)
    messages = [*states(found.changes), *map(tombstone, sorted(found.gone))]
    if messages:
        await outbox.add(transaction, messages)


async def _said(connection: Connection, asked: Erasure, regions: Regions) -> tuple[list[Said], Until]:
    """Everything that was said by these records, those that came after them, and whoever claims these identifiers."""
    until = await erasure.until(connection, {*asked.records, *asked.identifiers})
    reached = {*asked.records, *map(again, until), *await erasure.claimers(connection, asked.identifiers)}
    written = await erasure.written(connection, reached)
    first = {record: at_first(record, until) for record in {one.record for one in written}}
    said = [Said(one.record, reread(one._replace(record=first[one.record]), regions)) for one in written]
    return said, {**until, **await erasure.until(connection, {key for one in said for key in keys(one.fact)})}


async def _scope(connection: Connection, sifted: Sifted) -> Scope:
    """What is known of everybody whom it touches, and a row for everybody who is new by it."""
    new = {fact.who.record: fact.who for fact in sifted.left if fact.who}
    made = await profiles.insert_records(connection, new)
    groups = await profiles.groups_of(connection, sifted.records)
    known = await profiles.identified(
        connection, {claim.identifier for fact in sifted.left if fact.who for claim in fact.who.claims}
    )
    held = {*groups.values(), *(one.group for one in known.values())}
    rows, versions = await profiles.load(connection, held, made)
    return Scope(rows, versions, await review.lines_of(connection, versions), known)


async def _take_out_words(
    connection: Connection, fact: Fact, asked: Erasure, sifted: Sifted, values: Sequence[str]
) -> None:
    """What was said, wherever it is kept: timelines, decisions, dead letters, and what tools were sent."""
    await traces.empty_letters(connection, sifted.lost, values)
    await traces.empty_nobodys(connection, values, fact.at)
    await traces.empty_activities(connection, sifted.lost)
    await traces.move_activities(connection, sifted.moved)
    await tasks.forget(connection, asked.records)
    decisions = await erasure.decisions_about(connection, asked.records)
    left = {event: retold(data, asked.records) for event, data in decisions.items()}
    await traces.retell_decisions(connection, left, asked.records)
    await traces.empty_deliveries(connection, await traces.profiles_of(connection, sifted.touched))


async def _take_out_people(connection: Connection, sifted: Sifted, found: Forgotten, values: Sequence[str]) -> None:
    """Who they were, and who is left; nobody looks for duplicates meanwhile."""
    await suspects.alone(connection)
    told = {one.person.profile for one in found.changes.profiles}
    await traces.empty_suspicions(connection, found.gone | told, values)
    await traces.move_automation(connection, sifted.moved)
    await traces.empty_automation(connection, sifted.touched, found.gone, sifted.lost)
    await traces.empty_segments(connection, sifted.touched, found.gone, told)
    identifiers = await traces.forget_claims(connection, sifted.touched)
    await traces.forget_records(connection, found.gone, found.bare)
    new = {
        claim.identifier: (claim.namespace, claim.value, found.changes.identifiers[claim.identifier].group)
        for fact in sifted.left
        for claim in (fact.who.claims if fact.who else ())
        if claim.identifier in found.changes.identifiers
    }
    await profiles.insert_identifiers(connection, new)
    if found.changes.rows:
        await profiles.write(connection, found.changes)
    await traces.forget_identifiers(connection, identifiers, found.unlinked)
    await traces.forget_groups(connection, found.groups)
