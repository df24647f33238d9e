"""The whole of what a person reads is in the language of the page: here, in Spanish."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from html import unescape
from typing import Any

import pytest
from babel.messages import Catalog
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.utils import translation

from tests.test_templates import REFUSALS, check
from triage import catalogues
from triage.content.knowledge import content_of
from triage.content.models import Release, Translation
from triage.engine import (
    Chosen,
    ConditionKey,
    Evidence,
    FeatureKey,
    Finding,
    MayRaise,
    Number,
    OptionKey,
    Required,
    Safety,
    Settles,
    Tells,
    Together,
    Urgency,
    Why,
    outcome,
)
from triage.questionnaire import errors, pages, sentences, services, views
from triage.questionnaire.forms import AnswerForm
from triage.questionnaire.watching import Line, Signs, Watching

from .conftest import Person

TAG_IN_A_SENTENCE = re.compile(r"</?(?:a|strong|span|tspan)\b[^>]*>")
TAG = re.compile(r"<[^>]+>")
SAID_BY_AN_ATTRIBUTE = re.compile(r'\b(?:aria-label|alt|content|title|data-[a-z-]+)="([^"]*)"')
PLACE = re.compile(r"%\(\w+\)[sd]|\{\w+\}")
ENGLISH_WORD = re.compile(r".{,30}\b(?:the|and|your|this|that|with|was|not)\b.{,30}", re.IGNORECASE)
TWO_WORDS = re.compile(r"[^\W\d]+\W+[^\W\d]+")


def said_on(page: str) -> str:
    """Return all that a page says: what is seen, and what is only heard."""
    seen = TAG.sub(" ", TAG_IN_A_SENTENCE.sub("", page))
    return re.sub(r"\s+", " ", unescape("\n".join([seen, *SAID_BY_AN_ATTRIBUTE.findall(page)])))


def pieces_of(text: str) -> Iterator[str]:
    """Yield what stands between the places of a message, where that is two words or more."""
    for piece in PLACE.split(TAG.sub("", text).replace("%%", "%")):
        plain = re.sub(r"\s+", " ", unescape(piece)).strip(" .,:;()“”")
        if TWO_WORDS.search(plain):
            yield plain


@cache
def spanish_catalogue() -> Catalog:
    (file,) = (file for file in catalogues.po_files() if catalogues.language_of(file) == "es")
    return catalogues.catalogue_of(file)


@cache
def messages() -> tuple[tuple[str, str], ...]:
    """Return each message of the interface with its Spanish, one and several apart."""
    found: list[tuple[str, str]] = []
    for message in spanish_catalogue():
        if isinstance(message.id, str):
            found.append((message.id, str(message.string)))
        else:
            found += zip(message.id, message.string or (), strict=True)
    return tuple(found)


@cache
def english_of(texts: tuple[tuple[str, str], ...]) -> set[str]:
    """Return the English of these texts, where the Spanish does not say the same."""
    return {
        piece
        for text, spanish in texts
        for piece in pieces_of(text)
        if piece not in set(pieces_of(spanish))
    }


def english_in(text: str, *more: tuple[str, str]) -> list[str]:
    said = said_on(text)
    there = [piece for piece in english_of((*messages(), *more)) if piece in said]
    return [piece for piece in there if re.search(rf"(?<!\w){re.escape(piece)}(?!\w)", said)]


def assert_spanish(*texts: str) -> None:
    for text in texts:
        assert text
        assert not english_in(text)


@pytest.fixture
def spanish() -> Iterator[None]:
    with translation.override("es"):
        yield


def begun(voice: str = "text") -> Person:
    """Somebody who has started on the Spanish page."""
    person = Person(path="/es/check/begin")
    person.post({"voice": voice})
    return person


def test_english_would_be_found() -> None:
    assert english_in("<p>Nothing <strong>was</strong> changed.</p>") == ["Nothing was changed"]
    assert english_in('<nav aria-label="Skip to main content">') == ["Skip to main content"]
    assert english_in("Peor dolor: 7 or more") == ["or more"]


# A visit

VISITS: dict[str, dict[str, Any]] = {
    "text": {"age": "44", "pain_severity": "7", "bladder_saddle": "not_sure"},
    "mirror": {
        "age": "71",
        "cancer_history": "yes",
        "pain_when": ["night"],
        "general_signs": ["weight_loss"],
        "lump_size": "not_sure",
    },
    "helper": {
        "age": "28",
        "fever": "yes",
        "lump_feel": "rubbery",
        "skin_look": ["black_dot", "red"],
        "hot_to_touch": "yes",
    },
    "other": {"age": "9", "fever": "yes"},
}


@pytest.mark.django_db
@pytest.mark.parametrize("voice", VISITS)
def test_a_visit_in_spanish_shows_no_english(voice: str) -> None:
    content = tuple(Translation.objects.filter(language="es").values_list("original", "text"))
    seen: dict[str, str] = {}

    def keep(person: Person, of: str = "") -> None:
        seen[f"{person.path} {of}"] = person.page

    person = Person()
    person.go("/es/")
    keep(person)
    person = begun(voice)
    while person.feature:
        keep(person)
        asked = person.feature
        person.answer("")
        keep(person, "refused")
        person.answer(VISITS[voice].get(asked, person.calm()))
    keep(person)
    person.post({}, "/es/check/finish")
    keep(person)
    person.post({"feature": "right_now", "revision": "0", "reply": "junk"}, "/es/check/7")
    keep(person, "stale")

    assert person.assessment.finished_at
    assert len(seen) > 20
    for name, page in seen.items():
        assert name.startswith("/es/")
        assert '<html lang="es">' in page, name
        assert "llame ahora mismo al 999" in said_on(page), name
        assert not english_in(page, *content), name
        assert not ENGLISH_WORD.findall(said_on(page)), name  # whether it is a message or not


@pytest.mark.django_db
def test_an_emergency_in_spanish_shows_no_english() -> None:
    content = tuple(Translation.objects.filter(language="es").values_list("original", "text"))
    person = begun()
    person.answer("none")
    person.answer("not_sure")
    person.answer(["weak_legs"])
    shown = [person.page]
    person.go("/es/check/3")
    person.answer(["none"])
    shown.append(person.page)

    assert 'data-urgency="emergency_now"' in shown[0]
    assert 'name="confirm"' in shown[1]
    for page in shown:
        assert not english_in(page, *content)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address",
    ["guide", "privacy", "accessibility", "about", "complain", "not-for-me/no-lump",
     "not-for-me/elsewhere", "not-for-me/danger", "emergency", "conditions/", "check/delete",
     "check/deleted"],
)  # fmt: skip
def test_a_standing_page_in_spanish_shows_no_english(client: Client, address: str) -> None:
    page = client.get(f"/es/{address}").content.decode()

    assert '<html lang="es">' in page
    assert not english_in(page)


@pytest.mark.django_db
def test_whoever_changes_the_language_goes_on_where_they_were(person: Person) -> None:
    person.begin()
    person.answer("none")

    person.go("/es/check/2")

    assert not english_in(person.page)
    assert 'action="/es/check/2"' in person.page
    person.answer("none")
    assert person.path == "/es/check/3"
    person.go("/check/3")
    assert 'action="/check/3"' in person.page
    assert english_in(person.page)


# Each kind of sentence


@pytest.mark.usefixtures("spanish")
@pytest.mark.parametrize(
    "why", [Safety(), Required(), Tells(0.4), MayRaise((ConditionKey("skin_abscess"),))]
)
def test_why_a_question_is_asked(release: Release, why: Why) -> None:
    assert_spanish(sentences.why_asked(why, content_of(release.pk).knowledge))


@pytest.mark.usefixtures("spanish")
def test_why_a_question_about_any_rule_is_asked(release: Release) -> None:
    knowledge = content_of(release.pk).knowledge

    reasons = {sentences.why_asked(Settles((rule.key,)), knowledge) for rule in knowledge.rules}

    assert len(reasons) == len({rule.urgency for rule in knowledge.rules})
    assert_spanish(*reasons)


@pytest.mark.parametrize("words", [sentences.CHANCES, sentences.DECLINED, sentences.SOON])
def test_words_that_differ_in_english_differ_in_spanish(words: dict[object, Any]) -> None:
    in_english = [str(word) for word in words.values()]

    with translation.override("es"):
        in_spanish = [str(word) for word in words.values()]

    assert len(set(in_spanish)) == len(words)
    assert not set(in_spanish) & set(in_english)


def told(release: Release, **replies: Chosen | Number) -> list[str]:
    """Say every finding for and against every cause, in the language that is spoken now."""
    content = content_of(release.pk)
    evidence = Evidence([(FeatureKey(key), reply) for key, reply in replies.items()])
    wording = content.wording(translation.get_language() or "")
    found: set[Finding | Together] = {
        weight.finding
        for ranked in outcome(content.knowledge, evidence).differential
        for weight in (*ranked.supports, *ranked.opposes)
    }
    return sorted(sentences.told(each, evidence, content.knowledge, wording) for each in found)


def chosen(*keys: str) -> Chosen:
    return Chosen(frozenset(map(OptionKey, keys)))


@pytest.mark.usefixtures("spanish")
def test_what_speaks_for_and_against_a_cause(release: Release) -> None:
    replies: dict[str, Chosen | Number] = {
        "age": Number(44),
        "fever": chosen("no"),
        "pain_when": chosen("press"),
    }

    alone = told(release, **replies, general_signs=chosen("none"))
    ill = told(release, **replies, general_signs=chosen("unwell", "very_tired"))

    assert_spanish(*alone, *ill)
    assert any(": 44" in text for text in ill)
    assert any("no “" in text for text in ill)
    assert any(text.endswith(": nada más") for text in alone)
    assert any("; pero " in text for text in ill)


@pytest.mark.django_db
@pytest.mark.usefixtures("spanish")
def test_what_would_change_the_advice() -> None:
    person = begun()
    person.answer_all(age="44", pain_severity="3", bladder_saddle="not_sure", lump_size="not_sure")

    page = pages.outcome_page(person.assessment, person.assessment.active_at)

    watching = page["watching"]
    assert isinstance(watching, Watching)
    lines = [
        text
        for signs in (*watching.first, *watching.more)
        for line in signs.lines
        for text in (line.says, *line.items)
    ]
    for words in ("; o ", ", junto con ", " o más"):
        assert any(words in line for line in lines), words
    unknown = {row.says for row in page["unknowns"]}
    assert len(unknown) >= 2
    assert_spanish(*lines, *unknown, *(signs.heading for signs in watching.first))


@pytest.mark.usefixtures("spanish")
@pytest.mark.parametrize(
    ("key", "replies"),
    [
        ("age", []),
        ("pain_severity", []),
        ("fever", []),
        ("right_now", []),
        ("right_now", ["none", "collapse"]),
    ],
)
def test_what_to_do_about_an_answer_that_makes_no_sense(
    release: Release, key: str, replies: list[str]
) -> None:
    content = content_of(release.pk)
    posted = QueryDict(mutable=True)
    posted.setlist("reply", replies)

    form = AnswerForm(
        posted,
        feature=content.knowledge.feature(FeatureKey(key)),
        wording=content.wording("es"),
        reply=None,
        revision=0,
    )

    assert len(form.errors) == 1
    assert_spanish(*form.errors)


@pytest.mark.usefixtures("spanish")
def test_an_answer_that_could_not_be_saved() -> None:
    assert_spanish(str(views.NOT_SAVED))


# One and several


@pytest.mark.usefixtures("spanish")
def test_one_and_several_are_told_apart() -> None:
    plurals = [message for message in spanish_catalogue() if not isinstance(message.id, str)]

    assert plurals
    for message in plurals:
        uno, varios = tuple(message.string or ())
        said = [
            translation.ngettext(message.id[0], message.id[1], number) for number in (1, 2, 0, 21)
        ]
        assert said == [uno, varios, varios, varios]
        assert uno != varios


@pytest.mark.usefixtures("spanish")
def test_one_sign_and_several_have_a_sentence_each() -> None:
    uno, dos = (Line(Urgency.EMERGENCY_NOW, says) for says in ("uno", "dos"))
    one, two = (
        render_to_string("questionnaire/signs.html", {"groups": [Signs("Llame", lines)]})
        for lines in ((uno,), (uno, dos))
    )

    assert "si esto " in one
    assert "si alguna de estas cosas " in two
    assert_spanish(one, two)


# Refusals


def assert_says_whom_to_call(response: HttpResponse) -> None:
    page = response.content.decode()
    assert '<html lang="es">' in page
    assert "En una emergencia llame ahora mismo al 999" in said_on(page)
    assert 'href="tel:999"' in page
    assert not english_in(page)


@pytest.mark.usefixtures("spanish")
@pytest.mark.parametrize("name", REFUSALS)
def test_every_refusal_names_the_emergency_number_in_spanish(name: str, rf: RequestFactory) -> None:
    response = errors.static_page(rf.get("/es/"), f"{name}.html", 400)

    check_in_spanish = response.content.decode().replace("En una emergencia", "In an emergency")
    check(check_in_spanish)
    assert_says_whom_to_call(response)


@pytest.mark.usefixtures("spanish")
@pytest.mark.parametrize("name", ["500.html", "503.html", "429.html", "pages/emergency.html"])
def test_the_last_pages_are_spanish_with_nothing_behind_them(name: str) -> None:
    page = render_to_string(name)

    assert '<html lang="es">' in page
    assert 'href="/"' not in page  # back to the start, but not in English
    assert "al número de emergencias de su zona" in page
    assert not english_in(page)


REQUESTS: dict[int, Callable[[Client], Any]] = {
    400: lambda browser: browser.get("/es/", headers={"host": "evil.example"}),
    403: lambda _: Client(enforce_csrf_checks=True).post("/es/check/begin"),
    404: lambda browser: browser.get("/es/no/such/page"),
    405: lambda browser: browser.get("/es/check/finish"),
}


@pytest.mark.django_db
@pytest.mark.parametrize("status", REQUESTS)
def test_a_request_that_is_refused_is_told_so_in_spanish(client: Client, status: int) -> None:
    response = REQUESTS[status](client)

    assert response.status_code == status
    assert_says_whom_to_call(response)


@pytest.mark.django_db
@pytest.mark.parametrize(("error", "status"), [(DatabaseError, 503), (RuntimeError, 500)])
def test_what_breaks_is_told_in_spanish(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception], status: int
) -> None:
    person = begun()
    person.browser.raise_request_exception = False

    def broken(**_: Any) -> None:
        raise error

    monkeypatch.setattr(services, "find", broken)

    response: Any = person.browser.get("/es/check/1")

    assert response.status_code == status
    assert_says_whom_to_call(response)


def gone(*_: Any, **__: Any) -> str:
    raise OSError


@pytest.fixture
def request_without_templates(monkeypatch: pytest.MonkeyPatch, rf: RequestFactory) -> HttpRequest:
    monkeypatch.setattr(errors, "render_to_string", gone)
    return rf.get("/es/")


@pytest.mark.usefixtures("spanish")
def test_the_last_resort_is_spanish(request_without_templates: HttpRequest) -> None:
    said = errors.broken(request_without_templates).content.decode()

    assert "llame ahora mismo al 999" in said
    assert_spanish(said)


@pytest.mark.usefixtures("spanish")
def test_without_catalogues_the_last_resort_is_at_least_english(
    request_without_templates: HttpRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errors, "gettext", gone)

    assert b"In an emergency call 999 now" in errors.broken(request_without_templates).content


# Which way a page runs


@pytest.mark.parametrize(("language", "way"), [("ar", ' dir="rtl"'), ("es", "")])
def test_a_page_says_its_language_and_which_way_it_runs(language: str, way: str) -> None:
    with translation.override(language):
        page = render_to_string("500.html")

    assert f'<html lang="{language}"{way}>' in page
