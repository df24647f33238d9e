"""What is known of somebody after one more reply is what all replies together say."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.engine import Evidence, FeatureKey, Knowledge, Reply, UnknownFeature
from triage.engine.inference import posterior_of
from triage.engine.standing import Standing

from .expressions import thorough, whole_people
from .oracle import Replies
from .people import pool_of
from .small import chosen


def worked_out(standing: Standing) -> tuple[object, ...]:
    """Return all that is passed on, in a form in which it can be compared."""
    keys = [feature.key for feature in standing.knowledge.features]
    return (
        standing.verdicts,
        standing.gates,
        standing.fired(),
        standing.read,
        [key for key in keys if standing.may_ask(key)],
        sorted(standing.sums.rows),
        {place: sorted(rows) for place, rows in standing.sums.linked.items()},
    )


def assert_as_from_all(knowledge: Knowledge, replies: list[tuple[FeatureKey, Reply]]) -> None:
    standing = Standing(knowledge, Evidence())
    for number, (key, reply) in enumerate(replies, start=1):
        worked_out(standing)
        standing = standing.after(key, reply)
        whole = Standing(knowledge, Evidence(replies[:number]))

        assert standing.evidence == whole.evidence
        assert worked_out(standing) == worked_out(whole)
        np.testing.assert_allclose(posterior_of(standing), posterior_of(whole), atol=1e-12)


@thorough
@given(replies=whole_people, seed=st.integers(0, 9))
def test_reply_by_reply_is_the_same_as_all_at_once(
    either: Knowledge, replies: Replies, seed: int
) -> None:
    """In any order, so that replies are there before what they are asked for."""
    shuffled = list(replies.items())
    Random(seed).shuffle(shuffled)

    assert_as_from_all(either, shuffled)


def test_so_it_is_with_the_shipped_content(shipped: Knowledge) -> None:
    for seed, person in enumerate(pool_of(shipped, seed=4, count=6).people):
        shuffled = list(person.items())
        Random(seed).shuffle(shuffled)

        assert_as_from_all(shipped, shuffled)


def test_another_reply_to_the_same_feature_takes_the_place_of_the_first(
    knowledge: Knowledge,
) -> None:
    fever, lump = FeatureKey("fever"), FeatureKey("lump")
    standing = Standing(knowledge, Evidence([(fever, chosen("yes")), (lump, chosen("one"))]))
    worked_out(standing)

    changed = standing.after(fever, chosen("no"))

    whole = Standing(knowledge, Evidence([(fever, chosen("no")), (lump, chosen("one"))]))
    assert worked_out(changed) == worked_out(whole)


def test_a_reply_to_what_was_to_be_skipped_counts(knowledge: Knowledge) -> None:
    fever = FeatureKey("fever")
    standing = Standing(knowledge, Evidence(), frozenset({fever}))
    worked_out(standing)

    replied = standing.after(fever, chosen("yes"))

    whole = Standing(knowledge, Evidence([(fever, chosen("yes"))]), frozenset({fever}))
    assert worked_out(replied) == worked_out(whole)
    assert replied.fired() != standing.fired()


def test_what_the_knowledge_lacks_cannot_be_replied_to(knowledge: Knowledge) -> None:
    with pytest.raises(UnknownFeature):
        Standing(knowledge, Evidence()).after(FeatureKey("mood"), chosen("good"))


def test_to_the_last_bit_it_is_what_all_at_once_gives(shipped: Knowledge) -> None:
    for person in pool_of(shipped, seed=4, count=6).people:
        replies = list(person.items())
        standing = Standing(shipped, Evidence())
        for number, (key, reply) in enumerate(replies, start=1):
            worked_out(standing)
            standing = standing.after(key, reply, to_the_last_bit=True)
            whole = Standing(shipped, Evidence(replies[:number]))

            assert worked_out(standing) == worked_out(whole)
            assert posterior_of(standing).tolist() == posterior_of(whole).tolist()
