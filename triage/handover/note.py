"""The clinician's note: one Summary in the order in which a note is written, for 40 seconds.

Page and plain text are drawn from one `Note`, so that they cannot differ. All that it says by itself
is said here, in the place's own language; the template has no word of its own.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from textwrap import wrap

from django.conf import settings
from django.utils import translation
from django.utils.formats import date_format, number_format
from django.utils.text import capfirst
from django.utils.timezone import localtime
from django.utils.translation import get_language_info, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from triage.content.calibration import MOST_CAUSES
from triage.engine import ConditionKey, Kind, Urgency
from triage.engine.inference import DECIMALS
from triage.questionnaire.in_100 import whole

from .summary import (
    RISK,
    CauseTold,
    FindingTold,
    FlagTold,
    ReasonTold,
    Status,
    Summary,
    Told,
)

COLUMNS = 80
MOST_WEIGHTS = 3  # for and against a cause: the weightiest
WORTH_A_REASON = 0.05
LEAST, FINE_BELOW, MOST = 0.001, 0.1, 0.99

HOW_SOON = {
    Urgency.EMERGENCY_NOW: gettext_lazy("Emergency"),
    Urgency.SAME_DAY: gettext_lazy("Urgent: today"),
    Urgency.FEW_DAYS: gettext_lazy("Within 2 to 3 days"),
    Urgency.URGENT_2_WEEKS: gettext_lazy("Within 2 weeks"),
    Urgency.ROUTINE: gettext_lazy("Not urgent"),
    Urgency.SELF_CARE: gettext_lazy("Not urgent: care at home"),
}
STATUSES = {
    Status.PRESENT: gettext_lazy("Present"),
    Status.ABSENT: gettext_lazy("Absent"),
    Status.NOT_KNOWN: gettext_lazy("Asked, but not known"),
    Status.NOT_ASKED: gettext_lazy("Not asked"),
}

# What a record system may not show: beside letters, all that is left is ASCII.
PLAIN = str.maketrans(
    dict.fromkeys("“”„«»", '"')
    | dict.fromkeys("\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}", "'")
    | dict.fromkeys("\N{EN DASH}\N{EM DASH}\N{MIDDLE DOT}", "-")
    | dict.fromkeys("\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}", " ")
    | {"\N{HORIZONTAL ELLIPSIS}": "..."}
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in a list: what it is, and what is said of it. `options` are those it speaks of."""

    key: str
    name: str
    says: str = ""
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """`findings` are there for what sets the urgency only: all are among those present. `numbers`
    are there for a risk only."""

    kind: str
    key: str
    urgency: Urgency
    how_soon: str
    title: str
    findings: tuple[str, ...]
    numbers: str


@dataclass(frozen=True, slots=True)
class Cause:
    """`per_cent` and `range` are what is shown of the numbers beside them."""

    key: ConditionKey
    name: str
    posterior: float
    low: float
    high: float
    per_cent: str
    range: str
    chance: str
    serious: bool
    supports: tuple[str, ...]
    opposes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """All of one status, by section."""

    status: Status
    heading: str
    sections: tuple[tuple[str, tuple[Entry, ...]], ...]


@dataclass(frozen=True, slots=True)
class Note:
    """What the note says, in its order."""

    language: str
    title: str
    head: tuple[str, ...]
    urgency: Urgency
    how_soon: str
    advice: str
    what_to_do: str
    safety_net: str
    reasons_heading: str
    reasons: tuple[Reason, ...]
    no_reason: str
    withdrawn_heading: str
    withdrawn: tuple[FlagTold, ...]
    not_excluded_heading: str
    not_excluded: tuple[FlagTold, ...]
    causes_heading: str
    causes: tuple[Cause, ...]
    no_causes: str
    other_causes: str
    must_not_miss_heading: str
    must_not_miss: tuple[Cause, ...]
    supports: str
    opposes: str
    serious: str
    findings: tuple[Findings, ...]
    observed: tuple[str, ...]
    unknowns_heading: str
    unknowns: tuple[Entry, ...]
    leads_heading: str
    leads: tuple[Entry, ...]


def plain_text(summary: Summary, *, reference: str = "") -> str:
    """Return the note for pasting into a record: lines of 80 columns at the most, and no tab."""
    return "\n".join(_lines(note_of(summary, reference=reference))).translate(PLAIN) + "\n"


def note_of(summary: Summary, *, reference: str = "") -> Note:
    """Return what the note says. `reference` leads from a note on paper to the verdict on it."""
    with translation.override(settings.LANGUAGE_CODE):
        shown = summary.differential[:MOST_CAUSES]
        causes = {cause.key: cause for cause in map(_cause, summary.differential)}
        return Note(
            language=settings.LANGUAGE_CODE,
            title=summary.topic_title,
            head=tuple(_head(summary, reference)),
            urgency=summary.urgency,
            how_soon=str(HOW_SOON[summary.urgency]),
            advice=summary.advice_heading,
            what_to_do=_("Was told: %(advice)s") % {"advice": summary.what_to_do},
            safety_net=_("To watch for: %(signs)s") % {"signs": summary.safety_net},
            reasons_heading=_("Red flags and other reasons"),
            reasons=tuple(
                _reason(reason, summary)
                for reason in summary.reasons
                if reason.kind != RISK or reason.urgency is summary.urgency
            ),
            no_reason=_("No red flag, and no other reason to be seen sooner."),
            withdrawn_heading=_("Red flags taken back: raised, then the answer was changed"),
            withdrawn=summary.withdrawn,
            not_excluded_heading=_("Not ruled out, as an answer is not known"),
            not_excluded=summary.not_excluded,
            causes_heading=_("Possible causes: estimates, with the range for 90 in 100"),
            causes=tuple(causes[cause.key] for cause in shown),
            no_causes=_no_causes(summary),
            other_causes=_others(summary.differential[MOST_CAUSES:]),
            must_not_miss_heading=_("Serious causes to rule out"),
            must_not_miss=tuple(causes[key] for key, _name in summary.must_not_miss),
            supports=_("For"),
            opposes=_("Against"),
            serious=_("Serious"),
            findings=tuple(_findings(summary)),
            observed=tuple(_observed(summary.findings)),
            unknowns_heading=_("Not known, and could change the advice"),
            unknowns=tuple(_unknowns(summary)),
            leads_heading=_("Not known, and could change which cause comes first"),
            leads=tuple(
                Entry(unknown.feature, unknown.name)
                for unknown in summary.unknowns
                if unknown.leads
            ),
        )


def _head(summary: Summary, reference: str) -> Iterator[str]:
    """Yield who, when and where, and what must be known before the rest is believed."""
    ticket = _("Ticket %(ticket)s") % {"ticket": summary.ticket} if summary.ticket else ""
    yield ". ".join(filter(None, (ticket, summary.place, _times(summary)))) + "."
    yield " ".join(_marks(summary))
    yield " ".join(_answered(summary))
    yield " ".join(_origin(summary, reference))


def _times(summary: Summary) -> str:
    started = localtime(summary.started_at)
    if summary.finished_at is None:
        when = {"date": date_format(started, "DATETIME_FORMAT")}
        return _("Begun on %(date)s, not finished") % when
    return _("Begun on %(date)s, done at %(time)s") % {
        "date": date_format(started, "DATETIME_FORMAT"),
        "time": date_format(localtime(summary.finished_at), "H:i"),
    }


def _marks(summary: Summary) -> Iterator[str]:
    yield _("The patient gave these answers, or someone did so for them. Not a diagnosis.")
    if not summary.approved_for_clinical_use:
        yield _("Not approved for clinical use.")
    if summary.draft:
        yield _("Draft.")
    if summary.demonstration:
        yield _("Demonstration.")


def _answered(summary: Summary) -> Iterator[str]:
    language = get_language_info(summary.language)["name_translated"]
    yield _("Answered by: %(who)s.") % {"who": "; ".join(summary.answered_by)}
    yield _("Language: %(language)s.") % {"language": language}
    if summary.translation_unchecked:
        yield _("This was translated from English. No clinician has checked it.")


def _origin(summary: Summary, reference: str) -> Iterator[str]:
    yield _("Content release %(number)s (%(hash)s), engine %(engine)s.") % {
        "number": summary.release_number,
        "hash": summary.release_sha256[:8],
        "engine": summary.engine_version,
    }
    if reference:
        yield _("Reference: %(code)s.") % {"code": reference}


def _reason(reason: ReasonTold, summary: Summary) -> Reason:
    return Reason(
        kind=reason.kind,
        key=reason.key,
        urgency=reason.urgency,
        how_soon=str(HOW_SOON[reason.urgency]),
        title=_("It could be: %(cause)s") % {"cause": reason.title}
        if reason.kind == RISK
        else reason.title,
        findings=reason.findings if reason.urgency is summary.urgency else (),
        numbers=_risk(reason, summary),
    )


def _risk(reason: ReasonTold, summary: Summary) -> str:
    if reason.posterior is None or reason.threshold is None:
        return ""
    now = sum(cause.posterior for cause in summary.differential if cause.key in reason.conditions)
    numbers = {"risk": per_cent(reason.posterior), "least": per_cent(reason.threshold)}
    if per_cent(now) == numbers["risk"]:
        return _("%(risk)s, counts from %(least)s") % numbers
    return _("%(risk)s if some of the alarms are left out, counts from %(least)s") % numbers


def per_cent(probability: float) -> str:
    """Return a probability as “62%”, “4.2%” or “<0.1%”. Neither 0 nor 100 is ever claimed, and it is
    never rounded up to where another of the words for chances begins."""
    probability = round(probability, DECIMALS)
    if probability < LEAST:
        return f"<{number_format(100 * LEAST, 1)}%"
    if probability > MOST:
        return f">{number_format(100 * MOST, 0)}%"
    if probability < FINE_BELOW:
        tenths = min(round(100 * probability, 1), 100 * FINE_BELOW - 0.1)
        return f"{number_format(tenths, 1)}%"
    return f"{whole(probability)}%"


def _cause(cause: CauseTold) -> Cause:
    return Cause(
        key=cause.key,
        name=cause.name,
        posterior=cause.posterior,
        low=cause.low,
        high=cause.high,
        per_cent=per_cent(cause.posterior),
        range=_("%(low)s to %(high)s") % {"low": per_cent(cause.low), "high": per_cent(cause.high)},
        chance=cause.chance_words,
        serious=cause.serious,
        supports=_weightiest(cause.supports, cause),
        opposes=_weightiest(cause.opposes, cause),
    )


def _weightiest(weights: tuple[Told, ...], cause: CauseTold) -> tuple[str, ...]:
    """Return what is said for or against a cause; nothing of one that is nearly ruled out."""
    if cause.high < WORTH_A_REASON:
        return ()
    return tuple(weight.brief for weight in weights[:MOST_WEIGHTS])


def _no_causes(summary: Summary) -> str:
    if summary.differential:
        return ""
    if any(reason.kind == "scope" for reason in summary.reasons):
        return _("This check does not list causes for this person.")
    return _("Not listed: it ended before it was known whether this check fits this person.")


def _others(rest: tuple[CauseTold, ...]) -> str:
    if not rest:
        return ""
    numbers = {"count": len(rest), "most": per_cent(max(cause.posterior for cause in rest))}
    return (
        ngettext(
            "%(count)s more, at %(most)s", "%(count)s more, the likeliest at %(most)s", len(rest)
        )
        % numbers
    )


def _findings(summary: Summary) -> Iterator[Findings]:
    for status, heading in STATUSES.items():
        entries = [
            (finding.section, entry)
            for finding in summary.findings
            if (entry := _entry(finding, status))
        ]
        order = list(dict.fromkeys(section for section, _entry in entries))
        entries.sort(key=lambda pair: order.index(pair[0]))
        sections = tuple(
            (capfirst(section), tuple(entry for _section, entry in group))
            for section, group in groupby(entries, key=lambda pair: pair[0])
        )
        if sections:
            yield Findings(status, str(heading), sections)


def _entry(finding: FindingTold, status: Status) -> Entry | None:
    """Return what one feature has to say under one status: a multiple choice of which some options
    hold is present with these, and absent with the others."""
    if status is Status.ABSENT and finding.absent and finding.kind is Kind.MULTI:
        options = "; ".join(label for _key, label in finding.absent)
        says = (_("not: %(options)s") if finding.present else _("none of these: %(options)s")) % {
            "options": options
        }
        return Entry(finding.feature, finding.name, says, _keys(finding.absent))
    if finding.status is not status:
        return None
    said_no = _keys(finding.absent) if status is Status.ABSENT else ()
    return Entry(finding.feature, finding.name, finding.answer, said_no or _keys(finding.present))


def _keys(options: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(key for key, _label in options)


def _observed(findings: Iterable[FindingTold]) -> Iterator[str]:
    observed: dict[str, list[str]] = {}
    for finding in findings:
        if finding.observed_by:
            observed.setdefault(finding.observed_by, []).append(finding.name)
    for who, names in observed.items():
        yield _("Seen or felt by %(observed_by)s: %(observed)s.") % {
            "observed_by": who,
            "observed": "; ".join(names),
        }


def _unknowns(summary: Summary) -> Iterator[Entry]:
    """Yield what is not known and could change the urgency, and how; what could raise it first."""
    knowledge = summary.source.content.knowledge
    raising = [unknown for unknown in summary.unknowns if unknown.highest > summary.urgency]
    for unknown in raising:
        could = _("%(answer)s. Could make it more urgent: %(how_soon)s") % {
            "answer": unknown.answer,
            "how_soon": HOW_SOON[unknown.highest],
        }
        most = [f for f in unknown.rules if knowledge.rule(f.key).urgency is unknown.highest]
        flags = "; ".join(flag.title for flag in most)
        yield Entry(unknown.feature, unknown.name, f"{could} ({flags})" if flags else could)
    for unknown in summary.unknowns:
        if unknown.lowest < summary.urgency and unknown not in raising:
            could = _("%(answer)s. Could make it less urgent: %(how_soon)s") % {
                "answer": unknown.answer,
                "how_soon": HOW_SOON[unknown.lowest],
            }
            yield Entry(unknown.feature, unknown.name, could)


# Plain text


def _lines(note: Note) -> Iterator[str]:
    yield from _wrapped(note.title.upper())
    for sentence in note.head:
        yield from _wrapped(sentence)
    yield ""
    yield from _wrapped(f"{note.how_soon.upper()} - {note.advice}")
    yield from _wrapped(note.what_to_do)
    yield from _wrapped(note.safety_net)
    yield from _headed(note.reasons_heading, map(_reason_line, note.reasons))
    if not note.reasons:
        yield from _headed("", [note.no_reason])
    yield from _headed(note.withdrawn_heading, (flag.title for flag in note.withdrawn))
    yield from _headed(note.not_excluded_heading, (flag.title for flag in note.not_excluded))
    yield from _headed(note.causes_heading, [note.no_causes] if note.no_causes else [])
    yield from _causes(note)
    yield from _headed(
        note.must_not_miss_heading,
        (f"{cause.name}: {cause.per_cent}" for cause in note.must_not_miss),
    )
    for findings in note.findings:
        yield ""
        yield findings.heading.upper()
        for section, entries in findings.sections:
            if findings.status is Status.NOT_ASKED:
                names = "; ".join(entry.name for entry in entries)
                yield from _wrapped(f"{section}: {names}", 2)
                continue
            yield from _wrapped(f"{section}:")
            for entry in entries:
                yield from _bullet(_entry_line(entry), 2)
    if note.observed:
        yield ""
    for sentence in note.observed:
        yield from _wrapped(sentence)
    yield from _headed(note.unknowns_heading, map(_entry_line, note.unknowns))
    if note.leads:
        yield from _headed(note.leads_heading, ["; ".join(entry.name for entry in note.leads)])


def _headed(heading: str, bullets: Iterable[str]) -> Iterator[str]:
    for number, bullet in enumerate(bullets):
        if not number:
            yield ""
            if heading:
                yield from _wrapped(heading.upper())
        yield from _bullet(bullet)


def _reason_line(reason: Reason) -> str:
    because = "; ".join(reason.findings) or reason.numbers
    return f"{reason.how_soon}: {reason.title}" + (f" ({because})" if because else "")


def _causes(note: Note) -> Iterator[str]:
    if note.causes:
        yield ""
        yield from _wrapped(note.causes_heading.upper())
    for place, cause in enumerate(note.causes, start=1):
        line = f"{cause.name}: {cause.per_cent} ({cause.range}), {cause.chance}"
        yield from _wrapped(f"{place}. {line}" + (f", {note.serious}" if cause.serious else ""), 3)
        for heading, weights in ((note.supports, cause.supports), (note.opposes, cause.opposes)):
            if weights:
                yield from _wrapped(f"   {heading}: {'; '.join(weights)}", 5)
    if note.other_causes:
        yield from _bullet(note.other_causes)


def _entry_line(entry: Entry) -> str:
    return f"{entry.name}: {entry.says}" if entry.says else entry.name


def _bullet(text: str, indent: int = 0) -> Iterator[str]:
    yield from _wrapped(f"{' ' * indent}- {text}", indent + 2)


def _wrapped(text: str, indent: int = 0) -> Iterator[str]:
    yield from wrap(text, COLUMNS, subsequent_indent=" " * indent, break_on_hyphens=False)
