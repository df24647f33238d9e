"""What the pages of an assessment show: replies and their outcome, in plain sentences."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from itertools import groupby
from typing import Any

from django.conf import settings
from django.http import QueryDict
from django.template import TemplateDoesNotExist
from django.template.loader import get_template, render_to_string
from django.urls import get_script_prefix, reverse
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from triage.content.calibration import MOST_CAUSES
from triage.content.glossary import Term
from triage.content.knowledge import Content, Voice, Wording
from triage.content.places import language_here
from triage.engine import (
    ENGINE_VERSION,
    NOT_SURE,
    Ask,
    Chosen,
    Decline,
    Declined,
    Evidence,
    Feature,
    FeatureKey,
    FlagReason,
    Kind,
    Observation,
    Ranked,
    Reason,
    Reply,
    RiskReason,
    RuleKey,
    Urgency,
    Weight,
    applies,
    next_step,
    outcome_and_changes,
)

from .forms import AnswerForm
from .in_100 import in_100, whole
from .models import Assessment
from .sentences import CHANCES, range_of, replied, told, why_asked
from .watching import not_known, watching

MOST_WEIGHTS = 5  # for and against a cause: the weightiest; the rest say little
TOLD_AT_ONCE = Urgency.SAME_DAY
BY_EYES_OR_HANDS = (Observation.NEEDS_EYES, Observation.NEEDS_HANDS)
READS: Mapping[Assessment.Voice, Voice] = {
    Assessment.Voice.TEXT: "text",
    Assessment.Voice.MIRROR: "text",  # the questions are the same, only the guide to them is not
    Assessment.Voice.HELPER: "helper",
    Assessment.Voice.OTHER: "other",
}
WAYS: Mapping[Assessment.Voice, Promise] = {
    Assessment.Voice.TEXT: gettext_lazy("By myself, mostly by touch"),
    Assessment.Voice.MIRROR: gettext_lazy("By myself, with a mirror or a phone photo"),
    Assessment.Voice.HELPER: gettext_lazy("Someone is with me: they look, feel and answer here"),
    Assessment.Voice.OTHER: gettext_lazy(
        "I am answering for someone else, such as a parent or child"
    ),
}
"""How the back can be checked, as whoever picks it would say it."""
WAYS_ELSEWHERE: Mapping[Assessment.Voice, Promise] = {
    Assessment.Voice.TEXT: gettext_lazy("I answer for myself"),
    Assessment.Voice.OTHER: gettext_lazy(
        "I am answering for someone else, such as a parent or child"
    ),
}
"""The same where nothing has to be seen or felt."""


@dataclass(frozen=True, slots=True)
class Question:
    """The question of one feature, in the voice of whoever answers."""

    key: FeatureKey
    kind: Kind
    question: str
    help: str
    why_we_ask: str
    section: str
    declines: tuple[Decline, ...]
    picture: str
    terms: tuple[Term, ...]
    voice: Assessment.Voice
    how_to: str


@dataclass(frozen=True, slots=True)
class Row:
    """One answer in the list of answers."""

    number: int
    name: str
    answer: str
    section: str
    change_url: str


KEPT = 2048
"""How many drawn parts are remembered: a release has some 300, and each draft that is tried out
brings its own."""


def url_of(number: int) -> str:
    return _url_of(number, get_language(), get_script_prefix())


@cache
def _url_of(number: int, language: str | None, mount: str) -> str:
    """Return where a question stands: the language is the active one, which leads its address, and
    a draft that is tried out stands below another mount."""
    return reverse("questionnaire:question", args=[number])


def marks_of(content: Content) -> dict[str, Any]:
    """What every page says of the release it stands on."""
    return {
        "languages": tuple(content.wordings),
        "translation_unchecked": not content.wording(language_here()).is_checked,
        "draft": content.release_number == 0,
        "check_name": name_of(content),
        "demonstration": content.demonstration,
        "approved_for_clinical_use": bool(settings.CLINICAL_SAFETY_OFFICER)
        and not content.demonstration
        and content.release_number > 0,
    }


def wording_of(assessment: Assessment) -> Wording:
    """Return the texts in the language of the page, whatever the assessment was begun in."""
    return assessment.content.wording(language_here())


def question_of(assessment: Assessment, feature: FeatureKey) -> Question:
    voice = Assessment.Voice(assessment.voice)
    return _question(assessment.content, wording_of(assessment), voice, feature)


@lru_cache(KEPT)
def _question(
    content: Content, wording: Wording, voice: Assessment.Voice, feature: FeatureKey
) -> Question:
    asked = content.knowledge.feature(feature)
    return Question(
        key=feature,
        kind=asked.kind,
        question=wording.question(feature, READS[voice]),
        help=wording.help(feature),
        why_we_ask=wording.why_we_ask(feature),
        section=wording.section(feature),
        declines=asked.declines,
        picture=_picture_of(feature),
        terms=wording.terms_of(feature),
        voice=voice,
        how_to=_how_to(asked),
    )


def form_of(
    assessment: Assessment, feature: FeatureKey, posted: QueryDict | None = None
) -> AnswerForm:
    return AnswerForm(
        posted,
        feature=assessment.content.knowledge.feature(feature),
        wording=wording_of(assessment),
        reply=assessment.reply(feature),
        revision=assessment.revision,
    )


def question_page(
    assessment: Assessment, number: int, form: AnswerForm, ask: Ask | None = None
) -> dict[str, Any]:
    """Show one question. `ask` is the engine's reason for it, where it was just worked out."""
    content, feature = assessment.content, question_of(assessment, form.asked.key)
    ask = ask or _asked_then(assessment, number)
    return marks_of(content) | {
        "form": form,
        "feature": feature,
        "fields": _untouched(content, form.wording, feature)
        if form.is_untouched
        else _fields(form, feature),
        "here": url_of(number),
        "number": number,
        "usual": range_of(*content.usual_questions),
        "below": _below(
            form.wording,
            feature,
            why_asked(ask.why, content.knowledge) if ask else "",
            ways_of(assessment) if feature.how_to else "",
        ),
        "previous_url": _previous_url(assessment, number),
        "changing": number <= len(assessment.replies),
        "so_far": _so_far(assessment),
    }


def _so_far(assessment: Assessment) -> dict[str, str] | None:
    """Return the advice that a rule has set already, where it cannot wait for the last question."""
    reached = assessment.urgency
    if not assessment.asking or reached is None or reached < TOLD_AT_ONCE:
        return None
    advice = wording_of(assessment).advice("urgency", Urgency(reached).key)
    return {
        "key": Urgency(reached).key,
        "heading": advice.heading,
        "what_to_do": advice.what_to_do,
    }


def _fields(form: AnswerForm, feature: Question) -> SafeString:
    """Draw the question and what it is answered with."""
    template = f"questionnaire/fields/{'number' if form.is_typed else 'choices'}.html"
    return render_to_string(template, {"form": form, "feature": feature})


@lru_cache(KEPT)
def _untouched(content: Content, wording: Wording, feature: Question) -> SafeString:
    """Draw a question that nobody has answered yet: the same for everybody, so only once."""
    asked = content.knowledge.feature(feature.key)
    return _fields(AnswerForm(feature=asked, wording=wording, reply=None, revision=0), feature)


@lru_cache(KEPT)
def _below(wording: Wording, feature: Question, why: str, ways: str) -> SafeString:
    """Draw what stands below the answers, which is the same for many: so only once in a language."""
    context = {"feature": feature, "why": why, "ways": ways}
    return render_to_string("questionnaire/below.html", context)


def ways_of(assessment: Assessment) -> SafeString:
    """Draw the other ways to check the back, as long as there is a choice."""
    if assessment.finished_at:
        return SafeString()
    return _ways(Assessment.Voice(assessment.voice), get_language(), get_script_prefix())


@cache
def _ways(voice: Assessment.Voice, language: str | None, mount: str) -> SafeString:
    others = [(other.value, way) for other, way in WAYS.items() if other is not voice]
    context = {"way": WAYS[voice], "others": others}
    return render_to_string("questionnaire/ways.html", context)


def _asked_then(assessment: Assessment, number: int) -> Ask | None:
    """Return why the question of this number was asked, where the answers before it still say."""
    before = Evidence(list(assessment.evidence)[: number - 1])
    step = next_step(assessment.content.knowledge, before)
    features = [*assessment.features, assessment.asking]
    return step if isinstance(step, Ask) and step.feature == features[number - 1] else None


def _previous_url(assessment: Assessment, number: int) -> str | None:
    """Return where the last reply before this number stands that counts: see `_read`."""
    knowledge, earlier = assessment.content.knowledge, assessment.features[: number - 1]
    for place, feature in zip(range(number - 1, 0, -1), reversed(earlier), strict=True):
        gate = knowledge.feature(feature).asked_if
        if not gate or applies(knowledge, assessment.evidence, feature):
            return url_of(place)
    return None


def _picture_of(feature: FeatureKey) -> str:
    """Return the name of the drawing that helps with this question, if somebody drew one."""
    return feature if _is_there(f"questionnaire/pictures/{feature}.html") else ""


def name_of(content: Content) -> str:
    """Return what the check is called at the top of its pages."""
    if own_start(content.topic):
        return _("Back lump check")
    return content.wording(language_here()).topic_title


def own_start(topic: str) -> str:
    """Return the template of a topic's own first page, if somebody wrote one."""
    own = f"questionnaire/topics/{topic}.html"
    return own if _is_there(own) else ""


def start_url_of(topic: str, first: str) -> str:
    """Return where a topic is begun: the first topic is at the front door."""
    if topic == first:
        return reverse("questionnaire:start")
    return reverse("questionnaire:start_of", args=[topic])


def start_page(content: Content, live: Sequence[Content]) -> dict[str, Any]:
    """Show where a topic is begun, with the ways to the others that are live."""
    wording = content.wording(language_here())
    back = any(feature.observation in BY_EYES_OR_HANDS for feature in content.knowledge.features)
    ways = WAYS if back else {voice: WAYS_ELSEWHERE[voice] for voice in WAYS_ELSEWHERE}
    return marks_of(content) | {
        "topic": content.topic,
        "covers": wording.covers,
        "usual": content.usual_questions,
        "ways": [(voice.value, way) for voice, way in ways.items()],
        "others": [
            (start_url_of(other.topic, live[0].topic), other.wording(language_here()).topic_title)
            for other in live
            if other.topic != content.topic and language_here() in other.wordings
        ],
    }


def _how_to(asked: Feature) -> str:
    """Return the template that says how to look, feel or measure, where that is needed."""
    if asked.observation not in BY_EYES_OR_HANDS:
        return ""
    own = f"questionnaire/how/{asked.key}.html"
    return own if _is_there(own) else f"questionnaire/how/{asked.observation}.html"


@cache
def _is_there(template: str) -> bool:
    try:
        get_template(template)
    except TemplateDoesNotExist:
        return False
    return True


def _read(assessment: Assessment) -> Iterable[tuple[int, FeatureKey, Reply]]:
    """Yield the replies that count, with their numbers; one whose gate closed is kept, not read."""
    knowledge, evidence = assessment.content.knowledge, assessment.evidence
    for number, (feature, reply) in enumerate(evidence, start=1):
        if not knowledge.feature(feature).asked_if or applies(knowledge, evidence, feature):
            yield number, feature, reply


def rows_of(assessment: Assessment) -> list[Row]:
    content, wording = assessment.content, wording_of(assessment)
    return [
        Row(
            number=number,
            name=wording.feature_name(feature),
            answer=replied(feature, reply, content.knowledge, wording),
            section=wording.section(feature),
            change_url=url_of(number),
        )
        for number, feature, reply in _read(assessment)
    ]


def _observed(assessment: Assessment) -> list[tuple[str, list[str]]]:
    """Return the names of what eyes or hands have told, under whose eyes or hands these were."""
    knowledge, wording = assessment.content.knowledge, wording_of(assessment)
    observed: dict[str, list[str]] = {}
    for number, feature, reply in _read(assessment):
        if (
            knowledge.feature(feature).observation in BY_EYES_OR_HANDS
            and not isinstance(reply, Declined)
            and reply != Chosen(frozenset({NOT_SURE}))
        ):
            voice = Assessment.Voice(assessment.set_by[number - 1])
            observed.setdefault(str(voice.label), []).append(wording.feature_name(feature))
    return list(observed.items())


def answers_page(assessment: Assessment) -> dict[str, Any]:
    rows = rows_of(assessment)
    order = list(dict.fromkeys(row.section for row in rows))
    by_section = sorted(rows, key=lambda row: (order.index(row.section), row.number))
    return marks_of(assessment.content) | {
        "rows": rows,
        "groups": [
            {"section": section, "rows": list(group)}
            for section, group in groupby(by_section, key=lambda row: row.section)
        ],
        "previous_url": rows[-1].change_url if rows else None,
        "revision": assessment.revision,
        "ways": ways_of(assessment),
    }


def withdraw_page(
    assessment: Assessment,
    number: int,
    flags: tuple[RuleKey, ...],
    hidden: list[tuple[str, str]],
) -> dict[str, Any]:
    content, wording = assessment.content, wording_of(assessment)
    return marks_of(content) | {
        "number": number,
        "withdraws": [
            {
                "title": wording.flag(flag).title,
                "urgency": wording.advice(
                    "urgency", content.knowledge.rule(flag).urgency.key
                ).heading,
            }
            for flag in flags
        ],
        "reply_hidden": hidden,
    }


def conflict_page(
    assessment: Assessment, number: int, feature: FeatureKey, yours: Reply, theirs: Reply
) -> dict[str, Any]:
    content, wording = assessment.content, wording_of(assessment)
    return marks_of(content) | {
        "number": number,
        "feature": question_of(assessment, feature),
        "yours": replied(feature, yours, content.knowledge, wording),
        "theirs": replied(feature, theirs, content.knowledge, wording),
    }


def outcome_page(assessment: Assessment, now: datetime) -> dict[str, Any]:
    """Show the outcome, worked out from the release and the replies and from nothing else."""
    content, wording = assessment.content, wording_of(assessment)
    evidence = assessment.evidence
    found, changes = outcome_and_changes(content.knowledge, evidence)
    disposed = found.disposition
    numbers = {feature: number for number, feature, _ in _read(assessment)}
    urls = {feature: url_of(number) for feature, number in numbers.items()}
    advice = wording.advice("urgency", disposed.urgency.key)
    emergency = disposed.urgency is Urgency.EMERGENCY_NOW
    page = marks_of(content) | {
        "urgency": {
            "key": disposed.urgency.key,
            "tier": _tier(disposed.urgency),
            "heading": advice.heading,
            "what_to_do": advice.what_to_do,
            "self_care": advice.self_care,
            "safety_net": advice.safety_net,
            "do_not": advice.do_not,
        },
        "reasons": [
            _reason(reason, evidence, content, wording)
            for reason in disposed.reasons
            if _matters(reason, disposed.urgency)
        ],
        "watch_for": [advice.safety_net],
        "not_excluded": [wording.flag(flag).title for flag in disposed.not_excluded],
        "causes": [
            _cause(ranked, evidence, content, wording)
            for ranked in found.differential[:MOST_CAUSES]
        ],
        "something_else": bool(found.differential),
        "checked": content.checked,
        "must_not_miss": [
            {
                "name": wording.condition(condition).plain_name,
                "summary": wording.condition(condition).summary,
            }
            for condition in found.must_not_miss
        ],
        "watching": watching(changes, content.knowledge, evidence, wording, urls),
        "unknowns": not_known(found, content.knowledge, evidence, wording, urls),
        "answer_rows": rows_of(assessment),
        "observed": _observed(assessment),
        "release_number": content.release_number,
        "release_hash_short": content.sha256[:8],
        "now": now,
        "engine_version": ENGINE_VERSION,
        "in_scope": bool(disposed.in_scope),
        "emergency": emergency,
        "slip_url": _slip_url(disposed.reasons, numbers) if emergency else None,
    }
    return page | {"terms": wording.glossary.terms_in(*_told_on(page))}


def _told_on(page: dict[str, Any]) -> Iterator[str]:
    """Yield what the outcome says of its own; the words of the questions were explained there."""
    for row in (page["urgency"], *page["reasons"], *page["causes"], *page["must_not_miss"]):
        yield from (text for text in row.values() if isinstance(text, str))
    yield from page["not_excluded"]


def _tier(urgency: Urgency) -> int:
    """One of three ways to show an urgency: at once, within days, not urgent."""
    if urgency is Urgency.EMERGENCY_NOW:
        return 1
    return 2 if urgency >= Urgency.FEW_DAYS else 3


def _matters(reason: Reason, urgency: Urgency) -> bool:
    """A cause with a calmer advice of its own says nothing about why this advice was given."""
    return isinstance(reason, FlagReason) or reason.urgency is urgency


def _reason(
    reason: Reason, evidence: Evidence, content: Content, wording: Wording
) -> dict[str, Any]:
    match reason:
        case FlagReason(rule, kind, urgency, findings):
            return {
                "title": wording.flag(rule).title,
                "message": wording.flag(rule).message,
                "because": [
                    told(finding, evidence, content.knowledge, wording) for finding in findings
                ],
                "urgency": urgency.key,
                "kind": kind.value,
            }
        case RiskReason(conditions, group, urgency):
            names = [wording.condition(condition).plain_name for condition in conditions]
            title = wording.risk_group(group) if group else names[0]
            return {
                "title": _("It could be: %(cause)s") % {"cause": title},
                "message": "" if group else wording.advice("condition", conditions[0]).what_to_do,
                "because": [],
                "urgency": urgency.key,
                "kind": "risk",
            }


def _cause(
    ranked: Ranked, evidence: Evidence, content: Content, wording: Wording
) -> dict[str, Any]:
    text = wording.condition(ranked.condition)
    return {
        "key": ranked.condition,
        "name": text.plain_name,
        "summary": text.summary,
        "chance": ranked.chance.value,
        "chance_words": str(CHANCES[ranked.chance]),
        "low_percent": whole(ranked.low),
        "high_percent": whole(ranked.high),
        "in_100": in_100(ranked)
        if content.checked and content.checked.covers(ranked.posterior)
        else "",
        "supports": _told(ranked.supports, evidence, content, wording),
        "opposes": _told(ranked.opposes, evidence, content, wording),
        "advice": wording.advice("condition", ranked.condition).what_to_do,
        "serious": content.knowledge.condition(ranked.condition).serious,
    }


def _told(
    weights: Iterable[Weight], evidence: Evidence, content: Content, wording: Wording
) -> list[str]:
    return [
        told(weight.finding, evidence, content.knowledge, wording)
        for weight in list(weights)[:MOST_WEIGHTS]
    ]


def _slip_url(reasons: tuple[Reason, ...], numbers: dict[FeatureKey, int]) -> str | None:
    """Return where the last of the answers stands that made this an emergency."""
    guilty = [
        numbers[finding.feature]
        for reason in reasons
        if isinstance(reason, FlagReason) and reason.urgency is Urgency.EMERGENCY_NOW
        for finding in reason.findings
        if finding.feature in numbers
    ]
    return url_of(max(guilty)) if guilty else None
