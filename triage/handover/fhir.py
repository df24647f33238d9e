"""A Summary as a FHIR R4 document: a file that record systems take in, and people can read.

Sources: HL7 FHIR R4 (4.0.1), Bundle, Composition, QuestionnaireResponse, Observation and
RiskAssessment; its Structured Data Capture guide 4.0.0 for a questionnaire that travels inside the
response, as it was asked; its Symptoms guide 1.0.0 for the shape of a symptom that is there or not;
LOINC for the codes. None of their profiles is claimed.

What might be wrong is a RiskAssessment and never a Condition, which would land on the problem list
of somebody whom no clinician has seen yet.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from django.conf import settings
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from triage.content import choices
from triage.engine import (
    NOT_SURE,
    Chosen,
    Decline,
    Declined,
    FeatureKey,
    Kind,
    Number,
    OptionKey,
    Reply,
    Urgency,
)
from triage.questionnaire.models import Assessment

from .summary import (
    CauseTold,
    FindingTold,
    FlagTold,
    ReasonTold,
    Status,
    Summary,
    Told,
    UnknownTold,
)

type Resource = dict[str, Any]

TITLE = "Symptom checker summary: patient-reported, not a diagnosis"

LOINC = "http://loinc.org"
PATIENT_NOTE = (LOINC, "51855-5", "Patient Note")
CHIEF_COMPLAINT = (LOINC, "10154-3", "Chief complaint Narrative - Reported")
SYMPTOM = (LOINC, "75325-1", "Symptom")
SYMPTOM_ABSENT = (LOINC, "111551-8", "Symptom absent")
SURVEY = ("http://terminology.hl7.org/CodeSystem/observation-category", "survey", "Survey")
ABSENCE = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
WHY_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
UNKNOWN = {
    Decline.DONT_KNOW: (ABSENCE, "unknown", "Unknown"),
    Decline.CANT_SEE: (ABSENCE, "not-performed", "Not Performed"),
    Decline.RATHER_NOT_SAY: (ABSENCE, "asked-declined", "Asked But Declined"),
}
"""How a reply that is none is coded. Whoever is not sure does not know."""

DECIMALS = 4
"""Of a percentage: posteriors are equal on every machine to 1e-6, and no further."""

KINDS = {
    "red_flag": "Red flag",
    "scope": "Outside what this checker is made for",
    "floor": "Rule",
    "risk": "Chance of a cause",
}
VOICES_OF_OTHERS = (Assessment.Voice.HELPER, Assessment.Voice.OTHER)

UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
OTHER_SPACE = re.compile(r"[^\S \r\n\t]")
"""What neither XML nor the pattern of a FHIR string takes: control characters, lone surrogates, and
every space (a non-breaking one, say) but the four that it names."""


def document_of(summary: Summary, *, base: str) -> Resource:
    """Return a Bundle of type document. The same Summary gives the same bytes.

    `base` is the address of this installation, without a slash at its end: our own codes are named
    under it. Every id is derived from what the document says.
    """
    with translation.override(settings.LANGUAGE_CODE):
        said = json.dumps(_Document(summary, base, NAMESPACE_URL).bundle(), sort_keys=True)
        return _Document(summary, base, uuid5(NAMESPACE_URL, said)).bundle()


@dataclass(frozen=True, slots=True)
class _Document:
    """One document in the making; `root` is what its ids are derived from."""

    summary: Summary
    base: str
    root: UUID

    def bundle(self) -> Resource:
        findings = list(self.findings())
        resources = [
            ("composition", self.composition(findings)),
            ("patient", self.patient()),
            *((f"person/{voice}", self.person(voice)) for voice in self.others()),
            ("software", self.software()),
            ("response", self.response()),
            ("urgency", self.urgency()),
            *((name, resource) for name, _, resource in findings),
        ]
        if self.summary.differential:
            resources.append(("causes", self.causes()))
        bundle: Resource = _tidy(
            {
                "resourceType": "Bundle",
                "id": str(self.root),
                "identifier": {"system": "urn:ietf:rfc:3986", "value": self.root.urn},
                "type": "document",
                "timestamp": self.at,
                "entry": [
                    {"fullUrl": self.urn(name), "resource": _with_id(resource, self.id(name))}
                    for name, resource in resources
                ],
            }
        )
        return bundle

    # Names and addresses

    def id(self, name: str) -> str:
        return str(uuid5(self.root, name))

    def urn(self, name: str) -> str:
        return f"urn:uuid:{self.id(name)}"

    def to(self, name: str) -> Resource:
        return {"reference": self.urn(name)}

    def own(self, system: str, code: str, display: str) -> tuple[str, str, str]:
        return (f"{self.base}/fhir/CodeSystem/{system}", code, display)

    @property
    def at(self) -> str:
        return _moment(self.summary.finished_at or self.summary.started_at)

    @property
    def period(self) -> Resource:
        finished_at = self.summary.finished_at
        return {
            "start": _moment(self.summary.started_at),
            "end": _moment(finished_at) if finished_at else "",
        }

    def others(self) -> list[str]:
        """The voices, but the person's own, that speak in the document."""
        known = {Status.PRESENT, Status.ABSENT}
        heard = {f.set_by for f in self.summary.findings if f.status in known}
        return [voice.value for voice in VOICES_OF_OTHERS if voice in heard | {self.summary.voice}]

    def speaker(self, voice: str) -> Resource:
        return self.to(f"person/{voice}" if voice in VOICES_OF_OTHERS else "patient")

    # What a person reads

    def composition(self, findings: list[tuple[str, Status, Resource]]) -> Resource:
        summary = self.summary
        of = {
            status: [self.to(name) for name, its, _ in findings if its is status]
            for status in (Status.PRESENT, Status.ABSENT)
        }
        return {
            "resourceType": "Composition",
            "language": _language(settings.LANGUAGE_CODE),
            "text": _narrative(_paragraph(TITLE), _paragraph(summary.advice_heading)),
            "status": "preliminary",
            "type": _concept(PATIENT_NOTE),
            "subject": self.to("patient"),
            "date": self.at,
            "author": [self.speaker(summary.voice), self.to("software")],
            "title": TITLE,
            "section": [
                self.visit(),
                _section("How urgent it is, and why", self.why(), [self.to("urgency")]),
                _section(
                    "Red flags raised and withdrawn: the person changed the answer",
                    _listed(_named(summary.withdrawn)),
                ),
                _section(
                    "Emergencies that are not excluded: what would rule them out is not known",
                    _listed(_named(summary.not_excluded)),
                ),
                _section(
                    "Possible causes, as chances and not as diagnoses",
                    self.differential(),
                    [self.to("causes")] if summary.differential else [],
                ),
                _section("Present", self.told(Status.PRESENT), of[Status.PRESENT]),
                _section("Absent", self.told(Status.ABSENT), of[Status.ABSENT]),
                _section("Asked, and not known", self.told(Status.NOT_KNOWN)),
                _section(
                    "Not known, and could change the advice or the likeliest cause",
                    _listed(map(_unknown, summary.unknowns)),
                ),
                _section("Not asked", self.told(Status.NOT_ASKED)),
                _section("All questions and answers", self.answers(), [self.to("response")]),
                _section("Where this comes from", self.origin(), [self.to("software")]),
            ],
        }

    def visit(self) -> Resource:
        summary = self.summary
        section = _section(
            "Reason for the visit",
            _listed(
                [
                    summary.topic_title,
                    f"Began: {_read_as(summary.started_at)}",
                    f"Finished: {_read_as(summary.finished_at)}"
                    if summary.finished_at
                    else "Not finished",
                    *([f"Place: {summary.place}"] if summary.place else []),
                    *([f"Ticket: {summary.ticket}"] if summary.ticket else []),
                    f"Answered in: {_language(summary.language)}",
                    f"Answered by: {'; '.join(summary.answered_by)}",
                ]
            ),
        )
        return section | {"code": _concept(CHIEF_COMPLAINT)}

    def why(self) -> SafeString:
        summary = self.summary
        said = [summary.advice_heading, summary.what_to_do, summary.safety_net]
        told = format_html_join("", "{}", ((_paragraph(text),) for text in said if text))
        return told + _listed(map(_reason, summary.reasons))

    def differential(self) -> SafeString:
        summary = self.summary
        if not summary.differential:
            return _paragraph(
                "None are given: the person is outside what this checker is made for, or that is"
                " not known."
            )
        serious = ", ".join(name for _, name in summary.must_not_miss)
        rule_out = f"Serious causes to rule out, whatever their chance: {serious or 'none'}."
        told = "Each with the range that holds its chance in 90 of 100 cases."
        return _paragraph(rule_out) + _paragraph(told) + _listed(map(_cause, summary.differential))

    def told(self, status: Status) -> SafeString:
        """List the features of one status; and, as absent, also what was not ticked elsewhere."""
        lines = []
        for finding in self.summary.findings:
            seen = f" (seen or felt by {finding.observed_by})" if finding.observed_by else ""
            if status is Status.ABSENT and finding.kind is Kind.MULTI and finding.absent:
                lines.append(f"{finding.name}, not: {'; '.join(map(_label, finding.absent))}{seen}")
            elif finding.status is status:
                answer = f": {finding.answer}" if finding.answer else ""
                lines.append(f"{finding.name}{answer}{seen}")
        return _listed(lines)

    def answers(self) -> SafeString:
        return _listed(
            f"{finding.question} {finding.answer or 'Not asked'}"
            for finding in self.summary.findings
        )

    def origin(self) -> SafeString:
        summary = self.summary
        marks = [
            (not summary.approved_for_clinical_use, "Not approved for clinical use."),
            (summary.demonstration, "The content is a demonstration."),
            (summary.draft, "The content is a draft that was being tried out."),
            (
                summary.translation_unchecked,
                "No clinician has checked the translation in which it was read.",
            ),
        ]
        return _listed(
            [
                "Reported by the person and worked out by software. No clinician has seen it.",
                *(text for holds, text in marks if holds),
                f"Engine {summary.engine_version}",
                f"Content: {summary.topic}, release {summary.release_number}",
                f"SHA-256 of the content: {summary.release_sha256}",
            ]
        )

    # Who, and with what

    def patient(self) -> Resource:
        return {
            "resourceType": "Patient",
            "text": _narrative(_paragraph("Nobody was asked who they are.")),
        }

    def person(self, voice: str) -> Resource:
        label = str(Assessment.Voice(voice).label)
        return {
            "resourceType": "RelatedPerson",
            "text": _narrative(_paragraph(label)),
            "patient": self.to("patient"),
            "relationship": [{"text": label}],
        }

    def software(self) -> Resource:
        summary = self.summary
        name = f"Symptom checker: {summary.topic_title}"
        versions = {
            "engine": summary.engine_version,
            "content release": f"{summary.topic} {summary.release_number}",
            "SHA-256 of the content": summary.release_sha256,
        }
        return {
            "resourceType": "Device",
            "text": _narrative(_paragraph(name)),
            "status": "active",
            "deviceName": [{"name": name, "type": "user-friendly-name"}],
            "type": {"text": "Symptom checker software"},
            "version": [{"type": {"text": of}, "value": value} for of, value in versions.items()],
        }

    # What was asked and answered

    def response(self) -> Resource:
        summary = self.summary
        return {
            "resourceType": "QuestionnaireResponse",
            "text": _narrative(self.answers()),
            "contained": [self.questionnaire()],
            "questionnaire": "#asked",
            "status": "completed" if summary.finished_at else "stopped",
            "subject": self.to("patient"),
            "authored": self.at,
            "author": self.speaker(summary.voice),
            "source": self.speaker(summary.voice),
            "item": [
                {
                    "linkId": finding.feature,
                    "text": finding.question,
                    "answer": list(self.reply(finding)),
                }
                for finding in summary.findings
            ],
        }

    def questionnaire(self) -> Resource:
        """The questions of this one interview; those that were not asked have no answer."""
        summary = self.summary
        return {
            "resourceType": "Questionnaire",
            "id": "asked",
            "derivedFrom": [
                f"{self.base}/fhir/Questionnaire/{summary.topic}|{summary.release_number}"
            ],
            "version": str(summary.release_number),
            "title": summary.topic_title,
            "status": "active",
            "subjectType": ["Patient"],
            "item": [self.question(finding) for finding in summary.findings],
        }

    def question(self, finding: FindingTold) -> Resource:
        feature = self.summary.source.content.knowledge.feature(finding.feature)
        question: Resource = {
            "linkId": finding.feature,
            "prefix": str(finding.number_asked) if finding.number_asked else "",
            "text": finding.question,
            "type": "integer" if finding.kind is Kind.NUMBER else "choice",
        }
        if finding.kind is Kind.NUMBER:
            return question
        offered = [self.option(finding.feature, option.key) for option in feature.options]
        offered += [UNKNOWN[way] for way in feature.declines]
        return question | {
            "repeats": finding.kind is Kind.MULTI,
            "answerOption": [{"valueCoding": _coding(option)} for option in offered],
        }

    def option(self, feature: FeatureKey, option: OptionKey) -> tuple[str, str, str]:
        if option == NOT_SURE:
            return UNKNOWN[Decline.DONT_KNOW]
        wording = self.summary.source.content.wording(settings.LANGUAGE_CODE)
        return self.own(self.summary.topic, f"{feature}.{option}", wording.option(feature, option))

    def reply(self, finding: FindingTold) -> Iterator[Resource]:
        """Yield the answers to one question: none where it was not asked."""
        asked = finding.status is not Status.NOT_ASKED
        reply: Reply | None = self.summary.source.evidence.get(finding.feature) if asked else None
        match reply:
            case None:
                return
            case Number(value):
                yield {"valueInteger": value}
            case Declined(way) if finding.kind is Kind.NUMBER:
                absent = {"url": WHY_ABSENT, "valueCode": UNKNOWN[way][1]}
                yield {"_valueInteger": {"extension": [absent]}}
            case Declined(way):
                yield {"valueCoding": _coding(UNKNOWN[way])}
            case Chosen(options):
                for option in sorted(options):
                    yield {"valueCoding": _coding(self.option(finding.feature, option))}

    # What follows from it

    def findings(self) -> Iterator[tuple[str, Status, Resource]]:
        """Yield an Observation for whatever is known to be there or not to be: its name here, which
        of the two, and itself. Of what is not known there is none."""
        for finding in self.summary.findings:
            for status, code, text in _observed(finding):
                yield f"finding/{code}", status, self.observation(finding, status, code, text)

    def observation(self, finding: FindingTold, status: Status, code: str, text: str) -> Resource:
        own = self.own(self.summary.topic, code, text)
        seen = f"Seen or felt by: {finding.observed_by}" if finding.observed_by else ""
        asked: Resource = {
            "resourceType": "Observation",
            "text": _narrative(_paragraph(f"{status.value.capitalize()}: {text}")),
            "status": "final",
            "category": [_concept(SURVEY)],
            "subject": self.to("patient"),
            "effectivePeriod": self.period,
            "performer": [self.speaker(finding.set_by)],
            "note": [{"text": seen}] if seen else [],
            "derivedFrom": [self.to("response")],
        }
        if finding.number is not None:
            return asked | {"code": _concept(own), "valueInteger": finding.number}
        code_of = SYMPTOM if status is Status.PRESENT else SYMPTOM_ABSENT
        return asked | {"code": _concept(code_of), "valueCodeableConcept": _concept(own)}

    def urgency(self) -> Resource:
        summary = self.summary
        level = self.own("care-advice", summary.urgency.key, _words(summary.urgency))
        notes = [
            *map(_reason, summary.reasons),
            *(f"Raised and withdrawn: {title}" for title in _named(summary.withdrawn)),
            *(f"Not excluded: {title}" for title in _named(summary.not_excluded)),
        ]
        return {
            "resourceType": "Observation",
            "text": _narrative(self.why()),
            "status": "preliminary",
            "category": [_concept(SURVEY)],
            "code": _concept(self.own("care-advice", "advice-level", "Level of the advice")),
            "subject": self.to("patient"),
            "effectiveDateTime": self.at,
            "performer": [self.speaker(summary.voice)],
            "valueCodeableConcept": _concept(level, summary.advice_heading),
            "note": [{"text": note} for note in notes],
            "device": self.to("software"),
            "derivedFrom": [self.to("response")],
        }

    def causes(self) -> Resource:
        summary = self.summary
        serious = ", ".join(name for _, name in summary.must_not_miss)
        return {
            "resourceType": "RiskAssessment",
            "text": _narrative(self.differential()),
            "status": "preliminary",
            "method": {"text": "Bayes' rule over the answers; see the version of the software"},
            "code": {"text": "Possible causes"},
            "subject": self.to("patient"),
            "occurrenceDateTime": self.at,
            "performer": self.to("software"),
            "basis": [self.to("response")],
            "prediction": [self.prediction(cause) for cause in summary.differential],
            "note": [{"text": f"To be ruled out, whatever their chance: {serious}"}]
            if serious
            else [],
        }

    def prediction(self, cause: CauseTold) -> Resource:
        own = self.own(f"{self.summary.topic}-causes", cause.key, cause.name)
        return {
            "outcome": _concept(own),
            "probabilityDecimal": _percent(cause.posterior),
            "qualitativeRisk": {"text": cause.chance_words},
            "rationale": _rationale(cause),
        }


def _observed(finding: FindingTold) -> Iterator[tuple[Status, str, str]]:
    """Yield what one feature says is there or is not: which of the two, its code, and its words.

    A single choice that says no denies the feature as a whole; of a multiple choice each option
    that could have been ticked, and was not, is denied.
    """
    if finding.number is not None:
        yield Status.PRESENT, finding.feature, finding.name
    for option, label in finding.present if finding.status is Status.PRESENT else ():
        yield Status.PRESENT, f"{finding.feature}.{option}", f"{finding.name}: {label}"
    if finding.kind is Kind.MULTI:
        for option, label in finding.absent:
            yield Status.ABSENT, f"{finding.feature}.{option}", f"{finding.name}: {label}"
    elif finding.status is Status.ABSENT:
        yield Status.ABSENT, finding.feature, finding.name


def _reason(reason: ReasonTold) -> str:
    chance = (
        f" It reached {_short(reason.posterior)}; from {_short(reason.threshold)} on it counts."
        if reason.posterior is not None and reason.threshold is not None
        else ""
    )
    because = f" Because: {'; '.join(reason.findings)}." if reason.findings else ""
    kind = KINDS[reason.kind]
    told = f"{kind} ({_words(reason.urgency)}): {reason.title}."
    return " ".join(f"{told} {reason.message}{chance}{because}".split())


def _cause(cause: CauseTold) -> str:
    spread = f"{_short(cause.low)} to {_short(cause.high)}"
    return f"{cause.name}: {_short(cause.posterior)} ({spread}), {cause.chance_words}"


def _unknown(unknown: UnknownTold) -> str:
    lowest, highest = _words(unknown.lowest), _words(unknown.highest)
    advice = lowest if lowest == highest else f"{lowest} to {highest}"
    flags = f"; flags: {', '.join(_named(unknown.rules))}" if unknown.rules else ""
    leads = f"; likeliest: {', '.join(name for _, name in unknown.leads)}" if unknown.leads else ""
    return f"{unknown.name}: {unknown.answer}. Once it is known, {advice}{flags}{leads}"


def _rationale(cause: CauseTold) -> str:
    spread = f"90 in 100: {_percent(cause.low)} to {_percent(cause.high)} %."
    return f"{spread} For: {_weighed(cause.supports)}. Against: {_weighed(cause.opposes)}."


def _weighed(told: Iterable[Told]) -> str:
    return "; ".join(f"{each.text} ({each.nats:+.2f})" for each in told) or "nothing"


def _named(flags: Iterable[FlagTold]) -> list[str]:
    return [flag.title for flag in flags]


def _label(option: tuple[OptionKey, str]) -> str:
    return option[1]


def _words(urgency: Urgency) -> str:
    return str(choices.Urgency(urgency.key).label)


def _percent(probability: float) -> float:
    """Return a probability as FHIR has it in a RiskAssessment: from 0 to 100."""
    return round(100 * probability, DECIMALS)


def _short(probability: float) -> str:
    return f"{100 * probability:.1f} %"


def _read_as(when: datetime) -> str:
    return date_format(timezone.localtime(when), "j F Y, H:i")


def _moment(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(timespec="seconds")


def _language(code: str) -> str:
    """Return a language as BCP 47 writes it: “en-GB”."""
    language, _, country = code.partition("-")
    return f"{language}-{country.upper()}" if country else language


# The parts of which resources are made


def _with_id(resource: Resource, its: str) -> Resource:
    return {"resourceType": resource["resourceType"], "id": its} | resource


def _coding(code: tuple[str, str, str]) -> Resource:
    system, value, display = code
    return {"system": system, "code": value, "display": display}


def _concept(code: tuple[str, str, str], text: str = "") -> Resource:
    return {"coding": [_coding(code)], "text": text or code[2]}


def _section(title: str, text: SafeString, entries: Iterable[Resource] = ()) -> Resource:
    return {"title": title, "text": _narrative(text), "entry": list(entries)}


def _narrative(*parts: SafeString) -> Resource:
    inside = format_html_join("", "{}", ((part,) for part in parts))
    return {
        "status": "generated",
        "div": str(format_html('<div xmlns="http://www.w3.org/1999/xhtml">{}</div>', inside)),
    }


def _paragraph(text: str) -> SafeString:
    return format_html("<p>{}</p>", text)


def _listed(texts: Iterable[str]) -> SafeString:
    lines = list(texts) or ["None"]
    return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", ((t,) for t in lines)))


def _tidy(value: Any) -> Any:
    """Return a value without what FHIR does not take: empty parts, and characters of no text."""
    match value:
        case dict():
            tidied = {key: _tidy(part) for key, part in value.items()}
            return {key: part for key, part in tidied.items() if part not in ("", [], {}, None)}
        case list():
            return [part for part in map(_tidy, value) if part not in ("", [], {}, None)]
        case str() if not value.isprintable():
            return OTHER_SPACE.sub(" ", UNWRITABLE.sub("", value))
    return value
