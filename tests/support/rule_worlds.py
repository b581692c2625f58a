"""Random conditions and random people to ask them of; small pools, so that the two often meet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from hub.automation.view import Person, Trigger, View

AT = datetime(2026, 3, 10, 12, tzinfo=UTC)
TYPES = ("order.placed", "order.paid", "ticket.opened")
TIMES = ("2026-03-10", "2026-03-10T12:00:00Z", "2026-03-10T14:00:00+02:00", "2026-03-01T00:00:00Z", "2026-04-01")
SCALARS = ("DE", " de", "5", "5.00", "-3.5", 5, 0, 5.0, 100, True, False, "true", "high urgent", "2026-02-31", *TIMES)
DURATIONS = ("90s", "4h", "2d", "9d", "5w")
FIELDS = ("country", "first_seen", "revenue.EUR")
PATHS = ("type", "source", "total", "ticket.priority", "items.sku", "items", "ticket", "nobody.knows")

scalars = st.sampled_from(SCALARS)
values = st.one_of(scalars, st.none(), st.just(" "), st.lists(scalars, max_size=3), st.just({"x": 1}), st.just([[5]]))
measures = st.sampled_from(
    [one for one in SCALARS if not isinstance(one, bool) and one not in {"DE", " de", "true", "high urgent"}]
)
texts = st.sampled_from([one for one in SCALARS if isinstance(one, str)])
durations = st.sampled_from(DURATIONS)
OPERATORS: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("is", "is_not", "contains"), scalars),
    **dict.fromkeys(("in", "not_in"), st.lists(scalars, min_size=1, max_size=3)),
    "starts_with": texts,
    "exists": st.booleans(),
    **dict.fromkeys(("at_least", "at_most", "more_than", "less_than"), measures),
    **dict.fromkeys(("within", "older_than"), durations),
}


def _with(asked: dict[str, st.SearchStrategy[Any]], words: dict[str, st.SearchStrategy[Any]], most: int) -> Any:
    chosen = st.lists(st.sampled_from(sorted(words)), min_size=1, max_size=most, unique=True)
    return chosen.flatmap(lambda some: st.fixed_dictionaries(asked | {word: words[word] for word in some}))


COUNTS = dict.fromkeys(("is", "is_not", "at_least", "at_most", "more_than", "less_than"), st.integers(0, 3))
events = _with({"event": st.sampled_from(PATHS)}, OPERATORS, 2)
profiles = _with(
    {"profile": st.sampled_from(["owner", "stage", "tags", "activities", *(f"fields.{one}" for one in FIELDS)])},
    OPERATORS,
    2,
)
types = st.one_of(st.sampled_from(TYPES), st.lists(st.sampled_from(TYPES), min_size=1, max_size=2))
counts = st.one_of(_with({"count": types}, COUNTS, 2), _with({"count": types, "within": durations}, COUNTS, 2))
segments = st.fixed_dictionaries({"segment": st.sampled_from(["best", "lost"])}, optional={"is": st.booleans()})
leaves = st.one_of(events, profiles, counts, segments)
trees = st.recursive(
    leaves,
    lambda below: st.one_of(
        st.fixed_dictionaries({"all": st.lists(below, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"any": st.lists(below, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"not": below}),
    ),
    max_leaves=6,
)
worlds = st.fixed_dictionaries(
    {
        "at": st.just(AT),
        "type": st.sampled_from(TYPES),
        "source": st.sampled_from(["web", "shop-eu"]),
        "data": st.fixed_dictionaries(
            {
                "total": values,
                "ticket": st.one_of(values, st.fixed_dictionaries({"priority": values})),
                "items": st.one_of(values, st.lists(st.fixed_dictionaries({}, optional={"sku": values}), max_size=3)),
            }
        ),
        "fields": st.dictionaries(st.sampled_from(FIELDS), texts),
        "owner": st.one_of(st.none(), texts),
        "stage": st.one_of(st.none(), texts),
        "tags": st.lists(texts, max_size=3),
        "activities": st.lists(
            st.tuples(
                st.sampled_from(TYPES),
                st.integers(-1, 10).map(lambda days: AT - timedelta(days=days)),
            ),
            max_size=4,
        ),
        "segments": st.sets(st.sampled_from(["best", "lost"])),
    }
)


def view_of(world: dict[str, Any]) -> View:
    """The world as rules see it."""
    done = world["activities"]

    def many(types: tuple[str, ...], since: datetime | None, until: datetime) -> int:
        return sum(kind in types and (since is None or since < time) and time <= until for kind, time in done)

    person = Person(world["fields"], world["owner"], world["stage"], world["tags"], len(done))
    event = Trigger(world["type"], world["source"], world["data"])
    return View(world["at"], person, many, frozenset(world["segments"]), event)
