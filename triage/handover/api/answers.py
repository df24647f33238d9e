"""What a program sends, read strictly: each fault is told with its place, none is guessed away."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.conf import settings

from triage.content.knowledge import Content, content_of
from triage.content.models import Release, Topic
from triage.content.releases import NothingPublished, live_release
from triage.engine import (
    Chosen,
    Decline,
    Declined,
    EngineError,
    Evidence,
    Feature,
    FeatureKey,
    Kind,
    Number,
    OptionKey,
    Reply,
    UnknownFeature,
    Urgency,
    check_reply,
)
from triage.questionnaire import services
from triage.questionnaire.models import Assessment

from .problems import Fault, Refused

NUMBERS = 2**31  # releases are counted; so far no further than a database does
MOST_DIGITS = 100
WAYS = ("options", "number", "declined")
SHOWN = 100  # letters of what was sent that a sentence quotes


@dataclass(frozen=True, slots=True)
class Asked:
    """What to work out: on which content, in which language and voice, from which replies.

    With `conclude` nothing is asked any more that only tells the causes apart.
    """

    content: Content
    language: str
    voice: Assessment.Voice
    evidence: Evidence
    conclude: bool


def document_in(body: bytes) -> Any:
    """Return the JSON of a body. Raises Refused, for a name that comes twice too."""
    try:
        return json.loads(
            body.decode(),
            object_pairs_hook=_each_once,
            parse_int=_short,
            parse_constant=_no_number,
        )
    except RecursionError:
        why = "it is nested too deeply"
    except UnicodeDecodeError:
        why = "it is not UTF-8"
    except json.JSONDecodeError as error:
        why = f"line {error.lineno}, column {error.colno}"
    except ValueError as error:
        why = str(error)
    raise Refused(HTTPStatus.BAD_REQUEST, "not_json", f"The body is not JSON that we read: {why}.")


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        raise ValueError("a name comes twice in one object")
    return document


def _short(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError("a number has too many digits")
    return int(digits)


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def asked_in(document: Any) -> Asked:
    """Return what a body asks for. Raises Refused, with the place of every fault."""
    if not isinstance(document, dict):
        raise _unfit([Fault("", "The body must be an object with “topic” and “answers”.")])
    if faults := list(_faults_of_members(document)):
        raise _unfit(faults)
    release = _release(document["topic"], document.get("release"))
    content = content_of(release.pk)
    evidence, faults = _evidence(document["answers"], content)
    if release.recalled_at is not None:
        raise _recalled(content, evidence)
    language = _language(document.get("language", settings.LANGUAGE_CODE), content, faults)
    if faults:
        raise _unfit(faults)
    return Asked(
        content,
        language,
        Assessment.Voice(document.get("voice", Assessment.Voice.TEXT)),
        evidence,
        document.get("conclude", False),
    )


def _unfit(faults: list[Fault]) -> Refused:
    return Refused(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "unfit",
        "Nothing was worked out: see “errors” for what is wrong, and where.",
        faults=faults,
    )


def _recalled(content: Content, evidence: Evidence) -> Refused:
    reached = services.implied(content.knowledge, evidence).urgency
    return Refused(
        HTTPStatus.GONE,
        "recalled",
        f"Release {content.release_number} was recalled for safety. Begin anew, without “release”."
        " “emergency” says whether these answers had raised one; whoever raised one still goes.",
        emergency=reached is Urgency.EMERGENCY_NOW,
    )


# The members


def _faults_of_members(document: Mapping[str, Any]) -> Iterator[Fault]:
    known = {
        "topic": (str, "the key of a topic, such as “back-lump”"),
        "language": (str, "one such as “en”"),
        "release": (int, "the number of a release"),
        "answers": (list, "a list, which may be empty"),
        "voice": (str, f"one of {_listed(Assessment.Voice.values)}"),
        "conclude": (bool, "true or false"),
    }
    for name in document.keys() - known.keys():
        yield Fault(_cut(name), f"There is no such member; there are {_listed(known)}.")
    for name in ("topic", "answers"):
        if name not in document:
            yield Fault(name, f"This has to be there: {known[name][1]}.")
    for name, (kind, what) in known.items():
        if name in document and type(document[name]) is not kind:
            yield Fault(name, f"This has to be {what}.")
    voice = document.get("voice", Assessment.Voice.TEXT)
    if type(voice) is str and voice not in Assessment.Voice:
        yield Fault("voice", f"This has to be {known['voice'][1]}.")


def _listed(words: Any) -> str:
    return ", ".join(f"“{word}”" for word in words)


def _cut(sent: str) -> str:
    return sent if len(sent) <= SHOWN else f"{sent[:SHOWN]}…"


def _release(topic: str, number: int | None) -> Release:
    """Return the release that is asked for, recalled or not. Raises Refused."""
    topics = list(Topic.objects.order_by("pk").values_list("key", flat=True))
    if topic not in topics:
        raise _unfit([Fault("topic", f"There is no “{_cut(topic)}”; there is {_listed(topics)}.")])
    if number is None:
        try:
            return live_release(topic)
        except NothingPublished:
            raise Refused(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "nothing_published",
                f"No release of “{topic}” may be shown to anybody now.",
                headers={"Retry-After": "60"},
            ) from None
    found = (
        Release.objects.filter(topic__key=topic, number=number).for_patients().without_document()
        if 0 < number < NUMBERS
        else Release.objects.none()
    )
    if release := found.first():
        return release
    raise _unfit([Fault("release", f"“{topic}” has no release of this number.")])


def _language(asked: str, content: Content, faults: list[Fault]) -> str:
    """Return the language by the code that this site has for it: “en” may be “en-gb”."""
    spoken: dict[str, str] = {}
    for code, _ in settings.LANGUAGES:
        language = code.partition("-")[0]
        if language in content.wordings:
            spoken |= {language: code, code: code}
    if asked not in spoken:
        what = f"This release does not speak “{_cut(asked)}”; it speaks {_listed(spoken)}."
        faults.append(Fault("language", what))
    return spoken.get(asked, "")


# The answers


def _evidence(answers: list[Any], content: Content) -> tuple[Evidence, list[Fault]]:
    """Return the replies in the order of the topic, whatever order they came in, and the faults."""
    knowledge = content.knowledge
    replies: dict[FeatureKey, Reply] = {}
    faults: list[Fault] = []
    for number, answer in enumerate(answers):
        place = f"answers/{number}"
        try:
            feature = _feature(answer, place, content)
            if feature.key in replies:
                raise Unfit(f"{place}/feature", f"“{feature.key}” is answered twice.")
            replies[feature.key] = _reply(answer, place, feature)
        except Unfit as unfit:
            faults.append(unfit.fault)
    return Evidence(sorted(replies.items(), key=lambda pair: knowledge.place[pair[0]])), faults


class Unfit(Exception):
    """One answer that is none."""

    def __init__(self, place: str, detail: str) -> None:
        super().__init__()
        self.fault = Fault(place, detail)


def _feature(answer: Any, place: str, content: Content) -> Feature:
    if not isinstance(answer, dict):
        raise Unfit(place, f"An answer is an object: “feature”, and one of {_listed(WAYS)}.")
    if "feature" not in answer:
        raise Unfit(f"{place}/feature", "This has to be there: the key of a feature.")
    key = answer["feature"]
    try:
        if type(key) is not str:
            raise UnknownFeature
        return content.knowledge.feature(FeatureKey(key))
    except UnknownFeature:
        shown = f"“{_cut(key)}”" if type(key) is str else "this"
        release = f"release {content.release_number} of “{content.topic}”"
        raise Unfit(f"{place}/feature", f"{release} has no feature {shown}.") from None


def _reply(answer: dict[str, Any], place: str, feature: Feature) -> Reply:
    """Return the reply in the one form that the engine knows it in. Raises Unfit."""
    if strange := answer.keys() - {"feature", *WAYS}:
        raise Unfit(f"{place}/{_cut(min(strange))}", "There is no such member of an answer.")
    ways = [way for way in WAYS if way in answer]
    if len(ways) != 1:
        raise Unfit(place, f"An answer has one of {_listed(WAYS)}; this one has {len(ways)}.")
    (way,) = ways
    place = f"{place}/{way}"
    match way:
        case "options":
            reply: Reply = _chosen(answer[way], place, feature)
        case "number":
            reply = Number(_whole(answer[way], place))
        case _:
            reply = _declined(answer[way], place, feature)
    try:
        return check_reply(feature, reply)
    except EngineError as unfit:
        raise Unfit(place, f"{str(unfit)[0].upper()}{str(unfit)[1:]}.") from None


def _chosen(options: Any, place: str, feature: Feature) -> Chosen:
    if not isinstance(options, list):
        raise Unfit(place, "This has to be a list of the keys of options.")
    if feature.kind is Kind.NUMBER:
        raise Unfit(place, f"“{feature.key}” takes a number.")
    for number, option in enumerate(options):
        if type(option) is not str or not feature.has(OptionKey(option)):
            there = _listed(option.key for option in feature.options)
            raise Unfit(f"{place}/{number}", f"“{feature.key}” has no such option; it has {there}.")
        if option in options[:number]:
            raise Unfit(f"{place}/{number}", "This option is there already.")
    return Chosen(frozenset(map(OptionKey, options)))


def _whole(number: Any, place: str) -> int:
    """Return a whole number, which JSON may write as 44 and as 44.0 alike."""
    if type(number) is float and number.is_integer():
        return int(number)
    if type(number) is not int:
        raise Unfit(place, "This has to be a whole number.")
    return number


def _declined(way: Any, place: str, feature: Feature) -> Declined:
    if type(way) is not str or way not in Decline:
        raise Unfit(place, f"This has to be one of {_listed(feature.declines or Decline)}.")
    return Declined(Decline(way))
