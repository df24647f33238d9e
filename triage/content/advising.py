"""Which advice a topic needs, and which of it nobody has written yet."""

from collections.abc import Iterator
from dataclasses import dataclass

from .choices import AdviceScope, ConditionKind, RuleKind, Urgency
from .models import Topic


@dataclass(frozen=True, slots=True)
class Wanted:
    """One advice: `scope` and `key` as a row of it has them, and what it is for, in words."""

    scope: str
    key: str
    name: str


def wanted_of(topic: Topic) -> Iterator[Wanted]:
    """Yield what needs an advice: each urgency, each condition or state, each floor rule."""
    for urgency in reversed(Urgency):
        yield Wanted(AdviceScope.URGENCY, urgency, str(urgency.label))
    for kind, key, name in topic.conditions.values_list("kind", "key", "plain_name"):
        is_ranked = kind == ConditionKind.RANKED
        yield Wanted(AdviceScope.CONDITION if is_ranked else AdviceScope.STATE, key, name)
    for key, title in topic.red_flags.filter(kind=RuleKind.FLOOR).values_list("key", "title"):
        yield Wanted(AdviceScope.FLOOR, key, title)


def lacking_in(topic: Topic) -> list[Wanted]:
    """Return what needs an advice and has none, in the order in which it is best written."""
    there = set(topic.advice.values_list("scope", "key"))
    return [wanted for wanted in wanted_of(topic) if (wanted.scope, wanted.key) not in there]
