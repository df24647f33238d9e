"""What a change is, in sentences: nothing of a document changes unsaid."""

import copy
import json
from typing import Any

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from triage.content.differences import KEYS, Difference, Kind, differences
from triage.content.documents import Document, canonical, compile_release
from triage.content.fixtures import FILES, document_of
from triage.content.models import Release

SOME = 3
"""So many rows of each part are enough to change each field of each part once."""


@pytest.fixture(scope="module")
def whole() -> Document:
    document = document_of(settings.BASE_DIR / "fixtures" / "back-lump")
    document["risk_groups"] = [
        {
            "topic": ["back-lump"],
            "key": "cancers",
            "name": "A cancer",
            "conditions": [["back-lump", "lipoma"], ["back-lump", "skin_cyst"]],
            "urgency": "urgent_2_weeks",
            "raise_at_percent": 3.0,
            "sources": [["milton2021"]],
        }
    ]
    document["calibration_studies"] = [
        {
            "topic": ["back-lump"],
            "key": "clinic_2025",
            "studied": "People of one clinic.",
            "kind": "people",
            "source": ["milton2021"],
            "people": 400,
            "table": [{"claimed": 0.5, "people": 400}],
            "knowledge_sha256": "a" * 64,
        }
    ]
    document["reviews"] = [
        {
            "topic": ["back-lump"],
            "place": "conditions/lipoma",
            "reviewer": "A. Reader, surgeon",
            "reviewed_on": "2026-01-02",
            "due_on": "2027-01-02",
            "note": "Numbers and texts.",
        }
    ]
    return document


@pytest.fixture(scope="module")
def small(whole: Document) -> Document:
    return {
        part: rows if part == "topic" else rows[:SOME]
        for part, rows in copy.deepcopy(whole).items()
    }


def row_of(document: Document, part: str, **known: Any) -> dict[str, Any]:
    (row,) = (
        row for row in document[part] if all(row[name] == value for name, value in known.items())
    )
    found: dict[str, Any] = row
    return found


def likelihood(document: Document, condition: str, feature: str, option: str) -> dict[str, Any]:
    return row_of(
        document,
        "likelihoods",
        condition=["back-lump", condition],
        option=["back-lump", feature, option],
    )


def another(value: Any) -> Any:
    """Return a value of the same sort that is not the same."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return f"{value} changed" if value else "changed"
        case [*_] if value and isinstance(value[-1], str):
            return [*value[:-1], f"{value[-1]}_changed"]
        case [*_]:
            return [*value, ["changed"]]
        case _:
            return "changed"


def test_every_part_of_a_document_is_compared() -> None:
    assert set(KEYS) == set(FILES)


def test_a_document_has_no_difference_from_itself(whole: Document) -> None:
    assert differences(whole, json.loads(canonical(whole))) == []


def test_drafts_have_no_difference_from_the_release_that_was_made_of_them(
    release: Release,
) -> None:
    document = json.loads(Release.objects.get(pk=release.pk).document)

    assert differences(document, compile_release(release.topic)) == []


def test_each_field_of_each_part_is_told_when_it_changes(small: Document) -> None:
    fields = 0
    for part in KEYS:
        rows = [small["topic"]] if part == "topic" else small[part]
        for number, row in enumerate(rows):
            for name in row:
                changed = copy.deepcopy(small)
                target = changed["topic"] if part == "topic" else changed[part][number]
                target[name] = another(row[name])

                found = differences(small, changed)

                assert found, (part, name)
                assert {difference.part for difference in found} == {part}
                assert all(difference.sentence and difference.marked for difference in found)
                fields += 1
    assert fields > 300


def test_a_field_that_comes_or_goes_is_told(small: Document) -> None:
    for part in KEYS:
        changed = copy.deepcopy(small)
        target = changed["topic"] if part == "topic" else changed[part][0]
        # What came later stands last: the texts that name a row were there from the first.
        name = [name for name in target if name not in KEYS[part]][-1]
        del target[name]

        assert differences(small, changed), (part, name)
        assert differences(changed, small), (part, name)


@pytest.fixture(scope="module")
def fields(whole: Document) -> list[tuple[str, int, str]]:
    """Every field of every row: its part, the number of its row, and its name."""
    rows = {part: [whole[part]] if part == "topic" else whole[part] for part in KEYS}
    return [
        (part, number, name)
        for part in KEYS
        for number, row in enumerate(rows[part])
        for name in sorted(row)
    ]


def of_the_same_sort(value: Any) -> st.SearchStrategy[Any]:
    match value:
        case bool():
            return st.booleans()
        case int() | float():
            return st.integers(-1000, 1000) | st.floats(allow_nan=False, allow_infinity=False)
        case str():
            return st.text() | st.just(f" {value}") | st.just(value.swapcase())
        case _:
            return st.just(another(value)) | st.just(value)


@examples(max_examples=10, deadline=None)
@given(number=st.integers(0), drawn=st.data())
def test_whatever_is_changed_in_the_shipped_topic_is_told(
    number: int, drawn: st.DataObject, fields: list[tuple[str, int, str]], whole: Document
) -> None:
    part, row, name = fields[number % len(fields)]
    other = {**whole, part: copy.copy(whole[part])}
    changed = other[part] if part == "topic" else dict(other[part][row])
    changed[name] = drawn.draw(of_the_same_sort(changed[name]))
    if part != "topic":
        other[part][row] = changed

    told = bool(differences(whole, other))

    # What a release holds are bytes: 1 and 1.0 are not the same there.
    is_another = canonical(whole) != canonical(other)
    assert told == is_another, (part, row, name, changed[name])


def test_a_row_that_comes_or_goes_is_told_whole(whole: Document) -> None:
    fewer = {
        **whole,
        "red_flags": [row for row in whole["red_flags"] if row["key"] != "floor_see_gp"],
    }

    (gone,) = differences(whole, fewer)
    (come,) = differences(fewer, whole)

    assert (gone.kind, come.kind) == (Kind.REMOVED, Kind.ADDED)
    assert gone.place == "red_flags/floor_see_gp"
    assert gone.is_calmer
    assert not come.is_calmer
    assert come.sentence.startswith("New: “Lump or pain that should be seen at least once”.")
    assert "Book a visit with {gp_surgery}" in come.sentence


def told(before: Document, part: str, known: dict[str, Any], **new: Any) -> Difference:
    after = copy.deepcopy(before)
    row_of(after, part, **known).update(new)
    (difference,) = differences(before, after)
    return difference


def test_a_number_is_told_of_a_hundred_people_with_where_it_is_from(whole: Document) -> None:
    known = {"condition": ["back-lump", "lipoma"], "option": ["back-lump", "lump_feel", "soft"]}
    was = row_of(whole, "likelihoods", **known)

    difference = told(whole, "likelihoods", known, probability=0.6)

    assert difference.sentence == (
        "Of 100 people with “Lipoma”, 60 say “Soft and squidgy, like dough” to “What does the lump"
        f" feel like?”; it was {100 * was['probability']:g}. From: {was['basis']}, source {was['source'][0]}."
    )
    assert "<ins>60</ins>" in difference.marked
    assert difference.heading == "Lipoma"


def test_two_numbers_that_look_the_same_are_told_apart(whole: Document) -> None:
    known = {"condition": ["back-lump", "lipoma"], "option": ["back-lump", "lump_feel", "soft"]}
    was = row_of(whole, "likelihoods", **known)["probability"]

    difference = told(whole, "likelihoods", known, probability=was + 1e-9)

    assert f"; it was {was}." in difference.sentence
    assert str(was + 1e-9) in difference.sentence


def test_a_prior_is_told_of_those_who_come(whole: Document) -> None:
    difference = told(whole, "conditions", {"key": "lipoma"}, prior_percent=7.5)

    assert difference.sentence.startswith("Of 100 people who come, 7.5 have “Lipoma”; it was ")


def test_a_text_shows_the_words_that_go_and_come(whole: Document) -> None:
    was = row_of(whole, "features", key="age")["help_text"]

    difference = told(whole, "features", {"key": "age"}, help_text="Give the age in whole years.")

    assert difference.sentence == f"Help: “Give the age in whole years.”; it was “{was}”."
    assert difference.marked == "Help: “Give the age in <ins>whole </ins>years.”"


def test_what_staff_write_is_never_markup(whole: Document) -> None:
    difference = told(whole, "features", {"key": "age"}, help_text="<script>1</script>")

    assert "<script>" not in difference.marked
    assert "&lt;script&gt;" in difference.marked


def test_a_long_text_is_cut_to_the_words_around_the_change(whole: Document) -> None:
    text = " ".join(f"word{number}" for number in range(400))
    before = {**whole, "topic": {**whole["topic"], "covers": text}}
    after = {**whole, "topic": {**whole["topic"], "covers": text.replace("word200", "other")}}

    (difference,) = differences(before, after)

    assert "<del>word200</del><ins>other</ins>" in difference.marked
    assert "word180" not in difference.sentence
    assert "word199" in difference.sentence


def test_an_urgency_says_whether_people_wait_longer(whole: Document) -> None:
    known = {"key": "floor_see_gp"}

    longer = told(whole, "red_flags", known, urgency="self_care")
    sooner = told(whole, "red_flags", known, urgency="same_day")

    assert longer.sentence == (
        "Urgency: “Self-care at home”; it was “Routine visit”."
        " People are told to wait longer than before."
    )
    assert (longer.is_calmer, sooner.is_calmer) == (True, False)


@pytest.mark.parametrize(
    ("was", "is_now", "told_of", "is_calmer"),
    [
        ("fever == 'yes'", "fever == 'yes' or age >= 65", "for more", False),
        ("age >= 65", "age >= 70", "It fires for fewer people", True),
        ("fever == 'yes'", "age >= 65", "no longer fires for some", True),
        ("age >= 65", "not age < 65 and age >= 0", "the same people", False),
        ("long_gone == 'yes'", "age >= 65", "cannot be told", True),
    ],
)
def test_a_rule_is_told_in_words_and_by_whom_it_fires_for(
    whole: Document, was: str, is_now: str, told_of: str, is_calmer: bool
) -> None:
    known = {"key": "floor_see_gp"}
    before = {
        **whole,
        "red_flags": [{**row_of(whole, "red_flags", **known), "rule": was}],
    }

    difference = told(before, "red_flags", known, rule=is_now)

    assert difference.sentence.startswith("It fires when this holds: “")
    assert told_of in difference.sentence
    assert difference.marked.endswith(difference.sentence.rpartition("”. ")[2])
    assert difference.is_calmer is is_calmer


def test_a_rule_written_in_another_way_says_that_it_fires_for_the_same(whole: Document) -> None:
    rule = row_of(whole, "red_flags", key="floor_see_gp")["rule"]

    difference = told(whole, "red_flags", {"key": "floor_see_gp"}, rule=f"({rule})")

    assert difference.sentence.endswith("It fires for the same people as before.")
    assert not difference.is_calmer


def test_when_a_question_is_asked_is_told_in_words(whole: Document) -> None:
    difference = told(whole, "features", {"key": "back_shape"}, asked_if="age >= 65")

    assert difference.sentence == (
        "It is asked if this holds: “Age is 65 or more.”; it was “Always.”."
    )


def test_sources_are_told_by_what_comes_and_goes(whole: Document) -> None:
    was = row_of(whole, "conditions", key="lipoma")["sources"]

    difference = told(whole, "conditions", {"key": "lipoma"}, sources=[*was[1:], ["zzz2026"]])

    assert difference.sentence == f"Sources: now with zzz2026, without {was[0][0]}."


def test_a_source_of_a_number_is_told(whole: Document) -> None:
    known = {"condition": ["back-lump", "lipoma"], "option": ["back-lump", "lump_feel", "soft"]}

    difference = told(whole, "likelihoods", known, source=None)

    assert difference.sentence.startswith("Source: nothing; it was “")


def test_a_release_from_before_there_were_reviews_is_compared_too(whole: Document) -> None:
    old = {part: rows for part, rows in whole.items() if part != "reviews"}

    (difference,) = differences(old, whole)

    assert (difference.part, difference.kind) == ("reviews", Kind.ADDED)


def test_the_order_of_rows_alone_is_told(whole: Document) -> None:
    turned = {**whole, "sources": whole["sources"][::-1]}

    (difference,) = differences(whole, turned)

    assert "another order" in difference.sentence


def test_all_of_a_first_release_is_new(whole: Document) -> None:
    found = differences(None, whole)

    assert {difference.kind for difference in found} == {Kind.ADDED}
    assert sum(difference.part == "conditions" for difference in found) == len(whole["conditions"])


def test_the_differences_of_a_row_stand_together_and_red_flags_come_first(
    whole: Document,
) -> None:
    after = copy.deepcopy(whole)
    likelihood(after, "lipoma", "lump_feel", "soft")["probability"] = 0.6
    likelihood(after, "lipoma", "lump_feel", "hard")["probability"] = 0.05
    row_of(after, "conditions", key="lipoma")["plain_summary"] = "Fat."
    row_of(after, "red_flags", key="floor_see_gp")["message"] = "Come."

    found = differences(whole, after)

    assert [(difference.part, difference.heading) for difference in found] == [
        ("red_flags", "Lump or pain that should be seen at least once (floor_see_gp)"),
        ("conditions", "Lipoma (lipoma)"),
        ("likelihoods", "Lipoma"),
        ("likelihoods", "Lipoma"),
    ]
