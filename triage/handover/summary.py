"""One Summary of an assessment: what the patient's page, the note, FHIR and the receipt all say.

It follows from the release and the replies alone. Its texts are in the place's own language,
whatever the patient read.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from django.conf import settings
from django.utils import translation
from django.utils.dateparse import parse_datetime

from triage.content.knowledge import Content, Wording, content_of
from triage.engine import (
    ENGINE_VERSION,
    NOT_SURE,
    Chance,
    Chosen,
    ConditionKey,
    Decline,
    Declined,
    Evidence,
    Feature,
    FeatureKey,
    FlagReason,
    Kind,
    Number,
    Option,
    OptionKey,
    Ranked,
    Reason,
    Reply,
    RiskReason,
    RuleKey,
    Together,
    Unknown,
    Urgency,
    Weight,
    outcome,
    reply_from_json,
)
from triage.engine.disposition import is_unknown
from triage.engine.standing import Standing
from triage.engine.verdicts import FALSE
from triage.questionnaire.models import Assessment
from triage.questionnaire.pages import BY_EYES_OR_HANDS, marks_of
from triage.questionnaire.sentences import CHANCES, replied, told

from .models import Handover

NOES = frozenset({OptionKey("no"), OptionKey("none")})
"""The options of a single choice that say that there is nothing: of a multiple choice it is any
that holds alone."""

RISK = "risk"


@dataclass(frozen=True, slots=True)
class Source:
    """All that a Summary is worked out of. `set_by` has a voice for each reply, in their order;
    `withdrawn` are the red flags that were raised once and taken back."""

    content: Content
    evidence: Evidence
    set_by: tuple[Assessment.Voice, ...]
    voice: Assessment.Voice
    language: str
    channel: Assessment.Channel
    started_at: datetime
    finished_at: datetime | None
    withdrawn: tuple[RuleKey, ...]
    ticket: str
    place: str


class Status(StrEnum):
    """What is known of a feature. Who is not sure has not said no."""

    PRESENT = "present"
    ABSENT = "absent"
    NOT_KNOWN = "not_known"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class FlagTold:
    key: RuleKey
    title: str


@dataclass(frozen=True, slots=True)
class ReasonTold:
    """One reason for the urgency. `kind` is that of the rule (“red_flag”, “scope”, “floor”), or
    “risk”; `key` that of the rule, of the risk group, or of the condition that is a risk alone.

    Of a risk only: `conditions` that are it together; `posterior` and `threshold`, probabilities:
    the highest posterior that is reached when alarms are taken away one by one, and what it had to
    reach.
    """

    kind: str
    key: str
    title: str
    message: str
    urgency: Urgency
    findings: tuple[str, ...] = ()
    conditions: tuple[ConditionKey, ...] = ()
    posterior: float | None = None
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """One finding, or several that are one reason, and what it adds to the log-odds; nats. `brief`
    names several without counting them up."""

    text: str
    brief: str
    nats: float


@dataclass(frozen=True, slots=True)
class CauseTold:
    """One condition of the differential: its posterior and the range that holds it in 90 of 100
    cases, probabilities; and the findings for and against it, the weightiest first."""

    key: ConditionKey
    name: str
    plain_name: str
    posterior: float
    low: float
    high: float
    chance: Chance
    chance_words: str
    serious: bool
    supports: tuple[Told, ...]
    opposes: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class FindingTold:
    """What is known of one feature.

    `answer` is the reply as the list of answers shows it, empty where it was not asked. `present`
    and `absent` are options with their labels: of a multiple choice all that hold and all that do
    not; of a single choice the one that holds or, where the reply says no, those it says no to.
    `set_by` is the voice in which it was replied to; `observed_by` says whose eyes or hands told
    what only these can, in words. `number_asked` is the place in the order of asking, from 1.
    """

    feature: FeatureKey
    name: str
    question: str
    section: str
    kind: Kind
    status: Status
    answer: str = ""
    present: tuple[tuple[OptionKey, str], ...] = ()
    absent: tuple[tuple[OptionKey, str], ...] = ()
    number: int | None = None
    declined: Decline | None = None
    set_by: str = ""
    observed_by: str = ""
    number_asked: int | None = None


@dataclass(frozen=True, slots=True)
class UnknownTold:
    """Something asked but not known, that matters: the rules above the urgency that a reply to it
    could make hold, the least and the most urgent that the advice could become, and the conditions
    that could come to lead."""

    feature: FeatureKey
    name: str
    answer: str
    rules: tuple[FlagTold, ...]
    lowest: Urgency
    highest: Urgency
    leads: tuple[tuple[ConditionKey, str], ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """What an assessment comes to, and all that it rests on.

    `reasons` has the most urgent first, and also those below the urgency. `withdrawn` leaves out
    what was raised again since. `in_scope` is false too where it is not known; the `differential`
    and `must_not_miss` are empty then, else all conditions by falling posterior, and those of them
    that are serious. `findings` has each feature that applies, or could, in the topic's order, and
    no other: every status is stated, none is left to be guessed from a gap.
    """

    source: Source
    topic: str
    topic_title: str
    release_number: int
    release_sha256: str
    engine_version: str
    demonstration: bool
    approved_for_clinical_use: bool
    draft: bool
    translation_unchecked: bool
    """No clinician has checked the texts in the language in which they were read."""

    started_at: datetime
    finished_at: datetime | None
    language: str
    ticket: str
    place: str
    channel: str
    voice: str
    answered_by: tuple[str, ...]
    """In words, each of those in whose voice some answer was given that counts."""

    urgency: Urgency
    advice_heading: str
    what_to_do: str
    safety_net: str
    in_scope: bool
    reasons: tuple[ReasonTold, ...]
    withdrawn: tuple[FlagTold, ...]
    not_excluded: tuple[FlagTold, ...]
    differential: tuple[CauseTold, ...]
    must_not_miss: tuple[tuple[ConditionKey, str], ...]
    findings: tuple[FindingTold, ...]
    unknowns: tuple[UnknownTold, ...]

    def of_status(self, status: Status) -> tuple[FindingTold, ...]:
        return tuple(finding for finding in self.findings if finding.status is status)


def summary_of_assessment(assessment: Assessment, *, ticket: str = "", place: str = "") -> Summary:
    return summary_of(
        Source(
            content=assessment.content,
            evidence=assessment.evidence,
            set_by=tuple(map(Assessment.Voice, assessment.set_by)),
            voice=Assessment.Voice(assessment.voice),
            language=assessment.language,
            channel=Assessment.Channel(assessment.channel),
            started_at=assessment.started_at,
            finished_at=assessment.finished_at,
            withdrawn=tuple(map(RuleKey, assessment.withdrawn)),
            ticket=ticket,
            place=place,
        )
    )


def summary_of_handover(handover: Handover) -> Summary:
    kept = handover.document
    finished_at = kept["finished_at"]
    return summary_of(
        Source(
            content=content_of(handover.release_id),
            evidence=Evidence(
                (FeatureKey(key), reply_from_json(reply)) for key, reply in kept["replies"]
            ),
            set_by=tuple(map(Assessment.Voice, kept["set_by"])),
            voice=Assessment.Voice(kept["voice"]),
            language=kept["language"],
            channel=Assessment.Channel(kept["channel"]),
            started_at=_moment(kept["started_at"]),
            finished_at=_moment(finished_at) if finished_at else None,
            withdrawn=tuple(map(RuleKey, kept["withdrawn"])),
            ticket=kept["ticket"],
            place=kept["place"],
        )
    )


def _moment(text: str) -> datetime:
    moment = parse_datetime(text)
    if moment is None:
        raise ValueError(f"“{text}” is no time")
    return moment


def summary_of(source: Source) -> Summary:
    """Return the Summary, in some milliseconds and without the database.

    Raises: NotTranslated if the release lacks texts in the place's own language.
    """
    with translation.override(settings.LANGUAGE_CODE):
        return _Teller(source).summary()


class _Teller:
    """Tells an outcome in the language that is active."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.content = source.content
        self.knowledge = source.content.knowledge
        self.evidence = source.evidence
        self.wording: Wording = source.content.wording(settings.LANGUAGE_CODE)
        self.standing = Standing(self.knowledge, self.evidence)
        self.counting = {feature.key for feature, _ in self.standing.read}

    def summary(self) -> Summary:
        source, content, found = self.source, self.content, outcome(self.knowledge, self.evidence)
        disposed = found.disposition
        advice = self.wording.advice("urgency", disposed.urgency.key)
        marks = marks_of(content)
        holding = {reason.rule for reason in disposed.reasons if isinstance(reason, FlagReason)}
        return Summary(
            source=source,
            topic=content.topic,
            topic_title=self.wording.topic_title,
            release_number=content.release_number,
            release_sha256=content.sha256,
            engine_version=ENGINE_VERSION,
            demonstration=content.demonstration,
            approved_for_clinical_use=marks["approved_for_clinical_use"],
            draft=marks["draft"],
            translation_unchecked=not _is_checked(content, source.language),
            started_at=source.started_at,
            finished_at=source.finished_at,
            language=source.language,
            ticket=source.ticket,
            place=source.place,
            channel=source.channel.value,
            voice=source.voice.value,
            answered_by=self._answered_by(),
            urgency=disposed.urgency,
            advice_heading=advice.heading,
            what_to_do=advice.what_to_do,
            safety_net=advice.safety_net,
            in_scope=bool(disposed.in_scope),
            reasons=tuple(map(self._reason, disposed.reasons)),
            withdrawn=self._flags(key for key in source.withdrawn if key not in holding),
            not_excluded=self._flags(disposed.not_excluded),
            differential=tuple(map(self._cause, found.differential)),
            must_not_miss=self._names(found.must_not_miss),
            findings=tuple(self._findings()),
            unknowns=tuple(map(self._unknown, found.unknowns)),
        )

    def _answered_by(self) -> tuple[str, ...]:
        answered = zip(self.evidence.features, self.source.set_by, strict=True)
        voices = dict.fromkeys(voice for key, voice in answered if key in self.counting)
        return tuple(str(voice.label) for voice in voices or [self.source.voice])

    def _flags(self, keys: Iterable[RuleKey]) -> tuple[FlagTold, ...]:
        return tuple(FlagTold(key, self.wording.flag(key).title) for key in keys)

    def _names(self, keys: Iterable[ConditionKey]) -> tuple[tuple[ConditionKey, str], ...]:
        return tuple((key, self.wording.condition(key).name) for key in keys)

    def _reason(self, reason: Reason) -> ReasonTold:
        match reason:
            case FlagReason(rule, kind, urgency, findings):
                text = self.wording.flag(rule)
                said = tuple(
                    told(finding, self.evidence, self.knowledge, self.wording)
                    for finding in findings
                )
                return ReasonTold(kind.value, rule, text.title, text.message, urgency, said)
            case RiskReason(conditions, group, urgency, posterior, threshold):
                first = conditions[0]
                return ReasonTold(
                    kind=RISK,
                    key=group or first,
                    title=self.wording.risk_group(group)
                    if group
                    else self.wording.condition(first).name,
                    message="" if group else self.wording.advice("condition", first).what_to_do,
                    urgency=urgency,
                    conditions=conditions,
                    posterior=posterior,
                    threshold=threshold,
                )

    def _cause(self, ranked: Ranked) -> CauseTold:
        text = self.wording.condition(ranked.condition)
        return CauseTold(
            key=ranked.condition,
            name=text.name,
            plain_name=text.plain_name,
            posterior=ranked.posterior,
            low=ranked.low,
            high=ranked.high,
            chance=ranked.chance,
            chance_words=str(CHANCES[ranked.chance]),
            serious=self.knowledge.condition(ranked.condition).serious,
            supports=self._told(ranked.supports),
            opposes=self._told(ranked.opposes),
        )

    def _told(self, weights: Iterable[Weight]) -> tuple[Told, ...]:
        return tuple(self._weight(weight) for weight in weights)

    def _weight(self, weight: Weight) -> Told:
        text = told(weight.finding, self.evidence, self.knowledge, self.wording)
        brief = text
        if isinstance(weight.finding, Together):
            names = self.wording.syndrome(weight.finding.syndrome)
            said = [name for name in (names.present, names.absent) if name in text]
            brief = max(said, key=len)  # “Ill all over” is a part of “Not ill all over”
        return Told(text, brief, weight.nats)

    def _unknown(self, unknown: Unknown) -> UnknownTold:
        return UnknownTold(
            feature=unknown.feature,
            name=self.wording.feature_name(unknown.feature),
            answer=self._answer(unknown.feature),
            rules=self._flags(unknown.rules),
            lowest=unknown.lowest,
            highest=unknown.highest,
            leads=self._names(unknown.leads),
        )

    def _answer(self, feature: FeatureKey) -> str:
        reply = self.evidence.get(feature)
        return "" if reply is None else replied(feature, reply, self.knowledge, self.wording)

    def _findings(self) -> Iterator[FindingTold]:
        """Yield what is known of each feature that applies or could."""
        numbers = {key: number for number, key in enumerate(self.evidence.features, start=1)}
        for feature in self.knowledge.features:
            not_asked = FindingTold(
                feature=feature.key,
                name=self.wording.feature_name(feature.key),
                question=self.wording.question(feature.key),
                section=self.wording.section(feature.key),
                kind=feature.kind,
                status=Status.NOT_ASKED,
            )
            reply = self.evidence.get(feature.key)
            if reply is not None and feature.key in self.counting:
                yield self._replied(not_asked, feature, reply, numbers[feature.key])
            elif self.standing.gates.get(feature.key) is not FALSE:
                yield not_asked

    def _replied(
        self, not_asked: FindingTold, feature: Feature, reply: Reply, number: int
    ) -> FindingTold:
        status, present, absent = _read(feature, reply)
        voice = self.source.set_by[number - 1]
        seen = feature.observation in BY_EYES_OR_HANDS and status is not Status.NOT_KNOWN
        return replace(
            not_asked,
            status=status,
            answer=self._answer(feature.key),
            present=self._labels(feature, present),
            absent=self._labels(feature, absent),
            number=reply.value if isinstance(reply, Number) else None,
            declined=reply.reason if isinstance(reply, Declined) else None,
            set_by=voice.value,
            observed_by=str(voice.label) if seen else "",
            number_asked=number,
        )

    def _labels(
        self, feature: Feature, keys: Iterable[OptionKey]
    ) -> tuple[tuple[OptionKey, str], ...]:
        return tuple((key, self.wording.option(feature.key, key)) for key in keys)


def _is_checked(content: Content, language: str) -> bool:
    """Whether a clinician has checked what was read; not known, if it is no longer spoken here."""
    read = content.wordings.get(language.partition("-")[0])
    return read is not None and read.is_checked


def _read(feature: Feature, reply: Reply) -> tuple[Status, list[OptionKey], list[OptionKey]]:
    """Return what a reply says of a feature, and of its options: those that hold and those that do
    not."""
    match reply:
        case Declined():
            return Status.NOT_KNOWN, [], []
        case Number():
            return Status.PRESENT, [], []
        case Chosen(chosen):
            able = [option.key for option in feature.options if not _says_no(feature, option)]
            present = [key for key in able if key in chosen]
            rest = [key for key in able if key not in chosen]
            if is_unknown(reply):
                return Status.NOT_KNOWN, present, []
            if not present:
                return Status.ABSENT, [], rest
            return Status.PRESENT, present, rest if feature.kind is Kind.MULTI else []


def _says_no(feature: Feature, option: Option) -> bool:
    """Whether an option says that there is nothing, or nothing known. An alarm never does: “no” to
    “Can you walk?” is bad news."""
    if option.key == NOT_SURE:
        return True
    says_no = option.exclusive if feature.kind is Kind.MULTI else option.key in NOES
    return says_no and not option.alarm
