"""How well the profiles fit the people: false merges, recall, shared values, pairwise and B-cubed figures.

The truth is per event. An event without a name, under an e-mail address that several people use, names nobody in
particular: which of them it was cannot be told, and it is held against no profile (`false_merges`). `misplaced` counts
the profiles that are wrong where such events count as well. Figures are after closure: of profiles, not of edges.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import combinations
from math import comb
from typing import Any

from bench.identity.population import Population, Sent
from hub.identity.evidence import (
    ACCOUNT,
    BLOCKED,
    LINK,
    OBJECT,
    SHARED,
    Claim,
    Evidence,
    Fact,
    Known,
    Who,
    learn,
    may_link,
)
from hub.identity.names import code, groups_differ
from hub.identity.resolve import MOST_CLAIMERS, MOST_CODES, Person, resolve

STRONG = ("email", OBJECT)
_Value = tuple[str, str]
_Persons = frozenset[int]
_Claimers = dict[_Value, list[tuple[Known, Claim]]]


@dataclass(frozen=True)
class Wrong:
    """A profile that holds several people: who they are, and its records as people would say them."""

    persons: tuple[int, ...]
    records: tuple[str, ...]


@dataclass
class Scores:
    """What a population came to. Shares are of one."""

    people: int
    facts: int
    records: int
    profiles: int
    profiles_per_person: float
    false_merges: int
    false_per_10k: float
    largest_wrong: int
    misplaced: int
    strong_pairs: int
    strong_missed: int
    recall: float
    two_accounts: int
    shared_values: int
    shared_missed: int
    personal_emails: int
    personal_flagged: int
    pairwise: tuple[float, float, float]
    b_cubed: tuple[float, float, float]
    largest: int
    wrong: list[Wrong] = field(default_factory=list)
    missed: list[tuple[str, str]] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        """For a file: all but the examples."""
        return {name: value for name, value in asdict(self).items() if name not in {"wrong", "missed"}}


@dataclass
class _Case:
    """The records of a population, resolved, and whose each of them is."""

    people: Population
    facts: int
    records: list[Known]
    owners: Mapping[bytes, _Persons]
    senders: Mapping[bytes, _Persons]
    users: Mapping[_Value, _Persons]
    profiles: list[Person]
    claimers: _Claimers

    def is_personal(self, value: _Value) -> bool:
        return len(self.users[value]) == 1


def score(people: Population, sent: Iterable[Sent[Fact]]) -> Scores:
    """Resolve everything that was sent at one look, and hold it against the truth."""
    facts = {one.what.event: one for one in sent}.values()
    users = _users(facts)
    records, owners, senders = _records(facts, users)
    profiles = resolve(records)
    claimers: _Claimers = defaultdict(list)
    for known in records:
        for claim in known.evidence.claims:
            claimers[claim.namespace, claim.value].append((known, claim))
    return _scores(_Case(people, len(facts), records, owners, senders, users, profiles, claimers))


def _users(facts: Iterable[Sent[Fact]]) -> Mapping[_Value, _Persons]:
    """Who truly states each value; what stands for nobody by its looks is everybody's."""
    found: dict[_Value, set[int]] = defaultdict(set)
    for person, fact in facts:
        for claim in fact.who.claims if fact.who else ():
            found[claim.namespace, claim.value] |= {person, *((-1,) if claim.blocked else ())}
    return {value: frozenset(persons) for value, persons in found.items()}


def _records(
    facts: Iterable[Sent[Fact]], users: Mapping[_Value, _Persons]
) -> tuple[list[Known], Mapping[bytes, _Persons], Mapping[bytes, _Persons]]:
    """The records; who is named by each; and who said it, named or not."""
    records: dict[bytes, Known] = {}
    owners: dict[bytes, set[int]] = defaultdict(set)
    senders: dict[bytes, set[int]] = defaultdict(set)
    for person, fact in facts:
        if who := fact.who:
            bare = Known(who.record, who.source, who.kind, (who.key_namespace, who.key), Evidence())
            known = records.setdefault(who.record, bare)
            learn(known.evidence, fact, who)
            senders[who.record].add(person)
            if _names_somebody(who, users):
                owners[who.record].add(person)
    return list(records.values()), _frozen(owners), _frozen(senders)


def _frozen(found: Mapping[bytes, set[int]]) -> Mapping[bytes, _Persons]:
    return defaultdict(frozenset, {record: frozenset(persons) for record, persons in found.items()})


def _names_somebody(who: Who, users: Mapping[_Value, _Persons]) -> bool:
    """A name, or else a value of one's own; an e-mail address, where there is one, speaks before all other values."""
    values = [(claim.namespace, claim.value) for claim in who.claims]
    return bool(who.name.given) or any(len(users[value]) == 1 for value in _addresses(values) or values)


def _addresses(values: Sequence[_Value]) -> list[_Value]:
    return [value for value in values if value[0] == "email"]


def _scores(case: _Case) -> Scores:
    wrong = [_wrong(case, one) for one in case.profiles]
    mixed = [one for one in wrong if len(one.persons) > 1]
    pairs, missed, aside = _strong_pairs(case)
    shared, unseen = _shared(case)
    personal, flagged = _personal(case)
    profiles, persons = len(case.profiles), len({person for senders in case.senders.values() for person in senders})
    return Scores(
        people=persons,
        facts=case.facts,
        records=len(case.records),
        profiles=profiles,
        profiles_per_person=profiles / persons,
        false_merges=len(mixed),
        false_per_10k=len(mixed) * 10_000 / profiles,
        largest_wrong=max((len(one.persons) for one in mixed), default=1),
        misplaced=sum(len(_persons(case.senders, one)) > 1 for one in case.profiles),
        strong_pairs=pairs,
        strong_missed=len(missed),
        recall=1 - len(missed) / max(1, pairs),
        two_accounts=aside,
        shared_values=shared,
        shared_missed=unseen,
        personal_emails=personal,
        personal_flagged=flagged,
        pairwise=_pairwise(case),
        b_cubed=_b_cubed(case),
        largest=max(len(one.records) for one in case.profiles),
        wrong=mixed,
        missed=missed,
    )


def _wrong(case: _Case, one: Person) -> Wrong:
    persons = _persons(case.owners, one)
    return Wrong(tuple(sorted(persons)), tuple(map(spoken, one.records)) if len(persons) > 1 else ())


def _persons(of: Mapping[bytes, _Persons], one: Person) -> set[int]:
    return {person for known in one.records for person in of[known.record]}


def spoken(known: Known) -> str:
    """A record for people: its source, its key, the names it said and the values it claims."""
    names = ", ".join(f"{name.given} {name.family}" for name in known.evidence.names)
    claims = ", ".join(claim.value for claim in known.evidence.claims)
    return f"{known.source}:{known.key[1]} ({names}) {claims}"


def _strong_pairs(case: _Case) -> tuple[int, list[tuple[str, str]], int]:
    """Pairs that must meet, those of them that do not, and pairs set aside.

    Two records of one person that say the same e-mail or order, which nobody else says, under names that are not
    clearly different. Set aside is whoever has two accounts of one source behind it: those never join by themselves.
    """
    home = {known.record: one.profile for one in case.profiles for known in one.records}
    met: dict[frozenset[bytes], bool] = {}
    aside = 0
    shown = {known.record: spoken(known) for known in case.records}
    doubles = _with_two_accounts(case)
    for value, claims in case.claimers.items():
        if value[0] not in STRONG or not case.is_personal(value):
            continue
        linking = [known for known, claim in claims if may_link(*value, trusted=claim.trusted, key=known.key)]
        for one, other in combinations(linking, 2):
            if case.users[value] <= doubles:
                aside += 1
            elif not groups_differ(*(frozenset(name.given for name in known.evidence.names) for known in (one, other))):
                met[frozenset((one.record, other.record))] = home[one.record] == home[other.record]
    missed = [sorted(shown[record] for record in pair) for pair, is_met in met.items() if not is_met]
    return len(met), [(one, other) for one, other in missed], aside


def _with_two_accounts(case: _Case) -> _Persons:
    accounts = Counter(
        (person, known.source)
        for known in case.records
        if known.kind == ACCOUNT
        for person in case.owners[known.record]
    )
    return frozenset(person for (person, _), many in accounts.items() if many > 1)


def _shared(case: _Case) -> tuple[int, int]:
    """Values that must be found to stand for nobody, and those that were not: role addresses, and all over the caps."""
    found = missed = 0
    for (namespace, value), claims in case.claimers.items():
        trusted = [known for known, claim in claims if claim.trusted]
        codes = {code(name.given) for known in trusted for name in known.evidence.names}
        caps = namespace in {"email", "phone"} and (len(trusted) > MOST_CLAIMERS[namespace] or len(codes) > MOST_CODES)
        role = value in case.people.roles
        if role or (caps and claims[0][1].state != BLOCKED):
            found += 1
            wanted = [(known, claim) for known, claim in claims if role or claim.trusted]
            missed += any(claim.state != (BLOCKED if role else SHARED) for _, claim in wanted)
    return found, missed


def _personal(case: _Case) -> tuple[int, int]:
    """E-mail addresses that one person alone uses, and those of them that link nobody any more."""
    own = [claims for value, claims in case.claimers.items() if value[0] == "email" and case.is_personal(value)]
    return len(own), sum(any(claim.state != LINK for _, claim in claims) for claims in own)


def _told_apart(case: _Case) -> list[tuple[bytes, int]]:
    """Profile and person of every record that is one person's."""
    return [
        (one.profile, next(iter(case.owners[known.record])))
        for one in case.profiles
        for known in one.records
        if len(case.owners[known.record]) == 1
    ]


def _pairwise(case: _Case) -> tuple[float, float, float]:
    """Precision, recall and F1 over pairs of records."""
    rows = _told_apart(case)
    both = _pairs(rows)
    return _f1(both / max(1, _pairs(row[0] for row in rows)), both / max(1, _pairs(row[1] for row in rows)))


def _pairs(labels: Iterable[Any]) -> int:
    return sum(comb(size, 2) for size in Counter(labels).values())


def _b_cubed(case: _Case) -> tuple[float, float, float]:
    """Precision, recall and F1 per record, averaged (Bagga and Baldwin 1998)."""
    rows = _told_apart(case)
    both, profiles, persons = Counter(rows), Counter(row[0] for row in rows), Counter(row[1] for row in rows)
    precision = sum(many**2 / profiles[profile] for (profile, _), many in both.items()) / max(1, len(rows))
    recall = sum(many**2 / persons[person] for (_, person), many in both.items()) / max(1, len(rows))
    return _f1(precision, recall)


def _f1(precision: float, recall: float) -> tuple[float, float, float]:
    return precision, recall, 2 * precision * recall / max(1e-12, precision + recall)


def examples(found: Sequence[Wrong], most: int = 5) -> list[str]:
    """Some wrong profiles, a line for each of their records."""
    return [
        line for one in found[:most] for line in (f"persons {one.persons}", *(f"    {words}" for words in one.records))
    ]
