"""A number that moves far from what is live has a source, and a note that says why."""

from copy import deepcopy
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.content.jumps import (
    Document,
    Jump,
    factor,
    jumps,
    jumps_between,
    lacking,
    moved,
)

probabilities = st.floats(min_value=1e-6, max_value=1 - 1e-6)
TOPIC = "back-lump"


def row_of(document: Document, part: str, **place: list[str]) -> dict[str, Any]:
    (row,) = (
        row
        for row in document[part]
        if all(row[name] == [TOPIC, *key] for name, key in place.items())
    )
    assert isinstance(row, dict)
    return row


def soft(document: Document) -> dict[str, Any]:
    """P(soft | lipoma), 0.547 in the shipped content."""
    return row_of(document, "likelihoods", condition=["lipoma"], option=["lump_feel", "soft"])


@pytest.mark.parametrize(
    ("before", "after", "is_one"),
    [
        (0.1, 0.3, False),  # three times is not more than three times
        (0.3, 0.1, False),
        (0.3, 0.9, True),  # and 0.7 to 0.1 of the rest; across a half too
        (0.1, 0.31, True),
        (0.31, 0.1, True),
        (0.99, 0.9, True),  # the rest is ten times as much
        (0.9, 0.99, True),
        (0.97, 0.91, False),  # the rest is three times as much
        (0.6, 0.49, True),  # across a half
        (0.49, 0.5, True),  # a half is on the upper side
        (0.5, 0.6, False),
        (0.75, 0.6, False),
        (0.4, 0.4, False),
    ],
)
def test_a_jump_is_more_than_three_times_or_across_a_half(
    before: float, after: float, is_one: bool
) -> None:
    assert jumps(before, after) is is_one


@given(probabilities, probabilities)
def test_there_and_back_are_as_far(before: float, after: float) -> None:
    assert factor(before, after) == factor(after, before)
    assert jumps(before, after) == jumps(after, before)


@given(probabilities)
def test_what_stays_does_not_jump(number: float) -> None:
    assert factor(number, number) == 1
    assert not jumps(number, number)


@given(probabilities, probabilities, probabilities)
def test_a_step_that_holds_a_jump_is_one(low: float, middle: float, high: float) -> None:
    low, middle, high = sorted((low, middle, high))

    if jumps(low, middle) or jumps(middle, high):
        assert jumps(low, high)


@given(probabilities, st.lists(probabilities, min_size=1, max_size=5))
def test_no_half_is_crossed_in_small_steps(start: float, steps: list[float]) -> None:
    path = [start, *steps]
    if (start < 0.5) != (path[-1] < 0.5):
        assert any(jumps(*pair) for pair in pairwise(path))


@given(probabilities, probabilities)
def test_each_jump_is_put_into_words_with_both_numbers(before: float, after: float) -> None:
    words = moved(before, after)

    if jumps(before, after):
        assert f"{before:.4g} is live" in words
        assert f"and {after:.4g} " in words
    if factor(before, after) <= 3 and (before < 0.5) == (after < 0.5):
        assert words == ""


@given(st.text(), st.text(), st.booleans())
def test_only_a_source_and_another_note_explain(live: str, note: str, has_source: bool) -> None:
    lacks = lacking(live, note, has_source=has_source)

    assert ("source" in lacks) is not has_source
    assert ("note" in lacks) is (note.strip() in ("", live.strip()))


def test_the_words_say_which_side_moved() -> None:
    assert moved(0.1, 0.31) == "0.1 is live, and 0.31 is 3.1 times as large."
    assert moved(0.99, 0.9) == (
        "0.99 is live, and 0.9 leaves 10 times as much to the rest (0.01 before, 0.1 now)."
    )
    assert moved(0.6, 0.4) == "0.6 is live, and 0.4 lies on the other side of a half."
    assert moved(0.6, 0.1, in_100=True) == (
        "60 % is live, and 10 % is 6 times smaller and lies on the other side of a half."
    )


def test_the_same_document_has_no_jump(document: Document) -> None:
    assert jumps_between(document, document) == []


def test_a_jump_names_its_row_and_what_it_lacks(document: Document) -> None:
    draft = deepcopy(document)
    soft(draft).update(probability=0.06, source=None)

    (jump,) = jumps_between(document, draft)

    assert (jump.part, jump.place) == ("likelihoods", ("lipoma", "lump_feel", "soft"))
    assert jump.lacks == ("source", "note")
    assert not jump.explained
    assert str(jump) == (
        "“Fatty lump”, “Feel of the lump: Soft and squidgy, like dough”: 0.547 is live, and 0.06 is"
        " 9.12 times smaller and lies on the other side of a half. So large a step needs a source,"
        " and a reason that stays with the number: say it in its note."
    )


def test_a_source_and_a_new_note_explain_it(document: Document) -> None:
    draft = deepcopy(document)
    soft(draft).update(probability=0.06, source=["milton2021"], note="6 of 100 were soft.")

    (jump,) = jumps_between(document, draft)

    assert jump.explained
    assert jump.sentence == str(jump)


def test_a_number_that_is_new_or_gone_does_not_jump(document: Document) -> None:
    less = deepcopy(document)
    less["likelihoods"].remove(soft(less))

    assert jumps_between(document, less) == jumps_between(less, document) == []


def test_priors_and_numbers_of_syndromes_jump_too(document: Document) -> None:
    draft = deepcopy(document)
    fracture = next(row for row in draft["conditions"] if row["key"] == "traumatic_fracture")
    fracture["prior_percent"] *= 4
    chance, member = draft["syndrome_chances"][0], draft["syndrome_members"][0]
    for row in (chance, member):
        row["probability"] = 0.01 if row["probability"] > 0.5 else 0.99

    found = {jump.part: jump for jump in jumps_between(document, draft)}

    assert found.keys() == {"conditions", "syndrome_chances", "syndrome_members"}
    assert found["conditions"].explained, "a condition names its sources, and has no note"
    assert found["conditions"].sentence.startswith("The prior of “Broken or cracked bone")
    assert "0.8 % is live, and 3.2 % is 4 times as large." in found["conditions"].sentence
    assert not found["syndrome_chances"].explained
    assert found["syndrome_members"].place == (
        member["syndrome"][1],
        *member["option"][1:],
        *(member["condition"] or [""])[1:],
    )


def test_a_prior_without_sources_is_not_explained(document: Document) -> None:
    draft = deepcopy(document)
    fracture = next(row for row in draft["conditions"] if row["key"] == "traumatic_fracture")
    fracture.update(prior_percent=4.0, sources=[])

    (jump,) = jumps_between(document, draft)

    assert isinstance(jump, Jump)
    assert jump.lacks == ("source",)
