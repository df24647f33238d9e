"""How to look at a back, feel it and measure a lump: as a page, and beside the questions."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from triage.content.models import Release
from triage.engine import FeatureKey, Knowledge, Observation
from triage.questionnaire.models import Assessment

from .conftest import Person
from .test_outcome import finished, text_of

BY_LOOKING = {Observation.NEEDS_EYES, Observation.NEEDS_HANDS}
DRAWINGS = sorted((settings.BASE_DIR / "templates/questionnaire/drawings").glob("*.html"))
VOICES = list(Assessment.Voice)
HOW = {"How to look", "How to feel", "How to measure"}


def asked(voice: Assessment.Voice, feature: str) -> str:
    """Return the page on which this question is asked, the first of all."""
    person = Person()
    person.post({"voice": voice.value}, "/check/begin")
    Assessment.objects.filter(pk=person.assessment.pk).update(asking=feature)
    person.go("/check/1")
    return person.page


def folded(page: str) -> dict[str, str]:
    """Return what each folded part of a page says, by what is written on it."""
    found = re.findall(r"<details>\s*<summary>(.*?)</summary>(.*?)</details>", page, re.DOTALL)
    return {summary: text_of(text) for summary, text in found}


# The page


def test_anybody_can_read_the_guide(release: Release) -> None:
    response = Client().get("/guide")

    assert response.status_code == 200
    assert not response.cookies
    page = text_of(response.content.decode())
    for part in (
        "How to look",
        "With two mirrors",
        "With a phone",
        "How to feel",
        "How to measure",
    ):
        assert part in page
    assert page.index("Leave it alone if any of these is true") < page.index("How to look With")


def test_the_start_leads_to_the_guide(person: Person) -> None:
    person.go("/")

    assert 'href="/guide"' in person.page


# Beside the questions


@pytest.mark.parametrize("voice", VOICES)
def test_a_question_for_eyes_or_hands_says_how_and_no_other_does(
    release: Release, shipped: Knowledge, voice: Assessment.Voice
) -> None:
    for feature in shipped.features:
        parts = HOW & set(folded(asked(voice, feature.key)))

        match feature.observation:
            case Observation.NEEDS_EYES:
                assert parts == {"How to look"}
            case Observation.NEEDS_HANDS if feature.key == "lump_size":
                assert parts == {"How to measure"}
            case Observation.NEEDS_HANDS:
                assert parts == {"How to feel"}
            case _:
                assert not parts


@pytest.mark.parametrize(
    ("voice", "said", "unsaid"),
    [
        (Assessment.Voice.TEXT, "If you have a mirror or a phone at hand", "Prop up the phone"),
        (Assessment.Voice.MIRROR, "Prop up the phone", "If you have a mirror"),
        (Assessment.Voice.HELPER, "Let them sit or stand", "wall mirror"),
        (Assessment.Voice.OTHER, "If you are not with them, ask them", "wall mirror"),
    ],
)
def test_how_to_look_is_worded_for_the_way_that_was_chosen(
    release: Release, voice: Assessment.Voice, said: str, unsaid: str
) -> None:
    how = folded(asked(voice, "skin_look"))["How to look"]

    assert said in how
    assert unsaid not in how


@pytest.mark.parametrize("voice", VOICES)
def test_only_who_is_alone_is_told_to_reach_for_their_own_back(
    release: Release, voice: Assessment.Voice
) -> None:
    alone = voice in (Assessment.Voice.TEXT, Assessment.Voice.MIRROR)

    how = folded(asked(voice, "lump_feel"))["How to feel"]

    assert ("Reach over your shoulder" in how) == alone
    assert ("before you do" in how) != alone
    assert "Do not squeeze, pinch or poke." in how


@pytest.mark.parametrize("voice", VOICES)
def test_how_to_measure_names_things_with_their_size(
    release: Release, voice: Assessment.Voice
) -> None:
    how = folded(asked(voice, "lump_size"))["How to measure"]

    assert "a grape (1.5 to 2 cm)" in how
    assert "a walnut (about 3 cm)" in how
    assert "a golf ball (4.3 cm, or 1¾ inches)" in how
    assert ("In a photo, a coin or a ruler" in how) == (voice == Assessment.Voice.MIRROR)
    assert "Skip this if it is very sore, bleeds or leaks" in how


# The drawings


@pytest.mark.parametrize("path", DRAWINGS, ids=lambda path: path.stem)
def test_a_drawing_is_an_extra_in_the_colours_of_the_page(path: Path) -> None:
    drawing = path.read_text()

    assert '<div class="picture" aria-hidden="true">' in drawing
    colours = set(re.findall(r'\b(?:fill|stroke)="([^"]+)"', drawing))
    assert colours <= {"none", "currentColor"}


def test_the_sizes_are_drawn_to_the_scale_of_their_ruler() -> None:
    drawing = (settings.BASE_DIR / "templates/questionnaire/drawings/sizes.html").read_text()
    centimetre, inch = 30, 30 * 2.54
    coin, golf_ball = 2.03, 4.267  # across: The Royal Mint; The R&A, Equipment Rules

    radii = [float(radius) for radius in re.findall(r'class="body" [^>]*\br="([\d.]+)"', drawing)]
    ticks = [float(place) for place in re.findall(r"M([\d.]+) (?:252v9|308v-9)", drawing)]

    assert radii == pytest.approx(
        [across / 2 * centimetre for across in (0.8, coin, golf_ball)], abs=0.1
    )
    assert ticks[:9] == [20 + centimetre * number for number in range(9)]
    assert ticks[9:] == pytest.approx([20 + inch * number for number in range(4)])


# Who observed


@pytest.mark.parametrize("voice", VOICES)
def test_the_outcome_says_who_saw_or_felt(release: Release, voice: Assessment.Voice) -> None:
    person = Person()
    person.post({"voice": voice.value}, "/check/begin")

    page = text_of(finished(person, age="44", lump_size="walnut"))

    names = {
        Assessment.Voice.TEXT: "the person:",
        Assessment.Voice.MIRROR: "the person, with a mirror or a phone photo:",
        Assessment.Voice.HELPER: "a helper who is with them:",
        Assessment.Voice.OTHER: "somebody answering for them:",
    }
    assert f"Seen or felt by {names[voice]}" in page


def test_only_what_eyes_or_hands_told_is_said_to_be_seen_or_felt(
    underway: Person, shipped: Knowledge
) -> None:
    page = text_of(finished(underway, age="44", lump_size="walnut", lump_feel="not_sure"))

    said = re.findall(r"Seen or felt by the person: (.*?)\. ", page)
    wording = underway.assessment.content.wording("en")
    told = {
        wording.feature_name(FeatureKey(key))
        for key, reply in underway.assessment.replies
        if shipped.feature(FeatureKey(key)).observation in BY_LOOKING and reply != ["not_sure"]
    }
    assert len(said) == 1
    assert set(said[0].split("; ")) == told
    assert wording.feature_name(FeatureKey("lump_size")) in told
    assert wording.feature_name(FeatureKey("lump_feel")) not in told


def test_an_outcome_that_rests_on_no_look_says_nothing_of_one(underway: Person) -> None:
    underway.answer(["blue_blotchy"])

    assert underway.path == "/check/outcome"
    assert "Seen or felt" not in underway.page
