"""What would change the advice, as the outcome page says it."""

import re

from triage.engine import FeatureKey, OptionKey
from triage.questionnaire import pages
from triage.questionnaire.watching import MOST_LINES, Watching

from .conftest import Person
from .test_outcome import finished, text_of


def watching_of(person: Person) -> Watching:
    watching = pages.outcome_page(person.assessment, person.assessment.active_at)["watching"]
    assert isinstance(watching, Watching)
    return watching


def test_it_names_the_signs_to_look_out_for_the_most_urgent_first(underway: Person) -> None:
    page = text_of(finished(underway, age="44"))

    watching = watching_of(underway)
    wording = underway.assessment.content.wording("en")
    legs = wording.option(FeatureKey("leg_nerves"), OptionKey("weak_legs"))
    assert watching.first[0].heading == wording.advice("urgency", "emergency_now").heading
    assert any(legs in line.items for line in watching.first[0].lines)
    assert "What would change this advice" in page
    assert "Get help now , if any of these is true now or starts later:" in page
    assert legs in page


def test_a_few_lines_are_shown_and_the_rest_is_folded(underway: Person) -> None:
    page = finished(underway, age="44")

    watching = watching_of(underway)
    assert sum(len(signs.lines) for signs in watching.first) == MOST_LINES
    folded = page[page.index("More that would change it") :]
    for signs in watching.more:
        assert signs.heading in folded
    assert len({signs.heading for signs in watching.more}) == len(watching.more)
    assert sum(len(signs.lines) for signs in watching.more) >= 1


def test_no_line_is_said_twice_and_none_asks_to_be_unsure(underway: Person) -> None:
    finished(underway, age="44")

    watching = watching_of(underway)
    for signs in (*watching.first, *watching.more):
        assert len(set(signs.lines)) == len(signs.lines)
    lines = [line for signs in (*watching.first, *watching.more) for line in signs.lines]
    said = [text for line in lines for text in (line.says, *line.items)]
    assert not [text for text in said if "Not sure" in text or "None of these" in text]
    assert not [text for text in said if text.startswith("Age:")]  # nobody comes to notice it


def test_numbers_that_do_the_same_are_one_range(underway: Person) -> None:
    finished(underway, age="44", pain_severity="3")

    lines = [line for signs in watching_of(underway).more for line in signs.lines]

    assert any(re.search(r"Worst pain, 0 to 10: \d or more", line.says) for line in lines)


def test_two_signs_that_count_only_together_are_one_line(underway: Person) -> None:
    finished(underway, age="44")

    wording = underway.assessment.content.wording("en")
    lines = [line for signs in watching_of(underway).more for line in signs.lines]
    hours = wording.option(FeatureKey("lump_change"), OptionKey("bigger_hours"))
    thinners = wording.option(FeatureKey("medicines"), OptionKey("blood_thinners"))
    assert any(
        ", together with " in line.says
        and all(each in " ".join((line.says, *line.items)) for each in (hours, thinners))
        for line in lines
    )


def test_several_signs_of_one_thing_are_a_list_that_says_that_any_counts(
    underway: Person,
) -> None:
    page = text_of(finished(underway, age="44"))

    lines = [line for signs in watching_of(underway).first for line in signs.lines]
    assert all(line.says.endswith("any of these:") for line in lines if line.items)
    assert all(len(line.items) != 1 for line in lines)
    assert "Legs and arms, any of these:" in page


def test_what_the_advice_rests_on_is_folded_and_says_that_it_is_a_warning_sign(
    underway: Person,
) -> None:
    page = finished(underway, age="44", fever="yes")

    (fever,) = [row for row in watching_of(underway).hangs_on if row.name == "Fever"]
    assert fever.is_alarm
    assert fever.answer == "Yes"
    summary = page.index("Which answers this advice rests on")
    assert page.rindex("<details", 0, summary) > page.rindex("</details>", 0, summary)
    assert "it does not count only if it was said by mistake" in text_of(page)


def test_nobody_is_sent_looking_for_what_would_calm(underway: Person) -> None:
    finished(underway, age="44", lump_duration="weeks_2_6")

    answered = {row.name for row in pages.rows_of(underway.assessment)}
    assert {row.name for row in watching_of(underway).hangs_on} <= answered


def test_in_an_emergency_nothing_of_it_is_open(underway: Person) -> None:
    underway.answer("none")
    underway.answer(["leak"])

    watching = watching_of(underway)
    assert watching.first == watching.more == ()
    assert "What would change this advice" not in underway.page
    assert "<summary>Which answers this advice rests on" in underway.page


def test_an_unknown_says_what_an_answer_could_change(underway: Person) -> None:
    page = text_of(finished(underway, age="44", bladder_saddle="not_sure"))

    context = pages.outcome_page(underway.assessment, underway.assessment.active_at)
    (bladder,) = [row for row in context["unknowns"] if row.change_url == "/check/2"]
    assert bladder.answer == "Not sure"
    assert bladder.says.startswith("An answer could make the advice more urgent")
    assert "Answer it now : Bladder, bowel" in page


def test_what_could_only_change_the_likeliest_cause_is_folded(underway: Person) -> None:
    finished(underway, age="44", bladder_saddle="not_sure", lump_size="not_sure")

    unknowns = pages.outcome_page(underway.assessment, underway.assessment.active_at)["unknowns"]

    assert [row.change_url for row in unknowns.pressing] == ["/check/2"]
    assert all("more urgent" not in row.says for row in unknowns.others)
    assert "Size of the lump" in [row.name for row in unknowns.others]


def test_in_an_emergency_the_unknowns_are_folded(underway: Person) -> None:
    underway.answer("none")
    underway.answer("not_sure")
    underway.answer(["weak_legs"])

    page = underway.page
    assert "<h2>What we do not know" not in page
