"""Which reply could still raise the urgency by making a condition likely enough."""

from dataclasses import replace

import pytest
from hypothesis import given

from triage.engine import ConditionKey, Evidence, FeatureKey, Kind, Knowledge, Settings, Urgency
from triage.engine.raising import LEAST_CHANCE, PART_OF_THE_WAY, most_raising
from triage.engine.selection import outlook
from triage.engine.standing import Standing

from .expressions import some_people, thorough
from .oracle import Replies
from .reference import Variable, joint, posteriors, told
from .small import CONDITIONS, FEATURES, GROUPS, SYNDROMES, chosen, knowledge_with

CALM = tuple(
    replace(feature, options=tuple(replace(option, alarm=False) for option in feature.options))
    for feature in FEATURES
)
"""Without alarms, so that there are none to take away."""

TOPICS = {
    f"{name}{also}": knowledge_with(
        rules=(),
        features=CALM,
        conditions=tuple(replace(c, raise_at=at) for c, at in zip(CONDITIONS, raised, strict=True)),
        groups=groups,
        syndromes=syndromes,
        settings=Settings(temper=1, slip=0.02),
    )
    for name, raised, groups in (
        ("low", (0.9, 0.5, 0.2), GROUPS),
        ("high", (0.99, 0.8, 0.6), ()),
    )
    for also, syndromes in (("", ()), (", linked", SYNDROMES))
}


@pytest.mark.parametrize("topic", TOPICS)
@thorough
@given(replies=some_people)
def test_it_is_asked_exactly_if_a_reply_takes_a_condition_far_enough(
    topic: str, replies: Replies
) -> None:
    knowledge = TOPICS[topic]
    standing = Standing(knowledge, Evidence(replies.items()))

    found = most_raising(standing, outlook(standing), Urgency.SELF_CARE)

    chances = by_trying(knowledge, replies)
    asked = {
        feature.key: chances[feature.key]
        for feature in knowledge.features
        if standing.may_ask(feature.key) and chances[feature.key] >= LEAST_CHANCE
    }
    if found is None:
        assert asked == {}
    else:
        assert asked[found[0].key] == pytest.approx(max(asked.values()))
        assert found[1]


def by_trying(knowledge: Knowledge, replies: Replies) -> dict[FeatureKey, float]:
    """Return how many give a reply, of each feature, that takes some condition or group, above the
    urgency reached, half of the way to its threshold, in odds."""
    weights = posteriors(knowledge, replies)
    risks = [(frozenset({c.key}), c.urgency, c.raise_at) for c in knowledge.conditions]
    risks += [(group.conditions, group.urgency, group.raise_at) for group in knowledge.groups]
    now = max(
        (u for keys, u, at in risks if sum(weights[k] for k in keys) >= at),
        default=Urgency.SELF_CARE,
    )
    seen = told(knowledge, replies)
    chances = {}
    for feature in knowledge.features:
        total = 0.0
        for way in ways_of(feature.key, knowledge):
            likely = {
                c.key: joint(knowledge, c, [*seen, way]) / joint(knowledge, c, seen)
                for c in knowledge.conditions
            }
            chance = sum(weights[key] * likely[key] for key in weights)
            after = {key: weights[key] * likely[key] / chance for key in weights}
            for keys, urgency, at in risks:
                p = sum(after[key] for key in keys)
                if urgency > now and p / (1 - p) >= PART_OF_THE_WAY * at / (1 - at):
                    total += chance
                    break
        chances[feature.key] = total
    return chances


def ways_of(key: FeatureKey, knowledge: Knowledge) -> list[Variable]:
    feature = knowledge.feature(key)
    scored = [option.key for option in feature.options if option.scored]
    both = (True, False) if feature.kind is Kind.MULTI else (True,)
    return [(key, option, holds) for option in scored for holds in both]


def test_at_the_highest_urgency_there_is_nothing_to_raise() -> None:
    knowledge = TOPICS["low"]
    standing = Standing(knowledge, Evidence())

    assert most_raising(standing, outlook(standing), Urgency.EMERGENCY_NOW) is None


def test_what_the_alarms_of_a_person_hide_is_looked_at_without_them() -> None:
    """An alarm may make one condition less likely. What the threshold would be judged on, the
    posterior with the alarm taken away, is what has to come near it."""
    knowledge = knowledge_with(rules=(), groups=())
    hidden = Evidence([(FeatureKey("skin"), chosen("pus"))])
    standing = Standing(knowledge, hidden)

    found = most_raising(standing, outlook(standing), Urgency.ROUTINE)

    assert found is not None
    assert found[1] == (ConditionKey("tumour"),)
