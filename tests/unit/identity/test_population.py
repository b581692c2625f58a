"""The people of the bench: a function of size and seed, with every trouble that was promised, and told apart."""

from __future__ import annotations

import random
from collections import Counter

import orjson
import pytest

from bench.identity import merges
from bench.identity import scores as scores_of
from bench.identity.people import REST_DAYS, Town
from bench.identity.population import REGIONS, TRUTH, Population, Sent, message, population
from bench.identity.scores import Scores, score
from bench.identity.told import SHOP
from consumers.reading import read
from hub.components import Record
from hub.identity.evidence import Fact
from hub.identity.resolve import person

SIZE, SEED = 400, 7
TROUBLES = {
    "shared phone", "shared mailbox", "shared cookie", "role address", "office address", "placeholder", "typing error",
    "nickname", "initial", "nameless", "nameless account", "number change", "recycled number", "e-mail change",
    "rename", "second account", "repeat", "very late", "refund", "identified visitor", "mistyped address",
    "number alone",
}  # fmt: skip


@pytest.fixture(scope="module")
def people() -> Population:
    return population(SIZE, SEED)


@pytest.fixture(scope="module")
def sent(people: Population) -> list[Sent[Fact]]:
    return list(people.facts())


@pytest.fixture(scope="module")
def scores(people: Population, sent: list[Sent[Fact]]) -> Scores:
    return score(people, sent)


def test_the_people_are_a_function_of_size_and_seed(people: Population) -> None:
    assert population(SIZE, SEED).said == people.said
    assert population(SIZE, SEED + 1).said != people.said
    assert [human.number for human in people.humans] == list(range(SIZE))


def test_every_kind_of_trouble_occurs(people: Population) -> None:
    assert people.traits.keys() >= TROUBLES


def test_the_hub_tells_these_people_apart(scores: Scores) -> None:
    assert [target for target in merges.targets([scores]) if not target.met] == []
    assert scores.strong_pairs > SIZE
    assert scores.shared_values > 5


def test_a_mixture_of_people_misses_the_targets(people: Population, sent: list[Sent[Fact]]) -> None:
    mixed = score(people, [one._replace(person=number % SIZE) for number, one in enumerate(sent)])
    assert mixed.largest_wrong > merges.LARGEST_WRONG
    assert {target.what for target in merges.targets([mixed]) if not target.met} >= {
        "false merges per 10,000 profiles",
        "largest wrong profile, persons",
    }


def test_who_joins_nothing_misses_the_targets(
    people: Population, sent: list[Sent[Fact]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scores_of, "resolve", lambda records: [person([known]) for known in records])
    alone = score(people, sent)
    assert (alone.recall, alone.pairwise[1]) == (0, 0)
    assert {target.what for target in merges.targets([alone]) if not target.met} == {
        "recall of strong pairs",
        "values of nobody found",
    }


def test_both_faces_say_the_same(people: Population, sent: list[Sent[Fact]]) -> None:
    for one, (who, fact) in zip(people.said[::5], sent[::5], strict=True):
        made = message(one)
        found = read(Record(made.topic, 0, 0, 0, made.key, made.value, made.headers), REGIONS)
        assert found._replace(payload=b"{}") == fact
        assert orjson.loads(made.value or b"")[TRUTH] == str(who)


def test_a_repeat_is_the_same_event_that_came_later(people: Population) -> None:
    first = {one.natural_id: one for one in reversed(people.said)}
    repeats = [one for one in people.said if first[one.natural_id] is not one]
    assert len(repeats) / len(people.said) == pytest.approx(0.05, abs=0.02)
    for one in repeats:
        assert first[one.natural_id]._replace(received=one.received) == one
        assert first[one.natural_id].received < one.received


def test_news_come_late_and_out_of_order(people: Population) -> None:
    assert [one.received for one in people.said] == sorted(one.received for one in people.said)
    assert sum(one.at < before.at for before, one in zip(people.said, people.said[1:], strict=False)) > 100
    assert any(one.received - one.at > 30 * 86_400 for one in people.said)


def test_a_number_rests_before_somebody_else_gets_it(people: Population) -> None:
    givers = {human.phones[0][1]: human for human in people.humans if "number change" in human.traits}
    heirs = [human for human in people.humans if "recycled number" in human.traits]
    for heir in heirs:
        begun, number = heir.phones[-1]
        given_up, _ = givers[number].phones[1]
        assert begun - given_up >= REST_DAYS
    assert heirs


def test_a_refund_names_nobody_but_the_order(people: Population) -> None:
    refunds = [one for one in people.said if one.type == "order.refunded"]
    assert refunds
    for one in refunds:
        assert one.source == SHOP
        assert (one.words.id, one.words.email, one.words.phone, one.words.name) == ("", "", "", "")
        assert len(one.words.objects) == 1


def test_shares_are_those_of_the_reference() -> None:
    traits = Counter(trait for human in Town(random.Random(3)).people(4000) for trait in human.traits)
    assert traits["shared phone"] / 4000 == pytest.approx(0.10, abs=0.02)
    assert (traits["shared mailbox"] + traits["office address"]) / 4000 == pytest.approx(0.03, abs=0.01)
    assert traits["shared cookie"] / 4000 == pytest.approx(0.03, abs=0.01)
